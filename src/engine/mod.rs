//! The engine: the only place that changes stored state, and the only place that waits for time.

pub mod catalog;
pub mod changes;
pub mod clock;
mod condition;
mod contents;
mod counters;
pub mod definitions;
pub mod deliveries;
mod executions;
mod keys;
mod problems;
mod purge;
mod repositories;
mod world;
mod write;

use std::collections::HashMap;
use std::error::Error;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::JoinError;
use uuid::Uuid;

use crate::domain::client::Client;
use crate::domain::id::PipelineKey;
use crate::domain::pace::Pace;
use crate::domain::time::Timestamp;
use crate::git::{Git, GitLimits};
use crate::seed::Origin;
use crate::store::emulator::EmulatorRow;
use crate::store::executions as executions_store;
use crate::store::secrets::SecretKey;
use crate::store::{Database, StoreError, emulator};
use catalog::{Catalog, CurrentCatalog};
use changes::Notifier;
use clock::Clock;
pub use contents::{Removed, UploadError, Uploaded};
use counters::Counters;
pub use counters::Performance;
pub use deliveries::webhooks;
pub use executions::epochs::Epoch;
pub use executions::history::{History, HistoryError};
use executions::scheduler::Schedule;
pub use executions::scheduler::{AdvanceError, Destination, Settled};
pub use executions::{commands, read, wait};
use keys::Keys;
pub use keys::RsaKey;
use problems::Problems;
pub use problems::Worker;
use purge::Purging;
pub use repositories::RepositoryError;
use repositories::bundles;
use world::{World, load};
pub use world::{additions, state};
use write::Write;

/// How an engine is set up.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// How long automated steps take.
    pub pace: Pace,
    /// How fast emulated time runs; the stored rate if absent.
    pub clock_rate: Option<f64>,
    /// Where a new database's clock starts; now if absent.
    pub clock_start: Option<Timestamp>,
    /// The key that encrypts secrets; if absent, the key file beside the database.
    pub secret_key: Option<SecretKey>,
    /// How many executions a transaction handles when many are due or added: 20,000 by default.
    /// Other writers get their turn between two batches.
    pub batch: NonZeroU32,
    /// The limits of what `git` may do.
    pub git: GitLimits,
    /// How long a call waits while there are too many copies of the state, in real time.
    pub max_copy_wait: Duration,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            pace: Pace::default(),
            clock_rate: None,
            clock_start: None,
            secret_key: None,
            // An execution is read and written once in a batch, however many of its steps are due
            // in it: so large batches are faster. Smaller ones let other writers wait for less
            // time.
            batch: const { NonZeroU32::new(20_000).unwrap() },
            git: GitLimits::default(),
            max_copy_wait: Duration::from_secs(30),
        }
    }
}

/// The running emulator: database, clock, and the state in memory that follows the database.
pub struct Engine {
    database: Database,
    clock: Clock,
    catalog: CurrentCatalog,
    notifier: Notifier,
    schedule: Schedule,
    purging: Purging,
    /// Locked while contents are stored in several transactions, or purged: the purge must not
    /// delete the chunks of an unfinished upload.
    storing: Mutex<()>,
    world: World,
    /// The options given at the start; a reset applies them again.
    options: EngineOptions,
    origin: Origin,
    signing_key: Vec<u8>,
    keys: Keys,
    /// Whether this start has filled the database.
    is_new: bool,
    /// Whether the emulator stops.
    stopping: watch::Sender<bool>,
    counters: Counters,
    problems: Problems,
    git: Git,
    /// Wakes the tagger.
    tagging: Notify,
}

impl Engine {
    /// Opens the database, loads the seed if it is new, and handles all that is overdue.
    pub async fn open(
        path: &Path,
        options: EngineOptions,
        origin: Origin,
    ) -> Result<Arc<Self>, StoreError> {
        let database = Database::open(path, options.secret_key.as_ref()).await?;
        let stored = emulator::find(&database).await?;
        let is_new = stored.is_none();
        let mut row =
            stored.unwrap_or_else(|| EmulatorRow::new(load::new_line(&options), new_signing_key()));
        let has_key = !row.signing_key.is_empty();
        if !has_key {
            row.signing_key = new_signing_key();
        }
        let git = Git::beside(database.path(), row.git_generation, options.git.clone());
        bundles::unpack_at_start(&git, &database).await?;
        let engine = Arc::new(Self {
            clock: Clock::new(row.clock, row.seen_at.max(row.lease_end)),
            catalog: CurrentCatalog::new(Catalog::load(&mut *database.reader().await?).await?),
            database,
            notifier: Notifier::default(),
            schedule: Schedule::default(),
            purging: Purging::default(),
            storing: Mutex::default(),
            world: World::default(),
            origin,
            signing_key: row.signing_key.clone(),
            keys: Keys::default(),
            is_new,
            stopping: watch::Sender::new(false),
            counters: Counters::default(),
            problems: Problems::default(),
            git,
            tagging: Notify::new(),
            options,
        });
        engine.catch_up(row, has_key).await?;
        engine.open_repositories().await?;
        // Changes that became due while the emulator was not running must not count as lateness of
        // the scheduler.
        engine.counters.record_lateness(Duration::ZERO);
        Ok(engine)
    }

