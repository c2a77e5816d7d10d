//! Why a step has a link, or why not.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Control;
use crate::domain::execution::links::{self, Unavailable};
use crate::domain::execution::status::StepStatus;
use crate::domain::pipeline::Action;
use crate::engine::read::Snapshot;
use crate::extract::InExecution;

/// For each step of an execution: its links, and why other links are absent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    execution_id: String,
    steps: Vec<StepExplanation>,
}

/// The links of a step, and why other links are absent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StepExplanation {
    phase_id: String,
    step_id: String,
    action: Action,
    status: StepStatus,
    advance: LinkExplanation,
    cancel: LinkExplanation,
    re_execute: LinkExplanation,
    logs: LinkExplanation,
    metrics: LinkExplanation,
}

/// Whether a link is present.
#[derive(Debug, Serialize, ToSchema)]
struct LinkExplanation {
    available: bool,
    /// Why the link is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl LinkExplanation {
    fn new(possible: Result<(), Unavailable>) -> Self {
        let reason = possible.err().map(|reason| reason.to_string());
        Self { available: reason.is_none(), reason }
    }
}

impl Explanation {
    fn new(Snapshot { execution, is_last, now: _ }: &Snapshot) -> Self {
        let steps = (0..execution.steps.len())
            .filter_map(|position| {
                let (step, state) = execution.step(position)?;
                Some(StepExplanation {
                    phase_id: step.phase_id.to_string(),
                    step_id: step.id.to_string(),
                    action: step.action,
                    status: state.status(),
                    advance: LinkExplanation::new(links::advance(execution, position)),
                    cancel: LinkExplanation::new(links::cancel(execution, position)),
                    re_execute: LinkExplanation::new(links::re_execute(
                        execution, position, *is_last,
                    )),
                    logs: LinkExplanation::new(links::logs(execution, position)),
                    metrics: LinkExplanation::new(links::metrics(execution, position)),
                })
            })
            .collect();
        Self { execution_id: execution.id.to_string(), steps }
    }
}

/// Explains which links each step has, and why other links are absent.
#[utoipa::path(get,
    path = "/_emulator/program/{programId}/pipeline/{pipelineId}/execution/{executionId}/explain",
    operation_id = "explainExecution", tag = "Emulator",
    params(InExecution),
    responses((status = 200, description = "The explanation", body = Explanation)))]
pub async fn explain_execution(
    State(_): State<Control>,
    InExecution { snapshot }: InExecution,
) -> Json<Explanation> {
    Json(Explanation::new(&snapshot))
}
