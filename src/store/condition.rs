//! Whether the database is sound: its file is checked, and must stay where it is.

use sqlx::{Connection as _, SqliteConnection};

use super::{Database, StoreError, interrupt_unless, with_causes};

/// The check of the file. It reports three problems at most; more would not help anybody. Unlike
/// `integrity_check` it does not compare indexes with tables, so it takes much less time.
const MISTAKES: &str = "PRAGMA quick_check(3)";

/// What is known of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Its file is still being checked.
    Checking,
    /// Nothing is wrong.
    Sound,
    /// It is damaged, or can't be used.
    Failing(String),
}

impl Database {
    /// Returns what is known now.
    pub fn condition(&self) -> Condition {
        if let Some(problem) = self.file.loss() {
            return Condition::Failing(problem);
        }
        if let Some(problem) = self.trouble() {
            return Condition::Failing(problem);
        }
        match &*self.checked.borrow() {
            None => Condition::Checking,
            Some(Ok(())) => Condition::Sound,
            Some(Err(problem)) => Condition::Failing(problem.clone()),
        }
    }

    /// Returns whether the last check of the file has found nothing wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        matches!(&*self.checked.borrow(), Some(Ok(())))
    }

    /// Checks the file, for as long as it is told to go on.
    pub async fn check(&self, go_on: impl FnMut() -> bool + Send + 'static) {
        let checked = match self.find_mistakes(go_on).await {
            Ok(mistakes) if mistakes == ["ok"] => Ok(()),
            Ok(mistakes) => {
                let mistakes = mistakes.join("; ").replace('\n', " ");
                Err(format!("the database is damaged: {mistakes}"))
            }
            Err(error) => Err(format!("checking the database failed: {}", with_causes(&error))),
        };
        self.checked.send_replace(Some(checked));
    }

    /// On a connection of its own: nobody who reads waits for it.
    async fn find_mistakes(
        &self,
        go_on: impl FnMut() -> bool + Send + 'static,
    ) -> Result<Vec<String>, StoreError> {
        let options = self.readers().connect_options();
        let mut connection = SqliteConnection::connect_with(&options).await?;
        interrupt_unless(&mut connection, go_on).await?;
        let mistakes = sqlx::query_scalar(MISTAKES).fetch_all(&mut connection).await;
        connection.close().await?;
        Ok(mistakes?)
    }
}
