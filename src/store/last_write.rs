//! Whether the database can be written, as far as the last writes tell.

use std::error::Error;
use std::path::PathBuf;

use tokio::sync::watch;

use super::trouble::Trouble;
use super::{StoreError, with_causes};

/// Whether the database can be written, as the last writes show.
pub(super) struct LastWrite {
    database: PathBuf,
    /// Why it can't be written, or `None` if it can.
    trouble: watch::Sender<Option<String>>,
}

impl LastWrite {
    pub fn new(database: PathBuf) -> Self {
        Self { database, trouble: watch::Sender::default() }
    }

    /// Notes that a write succeeded.
    pub fn clear(&self) {
        self.trouble.send_if_modified(|trouble| trouble.take().is_some());
    }

    /// Notes that a write failed with this error. Returns an error that explains what is wrong with
    /// the files, or `None` if nothing is.
    pub fn note(&self, error: &(dyn Error + 'static)) -> Option<StoreError> {
        let reason = with_causes(error);
        let explained = match Trouble::of(error, &self.database)? {
            Trouble::NoRoom => StoreError::NoRoom(reason),
            Trouble::Unavailable | Trouble::Malformed => StoreError::Unavailable(reason),
        };
        self.trouble.send_replace(Some(explained.to_string()));
        Some(explained)
    }

    /// Returns why the database can't be written, or `None` if it can.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }

    /// Waits until it can be written.
    pub async fn recovery(&self) {
        // This fails only if the sender is gone, and `self` owns the sender.
        let _ = self.trouble.subscribe().wait_for(Option::is_none).await;
    }
}
