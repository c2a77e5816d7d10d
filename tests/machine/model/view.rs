//! What can be seen of a model.

use cloudmanager_emulator::domain::execution::ExecutionStatus;
use cloudmanager_emulator::domain::execution::status::StepStatus;
use serde_json::Value;

use super::Model;
use crate::body::Verb;
use crate::setup::Place;

/// What can be seen of an execution.
#[derive(Debug, PartialEq)]
pub struct View {
    pub status: ExecutionStatus,
    pub updated_at: i64,
    pub finished_at: Option<i64>,
    pub due_at: Option<i64>,
    pub steps: Vec<StepView>,
}

/// What can be seen of a step.
#[derive(Debug, PartialEq)]
pub struct StepView {
    pub place: Place,
    pub status: StepStatus,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
    pub updated_at: Option<i64>,
    pub resumed_at: Option<i64>,
    pub input: Option<Value>,
    pub timed_out: bool,
    /// The names of the links of commands.
    pub offers: Vec<&'static str>,
}

impl Model {
    pub fn view(&self) -> View {
        View {
            status: self.status,
            updated_at: self.updated_at,
            finished_at: self.finished_at,
            due_at: self.due_at(),
            steps: (0..self.steps.len()).map(|position| self.view_step(position)).collect(),
        }
    }

    fn view_step(&self, position: usize) -> StepView {
        let step = self.steps[position].clone();
        let offers = [
            ("advance", self.offers(Verb::Advance, position)),
            ("cancel", self.offers(Verb::Cancel, position)),
            ("reExecute", self.is_re_executable(position)),
        ];
        StepView {
            place: step.place,
            status: step.status,
            started_at: step.started_at,
            finished_at: step.finished_at,
            updated_at: step.updated_at,
            resumed_at: step.resumed_at,
            input: step.input,
            timed_out: step.timed_out,
            offers: offers.into_iter().filter(|offer| offer.1).map(|offer| offer.0).collect(),
        }
    }
}
