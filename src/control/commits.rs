//! Commits: what developers push.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Control;
use crate::domain::invalid::InvalidField;
use crate::domain::text::problem_with_ref;
use crate::engine::definitions::{ChangeError, Push, Pushed};
use crate::extract::{InRepository, NamedBranch};
use crate::http::body::read_object;
use crate::http::problem::Problem;

/// A commit.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommitBody {
    /// Its identifier; generated if absent.
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    commit_id: Option<String>,
    /// Whether to create the branch if it does not exist.
    #[serde(default)]
    create: bool,
}

/// The branch after the commit.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Commit)]
pub struct CommitView {
    /// The new head of the branch.
    commit_id: String,
    branch: String,
    /// The executions that the commit started.
    execution_ids: Vec<String>,
}

/// The branches and tags of a repository.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeadList {
    heads: Vec<Head>,
}

/// A branch or a tag, and its commit.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Head {
    /// The name of the branch, or `refs/tags/` and the name of the tag.
    name: String,
    commit_id: String,
}

/// Lists the branches and tags of a repository with their commits.
#[utoipa::path(get, path = "/_emulator/program/{programId}/repository/{repositoryId}/heads",
    operation_id = "getHeads", tag = "Emulator", params(InRepository),
    responses((status = 200, description = "The branches and tags", body = HeadList)))]
pub async fn get_heads(InRepository { repository, .. }: InRepository) -> Json<HeadList> {
    let heads = repository.heads.iter();
    let heads = heads
        .map(|(name, commit)| Head { name: name.clone(), commit_id: commit.clone() })
        .collect();
    Json(HeadList { heads })
}

/// Adds a commit to a branch, and starts the idle pipelines that build each commit of it.
///
/// Responds with 404 if the branch does not exist and `create` is not true. Write slashes in the
/// name of the branch as `%2F`.
#[utoipa::path(post,
    path = "/_emulator/program/{programId}/repository/{repositoryId}/branch/{branch}/commits",
    operation_id = "postCommit", tag = "Emulator",
    params(NamedBranch),
    request_body = Option<CommitBody>,
    responses((status = 201, description = "The commit was added", body = CommitView),
        (status = 409, description = "The repository lives in git", body = Problem,
            content_type = "application/problem+json")))]
pub async fn post_commit(
    State(control): State<Control>,
    NamedBranch { repository: InRepository { program, repository }, branch }: NamedBranch,
    body: Bytes,
) -> Result<(StatusCode, Json<CommitView>), Problem> {
    let CommitBody { commit_id, create } =
        if body.is_empty() { CommitBody::default() } else { read_object(&body)? };
    check_name("branch", &branch)?;
    if let Some(commit_id) = &commit_id {
        check_name("commitId", commit_id)?;
    }
    let push = Push { branch: branch.clone(), commit: commit_id, create };
    let pushed = control.engine.push_commit(program.id, repository.id, push).await;
    let Pushed { commit, started } = pushed.map_err(|error| match error {
        ChangeError::Store(error) => error.into(),
        ChangeError::NoSuchBranch => no_such_branch(&repository.name, &branch),
        ChangeError::InGit => lives_in_git(&repository.name),
        _ => Problem::not_found("The repository"),
    })?;
    let execution_ids = started.iter().map(ToString::to_string).collect();
    Ok((StatusCode::CREATED, Json(CommitView { commit_id: commit, branch, execution_ids })))
}

fn lives_in_git(repository: &str) -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "Conflict",
        format!("The repository {repository} lives in git: add commits to it with `git push`."),
    )
}

fn no_such_branch(repository: &str, branch: &str) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "Not found",
        format!(
            "The repository {repository} has no branch {}. Send \"create\": true to make it.",
            branch.escape_debug()
        ),
    )
}

/// Checks the name of a branch or a commit.
pub(super) fn check_name(field: &str, text: &str) -> Result<(), Problem> {
    match problem_with_ref(text) {
        None => Ok(()),
        Some(problem) => {
            Err(Problem::invalid([InvalidField::new(field, problem).with_value(text)]))
        }
    }
}
