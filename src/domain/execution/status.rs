//! The status of a step state.

use crate::domain::word::words;

words! {
    /// The status of a step state, as the API names it.
    pub enum StepStatus {
        /// Its turn has not come.
        NotStarted = "NOT_STARTED",
        /// At work.
        Running = "RUNNING",
        /// Waits for somebody.
        Waiting = "WAITING",
        /// Over as it should.
        Finished = "FINISHED",
        /// Over by a fault on the customer's side.
        Failed = "FAILED",
        /// Over by a fault on the system's side.
        Error = "ERROR",
        /// Stopped by somebody, or nobody answered.
        Cancelled = "CANCELLED",
    }
}
