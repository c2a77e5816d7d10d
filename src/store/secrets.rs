//! Secrets: encrypted in the database, under a key that is kept outside of it.

use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, Generate, Key, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::{StoreError, directory_of};

/// How many bytes a key has.
const KEY: usize = 32;

/// How many bytes a nonce has.
const NONCE: usize = 24;

/// A key for secrets, 32 bytes.
#[derive(Clone)]
pub struct SecretKey(Key<XChaCha20Poly1305>);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey")
    }
}

impl std::str::FromStr for SecretKey {
    type Err = &'static str;

    /// Reads a key in base64.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "must be 32 bytes in base64, for example from \
                                `openssl rand -base64 32`";
        let bytes = STANDARD.decode(text.trim()).map_err(|_| EXPECTED)?;
        let bytes: [u8; KEY] = bytes.try_into().map_err(|_| EXPECTED)?;
        Ok(Self(bytes.into()))
    }
}

/// Encrypts and decrypts secrets.
pub struct Secrets {
    /// Where the key is kept if it is not given.
    path: PathBuf,
    cipher: OnceLock<XChaCha20Poly1305>,
}

impl Secrets {
    /// With the key that is given; otherwise with the one beside the database, which is made when
    /// the first secret is stored.
    pub fn open(database: &Path, given: Option<&SecretKey>) -> io::Result<Self> {
        let mut path = database.as_os_str().to_owned();
        path.push(".key");
        let secrets = Self { path: path.into(), cipher: OnceLock::new() };
        let key = match given {
            Some(key) => Some(key.clone()),
            None => secrets.read_key()?,
        };
        if let Some(SecretKey(key)) = key {
            let _ = secrets.cipher.set(XChaCha20Poly1305::new(&key));
        }
        Ok(secrets)
    }

    fn read_key(&self) -> io::Result<Option<SecretKey>> {
        let failed =
            |why: &dyn Display| io::Error::other(format!("{}: {why}", self.path.display()));
        match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&error)),
            // Opening a FIFO would wait for its other end.
            Ok(found) if !found.is_file() => return Err(failed(&"not a regular file")),
            Ok(_) => {}
        }
        let text = fs::read_to_string(&self.path).map_err(|error| failed(&error))?;
        text.parse().map(Some).map_err(|why: &str| failed(&why))
    }

    /// Makes a key and keeps it for the owner of the file alone.
    fn make_key(&self) -> io::Result<SecretKey> {
        let key = Key::<XChaCha20Poly1305>::generate();
        // The file gets its name only when it is complete: a crash leaves no half key. A temporary
        // file is readable by its owner only.
        let mut file = tempfile::NamedTempFile::new_in(directory_of(&self.path))?;
        writeln!(file, "{}", STANDARD.encode(key))?;
        file.as_file().sync_all()?;
        file.persist_noclobber(&self.path)?;
        Ok(SecretKey(key))
    }

    fn cipher(&self) -> Result<&XChaCha20Poly1305, StoreError> {
        if let Some(cipher) = self.cipher.get() {
            return Ok(cipher);
        }
        let SecretKey(key) =
            self.make_key().map_err(|error| StoreError::opening(&self.path, &error))?;
        Ok(self.cipher.get_or_init(|| XChaCha20Poly1305::new(&key)))
    }

    /// Encrypts a secret. It is bound to `place`, so a row that is copied elsewhere can't be
    /// decrypted.
    pub fn seal(&self, secret: &str, place: &str) -> Result<String, StoreError> {
        let nonce = XNonce::generate();
        let payload = Payload { msg: secret.as_bytes(), aad: place.as_bytes() };
        let sealed = self
            .cipher()?
            .encrypt(&nonce, payload)
            .map_err(|_| StoreError::unreadable("a secret that can't be encrypted"))?;
        Ok(STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Decrypts a secret. Returns `None` if it was encrypted with another key or for another place.
    #[must_use]
    pub fn reveal(&self, sealed: &str, place: &str) -> Option<String> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE)?;
        let nonce: [u8; NONCE] = nonce.try_into().ok()?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        let secret = self.cipher.get()?.decrypt(&nonce.into(), payload).ok()?;
        String::from_utf8(secret).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_back_only_with_its_key_and_its_place() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("cloudmanager.db");
        let secrets = Secrets::open(&database, None).unwrap();
        let key_file = directory.path().join("cloudmanager.db.key");
        assert!(!key_file.exists(), "the key is made when it is needed");

        let sealed = secrets.seal("s3cret", "a").unwrap();
        assert!(!sealed.contains("s3cret"));
        assert_ne!(sealed, secrets.seal("s3cret", "a").unwrap());
        assert_eq!(secrets.reveal(&sealed, "a").as_deref(), Some("s3cret"));
        assert_eq!(secrets.reveal(&sealed, "b"), None);
        assert_eq!(secrets.reveal("AAAA", "a"), None);

        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(key_file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        let again = Secrets::open(&database, None).unwrap();
        assert_eq!(again.reveal(&sealed, "a").as_deref(), Some("s3cret"));
        let given = STANDARD.encode([7; KEY]).parse().unwrap();
        let other = Secrets::open(&database, Some(&given)).unwrap();
        assert_eq!(other.reveal(&sealed, "a"), None);
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        for text in ["", "short", &STANDARD.encode([7; 31])] {
            assert!(text.parse::<SecretKey>().is_err(), "{text}");
        }
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("cloudmanager.db.key"), "no key").unwrap();
        let opened = Secrets::open(&directory.path().join("cloudmanager.db"), None);
        assert!(opened.err().unwrap().to_string().contains("cloudmanager.db.key: must be 32"));
    }
}
