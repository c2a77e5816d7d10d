//! The program: reads the command line and does what it says.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use cloudmanager_emulator::app::{App, AppError, read_seed};
use cloudmanager_emulator::config::{Command, Config, LogFormat, ServeOptions};
use cloudmanager_emulator::openapi;
use cloudmanager_emulator::stop::Signals;
use cloudmanager_emulator::store::with_causes;
use tracing_subscriber::EnvFilter;

/// The exit code for everything that keeps the program from starting.
const REFUSED: u8 = 2;

fn main() -> ExitCode {
    let Config { command, serve } = Config::parse();
    let done = match command.unwrap_or(Command::Serve(serve)) {
        Command::Serve(options) => run(options),
        Command::Openapi => print(&openapi::yaml()),
        Command::Check { file } => read_seed(&file).map(|_| ()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", with_causes(&error));
            ExitCode::from(REFUSED)
        }
    }
}

#[tokio::main]
async fn run(options: ServeOptions) -> Result<(), AppError> {
    start_log(options.log_format);
    let signals = Signals::listen().map_err(AppError::Serve)?;
    let app = App::build(options.into()).await?;
    print(&format!("listening on {}\n", app.url()))?;
    app.run_until_stopped(signals.wait()).await
}

fn print(text: &str) -> Result<(), AppError> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(AppError::Serve)
}

fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
