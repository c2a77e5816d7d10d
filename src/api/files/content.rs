//! What files hold; it is made when it is read.

use super::Api;
use crate::access::file_token::{FileName, StepName};
use crate::content::artifact::{self, ArtifactFile};
use crate::content::environment_log::{DayLog, LogOption};
use crate::content::step_log::{self, Log, Names};
use crate::domain::program::Program;
use crate::engine::read::Snapshot;
use crate::http::problem::Problem;

/// What a file holds.
pub(super) enum Content {
    StepLog(Log),
    DayLog(DayLog),
    Bytes(Vec<u8>),
}

/// A file as it stands now.
pub(super) struct File {
    pub content: Content,
    pub media_type: &'static str,
    /// The name under which it is to be saved, for what is no text to be looked at.
    pub name: Option<String>,
}

const TEXT: &str = "text/plain; charset=utf-8";

impl Content {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::StepLog(log) => log.len(),
            Self::DayLog(log) => log.len(),
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// The bytes from `start` up to `end`, at most `max` of them.
    pub fn read(&self, start: u64, end: u64, max: usize) -> Vec<u8> {
        match self {
            Self::StepLog(log) => log.read(start, end, max),
            Self::DayLog(log) => log.read(start, end, max),
            Self::Bytes(bytes) => {
                let at =
                    |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                let end = at(end).min(at(start).saturating_add(max));
                bytes.get(at(start)..end).unwrap_or_default().to_vec()
            }
        }
    }
}

impl File {
    /// The file of that name; none if it is not there, or not yet.
    pub async fn find(api: &Api, name: &FileName) -> Result<Option<Self>, Problem> {
        match name {
            FileName::StepLog { step, file } => {
                let Some(snapshot) = find_execution(api, *step).await? else { return Ok(None) };
                let log = step_log(api, &snapshot, step.position(), file.as_deref());
                Ok(log.map(|log| Self {
                    content: Content::StepLog(log),
                    media_type: TEXT,
                    name: None,
                }))
            }
            FileName::Artifact { step, number } => {
                let Some(snapshot) = find_execution(api, *step).await? else { return Ok(None) };
                let found = artifact::find(&snapshot.execution, step.position(), *number);
                let found = found.map_err(|error| Problem::internal(&error))?;
                Ok(found.map(|ArtifactFile { artifact, content }| Self {
                    content: Content::Bytes(content),
                    media_type: artifact.format,
                    name: Some(artifact.file),
                }))
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
                let is_there =
                    |program: &Program| program.environments.contains_key(environment_id);
                let found = catalog.find_program(*program_id).filter(|program| is_there(program));
                let (Some(_), Some(option), Ok(day)) =
                    (found, LogOption::find(service, name), day.parse())
                else {
                    return Ok(None);
                };
                let log = DayLog::new(*program_id, *environment_id, option, day, api.engine.now());
                Ok(Some(if *is_compressed {
                    Self {
                        content: Content::Bytes(
                            log.gzip().map_err(|error| Problem::internal(&error))?,
                        ),
                        media_type: "application/gzip",
                        name: Some(format!("{environment_id}-{service}-{name}-{day}.log.gz")),
                    }
                } else {
                    Self { content: Content::DayLog(log), media_type: TEXT, name: None }
                }))
            }
        }
    }
}

async fn find_execution(api: &Api, step: StepName) -> Result<Option<Snapshot>, Problem> {
    Ok(api.engine.find_execution(step.pipeline(), step.execution_id()).await?)
}

/// A log file of a step as it stands now; none if its pipeline is gone or it has no such file.
pub(in crate::api) fn step_log(
    api: &Api,
    snapshot: &Snapshot,
    position: usize,
    file: Option<&str>,
) -> Option<Log> {
    let catalog = api.engine.catalog();
    let key = snapshot.execution.pipeline;
    let program = catalog.find_program(key.program_id)?;
    let pipeline = program.pipelines.get(&key.pipeline_id)?;
    let names = Names { program: &program.name, pipeline: &pipeline.name };
    step_log::log(&snapshot.execution, position, file, names, snapshot.now)
}
