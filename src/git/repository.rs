//! One repository: made, read, tagged, bundled, restored.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, ChildStdout};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::generation::UNFINISHED;
use super::process::{message_of, spawn};
use super::{Generation, Git, GitError};
use crate::domain::id::RepositoryKey;
use crate::domain::repository::TAG_PREFIX;

/// The commits of branches by their names, and of tags by their full names `refs/tags/…`.
pub type Heads = BTreeMap<String, String>;

const BRANCH_PREFIX: &str = "refs/heads/";

/// The branches that a clone checks out, if they exist; otherwise it takes the first one.
const DEFAULT_BRANCHES: [&str; 2] = ["main", "master"];

/// How refs are listed. What an annotated tag points to has a star.
const FORMAT: &str =
    "--format=%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname)";

/// A bare repository of a generation.
#[derive(Clone)]
pub struct GitRepository {
    git: Git,
    generation: Arc<Generation>,
    key: RepositoryKey,
    path: PathBuf,
    lock: Arc<Mutex<()>>,
}

impl GitRepository {
    /// Returns a repository of a generation, which may not be on disk.
    #[must_use]
    pub fn new(git: &Git, generation: &Arc<Generation>, key: RepositoryKey) -> Self {
        let (path, lock) = (generation.path_of(key), generation.lock_of(key));
        Self { git: git.clone(), generation: generation.clone(), key, path, lock }
    }

    /// Returns which one it is.
    #[must_use]
    pub fn key(&self) -> RepositoryKey {
        self.key
    }

    /// Returns the generation that it belongs to.
    #[must_use]
    pub fn generation(&self) -> &Arc<Generation> {
        &self.generation
    }

    /// Waits for the turn to read its refs and store them.
    pub async fn lock(&self) -> OwnedMutexGuard<()> {
        self.lock.clone().lock_owned().await
    }

    /// Returns whether it is on disk.
    pub async fn exists(&self) -> Result<bool, GitError> {
        Ok(tokio::fs::try_exists(&self.path).await?)
    }

    /// Makes it on disk, unless it is there.
    pub async fn make(&self) -> Result<(), GitError> {
        let _turn = self.lock().await;
        if self.exists().await? {
            return Ok(());
        }
        self.generation.make()?;
        // It gets its name when it is whole.
        let unfinished =
            tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(self.generation.path())?;
        let options = ["init", "--bare", "--quiet", "--template=", "--object-format=sha1"];
        let mut arguments: Vec<OsString> = options.iter().map(OsString::from).collect();
        arguments.extend(["--initial-branch=main".into(), unfinished.path().into()]);
        self.git.run(self.git.command(arguments)).await?;
        tokio::fs::rename(unfinished.keep(), &self.path).await?;
        Ok(())
    }

    /// Removes it from the disk.
    pub async fn remove(&self) -> io::Result<()> {
        match tokio::fs::remove_dir_all(&self.path).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    async fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        self.git.run(self.git.command(self.arguments(arguments))).await
    }

    fn arguments(&self, arguments: &[&str]) -> Vec<OsString> {
        let place = [OsString::from("--git-dir"), self.path.clone().into()];
        place.into_iter().chain(arguments.iter().map(OsString::from)).collect()
    }

    /// Returns its heads. Refs that are neither branches nor tags, or that don't lead to a commit,
    /// are left out.
    pub async fn read_heads(&self) -> Result<Heads, GitError> {
        let listed = self.run(&["for-each-ref", FORMAT, BRANCH_PREFIX, TAG_PREFIX]).await?;
        let lines = listed.split(|byte| *byte == b'\n');
        Ok(lines.filter_map(|line| head_in(std::str::from_utf8(line).ok()?)).collect())
    }

    /// Lets a clone check out a branch that exists.
    pub async fn choose_branch(&self, heads: &Heads) -> Result<(), GitError> {
        let head = tokio::fs::read_to_string(self.path.join("HEAD")).await?;
        let chosen =
            head.trim().strip_prefix("ref: ").and_then(|it| it.strip_prefix(BRANCH_PREFIX));
        if chosen.is_some_and(|branch| heads.contains_key(branch)) {
            return Ok(());
        }
        let usual = DEFAULT_BRANCHES.into_iter().find(|branch| heads.contains_key(*branch));
        let mut branches = heads.keys().map(String::as_str);
        let Some(branch) = usual.or_else(|| branches.find(|it| !it.starts_with(TAG_PREFIX))) else {
            return Ok(());
        };
        self.run(&["symbolic-ref", "HEAD", &format!("{BRANCH_PREFIX}{branch}")]).await.map(drop)
    }

