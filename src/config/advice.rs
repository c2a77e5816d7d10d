//! Advice in the errors of the command line.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

/// Adds to an error where the wrong value comes from, and what to write instead.
pub(super) fn with_advice(mut error: Error, command: &Command, arguments: &[OsString]) -> Error {
    let options = options_of(arguments);
    let invalid = text_of(&error, ContextKind::InvalidArg);
    let is_exec = options.get(1).is_some_and(|name| name == "exec");
    let tip = match error.kind() {
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let variable = variable_behind(&invalid, command, &options);
            variable.map(|name| format!("the value comes from the environment variable {name}"))
        }
        ErrorKind::InvalidUtf8 => unreadable_variable(command)
            .map(|name| format!("the environment variable {name} is not valid UTF-8")),
        ErrorKind::UnknownArgument if ["--port", "-p"].contains(&invalid.as_str()) => {
            Some("the port is a part of the address: --listen 127.0.0.1:4600".to_owned())
        }
        ErrorKind::UnknownArgument | ErrorKind::MissingRequiredArgument if is_exec => {
            Some("write -- between options and command: exec [OPTIONS] -- COMMAND…".to_owned())
        }
        ErrorKind::ArgumentConflict => {
            let name = text_of(&error, ContextKind::InvalidSubcommand);
            (!name.is_empty()).then(|| format!("write options after the subcommand: {name} --…"))
        }
        _ => None,
    };
    if let Some(tip) = tip {
        let tips = ContextValue::StyledStrs(vec![StyledStr::from(tip)]);
        error.insert(ContextKind::Suggested, tips);
    }
    error
}

/// Returns the arguments before those of a command to run.
fn options_of(arguments: &[OsString]) -> Vec<String> {
    let options = arguments.iter().take_while(|argument| *argument != "--");
    options.map(|argument| argument.to_string_lossy().into_owned()).collect()
}

fn text_of(error: &Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        _ => String::new(),
    }
}

/// Returns the environment variable that a wrong value comes from, if it does not stand on the
/// command line. The option is written as in `--pace <PACE>`, an operand as in `[URL]`.
fn variable_behind(option: &str, command: &Command, options: &[String]) -> Option<String> {
    let end = option.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let name = end.map_or(option, |end| &option[..end]);
    let subcommand = options.get(1).and_then(|name| command.find_subcommand(name));
    let argument = command
        .get_arguments()
        .chain(subcommand.into_iter().flat_map(Command::get_arguments))
        .find(|argument| match argument.get_long() {
            Some(long) => name.strip_prefix("--") == Some(long),
            None => argument.to_string() == option,
        })?;
    let is_given = |given: &String| match given.strip_prefix(name) {
        Some(rest) if argument.get_long().is_some() => rest.is_empty() || rest.starts_with('='),
        _ => argument.is_positional() && !given.starts_with('-'),
    };
    if options.iter().skip(if subcommand.is_some() { 2 } else { 1 }).any(is_given) {
        return None;
    }
    argument.get_env()?.to_str().map(str::to_owned)
}

/// Returns the first environment variable of an option whose value is not valid UTF-8.
fn unreadable_variable(command: &Command) -> Option<String> {
    let variables = command.get_arguments().filter_map(|argument| argument.get_env()?.to_str());
    variables
        .into_iter()
        .find(|name| std::env::var_os(name).is_some_and(|value| value.to_str().is_none()))
        .map(str::to_owned)
}
