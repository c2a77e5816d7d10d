//! The whole state: exported, replaced by an imported one, reset.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::load;
use crate::engine::catalog::Catalog;
use crate::engine::clock::is_rate;
use crate::engine::repositories::bundles;
use crate::engine::write::Write;
use crate::engine::{Engine, outcome_of, run_on_own_thread, run_to_the_end};
use crate::git::{Generation, Git};
use crate::seed::Seed;
use crate::store::emulator::EmulatorRow;
use crate::store::{
    CopyPlace, CopyPlaceError, Database, StoreError, Trouble, emulator, executions, state,
    successes, with_causes,
};

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
    /// Returns a directory for a copy of the state, which goes away with it. If there are too many
    /// copies, it waits for a while.
    pub async fn place_for_copy(&self) -> Result<CopyPlace, CopyPlaceError> {
        tokio::select! {
            biased;
            place = self.database.place_for_copy() => place,
            () = self.wait_for_stop() => Err(CopyPlaceError::Closed),
            () = tokio::time::sleep(self.options.max_copy_wait) => Err(CopyPlaceError::Busy),
        }
    }

    /// Returns a function that returns whether the emulator still runs. Long statements call it,
    /// and are interrupted when it returns false.
    pub(in crate::engine) fn go_on(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let stopping = self.stopping.subscribe();
        move || !*stopping.borrow()
    }

    /// Writes a consistent snapshot of the state into a new file, and returns the file. Executions
    /// continue meanwhile. Only one export runs at a time: each uses the disk at full speed.
    ///
    /// It continues even if the caller disconnects, until its end or the stop of the emulator, and
    /// keeps the file until then.
    pub async fn export<F>(self: &Arc<Self>, file: F) -> Result<F, StoreError>
    where
        F: AsRef<Path> + Send + Sync + 'static,
    {
        let turn = self.world.exporting.clone().acquire_owned().await;
        let turn = turn.map_err(|_| StoreError::Closed)?;
        let engine = self.clone();
        run_to_the_end(self, async move {
            let _turn = turn;
            let repositories = engine.git.current();
            state::export(&engine.database, file.as_ref(), engine.go_on()).await?;
            engine.add_bundles(file.as_ref(), repositories).await?;
            Ok(file)
        })
        .await
    }

    /// Replaces everything by the state in a file, which this brings up to date. What is overdue
    /// there has happened when this answers.
    ///
    /// It runs to its end, or the stop of the emulator, even if the caller leaves, and keeps the file
    /// until then.
    pub async fn import(
        self: &Arc<Self>,
        file: impl AsRef<Path> + Send + Sync + 'static,
    ) -> Result<(), ImportError> {
        let engine = self.clone();
        run_to_the_end(self, async move {
            let repositories = engine.git.new_generation();
            let row = {
                // sqlx's migrations are not `Send`; they run on a thread that waits for them.
                let (runtime, path) = (Handle::current(), file.as_ref().to_owned());
                let (stopping, git) = (engine.clone(), engine.git.clone());
                let repositories = repositories.clone();
                let prepare = move || {
                    runtime.block_on(async {
                        tokio::select! {
                            biased;
                            row = prepare(&path, &git, &repositories) => row,
                            () = stopping.wait_for_stop() => Err(StoreError::Closed.into()),
                        }
                    })
                };
                outcome_of(tokio::task::spawn_blocking(prepare).await)??
            };
            {
                let _turn = engine.schedule.turn().await;
                let mut write = Write::begin_with_attached(&engine, file.as_ref()).await?;
                write.tx.interrupt_unless(engine.go_on()).await?;
                state::clear(&mut write.tx, &[]).await?;
                state::copy_attached(&mut write.tx).await?;
                // The addresses of files and the tokens that were given here remain good.
                emulator::set_signing_key(&mut write.tx, &engine.signing_key).await?;
                write.replace_everything(row, repositories).await?;
                write.commit().await?;
            }
            engine.settle_due().await?;
            engine.purging.wake();
            Ok(())
        })
        .await
    }

    /// Goes back to the beginning: data, counters, and the clock's start and rate.
    pub async fn reset(self: &Arc<Self>, to: ResetTo) -> Result<(), StoreError> {
        let engine = self.clone();
        run_on_own_thread(self, async move {
            let _turn = engine.schedule.turn().await;
            let seed = match to {
                ResetTo::Seed => engine.origin.seed(),
                ResetTo::Empty => Seed::empty(),
            };
            let mut write = Write::begin(&engine).await?;
            state::clear(&mut write.tx, &state::CONTENTS).await?;
            let row = EmulatorRow::new(load::new_line(&engine.options), engine.signing_key.clone());
            write.fill(row, seed, engine.git.new_generation()).await?;
            write.commit().await?;
            engine.purging.wake();
            Ok(())
        })
        .await
    }
}

/// Looks at the state in a file, brings it up to date, checks it, and unpacks its repositories.
/// Returns its own row.
async fn prepare(
    path: &Path,
    git: &Git,
    repositories: &Arc<Generation>,
) -> Result<EmulatorRow, ImportError> {
    let refused = |error: StoreError| match error {
        error if matches!(error.trouble(), Some(Trouble::NoRoom | Trouble::Unavailable)) => {
            ImportError::Store(error)
        }
        StoreError::Open { reason, .. } | StoreError::Git(reason) => ImportError::Refused(reason),
        error => ImportError::Refused(with_causes(&error)),
    };
    if let Some(fault) = state::inspect(path).await.map_err(refused)? {
        return Err(ImportError::Refused(fault));
    }
    let imported = Database::open(path, None).await.map_err(refused)?;
    let checked = check(&imported, git, repositories).await.map_err(refused);
    imported.close().await.map_err(refused)?;
    checked?.map_err(ImportError::Refused)
}

/// Returns the emulator's row of a database whose content can be used, or why it can't.
async fn check(
    imported: &Database,
    git: &Git,
    repositories: &Arc<Generation>,
) -> Result<Result<EmulatorRow, String>, StoreError> {
    if let Some(fault) = state::find_fault(imported).await? {
        return Ok(Err(fault));
    }
    Catalog::load(&mut *imported.reader().await?).await?;
    executions::recompute_due(imported).await?;
    successes::recompute(imported).await?;
    bundles::unpack(git, repositories, imported).await?;
    Ok(match emulator::find(imported).await? {
        None => Err("the file holds no state".to_owned()),
        Some(row) if !is_rate(row.clock.rate) => Err("the rate of the clock is invalid".to_owned()),
        Some(row) => Ok(row),
    })
}
