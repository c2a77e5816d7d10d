//! Collects programs while their parts are read.

use std::collections::{BTreeMap, HashSet};

use crate::domain::program::Program;
use crate::store::StoreError;

/// The programs by their number, while what is in them is read.
#[derive(Default)]
pub(super) struct Programs {
    /// Programs that exist.
    pub(super) found: BTreeMap<i64, Program>,
    /// Deleted programs, whose parts are skipped until the purge removes them.
    pub(super) deleted: HashSet<i64>,
}

impl Programs {
    /// Returns the program that a row belongs to, or `None` if it is deleted.
    pub(super) fn find(&mut self, id: i64) -> Result<Option<&mut Program>, StoreError> {
        match self.found.get_mut(&id) {
            None if !self.deleted.contains(&id) => {
                Err(StoreError::unreadable(format!("there is no program {id}")))
            }
            found => Ok(found),
        }
    }
}
