//! Clones, fetches and pushes: `git` answers a request whose body and answer are streamed.

use std::ffi::OsString;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::process::spawn;
use super::{Git, GitError, GitRepository};

/// What a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GitService {
    /// To read: a clone or a fetch.
    UploadPack,
    /// To write: a push.
    ReceivePack,
}

impl GitService {
    /// Returns the service with a name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        [Self::UploadPack, Self::ReceivePack].into_iter().find(|service| service.name() == name)
    }

    /// Returns its name in addresses and content types.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }

    fn command(self) -> &'static str {
        match self {
            Self::UploadPack => "upload-pack",
            Self::ReceivePack => "receive-pack",
        }
    }
}

/// The version of git's protocol that a client asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// The first one.
    #[default]
    Zero,
    /// The first one with its number.
    One,
    /// The second one, in which refs are listed only when a client asks for them.
    Two,
}

impl Protocol {
    /// Returns the version that a header names; the first one for anything else.
    #[must_use]
    pub fn of(header: Option<&[u8]>) -> Self {
        match header {
            Some(b"version=1") => Self::One,
            Some(b"version=2") => Self::Two,
            _ => Self::Zero,
        }
    }

    fn variable(self) -> Option<&'static str> {
        match self {
            Self::Zero => None,
            Self::One => Some("version=1"),
            Self::Two => Some("version=2"),
        }
    }
}

/// Whether a transfer only tells what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advertised {
    /// It tells which refs and which abilities there are.
    Only,
    /// It does what the request says.
    Before,
}

/// A `git` that answers a request.
pub struct Transfer {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    service: GitService,
    longest: Duration,
    /// Counts it among the transfers.
    _turn: OwnedSemaphorePermit,
}

/// How much is read from `git` at once, in bytes.
const PIECE: usize = 32 * 1024;

/// How much of a request is read after `git` has ended, in bytes.
const LONGEST_IGNORED: usize = 64 * 1024 * 1024;

/// How long `git` may take to end after a time-out, in real time.
const LONGEST_END: Duration = Duration::from_secs(10);

impl Git {
    /// Starts to answer a request.
    pub async fn transfer(
        &self,
        repository: &GitRepository,
        service: GitService,
        protocol: Protocol,
        advertised: Advertised,
    ) -> Result<Transfer, GitError> {
        let limits = &self.0.limits;
        let turn = self.0.transfers.clone().acquire_owned();
        let turn = tokio::time::timeout(limits.longest_wait, turn).await;
        let Ok(Ok(turn)) = turn else { return Err(GitError::Busy) };
        let mut arguments: Vec<OsString> = vec![service.command().into(), "--stateless-rpc".into()];
        if service == GitService::UploadPack {
            arguments.push("--strict".into());
        }
        if advertised == Advertised::Only {
            arguments.push("--advertise-refs".into());
        }
        arguments.push(repository.path().into());
        let mut command = self.command(arguments);
        if let Some(version) = protocol.variable() {
            command.env("GIT_PROTOCOL", version);
        }
        // What it has to say to the client is in its answer.
        command.stdin(Stdio::piped()).stderr(Stdio::null());
        let mut child = spawn(&mut command)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(GitError::Failed("it has no pipes".into()));
        };
        let longest = limits.longest_transfer;
        Ok(Transfer { child, stdin, stdout, service, longest, _turn: turn })
    }
}

impl Transfer {
    /// Sends the input to `git` and its output to a caller, until `git` has ended. Returns the last
    /// piece of the output, which it does not send: so the caller waits for the end. `None` means
    /// that `git` has failed without a word.
    ///
    /// A caller who leaves does not stop a push in the middle: `git` gets the end of its input and
    /// then cleans up after itself, and the rest of its output is read and dropped. A clone or a
    /// fetch has nothing to clean up: `git` ends with its next write.
    pub async fn run<E>(
        self,
        input: impl Stream<Item = Result<Bytes, E>> + Unpin,
        output: &mpsc::Sender<io::Result<Bytes>>,
        stop: impl Future<Output = ()>,
    ) -> Result<Option<Bytes>, GitError> {
        let Self { mut child, stdin, stdout, service, longest, _turn } = self;
        let mut last = Bytes::new();
        let mut stop = std::pin::pin!(stop);
        let ended = {
            let feeding = async {
                tokio::select! {
                    () = feed(input, stdin) => {}
                    () = stop.as_mut() => {}
                    () = tokio::time::sleep(longest) => {}
                }
                // `git` has all of its input, or gets no more.
            };
            let working =
                async { tokio::join!(feeding, drain(stdout, service, output, &mut last)).1 };
            tokio::time::timeout(longest + LONGEST_END, working).await
        };
        let Ok(drained) = ended else {
            child.start_kill()?;
            child.wait().await?;
            return Err(GitError::TimedOut);
        };
        drained?;
        let ended = tokio::time::timeout(LONGEST_END, child.wait()).await;
        let status = ended.map_err(|_| GitError::TimedOut)??;
        Ok((status.success() || !last.is_empty()).then_some(last))
    }
}

/// Writes the input to `git`, up to the first error on either side. What `git` does not want to
/// read is dropped.
async fn feed<E>(mut input: impl Stream<Item = Result<Bytes, E>> + Unpin, mut stdin: ChildStdin) {
    while let Some(Ok(piece)) = input.next().await {
        if stdin.write_all(&piece).await.is_err() {
            break;
        }
    }
    drop(stdin);
    // Many clients read no answer before they have sent everything.
    let mut left = LONGEST_IGNORED;
    while let (Some(Ok(piece)), 1..) = (input.next().await, left) {
        left = left.saturating_sub(piece.len());
    }
}

/// Sends the output of `git` to a caller for as long as there is one, but for the last piece.
async fn drain(
    mut stdout: ChildStdout,
    service: GitService,
    output: &mpsc::Sender<io::Result<Bytes>>,
    last: &mut Bytes,
) -> io::Result<()> {
    loop {
        let mut piece = BytesMut::with_capacity(PIECE);
        if stdout.read_buf(&mut piece).await? == 0 {
            return Ok(());
        }
        let before = std::mem::replace(last, piece.freeze());
        // An error means that the caller has left.
        let has_left = !before.is_empty() && output.send(Ok(before)).await.is_err();
        if has_left && service == GitService::UploadPack {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_headers_name_a_protocol() {
        for (header, protocol) in [
            (&b"version=2"[..], Protocol::Two),
            (b"version=1", Protocol::One),
            (b"version=3", Protocol::Zero),
            (b"version=2:x", Protocol::Zero),
            (b" version=2", Protocol::Zero),
            (b"", Protocol::Zero),
        ] {
            assert_eq!(Protocol::of(Some(header)), protocol, "{header:?}");
        }
        assert_eq!(Protocol::of(None), Protocol::Zero);
    }
}
