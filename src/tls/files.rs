//! Where an authority is kept: in one file, so that key and certificates always belong together.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use pki_types::CertificateDer;
use pki_types::pem::PemObject;
use rcgen::KeyPair;

use super::AuthorityError;
use super::authority::{Authority, LOCALHOST};
use super::bundle::pem_of;

/// The file with the intermediate's key and both certificates.
const FILE: &str = "authority.pem";

/// The largest file that is read, in bytes.
const LARGEST: u64 = 64 * 1024;

/// A directory that keeps an authority, for its owner only.
#[derive(Clone, Debug)]
pub struct AuthorityDirectory(PathBuf);

impl AuthorityDirectory {
    /// Returns the given directory, or the one in the user's data directory.
    pub fn new(given: Option<PathBuf>) -> Result<Self, AuthorityError> {
        if let Some(directory) = given {
            return Ok(Self(directory));
        }
        let strategy =
            etcetera::base_strategy::choose_base_strategy().map_err(AuthorityError::NoDirectory)?;
        Ok(Self(strategy.data_dir().join("cloudmanager-emulator").join("ca")))
    }

    fn file(&self) -> PathBuf {
        self.0.join(FILE)
    }

    /// Returns the authority, or `None` if none was made.
    pub fn load(&self) -> Result<Option<Authority>, AuthorityError> {
        if !is_there(&self.0)? {
            return Ok(None);
        }
        check_directory(&self.0)?;
        let path = self.file();
        if !is_there(&path)? {
            return Ok(None);
        }
        let text = read(&path)?;
        let invalid = |why: String| AuthorityError::Invalid { path: path.clone(), why };
        let authority = parse(&text).map_err(invalid)?;
        authority.check(LOCALHOST).map_err(|error| invalid(error.to_string()))?;
        Ok(Some(authority))
    }

    /// Returns the authority; makes it if there is none. It permits the `further` host if it is new.
    pub fn load_or_make(&self, further: Option<&str>) -> Result<Authority, AuthorityError> {
        if let Some(authority) = self.load()? {
            return Ok(authority);
        }
        let authority = Authority::make(further)?;
        let saved = self.write(&authority)?.persist_noclobber(self.file());
        match saved {
            Ok(_) => Ok(authority),
            // Another emulator has made one in the meantime.
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
                self.load().and_then(|found| found.ok_or_else(|| failed(&self.file(), error.error)))
            }
            Err(error) => Err(failed(&self.file(), error.error)),
        }
    }

    /// Makes a new authority in place of the one that is there, if any.
    pub fn renew(&self, further: Option<&str>) -> Result<Authority, AuthorityError> {
        let authority = Authority::make(further)?;
        let written = self.write(&authority)?;
        written.persist(self.file()).map_err(|error| failed(&self.file(), error.error))?;
        Ok(authority)
    }

    /// Writes an authority into a temporary file, which only its owner can read. It gets its name
    /// when it is complete: a crash leaves no half authority.
    fn write(&self, authority: &Authority) -> Result<tempfile::NamedTempFile, AuthorityError> {
        make_directory(&self.0).map_err(|error| failed(&self.0, error))?;
        check_directory(&self.0)?;
        let text = [authority.key_pem(), pem_of(&authority.intermediate), pem_of(&authority.root)];
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
            file.write_all(text.concat().as_bytes())?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        write().map_err(|error| failed(&self.0, error))
    }
}

fn failed(path: &Path, error: io::Error) -> AuthorityError {
    AuthorityError::File { path: path.to_owned(), error }
}

fn refused(path: &Path, why: &'static str) -> AuthorityError {
    AuthorityError::Unsafe { path: path.to_owned(), why }
}

fn is_there(path: &Path) -> Result<bool, AuthorityError> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed(path, error)),
    }
}

fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Refuses a directory in which others could read or replace the key.
fn check_directory(path: &Path) -> Result<(), AuthorityError> {
    let found = path.symlink_metadata().map_err(|error| failed(path, error))?;
    if found.is_symlink() {
        return Err(refused(path, "the authority's directory must not be a link"));
    }
    if !found.is_dir() {
        return Err(refused(path, "the authority's directory must be a directory"));
    }
    if is_open_to_others(&found) {
        return Err(refused(
            path,
            "others have access to the authority's directory; `chmod 700` keeps them out",
        ));
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, AuthorityError> {
    let found = path.symlink_metadata().map_err(|error| failed(path, error))?;
    // Checked before it is opened: opening a FIFO would wait for its other end.
    if !found.is_file() {
        return Err(refused(path, "the authority must be a regular file, and no link"));
    }
    if is_open_to_others(&found) {
        return Err(refused(
            path,
            "others have access to the authority's key; renew it with \
             `cloudmanager-emulator ca --renew`, or keep them out with `chmod 600`",
        ));
    }
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST).read_to_string(&mut text));
    read.map_err(|error| failed(path, error))?;
    Ok(text)
}

fn is_open_to_others(found: &Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o077 != 0;
    #[cfg(not(unix))]
    return found.is_symlink();
}

fn parse(text: &str) -> Result<Authority, String> {
    let key = KeyPair::from_pem(text).map_err(|error| error.to_string())?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let certificates = certificates.map_err(|error| error.to_string())?;
    match <[_; 2]>::try_from(certificates) {
        Ok([intermediate, root]) => Ok(Authority::new(root, intermediate, key)),
        Err(_) => Err("it must hold a key and two certificates".into()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn an_authority_is_made_once_for_its_owner() {
        let temporary = tempfile::tempdir().unwrap();
        let place = temporary.path().join("data/ca");
        let directory = AuthorityDirectory::new(Some(place.clone())).unwrap();
        assert!(directory.load().unwrap().is_none());
        let made = directory.load_or_make(Some("cm.example.com")).unwrap();
        assert_eq!((mode(&place), mode(&place.join(FILE))), (0o700, 0o600));
        let found = directory.load_or_make(None).unwrap();
        assert_eq!(found.root, made.root);
        assert!(found.check("cm.example.com").is_ok());
        let renewed = directory.renew(None).unwrap();
        assert_ne!(renewed.root, made.root);
        assert_eq!(directory.load().unwrap().unwrap().root, renewed.root);
        assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
        let text = fs::read_to_string(place.join(FILE)).unwrap();
        assert_eq!(text.matches("PRIVATE KEY-----").count(), 2, "one key, the intermediate's");
    }

    #[test]
    fn what_others_can_read_or_replace_is_refused() {
        let temporary = tempfile::tempdir().unwrap();
        let place = temporary.path().join("ca");
        let directory = AuthorityDirectory::new(Some(place.clone())).unwrap();
        directory.load_or_make(None).unwrap();
        let told = || directory.load_or_make(None).err().unwrap().to_string();
        set_mode(&place.join(FILE), 0o640);
        assert!(told().contains("others have access to the authority's key"), "{}", told());
        set_mode(&place.join(FILE), 0o600);
        set_mode(&place, 0o755);
        assert!(told().contains("others have access to the authority's directory"));
        set_mode(&place, 0o700);
        fs::rename(place.join(FILE), place.join("other")).unwrap();
        symlink("other", place.join(FILE)).unwrap();
        assert!(told().contains("a regular file, and no link"));
        let link = temporary.path().join("link");
        symlink(&place, &link).unwrap();
        let linked = AuthorityDirectory::new(Some(link)).unwrap();
        let error = linked.renew(None).err().unwrap().to_string();
        assert!(error.contains("must not be a link"), "{error}");
    }

    #[test]
    fn a_file_that_holds_no_authority_is_refused() {
        let temporary = tempfile::tempdir().unwrap();
        let place = temporary.path().join("ca");
        let directory = AuthorityDirectory::new(Some(place.clone())).unwrap();
        directory.load_or_make(None).unwrap();
        let text = fs::read_to_string(place.join(FILE)).unwrap();
        let other = Authority::make(None).unwrap().key_pem();
        let certificates = &text[text.find("-----BEGIN CERTIFICATE").unwrap()..];
        let swapped = format!("{other}{certificates}");
        for wrong in ["", "garbage", &text[..text.len() / 2], &swapped] {
            fs::write(place.join(FILE), wrong).unwrap();
            let error = directory.load_or_make(None).err().unwrap().to_string();
            assert!(error.contains("ca --renew"), "{error}");
        }
    }
}
