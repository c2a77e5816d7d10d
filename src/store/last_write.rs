//! Whether the database can be written, as far as the last writes tell.

use std::error::Error;
use std::path::PathBuf;

use tokio::sync::watch;

use super::trouble::Trouble;
use super::{StoreError, with_causes};

/// Whether the database can be written: what the last write came to that says so.
pub(super) struct LastWrite {
    database: PathBuf,
    /// Why it can't be written; none if it can.
    trouble: watch::Sender<Option<String>>,
}

impl LastWrite {
    pub fn new(database: PathBuf) -> Self {
        Self { database, trouble: watch::Sender::default() }
    }

    /// Something was written.
    pub fn clear(&self) {
        self.trouble.send_if_modified(|trouble| trouble.take().is_some());
    }

    /// A write has failed with this error: the same one as an error of the database that says what
    /// is wrong with its files. None if nothing is wrong with them.
    pub fn note(&self, error: &(dyn Error + 'static)) -> Option<StoreError> {
        let reason = with_causes(error);
        let explained = match Trouble::of(error, &self.database)? {
            Trouble::NoRoom => StoreError::NoRoom(reason),
            Trouble::Unavailable | Trouble::Malformed => StoreError::Unavailable(reason),
        };
        self.trouble.send_replace(Some(explained.to_string()));
        Some(explained)
    }

    /// Why the database can't be written; none if it can.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }

    /// Waits until it can be written.
    pub async fn recovery(&self) {
        // The sender lives as long as this.
        let _ = self.trouble.subscribe().wait_for(Option::is_none).await;
    }
}
