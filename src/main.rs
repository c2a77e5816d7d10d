//! The program: reads the command line and does what it says.

use std::ffi::OsString;
use std::process::ExitCode;

use cloudmanager_emulator::app::{App, AppError, host_of, read_seed};
use cloudmanager_emulator::banner::Banner;
use cloudmanager_emulator::commands::{self, CommandError};
use cloudmanager_emulator::config::{CaOptions, CliCommand, Config, ExecOptions, ServeOptions};
use cloudmanager_emulator::log::{self, LogOptions, Recent, Verbosity};
use cloudmanager_emulator::stop::{self, GRACE, Signals};
use cloudmanager_emulator::store::with_causes;
use cloudmanager_emulator::tls::{AuthorityDirectory, AuthorityError};
use cloudmanager_emulator::{exec, openapi, schema};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let Config { command, serve } = match Config::read(&arguments) {
        Ok(config) => config,
        Err(error) => return refuse(&error, &arguments),
    };
    let done = do_command(command.unwrap_or(CliCommand::Serve(serve)));
    let code = done.unwrap_or_else(|CommandFailure { message, code }| {
        log::say(&message);
        ExitCode::from(code)
    });
    log::finish();
    code
}

fn do_command(command: CliCommand) -> Result<ExitCode, CommandFailure> {
    match command {
        CliCommand::Serve(options) => Ok(run(options)?),
        CliCommand::Exec(options) => Ok(run_command(options)?),
        CliCommand::Status { emulator, watch } => ask(commands::status(&emulator.url, watch)),
        CliCommand::Healthcheck { emulator } => ask(commands::check_health(&emulator.url)),
        CliCommand::Import(options) => ask(commands::import::import(options)),
        CliCommand::Ca(options) => show(authority(options).map_err(AppError::from)?),
        CliCommand::Openapi => show(openapi::yaml()),
        CliCommand::Check { file } => {
            read_seed(&file)?;
            show(format!("{}: no mistakes\n", file.display()))
        }
        CliCommand::Schema => show(schema::json()),
        CliCommand::Completions { shell } => show(Config::completions(shell)),
        CliCommand::Man => show(Config::manual().map_err(CommandError::Write)?),
    }
}

/// Returns the certificate of the authority, made or renewed as the options say.
fn authority(options: CaOptions) -> Result<Vec<u8>, AuthorityError> {
    let CaOptions { der, renew, ca_dir, public_url } = options;
    let directory = AuthorityDirectory::new(ca_dir)?;
    let further = public_url.as_deref().and_then(host_of);
    let authority = if renew {
        directory.renew(further.as_deref())?
    } else {
        directory.load_or_make(further.as_deref())?
    };
    Ok(if der { authority.root_der().to_vec() } else { authority.root_pem().into_bytes() })
}

/// Why the program ends without success.
struct CommandFailure {
    message: String,
    code: u8,
}

impl From<AppError> for CommandFailure {
    fn from(error: AppError) -> Self {
        Self { message: with_causes(&error), code: error.exit_code() }
    }
}

impl From<CommandError> for CommandFailure {
    fn from(error: CommandError) -> Self {
        Self { message: with_causes(&error), code: 1 }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn ask(
    command: impl Future<Output = Result<ExitCode, CommandError>>,
) -> Result<ExitCode, CommandFailure> {
    Ok(command.await?)
}

fn show(text: impl AsRef<[u8]>) -> Result<ExitCode, CommandFailure> {
    commands::print(text.as_ref()).map_err(CommandError::Write)?;
    Ok(ExitCode::SUCCESS)
}

/// Says what is wrong with the command line, or shows the help or the version that it asks for.
fn refuse(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    if error.use_stderr() && log::is_json_asked_for(arguments) {
        log::say(error.to_string().trim_end());
        log::finish();
    } else if let Err(error) = error.print() {
        log::say(&error.to_string());
        log::finish();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

#[tokio::main]
async fn run(options: ServeOptions) -> Result<ExitCode, AppError> {
    let LogOptions { format, verbosity } = options.log_options(Verbosity::Changes);
    log::start(LogOptions { format, verbosity }, None)?;
    stop::outlive_size_limits().map_err(AppError::Serve)?;
    let mut signals = Signals::listen().map_err(AppError::Serve)?;
    let app = tokio::select! {
        app = App::build(options.into()) => app?,
        // What is committed stays, as if the program had been killed.
        () = signals.wait() => return Ok(ExitCode::SUCCESS),
    };
    if verbosity > Verbosity::Quiet {
        Banner::new(&app).show(format);
    }
    let ready = format!("listening on {}\n", app.url());
    commands::print(ready.as_bytes()).map_err(AppError::Serve)?;
    let stop = async move { signals.wait().await };
    app.run_until_stopped(stop, GRACE).await.map(|()| ExitCode::SUCCESS)
}

#[tokio::main]
async fn run_command(options: ExecOptions) -> Result<ExitCode, AppError> {
    let recent = Recent::default();
    // By default, stderr is the command's own.
    log::start(options.serve.log_options(Verbosity::Quiet), Some(recent.clone()))?;
    stop::outlive_size_limits().map_err(AppError::Serve)?;
    let (options, command) = options.into();
    exec::run(options, &command, &recent).await
}
