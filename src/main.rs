//! The program: reads the command line and does what it says.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use cloudmanager_emulator::app::{App, AppError, read_seed};
use cloudmanager_emulator::config::{Command, Config, ExecOptions, ServeOptions};
use cloudmanager_emulator::log::{self, Recent};
use cloudmanager_emulator::stop::{self, GRACE, Signals};
use cloudmanager_emulator::store::with_causes;
use cloudmanager_emulator::{exec, openapi, schema};

fn main() -> ExitCode {
    let Config { command, serve } = Config::parse();
    let done = match command.unwrap_or(Command::Serve(serve)) {
        Command::Serve(options) => run(options),
        Command::Exec(options) => run_command(options),
        Command::Openapi => print(&openapi::yaml()),
        Command::Check { file } => {
            read_seed(&file).and_then(|_| print(&format!("{}: no mistakes\n", file.display())))
        }
        Command::Schema => print(&schema::json()),
    };
    done.unwrap_or_else(|error| {
        eprintln!("{}", with_causes(&error));
        ExitCode::from(error.exit_code())
    })
}

#[tokio::main]
async fn run(options: ServeOptions) -> Result<ExitCode, AppError> {
    log::start(options.log_format, None);
    stop::outlive_size_limits().map_err(AppError::Serve)?;
    let mut signals = Signals::listen().map_err(AppError::Serve)?;
    let app = tokio::select! {
        app = App::build(options.into()) => app?,
        // What is committed stays, as if the program had been killed.
        () = signals.wait() => return Ok(ExitCode::SUCCESS),
    };
    print(&format!("listening on {}\n", app.url()))?;
    let stop = async move { signals.wait().await };
    app.run_until_stopped(stop, GRACE).await.map(|()| ExitCode::SUCCESS)
}

#[tokio::main]
async fn run_command(options: ExecOptions) -> Result<ExitCode, AppError> {
    let recent = Recent::default();
    log::start(options.serve.log_format, Some(recent.clone()));
    stop::outlive_size_limits().map_err(AppError::Serve)?;
    let (options, command) = options.into();
    exec::run(options, &command, &recent).await
}

fn print(text: &str) -> Result<ExitCode, AppError> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(AppError::Serve)?;
    Ok(ExitCode::SUCCESS)
}
