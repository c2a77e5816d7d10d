//! The programs, while what is in them is read.

use std::collections::{BTreeMap, HashSet};

use crate::domain::program::Program;
use crate::store::StoreError;

/// The programs by their number, while what is in them is read.
#[derive(Default)]
pub(super) struct Programs {
    /// Those that are there.
    pub(super) found: BTreeMap<i64, Program>,
    /// What is in them is no longer of interest.
    pub(super) deleted: HashSet<i64>,
}

impl Programs {
    /// The program that a row belongs to; none if it is deleted.
    pub(super) fn find(&mut self, id: i64) -> Result<Option<&mut Program>, StoreError> {
        match self.found.get_mut(&id) {
            None if !self.deleted.contains(&id) => {
                Err(StoreError::unreadable(format!("there is no program {id}")))
            }
            found => Ok(found),
        }
    }
}
