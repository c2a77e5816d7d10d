//! The inspector: it checks whether the database file is intact and still in its place.

use std::time::Duration;

use super::Engine;
use crate::store::Condition;

/// How long the inspector waits between two looks at the database file, in real time.
const INTERVAL: Duration = Duration::from_secs(10);

impl Engine {
    /// Returns what is known of the database now.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.database.condition()
    }

    /// Checks the content of the database once, then at intervals whether its file is still there,
    /// until the engine stops. Each problem is logged once.
    pub async fn run_inspector(&self) {
        let stopping = self.stopping.subscribe();
        self.database.check(move || !*stopping.borrow()).await;
        let mut logged = Condition::Sound;
        while !self.is_stopping() {
            let condition = self.condition();
            if let Condition::Failing(problem) = &condition
                && condition != logged
            {
                tracing::error!("{problem}");
            }
            logged = condition;
            // Either outcome is fine: the next look, or the end.
            let _ = tokio::time::timeout(INTERVAL, self.wait_for_stop()).await;
        }
    }
}
