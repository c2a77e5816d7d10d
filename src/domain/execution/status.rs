//! The status of a step state.

use serde::Serialize;
use utoipa::ToSchema;

/// The status of a step state, as the API names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StepStatus {
    /// Its turn has not come.
    NotStarted,
    /// At work.
    Running,
    /// Waits for somebody.
    Waiting,
    /// Over as it should.
    Finished,
    /// Over by a fault on the customer's side.
    Failed,
    /// Over by a fault on the system's side.
    Error,
    /// Stopped by somebody, or nobody answered.
    Cancelled,
}
