//! How a command reaches the emulator under the real names: files and environment variables, which
//! its children inherit. docs/unmodified-clients.md says which client needs which of them.

mod aio;
mod trust;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::app::{App, AppError};
use crate::http::real_names;
use crate::http::temporary;
use trust::Bundles;

/// What is loaded into Node.js programs.
const PRELOAD: &str = include_str!("intercept.cjs");

/// A variable and its value.
type EnvironmentVariable = (OsString, OsString);

/// The files and variables for a command.
pub(super) struct InterceptedEnvironment {
    variables: Vec<EnvironmentVariable>,
    /// Deleted with this.
    _directory: TempDir,
}

impl InterceptedEnvironment {
    /// Writes the files for a command that reaches an emulator.
    pub async fn prepare(app: &App) -> Result<Self, AppError> {
        let token = app.access_token().await?;
        let organisation = app.credentials().await?.organisation;
        let (Some(proxy), Some(acceptor)) = (app.proxy_address(), app.acceptor()) else {
            let missing = io::Error::other("interception needs the proxy");
            return Err(AppError::Serve(missing));
        };
        let directory = temporary::directory().map_err(AppError::Temporary)?;
        let bundles = Bundles::new(directory.path(), acceptor.authority());
        let written = bundles.write().and_then(|mut variables| {
            variables.extend(proxy_variables(proxy));
            variables.extend(node_variables(directory.path(), proxy)?);
            variables.extend(git_variables(proxy));
            variables.push(java_variable(proxy, &bundles.trust_store()));
            variables.extend(aio::variables(&token, organisation.as_deref()));
            Ok(variables)
        });
        let variables = written.map_err(AppError::Temporary)?;
        Ok(Self { variables, _directory: directory })
    }

    /// Returns the variables.
    pub fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

fn variable(name: impl Into<OsString>, value: impl Into<OsString>) -> EnvironmentVariable {
    (name.into(), value.into())
}

/// Returns the value of a variable of this process; empty if there is none.
fn current(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn proxy_variables(proxy: SocketAddr) -> Vec<EnvironmentVariable> {
    let url = format!("http://{proxy}");
    let mut variables: Vec<_> =
        ["https_proxy", "HTTPS_PROXY"].map(|name| variable(name, &url)).into();
    for name in ["no_proxy", "NO_PROXY"] {
        variables.push(variable(name, without_real_names(&current(name))));
    }
    variables
}

/// Returns a `no_proxy` list without entries that cover one of the real names, and with loopback.
fn without_real_names(list: &str) -> String {
    let covers = |entry: &str| {
        let suffix = entry.trim_start_matches(['*', '.']).to_ascii_lowercase();
        let host = suffix.split(':').next().unwrap_or_default();
        entry == "*"
            || real_names::ALL.iter().any(|name| {
                let above = name.strip_suffix(host);
                above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            })
    };
    let kept = list.split(',').map(str::trim).filter(|entry| !entry.is_empty() && !covers(entry));
    kept.chain(["127.0.0.1", "localhost"]).collect::<Vec<_>>().join(",")
}

fn node_variables(directory: &Path, proxy: SocketAddr) -> io::Result<Vec<EnvironmentVariable>> {
    let preload = directory.join("intercept.cjs");
    fs::write(&preload, PRELOAD)?;
    // In NODE_OPTIONS, quotes enclose a path with spaces, and a backslash stands before another one.
    let path = preload.display().to_string().replace('\\', "\\\\");
    let options = format!("{} --require \"{path}\"", current("NODE_OPTIONS"));
    Ok(vec![
        variable("NODE_OPTIONS", options.trim_start()),
        variable("CLOUDMANAGER_EMULATOR_INTERCEPT", format!("{} {}", proxy.ip(), proxy.port())),
        variable("CLOUDMANAGER_EMULATOR_NAMES", real_names::ALL.join(" ")),
    ])
}

/// Returns the variables for git, which prefers a proxy in the user's configuration to the
/// environment.
fn git_variables(proxy: SocketAddr) -> [EnvironmentVariable; 3] {
    let count: usize = current("GIT_CONFIG_COUNT").parse().unwrap_or(0);
    [
        variable("GIT_CONFIG_COUNT", (count + 1).to_string()),
        variable(
            format!("GIT_CONFIG_KEY_{count}"),
            format!("http.https://{}/.proxy", real_names::GIT),
        ),
        variable(format!("GIT_CONFIG_VALUE_{count}"), format!("http://{proxy}")),
    ]
}

fn java_variable(proxy: SocketAddr, trust_store: &Path) -> EnvironmentVariable {
    let options = format!(
        "{} -Dhttps.proxyHost={} -Dhttps.proxyPort={} \"-Djavax.net.ssl.trustStore={}\" \
         -Djavax.net.ssl.trustStoreType=JKS -Djavax.net.ssl.trustStorePassword={}",
        current("JAVA_TOOL_OPTIONS"),
        proxy.ip(),
        proxy.port(),
        trust_store.display(),
        crate::tls::TRUST_STORE_PASSWORD,
    );
    variable("JAVA_TOOL_OPTIONS", options.trim_start())
}

/// Returns the user's home directory.
fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_cover_the_real_names_leave_no_proxy() {
        for (list, kept) in [
            ("", "127.0.0.1,localhost"),
            ("*", "127.0.0.1,localhost"),
            ("a.example, .adobe.io ,adobe.com", "a.example,127.0.0.1,localhost"),
            ("cloudmanager.adobe.io:443,io,*.adobelogin.com", "127.0.0.1,localhost"),
            (
                "evil-cloudmanager.adobe.io,dobe.io",
                "evil-cloudmanager.adobe.io,dobe.io,127.0.0.1,localhost",
            ),
        ] {
            assert_eq!(without_real_names(list), kept, "{list}");
        }
    }
}
