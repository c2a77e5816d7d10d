//! Repositories, and the head commits of their branches and tags.

use std::collections::BTreeMap;

use sqlx::SqliteConnection;

use super::known::Programs;
use crate::domain::id::{ProgramId, RepositoryId, RepositoryKey};
use crate::domain::program::Program;
use crate::domain::repository::Repository;
use crate::store::insert::insert_rows;
use crate::store::{InRow, StoreError, Transaction, parse_json};

/// Stores the repositories of programs.
pub(super) async fn insert(tx: &mut Transaction, programs: &[Program]) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    let mut heads = Vec::new();
    for program in programs {
        for Repository { id, name, description, heads: commits, in_git, outputs } in
            program.repositories.values()
        {
            rows.push((program.id, id, name, description, outputs, u8::from(*in_git)));
            heads.extend(commits.iter().map(|(head, commit)| (program.id, id, head, commit)));
        }
    }
    insert_rows(
        tx,
        "INSERT INTO repositories (program_id, id, name, description, outputs, in_git) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, \
         nullif(value -> 4, 'null'), value ->> 5 FROM json_each($1)",
        &rows,
    )
    .await?;
    insert_rows(
        tx,
        "INSERT INTO heads (program_id, repository_id, name, commit_id) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($1)",
        &heads,
    )
    .await
}

type RepositoryRow = (i64, i64, String, Option<String>, Option<String>, bool);

/// Reads all repositories into their programs.
pub(super) async fn read_into(
    connection: &mut SqliteConnection,
    programs: &mut Programs,
) -> Result<(), StoreError> {
    let rows: Vec<RepositoryRow> = sqlx::query_as(
        "SELECT program_id, id, name, description, outputs, in_git FROM repositories",
    )
    .fetch_all(&mut *connection)
    .await?;
    for (program_id, id, name, description, outputs, in_git) in rows {
        let key = (program_id, id);
        let id = RepositoryId::new(id);
        if let Some(program) = programs.find(program_id).in_row("repositories", key)? {
            let outputs = outputs.as_deref().map(parse_json).transpose();
            let outputs = outputs.in_row("repositories", key)?;
            let heads = BTreeMap::new();
            let repository = Repository { id, name, description, heads, in_git, outputs };
            program.repositories.insert(id, repository);
        }
    }
    let heads: Vec<(i64, i64, String, String)> =
        sqlx::query_as("SELECT program_id, repository_id, name, commit_id FROM heads")
            .fetch_all(&mut *connection)
            .await?;
    for (program_id, repository_id, name, commit) in heads {
        let key = (program_id, repository_id, &name);
        let Some(program) = programs.find(program_id).in_row("heads", key)? else { continue };
        let repository = program.repositories.get_mut(&RepositoryId::new(repository_id));
        let missing = || StoreError::unreadable("there is no such repository");
        repository.ok_or_else(missing).in_row("heads", key)?.heads.insert(name, commit);
    }
    Ok(())
}

/// Sets the head commit of a branch, which need not have been there.
pub async fn set_head(
    tx: &mut Transaction,
    program: ProgramId,
    repository: RepositoryId,
    branch: &str,
    commit: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO heads (program_id, repository_id, name, commit_id) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (program_id, repository_id, name) DO UPDATE SET commit_id = excluded.commit_id",
    )
    .bind(program.number())
    .bind(repository.number())
    .bind(branch)
    .bind(commit)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Changes heads of a repository, which lives in git from now on: removes some, and sets others.
pub async fn change_heads(
    tx: &mut Transaction,
    key: RepositoryKey,
    removed: &[&String],
    set: &[(&String, &String)],
) -> Result<(), StoreError> {
    let RepositoryKey { program_id, repository_id } = key;
    sqlx::query("UPDATE repositories SET in_git = 1 WHERE program_id = $1 AND id = $2")
        .bind(program_id.number())
        .bind(repository_id.number())
        .execute(&mut **tx)
        .await?;
    let removed: Vec<_> = removed.iter().map(|name| (program_id, repository_id, name)).collect();
    let delete = "DELETE FROM heads WHERE (program_id, repository_id, name) IN \
        (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each($1))";
    insert_rows(tx, delete, &removed).await?;
    let set: Vec<_> =
        set.iter().map(|(name, commit)| (program_id, repository_id, name, commit)).collect();
    let put = "INSERT INTO heads (program_id, repository_id, name, commit_id) \
        SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($1) WHERE true \
        ON CONFLICT (program_id, repository_id, name) DO UPDATE SET commit_id = excluded.commit_id";
    insert_rows(tx, put, &set).await
}
