//! The command line. Every option can also be given as an environment variable.

mod advice;

use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::builder::{PossibleValue, Resettable};
use clap::error::ErrorKind;
use clap::{
    ArgAction, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
};
use clap_complete::Shell;

use crate::access::Auth;
use crate::app::{AppOptions, InterceptionOptions};
use crate::banner::VERSION;
use crate::commands::import::ImportOptions;
use crate::commands::parse_url;
use crate::domain::pace::Pace;
use crate::domain::time::Timestamp;
use crate::engine::EngineOptions;
use crate::engine::clock::is_rate;
use crate::exec::CommandToRun;
use crate::log::{LogFormat, LogOptions, Verbosity};
use crate::server::Timeouts;
use crate::store::secrets::SecretKey;

/// The default address.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4600);

/// A free port, for an emulator with `exec`.
const LISTEN_FOR_COMMAND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The default database file.
const DATABASE: &str = "cloudmanager.db";

/// A local emulator of Adobe Cloud Manager's REST API.
#[derive(Debug, Parser)]
#[command(version = VERSION, args_conflicts_with_subcommands = true)]
pub struct Config {
    /// The command; `serve` if absent.
    #[command(subcommand)]
    pub command: Option<CliCommand>,
    /// The options of `serve`.
    #[command(flatten)]
    pub serve: ServeOptions,
}

/// The commands of the program.
#[derive(Debug, Subcommand)]
pub enum CliCommand {
    /// Starts the emulator.
    Serve(ServeOptions),
    /// Runs a command with its own emulator, and exits with the command's exit code.
    Exec(ExecOptions),
    /// Shows what runs in an emulator: pipelines, and the steps of their newest executions.
    Status {
        /// The emulator.
        #[command(flatten)]
        emulator: Emulator,
        /// Follows the changes until the emulator stops.
        #[arg(short, long)]
        watch: bool,
    },
    /// Succeeds if an emulator answers and is ready.
    Healthcheck {
        /// The emulator.
        #[command(flatten)]
        emulator: Emulator,
    },
    /// Writes a seed of an organisation's programs and pipelines in Cloud Manager.
    Import(ImportOptions),
    /// Prints the certificate of the emulator's own authority, for clients to trust; makes the
    /// authority if there is none.
    Ca(CaOptions),
    /// Prints openapi.yaml, the description of the API.
    Openapi,
    /// Checks a seed file and reports every mistake in it.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Prints the JSON Schema of seed files, for editors.
    Schema,
    /// Prints the completions of options and commands for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Prints the manual page.
    Man,
}

/// A running emulator.
#[derive(Args, Debug)]
pub struct Emulator {
    /// Its base URL.
    #[arg(env = "CLOUDMANAGER_URL", value_parser = parse_url, default_value = "http://127.0.0.1:4600")]
    pub url: String,
}

/// The authority of the emulator.
#[derive(Args, Debug)]
pub struct CaOptions {
    /// Prints DER instead of PEM.
    #[arg(long)]
    pub der: bool,
    /// Makes a new authority in place of the one that is there; clients must trust it again.
    #[arg(long)]
    pub renew: bool,
    /// The directory of the authority; one in the user's data directory if absent.
    #[arg(long, env = "CME_CA_DIR", value_name = "DIR")]
    pub ca_dir: Option<PathBuf>,
    /// A URL whose host a new authority permits as well.
    #[arg(long, env = "CME_PUBLIC_URL", value_name = "URL", value_parser = parse_url)]
    pub public_url: Option<String>,
}