    /// Fills a new database, sets the clock, and handles all that is overdue. An exported database
    /// has no signing key.
    async fn catch_up(self: &Arc<Self>, row: EmulatorRow, has_key: bool) -> Result<(), StoreError> {
        let line = self.clock.line();
        let mut write = Write::begin(self).await?;
        if self.is_new {
            write.fill(row, self.origin.seed(), self.git.current()).await?;
            write.commit().await?;
        } else if row.clock != line || line.rate > 0.0 || !has_key {
            emulator::set_signing_key(&mut write.tx, &row.signing_key).await?;
            write.set_clock(line).await?;
            write.commit().await?;
        } else {
            drop(write);
        }
        if let Some(rate) = self.options.clock_rate {
            self.set_clock_rate(rate).await?;
        }
        self.settle_due().await?;
        let set_aside = executions_store::list_set_aside(&self.database).await?;
        self.problems.set_aside(set_aside);
        self.problems.retain_known(&self.catalog());
        Ok(())
    }

    /// Returns the current emulated time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the organisation of the seed's first tenant, or of another tenant if an existing
    /// database does not have that one.
    #[must_use]
    pub fn organisation(&self) -> Option<String> {
        let seed = self.origin.seed();
        let first = seed.tenants.first().map(|tenant| tenant.ims_org_id.as_str());
        self.catalog().organisation(first)
    }

    /// Returns the first client of the seed (of its first tenant with clients), or the first client
    /// of an existing database that does not have that one.
    #[must_use]
    pub fn first_client(&self) -> Option<Arc<Client>> {
        let seed = self.origin.seed();
        let mut first_of = HashMap::new();
        for client in &seed.clients {
            first_of.entry(client.tenant_id).or_insert(&client.client_id);
        }
        let catalog = self.catalog();
        let first = seed.tenants.iter().find_map(|tenant| first_of.get(&tenant.id));
        let first = first.and_then(|id| catalog.find_client(id));
        first.or_else(|| catalog.first_client()).cloned()
    }

    /// Emulated milliseconds for each real one.
    #[must_use]
    pub fn clock_rate(&self) -> f64 {
        self.clock.line().rate
    }

    /// Returns whether this start has filled the database.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Returns how long automated steps take.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.options.pace
    }

    /// Returns the key of all signatures, those of log and artifact addresses among them.
    #[must_use]
    pub fn signing_key(&self) -> &[u8] {
        &self.signing_key
    }

    /// Returns the definitions as they are now.
    #[must_use]
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.get()
    }

    /// Returns the current epoch of a pipeline. It ends with each change of the pipeline's
    /// executions; a cache entry is valid for the epoch in which it was made.
    #[must_use]
    pub fn epoch(&self, pipeline: PipelineKey) -> Epoch {
        self.notifier.epochs.current(pipeline)
    }

    /// Replaces an error that was caused by the files of the database with one that explains their
    /// problem. Returns other errors unchanged.
    fn explain<E: From<StoreError> + Error + 'static>(&self, error: E) -> E {
        let Some(explained) = self.database.explain(&error) else { return error };
        // The scheduler then tries to write until that succeeds.
        self.schedule.wake();
        explained.into()
    }

    /// Returns why the database can't be written now, or `None` if it can, as far as is known.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.database.trouble()
    }

    /// Waits until the database can be written.
    pub async fn wait_for_recovery(&self) {
        self.database.wait_for_recovery().await;
    }

    /// Writes everything into the database file and closes it.
    pub async fn close(self: &Arc<Self>) -> Result<(), StoreError> {
        self.world.end_exports().await;
        self.git.end_transfers().await;
        if self.clock_rate() > 0.0 {
            // Then the next start begins at the time of this one's end. If the lease can't be
            // ended, the start begins a little later.
            let _ = self.stop_clock().await;
        }
        self.database.close().await
    }

    /// Stops the clock and ends its lease.
    async fn stop_clock(self: &Arc<Self>) -> Result<(), StoreError> {
        let now = self.now();
        self.clock.hold(now);
        let mut write = Write::begin(self).await?;
        write.end_lease(now).await?;
        write.commit().await
    }
}

/// Returns a key for signatures: two random identifiers, 244 random bits.
fn new_signing_key() -> Vec<u8> {
    [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat()
}

/// Runs something that changes the database to its end, even if the caller stops waiting for it:
/// what memory mirrors of the database must follow each commit.
async fn run_to_the_end<T, E>(
    engine: &Arc<Engine>,
    command: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Error + Send + 'static,
{
    let done = outcome_of(tokio::spawn(command).await)?;
    done.map_err(|error| engine.explain(error))
}

/// Runs a long computation to its end like [`run_to_the_end`], but on a thread of its own. So it
/// does not block the threads that answer requests.
async fn run_on_own_thread<T, E>(
    engine: &Arc<Engine>,
    command: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Error + Send + 'static,
{
    let runtime = Handle::current();
    let task = tokio::task::spawn_blocking(move || runtime.block_on(command));
    outcome_of(task.await)?.map_err(|error| engine.explain(error))
}

/// Returns the outcome of a task. A panic of the task goes on in the caller that waited for it.
fn outcome_of<T>(joined: Result<T, JoinError>) -> Result<T, StoreError> {
    joined.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        // These tasks are aborted only when the runtime shuts down.
        Err(_) => StoreError::Closed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_that_panics_is_a_panic_of_who_waits_for_it() {
        let directory = tempfile::TempDir::new().unwrap();
        let path = directory.path().join("cloudmanager.db");
        let opened = Engine::open(&path, EngineOptions::default(), Origin::Demo).await;
        let engine = opened.unwrap();
        let panics = async { panic!("on purpose") as Result<(), StoreError> };
        let waiting = tokio::spawn(async move { run_to_the_end(&engine, panics).await });
        let panic = waiting.await.unwrap_err().into_panic();
        assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
    }
}
