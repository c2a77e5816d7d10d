//! The inspector: it checks whether the database file is intact and still in its place.

use std::time::Duration;

use super::Engine;
use crate::store::Condition;

/// The maximum number of intervals between two content checks. A check that did not succeed is
/// repeated after 1, 2, 4, … intervals: the disk may work again.
const MAX_CHECK_INTERVALS: u32 = 64;

/// How long the inspector waits between two looks at the database file, in real time.
const INTERVAL: Duration = Duration::from_secs(10);

impl Engine {
    /// Returns the last known condition of the database.
    #[must_use]
    pub fn condition(&self) -> Condition {
        self.database.condition()
    }

    /// Checks the content of the database until nothing is wrong, and at intervals whether its file
    /// is still there, until the engine stops. Each problem is logged once.
    pub async fn run_inspector(&self) {
        let mut logged = Condition::Sound;
        let (mut pause, mut left) = (1, 0);
        while !self.is_stopping() {
            if !self.database.is_sound() {
                if left == 0 {
                    self.database.check(self.go_on()).await;
                    (left, pause) = (pause, MAX_CHECK_INTERVALS.min(2 * pause));
                }
                left -= 1;
            }
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
