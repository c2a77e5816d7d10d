//! The program: reads the command line and does what it says.

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use cloudmanager_emulator::app::{App, AppError, read_seed};
use cloudmanager_emulator::banner::Banner;
use cloudmanager_emulator::config::{CliCommand, Config, ExecOptions, ServeOptions};
use cloudmanager_emulator::log::{self, LogOptions, Recent, Verbosity};
use cloudmanager_emulator::stop::{self, GRACE, Signals};
use cloudmanager_emulator::store::with_causes;
use cloudmanager_emulator::{exec, openapi, schema};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let Config { command, serve } = match Config::read(&arguments) {
        Ok(config) => config,
        Err(error) => return refuse(&error, &arguments),
    };
    let done = match command.unwrap_or(CliCommand::Serve(serve)) {
        CliCommand::Serve(options) => run(options),
        CliCommand::Exec(options) => run_command(options),
        CliCommand::Openapi => print(&openapi::yaml()),
        CliCommand::Check { file } => {
            read_seed(&file).and_then(|_| print(&format!("{}: no mistakes\n", file.display())))
        }
        CliCommand::Schema => print(&schema::json()),
    };
    let code = done.unwrap_or_else(|error| {
        log::say(&with_causes(&error));
        ExitCode::from(error.exit_code())
    });
    log::finish();
    code
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
    print(&format!("listening on {}\n", app.url()))?;
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

fn print(text: &str) -> Result<ExitCode, AppError> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        // Whoever wanted to read it has left; that ends nothing.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(AppError::Serve(error)),
        _ => Ok(ExitCode::SUCCESS),
    }
}
