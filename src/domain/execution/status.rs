//! The status of a step state.

use crate::domain::word::words;

words! {
    /// The status of a step state, as the API names it.
    pub enum StepStatus {
        /// The step has not started.
        NotStarted = "NOT_STARTED",
        /// The step is running.
        Running = "RUNNING",
        /// Waits for somebody.
        Waiting = "WAITING",
        /// The step ended successfully.
        Finished = "FINISHED",
        /// Over by a fault on the customer's side.
        Failed = "FAILED",
        /// Over by a fault on the system's side.
        Error = "ERROR",
        /// Stopped by somebody, or nobody answered.
        Cancelled = "CANCELLED",
    }
}
