//! Changes of steps in the log: one line each, or one line for many.

use tracing::Level;

use crate::domain::environment::EnvironmentType;
use crate::domain::execution::Execution;
use crate::domain::execution::machine::StepChange;
use crate::domain::id::{ExecutionId, PipelineKey};
use crate::domain::pipeline::Action;
use crate::domain::time::Timestamp;

/// How many changes are logged one by one.
const LONGEST: usize = 20;

/// Changes of steps that are going to be logged together.
#[derive(Default)]
pub struct StepLog {
    /// The first changes.
    lines: Vec<StepLine>,
    /// The number of all changes.
    count: usize,
    /// The time of the last change.
    last: Option<Timestamp>,
}

struct StepLine {
    change: StepChange,
    pipeline: PipelineKey,
    execution: ExecutionId,
    action: Action,
    environment: Option<EnvironmentType>,
}

impl StepLog {
    /// Adds changes of an execution, unless nobody wants to read them.
    pub fn add(&mut self, execution: &Execution, changes: &[StepChange]) {
        if !tracing::enabled!(Level::INFO) {
            return;
        }
        self.count += changes.len();
        self.last = self.last.max(changes.last().map(|change| change.at));
        let room = LONGEST.saturating_sub(self.lines.len());
        for change in changes.iter().take(room) {
            let Some((step, _)) = execution.step(change.position) else { continue };
            self.lines.push(StepLine {
                change: *change,
                pipeline: execution.pipeline,
                execution: execution.id,
                action: step.action,
                environment: step.environment_type(),
            });
        }
    }

    /// Adds the changes of another one.
    pub fn append(&mut self, mut other: Self) {
        self.count += other.count;
        let room = LONGEST.saturating_sub(self.lines.len());
        other.lines.truncate(room);
        self.lines.append(&mut other.lines);
        self.last = self.last.max(other.last);
    }

    /// Logs the changes in the order of time; many of them in one line.
    pub fn write(mut self) {
        if self.count <= LONGEST {
            self.lines.sort_by_key(|line| line.change.at);
            self.lines.iter().for_each(StepLine::write);
        } else if let Some(at) = self.last {
            tracing::info!(%at, "{} steps have changed their status", self.count);
        }
    }
}

impl StepLine {
    fn write(&self) {
        let Self { change: StepChange { at, status, .. }, pipeline, execution, .. } = self;
        let (step, environment) = (self.action, self.environment.map(EnvironmentType::as_str));
        tracing::info!(
            %at, %step, environment, %status,
            program = %pipeline.program_id, pipeline = %pipeline.pipeline_id, %execution,
        );
    }
}
