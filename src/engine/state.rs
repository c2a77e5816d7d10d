//! The whole state: exported, replaced by an imported one, reset.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::runtime::Handle;

use super::catalog::Catalog;
use super::{Engine, load, outcome_of, run_to_the_end};
use crate::seed::Seed;
use crate::store::emulator::EmulatorRow;
use crate::store::{Database, StoreError, emulator, state, with_causes};

/// What an emulator is reset to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetTo {
    /// The seed that it was started with.
    Seed,
    /// Nothing.
    Empty,
}

/// Why a state was not imported; nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is no state that this version can use.
    #[error("{0}")]
    Refused(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Writes the state as it is at one moment into a new file, while executions go on.
    pub async fn export(&self, path: &Path) -> Result<(), StoreError> {
        state::export(&self.database, path).await
    }

    /// Replaces everything by the state in a file, which this brings up to date. What is overdue
    /// there has happened when this answers.
    pub async fn import(self: &Arc<Self>, path: &Path) -> Result<(), ImportError> {
        let (engine, path) = (self.clone(), path.to_owned());
        let row = {
            // sqlx's migrations are not `Send`; they run on a thread that waits for them.
            let (runtime, path) = (Handle::current(), path.clone());
            let prepare = move || runtime.block_on(prepare(&path));
            outcome_of(tokio::task::spawn_blocking(prepare).await)??
        };
        run_to_the_end(async move {
            {
                let _turn = engine.turn.lock().await;
                let mut writer = engine.database.writer().await;
                let _world = engine.world.write().await;
                writer.attach(&path).await?;
                let copied = engine.copy_attached(&mut writer).await;
                writer.detach().await?;
                copied?;
                engine.take_over(row).await?;
            }
            engine.settle_due().await?;
            engine.start_purging();
            Ok(())
        })
        .await
    }

    async fn copy_attached(&self, writer: &mut crate::store::Writer<'_>) -> Result<(), StoreError> {
        let mut tx = writer.begin().await?;
        state::clear(&mut tx).await?;
        state::copy_attached(&mut tx).await?;
        // The addresses of files and the tokens that were given here remain good.
        emulator::set_signing_key(&mut tx, &self.signing_key).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Goes back to the beginning: data, counters, and the clock's start and rate.
    pub async fn reset(self: &Arc<Self>, to: ResetTo) -> Result<(), StoreError> {
        let engine = self.clone();
        run_to_the_end(async move {
            let _turn = engine.turn.lock().await;
            let mut writer = engine.database.writer().await;
            let _world = engine.world.write().await;
            let seed = match to {
                ResetTo::Seed => engine.origin.seed(),
                ResetTo::Empty => Seed::empty(),
            };
            let mut tx = writer.begin().await?;
            state::clear(&mut tx).await?;
            let key = engine.signing_key.clone();
            let row = load::fill(&engine.database, &mut tx, &engine.options, seed, key).await?;
            tx.commit().await?;
            engine.take_over(row).await
        })
        .await
    }

    /// After the commit: lets memory follow. The caller keeps readers and writers out.
    async fn take_over(&self, row: EmulatorRow) -> Result<(), StoreError> {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.database.forget_plans();
        self.clock.replace(row.clock, row.seen_at);
        self.catalog.set(Catalog::load(&self.database).await?);
        self.epochs.end_all();
        self.tell_clock_changed();
        Ok(())
    }
}

/// Brings the state in a file up to date and checks it; its own row.
async fn prepare(path: &Path) -> Result<EmulatorRow, ImportError> {
    let refused = |error: StoreError| match error {
        StoreError::Open { reason, .. } => ImportError::Refused(reason),
        error => ImportError::Refused(with_causes(&error)),
    };
    let imported = Database::open(path, None).await.map_err(refused)?;
    let checked = check(&imported).await.map_err(refused);
    imported.close().await.map_err(refused)?;
    checked?.map_err(ImportError::Refused)
}

/// The emulator's row of a database whose content can be used, or why it can't.
async fn check(imported: &Database) -> Result<Result<EmulatorRow, String>, StoreError> {
    if let Some(fault) = state::find_fault(imported).await? {
        return Ok(Err(fault));
    }
    Catalog::load(imported).await?;
    Ok(emulator::find(imported).await?.ok_or_else(|| "the file holds no state".to_owned()))
}
