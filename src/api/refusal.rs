//! Refusals of changes, as problems.

use axum::http::StatusCode;

use crate::engine::definitions::ChangeError;
use crate::http::problem::Problem;

/// The problem by which a change of `what` is refused.
pub(super) fn refusal(error: ChangeError, what: &str) -> Problem {
    match error {
        ChangeError::NotFound | ChangeError::NoSuchBranch => Problem::not_found(what),
        ChangeError::InGit => {
            let text = format!("{what} lives in git: change it with `git push`.");
            Problem::new(StatusCode::CONFLICT, "Conflict", text)
        }
        ChangeError::InUse(pipeline) => Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "In use",
            format!(
                "{what} can't be changed or deleted while the pipeline {pipeline} has an unfinished \
                 execution; wait until it has ended, or cancel it."
            ),
        ),
        ChangeError::Invalid(fields) => Problem::invalid(fields),
        ChangeError::Store(error) => error.into(),
    }
}