    /// Makes a tag for a commit, unless there is one with this name.
    pub async fn tag(&self, name: &str, commit: &str) -> Result<(), GitError> {
        let tag = format!("{TAG_PREFIX}{name}");
        // An empty old value: it must not exist.
        self.run(&["update-ref", "--no-deref", "--", &tag, commit, &"0".repeat(40)]).await.map(drop)
    }

    /// Begins to write the whole repository as a bundle; `None` if it has no refs.
    pub async fn bundle(&self) -> Result<Option<Bundle>, GitError> {
        if self.run(&["for-each-ref", "--count=1"]).await?.is_empty() {
            return Ok(None);
        }
        let arguments = self.arguments(&["bundle", "create", "--quiet", "-", "--all"]);
        let mut child = spawn(&mut self.git.command(arguments))?;
        match (child.stdout.take(), child.stderr.take()) {
            (Some(stdout), Some(stderr)) => Ok(Some(Bundle { child, stdout, stderr })),
            _ => Err(GitError::Failed("it has no output".into())),
        }
    }

    /// Takes everything from a bundle in a file, and checks it.
    pub async fn restore(&self, bundle: &Path) -> Result<(), GitError> {
        check_signature(bundle).await?;
        let bundle = bundle.to_string_lossy();
        let options = ["fetch", "--quiet", "--no-write-fetch-head", "--no-auto-maintenance"];
        let arguments = [&options[..], &["--", &bundle, "+refs/*:refs/*"]].concat();
        self.run(&arguments).await.map(drop)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// How bundles begin.
const SIGNATURES: [&[u8]; 2] = [b"# v2 git bundle\n", b"# v3 git bundle\n"];

/// Refuses a file that does not begin as a bundle: `git` would take it for something else, for
/// example for a link to any repository on this machine.
async fn check_signature(bundle: &Path) -> Result<(), GitError> {
    let mut begin = Vec::new();
    File::open(bundle).await?.take(SIGNATURES[0].len() as u64).read_to_end(&mut begin).await?;
    if SIGNATURES.contains(&begin.as_slice()) {
        return Ok(());
    }
    Err(GitError::Failed("it is no bundle".into()))
}

/// A bundle that is being written.
pub struct Bundle {
    child: Child,
    stdout: ChildStdout,
    stderr: ChildStderr,
}

impl Bundle {
    /// Returns the next piece; all but the last have this length. `None` means that the bundle is
    /// whole.
    pub async fn next(&mut self, length: usize) -> Result<Option<Vec<u8>>, GitError> {
        let mut piece = Vec::with_capacity(length);
        (&mut self.stdout).take(length as u64).read_to_end(&mut piece).await?;
        if !piece.is_empty() {
            return Ok(Some(piece));
        }
        let mut said = Vec::new();
        self.stderr.read_to_end(&mut said).await?;
        let status = self.child.wait().await?;
        if status.success() { Ok(None) } else { Err(GitError::Failed(message_of(&said))) }
    }
}

/// Reads a line of [`FORMAT`].
fn head_in(line: &str) -> Option<(String, String)> {
    let mut words = line.splitn(5, ' ');
    let mut next = || words.next();
    let (kind, commit, peeled_kind, peeled, name) = (next()?, next()?, next()?, next()?, next()?);
    let commit =
        if kind == "commit" { commit } else { (peeled_kind == "commit").then_some(peeled)? };
    let name = match name.strip_prefix(BRANCH_PREFIX) {
        // It would look like a tag.
        Some(branch) if branch.starts_with(TAG_PREFIX) => return None,
        Some(branch) => branch,
        None => name,
    };
    Some((name.to_owned(), commit.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_branches_and_tags_that_lead_to_commits() {
        let head = |line| head_in(line).map(|(name, commit)| format!("{name} {commit}"));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(head("commit a1   refs/heads/main"), some("main a1"));
        assert_eq!(head("commit a1   refs/heads/feature/x"), some("feature/x a1"));
        assert_eq!(head("tag b2 commit a1 refs/tags/v1"), some("refs/tags/v1 a1"));
        assert_eq!(head("commit a1   refs/tags/light"), some("refs/tags/light a1"));
        assert_eq!(head("blob c3   refs/tags/file"), None);
        assert_eq!(head("tag b2 tree d4 refs/tags/tree"), None);
        assert_eq!(head("commit a1   refs/heads/refs/tags/x"), None);
        assert_eq!(head(""), None);
    }
}
