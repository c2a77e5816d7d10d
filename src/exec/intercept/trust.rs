//! The files that let clients trust the emulator's authority beside those that they trust anyway.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{EnvironmentVariable, current, home, variable};
use crate::tls::{self, Authority};

/// The variables that name a file of all authorities that a client trusts.
const BUNDLE_VARIABLES: [&str; 4] =
    ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO"];

/// The files of a command.
pub(super) struct Bundles<'a> {
    directory: &'a Path,
    authority: &'a Authority,
}

impl<'a> Bundles<'a> {
    /// Returns files in a directory that hold an authority.
    pub fn new(directory: &'a Path, authority: &'a Authority) -> Self {
        Self { directory, authority }
    }

    /// Writes them. Returns the variables that name them.
    pub fn write(&self) -> io::Result<Vec<EnvironmentVariable>> {
        let root = self.authority.root_pem();
        let system = tls::system_bundle();
        fs::write(self.trust_store(), tls::trust_store(&system, self.authority))?;
        let pem: String = system.iter().map(|certificate| tls::pem_of(certificate)).collect();
        let bundle = self.file("bundle.pem", &[&pem, &root])?;
        let mut variables = Vec::new();
        for name in BUNDLE_VARIABLES {
            // A company's own authority must stay trusted.
            let file = match read(name) {
                Some(own) => self.file(&format!("{name}.pem"), &[&own, &root])?,
                None => bundle.clone(),
            };
            variables.push(variable(name, file));
        }
        // Node.js adds these to its own; reading all of the system's would delay each start.
        let node = read("NODE_EXTRA_CA_CERTS").unwrap_or_default();
        variables.push(variable("NODE_EXTRA_CA_CERTS", self.file("node.pem", &[&node, &root])?));
        variables.push(self.wget(&bundle)?);
        Ok(variables)
    }

    /// Returns the file that Java reads.
    pub fn trust_store(&self) -> PathBuf {
        self.directory.join("trust.jks")
    }

    /// Writes the settings of wget, which reads no other variable. The last of two settings counts.
    fn wget(&self, bundle: &Path) -> io::Result<EnvironmentVariable> {
        let settings = read("WGETRC")
            .or_else(|| fs::read_to_string(home()?.join(".wgetrc")).ok())
            .unwrap_or_default();
        let own = format!("ca_certificate = {}\n", bundle.display());
        Ok(variable("WGETRC", self.file("wgetrc", &[&settings, &own])?))
    }

    fn file(&self, name: &str, parts: &[&str]) -> io::Result<PathBuf> {
        let mut text = String::new();
        for part in parts {
            text.push_str(part);
            if !part.is_empty() && !part.ends_with('\n') {
                text.push('\n');
            }
        }
        let path = self.directory.join(name);
        fs::write(&path, text)?;
        Ok(path)
    }
}

/// Returns the content of the file that a variable names, if it does. A file that can't be read is
/// reported: the command could not read it either.
fn read(name: &str) -> Option<String> {
    let path = Some(current(name)).filter(|path| !path.is_empty())?;
    match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) => {
            tracing::warn!("{name} names {path}, which can't be read: {error}");
            None
        }
    }
}
