//! Variables for the Adobe CLI, so that it needs no login. A user's own settings are left alone.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{EnvironmentVariable, current, home, variable};

/// How long the token is good, as the CLI sees it.
const LIFETIME: Duration = Duration::from_hours(24);

/// What the names of variables begin with that hold a context of the user.
const CONTEXTS: &str = "AIO_IMS_CONTEXTS_";

const ORGANISATION: &str = "AIO_CLOUDMANAGER__ORGID";

/// Returns the variables that the user has no settings for.
pub(super) fn variables(token: &str, organisation: Option<&str>) -> Vec<EnvironmentVariable> {
    let settings: String =
        settings_files().iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    let mut names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut variables = Vec::new();
    if !names.any(|name| name.starts_with(CONTEXTS)) && !settings.contains("contexts") {
        let end = (real_time() + LIFETIME).duration_since(UNIX_EPOCH).unwrap_or_default();
        variables.push(variable(format!("{CONTEXTS}CLI_ACCESS__TOKEN_TOKEN"), token));
        let end = end.as_millis().to_string();
        variables.push(variable(format!("{CONTEXTS}CLI_ACCESS__TOKEN_EXPIRY"), end));
    }
    if let Some(organisation) = organisation
        && current(ORGANISATION).is_empty()
        && !settings.contains("cloudmanager_orgid")
    {
        variables.push(variable(ORGANISATION, organisation));
    }
    variables
}

/// Returns the files with settings of the CLI.
fn settings_files() -> Vec<PathBuf> {
    let configured = Some(current("XDG_CONFIG_HOME")).filter(|path| !path.is_empty());
    let directory = configured.map(PathBuf::from).or_else(|| Some(home()?.join(".config")));
    let own = directory.map(|directory| directory.join("aio"));
    own.into_iter().chain([PathBuf::from(".aio")]).collect()
}

#[allow(clippy::disallowed_methods, reason = "the Adobe CLI compares it with the real clock")]
fn real_time() -> SystemTime {
    SystemTime::now()
}