/// A command to run with its own emulator. By default, the emulator listens on a free port and has
/// a temporary database.
#[derive(Args, Debug)]
pub struct ExecOptions {
    /// The options of the emulator.
    #[command(flatten)]
    pub serve: ServeOptions,
    /// Lets the command reach the emulator under the names of Adobe's services, as
    /// cloudmanager.adobe.io: sets proxy and trust for it.
    #[arg(long, env = "CME_INTERCEPT", value_parser = parse_flag)]
    pub intercept: bool,
    /// The command and its arguments. `CLOUDMANAGER_URL` in its environment is the URL of the
    /// emulator.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// The options of the emulator.
#[derive(Args, Debug)]
pub struct ServeOptions {
    /// The address to listen on, or only a port on this machine; port 0 is any free port. If
    /// absent, 127.0.0.1:4600, and with `exec` any free port.
    #[arg(long, env = "CME_LISTEN", value_name = "ADDR:PORT", value_parser = parse_address)]
    pub listen: Option<SocketAddr>,
    /// The SQLite file, created or migrated at start. If absent, cloudmanager.db, and with `exec` a
    /// temporary one.
    #[arg(long, env = "CME_DATABASE", value_name = "FILE")]
    pub database: Option<PathBuf>,
    /// Uses a temporary database that is deleted at exit.
    #[arg(long, env = "CME_EPHEMERAL", value_parser = parse_flag)]
    pub ephemeral: bool,
    /// The YAML or JSON seed file to load into an empty database; the demo data if absent.
    #[arg(long, env = "CME_SEED", value_name = "FILE")]
    pub seed: Option<PathBuf>,
    /// How long automated steps take.
    #[arg(long, env = "CME_PACE", value_enum, default_value_t)]
    pub pace: Pace,
    /// The speed of the clock relative to real time; 0 stops it.
    #[arg(long, env = "CME_CLOCK_RATE", value_name = "N", value_parser = parse_rate, allow_negative_numbers = true)]
    pub clock_rate: Option<f64>,
    /// The start time of a new database's clock; now if absent.
    #[arg(long, env = "CME_CLOCK_START", value_name = "TIME", value_parser = Timestamp::parse)]
    pub clock_start: Option<Timestamp>,
    /// Who may call the API. `open`: anyone with a non-empty token and api key, with all roles.
    /// `strict`: only clients of the seed, with a token from /ims/token/v3 and their own roles.
    #[arg(long, env = "CME_AUTH", value_enum, default_value_t)]
    pub auth: Auth,
    /// The base of absolute URLs; from the request's Host if absent.
    #[arg(long, env = "CME_PUBLIC_URL", value_name = "URL", value_parser = parse_url)]
    pub public_url: Option<String>,
    /// The base of the URLs in events; the public URL if absent.
    #[arg(long, env = "CME_EVENT_URL", value_name = "URL", value_parser = parse_url)]
    pub event_url: Option<String>,
    /// An additional Host name to accept while listening on loopback; can be repeated.
    #[arg(long, env = "CME_ALLOW_HOST", value_name = "NAME", value_delimiter = ',')]
    pub allow_host: Vec<String>,
    /// Also listens for HTTPS under the names of Adobe's services, for clients that ignore proxies.
    #[arg(long, env = "CME_TLS", value_name = "ADDR:PORT", value_parser = parse_address)]
    pub tls: Option<SocketAddr>,
    /// Also listens as a proxy that answers under the names of Adobe's services and passes all other
    /// requests on.
    #[arg(long, env = "CME_PROXY", value_name = "ADDR:PORT", value_parser = parse_address)]
    pub proxy: Option<SocketAddr>,
    /// The proxy refuses all other hosts.
    #[arg(long, env = "CME_OFFLINE", value_parser = parse_flag)]
    pub offline: bool,
    /// The directory of the emulator's own authority; one in the user's data directory if absent.
    #[arg(long, env = "CME_CA_DIR", value_name = "DIR")]
    pub ca_dir: Option<PathBuf>,
    /// An address of a proxy before the emulator whose `Forwarded` and `X-Forwarded-*` headers count;
    /// can be repeated. Those from this machine always count.
    #[arg(long, env = "CME_TRUST_PROXY", value_name = "ADDR", value_delimiter = ',')]
    pub trust_proxy: Vec<IpAddr>,
    /// The key that encrypts secret variables, 32 bytes in base64; if absent, a generated one
    /// is kept beside the database.
    #[arg(long, env = "CME_SECRET_KEY", value_name = "KEY", hide_env_values = true)]
    pub secret_key: Option<SecretKey>,
    /// The format of the log on stderr.
    #[arg(long, env = "CME_LOG_FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,
    /// Logs more: also calls that read; twice: also SQL statements. RUST_LOG overrides it.
    #[arg(short, long, env = "CME_VERBOSE", value_name = "N", action = ArgAction::Count)]
    pub verbose: u8,
    /// Logs only warnings and errors. RUST_LOG overrides it.
    #[arg(short, long, env = "CME_QUIET", value_parser = parse_flag)]
    pub quiet: bool,
}

// Written here: the rules of Cloud Manager know nothing of the command line.
impl ValueEnum for Pace {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Immediate, Self::Quick, Self::Realistic]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::Immediate => ("immediate", "Automated steps take no time"),
            Self::Quick => {
                ("quick", "A production run reaches its go-live approval in about 20 seconds")
            }
            Self::Realistic => ("realistic", "As in Cloud Manager"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

impl Config {
    /// Reads the arguments of the program, the first of which is its name, and the environment.
    pub fn read(arguments: &[OsString]) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        Self::parser_for(arguments)
            .try_get_matches_from(arguments)
            .and_then(|mut matches| Self::from_arg_matches_mut(&mut matches))
            .map_err(|error| advice::with_advice(error.format(&mut command), &command, arguments))
            .and_then(|config| match config.contradiction() {
                Some(text) => Err(command.error(ErrorKind::ArgumentConflict, text)),
                None => Ok(config),
            })
    }

    /// Returns the parser. Before a subcommand it reads no options of `serve` from the environment:
    /// they are not for it, and a wrong one must not stop it.
    fn parser_for(arguments: &[OsString]) -> Command {
        let command = Self::command();
        let is_subcommand = |name: &OsString| command.find_subcommand(name).is_some();
        if arguments.get(1).is_some_and(is_subcommand) {
            command.mut_args(|argument| argument.env(Resettable::Reset))
        } else {
            command
        }
    }

    /// Returns the completions for a shell.
    #[must_use]
    pub fn completions(shell: Shell) -> Vec<u8> {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Self::command(), env!("CARGO_PKG_NAME"), &mut script);
        script
    }

