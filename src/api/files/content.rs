//! What files hold: most of it is made when it is read.

use std::sync::Arc;

use super::Api;
use crate::access::file_token::{FileName, StepName};
use crate::content::artifact::{self, BuildContent};
use crate::content::environment_log::{DayLog, LogOption};
use crate::content::step_log::{self, Log, Names};
use crate::domain::build::StoredFile;
use crate::engine::Engine;
use crate::engine::read::Snapshot;
use crate::http::problem::Problem;
use crate::store::StoreError;

/// What a file holds.
pub(super) enum FileContent {
    StepLog(Log),
    DayLog(DayLog),
    Bytes(Vec<u8>),
    /// The content of a file that is stored.
    Stored(Arc<Engine>, StoredFile),
}

/// A file as it stands now.
pub(super) struct File {
    pub content: FileContent,
    pub media_type: &'static str,
    /// The name under which it is saved.
    pub name: String,
    /// Whether browsers show it instead of saving it.
    pub is_shown: bool,
}

const TEXT: &str = "text/plain; charset=utf-8";

impl FileContent {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::StepLog(log) => log.len(),
            Self::DayLog(log) => log.len(),
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stored(_, file) => file.content.size,
        }
    }

    /// The bytes from `start` up to `end`, at most `max` of them. None if `start` is the end.
    pub async fn read(&self, start: u64, end: u64, max: usize) -> Result<Vec<u8>, StoreError> {
        Ok(match self {
            Self::StepLog(log) => log.read(start, end, max),
            Self::DayLog(log) => log.read(start, end, max),
            Self::Bytes(bytes) => {
                let at =
                    |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                let end = at(end).min(at(start).saturating_add(max));
                bytes.get(at(start)..end).unwrap_or_default().to_vec()
            }
            Self::Stored(engine, file) => {
                engine.read_content(file.digest, start, end.min(file.content.size), max).await?
            }
        })
    }
}

impl File {
    /// The file of that name; none if it is not there, or not yet.
    pub async fn find(api: &Api, name: &FileName) -> Result<Option<Self>, Problem> {
        match name {
            FileName::StepLog { step, file } => {
                let Some(snapshot) = find_execution(api, *step).await? else { return Ok(None) };
                let position = step.position();
                let log = step_log(api, &snapshot, position, file.as_deref());
                let name = step_log::file_name(&snapshot.execution, position, file.as_deref());
                Ok(log.zip(name).map(|(log, name)| Self::shown(FileContent::StepLog(log), name)))
            }
            FileName::Artifact { step, number } => {
                let Some(snapshot) = find_execution(api, *step).await? else { return Ok(None) };
                Self::find_artifact(api, &snapshot, step.position(), *number)
            }
            FileName::EnvironmentLog {
                program_id,
                environment_id,
                service,
                name,
                day,
                is_compressed,
            } => {
                let catalog = api.engine.catalog();
                let program = catalog.find_program(*program_id);
                let is_there =
                    program.is_some_and(|it| it.environments.contains_key(environment_id));
                let named = (LogOption::find(service, name), day.parse());
                let (true, (Some(option), Ok(day))) = (is_there, named) else { return Ok(None) };
                let log = DayLog::new(*program_id, *environment_id, option, day, api.engine.now());
                let name = format!("{environment_id}-{service}-{name}-{day}.log");
                if !*is_compressed {
                    return Ok(Some(Self::shown(FileContent::DayLog(log), name)));
                }
                let content = log.gzip().map_err(|error| Problem::internal(&error))?;
                Ok(Some(Self::saved(content, "application/gzip", name + ".gz")))
            }
        }
    }

    fn find_artifact(
        api: &Api,
        snapshot: &Snapshot,
        position: usize,
        number: usize,
    ) -> Result<Option<Self>, Problem> {
        let found = artifact::find(&snapshot.execution, position, number);
        let found = found.map_err(|error| Problem::internal(&error))?;
        Ok(found.map(|(artifact, content)| Self {
            content: match content {
                BuildContent::Generated(bytes) => FileContent::Bytes(bytes),
                BuildContent::Stored(file) => FileContent::Stored(api.engine.clone(), file),
            },
            media_type: artifact.format,
            name: artifact.file,
            is_shown: false,
        }))
    }

    /// A text that browsers show.
    fn shown(content: FileContent, name: String) -> Self {
        Self { content, media_type: TEXT, name, is_shown: true }
    }

    /// A file that browsers save.
    fn saved(content: Vec<u8>, media_type: &'static str, name: String) -> Self {
        Self { content: FileContent::Bytes(content), media_type, name, is_shown: false }
    }
}

async fn find_execution(api: &Api, step: StepName) -> Result<Option<Snapshot>, Problem> {
    Ok(api.engine.find_execution(step.pipeline(), step.execution_id()).await?)
}

/// A log file of a step as it stands now; none if its pipeline is gone or it has no such file.
fn step_log(api: &Api, snapshot: &Snapshot, position: usize, file: Option<&str>) -> Option<Log> {
    let catalog = api.engine.catalog();
    let key = snapshot.execution.pipeline;
    let program = catalog.find_program(key.program_id)?;
    let pipeline = program.pipelines.get(&key.pipeline_id)?;
    let names = Names { program: &program.name, pipeline: &pipeline.name };
    step_log::log(&snapshot.execution, position, file, names, snapshot.now)
}
