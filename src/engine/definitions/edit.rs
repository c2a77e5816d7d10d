//! A change of a program's definitions: stored first, then the catalog follows.

use std::sync::Arc;

use super::ChangeError;
use crate::domain::id::ProgramId;
use crate::domain::program::Program;
use crate::domain::time::Timestamp;
use crate::engine::Engine;
use crate::engine::catalog::Catalog;
use crate::engine::executions::save::Commit;
use crate::store::{StoreError, Transaction, Writer, emulator};

/// A change under way. Dropped, it has not happened.
pub(in crate::engine) struct Edit<'w> {
    pub tx: Transaction<'w>,
    pub now: Timestamp,
    pub commit: Commit,
    /// The program as it is going to be.
    pub program: Program,
    catalog: Arc<Catalog>,
}

impl Engine {
    /// Begins a change of a program.
    pub(in crate::engine) async fn begin_edit<'w>(
        &self,
        writer: &'w mut Writer<'_>,
        id: ProgramId,
    ) -> Result<Edit<'w>, ChangeError> {
        // The writer comes before the time and the catalog: neither changes until it lets go.
        let now = self.now();
        let catalog = self.catalog();
        let program = catalog.find_program(id).ok_or(ChangeError::NotFound)?;
        let program = Program::clone(program);
        let tx = writer.begin().await?;
        Ok(Edit { tx, now, commit: Commit::default(), program, catalog })
    }

    /// Ends a change: the catalog has the program as it is now.
    pub(in crate::engine) async fn commit_edit(&self, edit: Edit<'_>) -> Result<(), StoreError> {
        let Edit { tx, now, commit, program, catalog } = edit;
        self.end_edit(tx, now, &commit, || catalog.with_program(program)).await
    }

    /// Ends a change by which the program goes away.
    pub(in crate::engine) async fn commit_deletion(
        &self,
        edit: Edit<'_>,
    ) -> Result<Program, StoreError> {
        let Edit { tx, now, commit, program, catalog } = edit;
        self.end_edit(tx, now, &commit, || catalog.without_program(program.id)).await?;
        Ok(program)
    }

    async fn end_edit(
        &self,
        mut tx: Transaction<'_>,
        now: Timestamp,
        commit: &Commit,
        catalog: impl FnOnce() -> Catalog,
    ) -> Result<(), StoreError> {
        emulator::see(&mut tx, now).await?;
        tx.commit().await?;
        self.catalog.set(catalog());
        self.tell_committed(commit);
        Ok(())
    }
}