    /// Returns the manual page.
    pub fn manual() -> io::Result<Vec<u8>> {
        let mut page = Vec::new();
        let command = Self::command().flatten_help(true);
        clap_mangen::Man::new(command).render(&mut page)?;
        Ok(page)
    }

    /// Returns what is wrong about the options together. `clap` can't tell: for it, a flag that is
    /// turned off by an environment variable is given.
    fn contradiction(&self) -> Option<&'static str> {
        let options = match &self.command {
            None => &self.serve,
            Some(CliCommand::Serve(options)) => options,
            Some(CliCommand::Exec(options)) => &options.serve,
            Some(_) => return None,
        };
        if options.ephemeral && options.database.is_some() {
            return Some(
                "--ephemeral (CME_EPHEMERAL) and --database (CME_DATABASE) can't be used together: \
                 the first deletes the database at exit, the second keeps it",
            );
        }
        if options.quiet && options.verbose > 0 {
            return Some("--quiet (CME_QUIET) and --verbose (CME_VERBOSE) can't be used together");
        }
        None
    }
}

/// Reads a flag from its environment variable.
fn parse_flag(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("must be true or false"),
    }
}

/// Reads an address. A port alone, and `localhost`, mean this machine.
fn parse_address(text: &str) -> Result<SocketAddr, &'static str> {
    let port = text.strip_prefix("localhost:").unwrap_or(text);
    match port.parse() {
        Ok(port) => Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)),
        Err(_) => text.parse().map_err(|_| "must be ADDRESS:PORT, for example 127.0.0.1:4600"),
    }
}

fn parse_rate(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|rate| is_rate(*rate)).ok_or("must be a number from 0 to 1000000")
}

impl ServeOptions {
    /// Returns what is logged: as much as the options say, `usual` if they say nothing.
    #[must_use]
    pub fn log_options(&self, usual: Verbosity) -> LogOptions {
        let verbosity = match self.verbose {
            _ if self.quiet => Verbosity::Quiet,
            0 => usual,
            1 => Verbosity::Reads,
            _ => Verbosity::Sql,
        };
        LogOptions { format: self.log_format, verbosity }
    }
}

impl From<ExecOptions> for (AppOptions, CommandToRun) {
    fn from(options: ExecOptions) -> Self {
        let ExecOptions { mut serve, intercept, command } = options;
        serve.listen.get_or_insert(LISTEN_FOR_COMMAND);
        serve.ephemeral |= serve.database.is_none();
        if intercept {
            serve.proxy.get_or_insert(LISTEN_FOR_COMMAND);
        }
        let mut options = AppOptions::from(serve);
        options.interception.is_temporary = true;
        (options, CommandToRun { words: command, is_intercepted: intercept })
    }
}

impl From<ServeOptions> for AppOptions {
    fn from(options: ServeOptions) -> Self {
        let ServeOptions {
            listen,
            database,
            ephemeral,
            seed,
            pace,
            clock_rate,
            clock_start,
            auth,
            public_url,
            event_url,
            allow_host,
            tls,
            proxy,
            offline,
            ca_dir,
            trust_proxy,
            secret_key,
            log_format: _,
            verbose: _,
            quiet: _,
        } = options;
        Self {
            listen: listen.unwrap_or(LISTEN),
            database: (!ephemeral).then(|| database.unwrap_or_else(|| DATABASE.into())),
            seed,
            public_url,
            event_url,
            allow_hosts: allow_host,
            auth,
            engine: EngineOptions {
                pace,
                clock_rate,
                clock_start,
                secret_key,
                ..EngineOptions::default()
            },
            timeouts: Timeouts::default(),
            interception: InterceptionOptions {
                tls,
                proxy,
                offline,
                ca_dir,
                is_temporary: false,
                trusted_proxies: trust_proxy,
            },
        }
    }
}
