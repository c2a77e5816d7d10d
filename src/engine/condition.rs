//! Whether the database can be relied on.

use std::time::Duration;

use super::Engine;
use crate::store::Condition;

/// How long the inspector waits, in real time, before it looks at the database file again.
const INTERVAL: Duration = Duration::from_secs(10);

impl Engine {
    /// What is known of the database now.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.database.condition()
    }

    /// Checks the database, then looks from time to time whether its file is still there, until the
    /// engine stops. What is wrong is logged once.
    pub async fn run_inspector(&self) {
        let stopping = self.stopping.subscribe();
        self.database.check(move || !*stopping.borrow()).await;
        let mut told = Condition::Sound;
        while !self.is_stopping() {
            let condition = self.condition();
            if let Condition::Failing(problem) = &condition
                && condition != told
            {
                tracing::error!("{problem}");
            }
            told = condition;
            // What comes first: the next look, or the end.
            let _ = tokio::time::timeout(INTERVAL, self.wait_for_stop()).await;
        }
    }
}
