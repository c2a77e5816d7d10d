//! The state with its repositories: kept by a restart, replaced by a reset or an import, exported.

use sqlx::{Connection, SqliteConnection};

use super::{Forge, OUTLET, REPOSITORY, WERETAIL};

impl Forge {
    async fn export(&self) -> Vec<u8> {
        let answer = reqwest::get(format!("{}/_emulator/state", self.running.url)).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap().to_vec()
    }

    /// Imports a state; the status, and what is said.
    async fn import(&self, state: Vec<u8>) -> (u16, String) {
        let url = format!("{}/_emulator/state", self.running.url);
        let answer = reqwest::Client::new().put(url).body(state).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn reset(&self) {
        assert_eq!(self.send("POST", "/_emulator/reset", "").await.0, 204);
    }

    /// The repositories on disk, whatever their generation.
    fn on_disk(&self) -> Vec<String> {
        let root = self.directory.path().join("cloudmanager.db.git");
        let entries = |path: &std::path::Path| {
            let entries = std::fs::read_dir(path).into_iter().flatten();
            entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
        };
        let names = entries(&root).into_iter().flat_map(|generation| entries(&generation));
        names.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }
}

/// Changes a state by SQL.
async fn changed(state: &[u8], statement: &str) -> Vec<u8> {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("state.db");
    std::fs::write(&path, state).unwrap();
    let url = format!("sqlite://{}", path.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let changed =
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    assert!(changed.rows_affected() > 0, "{statement}");
    connection.close().await.unwrap();
    std::fs::read(&path).unwrap()
}

/// How much there is in a state.
async fn count(state: &[u8], query: &'static str) -> i64 {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("state.db");
    std::fs::write(&path, state).unwrap();
    let mut connection =
        SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let count = sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    count
}

#[tokio::test]
async fn a_restart_keeps_the_repositories() {
    let forge = Forge::new();
    let work = forge.work("work", "main");
    work.run(&["push", "--quiet", &forge.url(WERETAIL), "main"]);
    let forge = forge.restarted(&[]);
    assert_eq!(forge.branches(REPOSITORY).await, ["main"]);
    work.commit("second");
    work.run(&["push", "--quiet", &forge.url(WERETAIL), "main"]);
    assert_eq!(forge.clone(&forge.url(WERETAIL), "clone").head(), work.head());
}

#[tokio::test]
async fn heads_are_read_again_at_start() {
    let forge = Forge::new();
    let work = forge.work("work", "main");
    work.run(&["push", "--quiet", &forge.url(WERETAIL), "main"]);
    // As a push whose end the emulator did not live to see.
    let bare = forge.bare("4-1.git").display().to_string();
    super::git(forge.directory.path(), &["--git-dir", &bare, "branch", "late", "main"]);
    assert_eq!(forge.branches(REPOSITORY).await, ["main"]);
    let forge = forge.restarted(&[]);
    assert_eq!(forge.branches(REPOSITORY).await, ["late", "main"]);
}

#[tokio::test]
async fn a_reset_takes_the_repositories_away() {
    let forge = Forge::new();
    let work = forge.work("work", "main");
    work.run(&["push", "--quiet", &forge.url(WERETAIL), "main"]);
    forge.reset().await;
    assert_eq!(forge.branches(REPOSITORY).await, ["develop", "main"]);
    let said = work.fails(&["ls-remote", &forge.url(WERETAIL)]);
    assert!(said.contains("has no objects"), "{said}");
    work.run(&["push", "--quiet", &forge.url(WERETAIL), "main:other"]);
    assert_eq!(forge.branches(REPOSITORY).await, ["other"]);
    let forge = forge.restarted(&[]);
    assert_eq!(forge.on_disk(), ["4-1.git"]);
}

#[tokio::test]
async fn an_exported_state_holds_the_repositories_in_pieces() {
    let forge = Forge::new();
    let work = forge.work("work", "main");
    // More than one piece, and not to be compressed.
    let random: String = std::iter::repeat_with(fastrand::alphanumeric).take(300_000).collect();
    work.commit(&random);
    work.run(&["tag", "-a", "v1", "-m", "annotated"]);
    work.run(&["push", "--quiet", &forge.url(WERETAIL), "main", "v1"]);
    work.run(&["push", "--quiet", &forge.url(OUTLET), "main"]);
    work.run(&["push", "--quiet", &forge.url(OUTLET), ":main"]);
    let state = forge.export().await;
    let pieces = "SELECT count(*) FROM bundle_chunks WHERE program_id = 4";
    assert!(count(&state, pieces).await > 2);
    assert!(count(&state, "SELECT max(length(bytes)) FROM bundle_chunks").await <= 65_536);
    let empty = "SELECT count(*) FROM bundle_chunks WHERE program_id = 5";
    assert_eq!(count(&state, empty).await, 0, "an empty repository is nothing");

    work.commit("later");
    work.run(&["push", "--quiet", &forge.url(WERETAIL), "main", "main:gone"]);
    assert_eq!(forge.import(state.clone()).await, (204, String::new()));
    check_imported(&forge, &work).await;
    // Another emulator, and one that starts with the file.
    let other = Forge::new();
    assert_eq!(other.import(state.clone()).await.0, 204);
    check_imported(&other, &work).await;
    let directory = tempfile::TempDir::new().unwrap();
    std::fs::write(directory.path().join("cloudmanager.db"), &state).unwrap();
    let running = crate::process::start(directory.path(), &[]);
    check_imported(&Forge { directory, running }, &work).await;
}

async fn check_imported(forge: &Forge, work: &super::Work) {
    assert_eq!(forge.branches(REPOSITORY).await, ["main"]);
    let clone = forge.clone(&forge.url(WERETAIL), "imported");
    assert_eq!(clone.head(), work.run(&["rev-parse", "v1^{}"]));
    assert_eq!(clone.run(&["rev-parse", "v1"]), work.run(&["rev-parse", "v1"]));
    clone.run(&["fsck", "--strict"]);
    clone.commit("after the import");
    clone.run(&["push", "--quiet", "origin", "main"]);
    clone.run(&["push", "--quiet", &forge.url(OUTLET), "main"]);
}

#[tokio::test]
async fn a_state_with_a_broken_repository_is_refused() {
    let forge = Forge::new();
    let work = forge.work("work", "main");
    let random: String = std::iter::repeat_with(fastrand::alphanumeric).take(300_000).collect();
    work.commit(&random);
    work.run(&["push", "--quiet", &forge.url(WERETAIL), "main"]);
    let state = forge.export().await;
    let elsewhere = work.0.join(".git").display().to_string();
    for change in [
        "DELETE FROM bundle_chunks WHERE number = 1",
        "DELETE FROM bundle_chunks",
        "UPDATE bundle_chunks SET bytes = zeroblob(65536) WHERE number = 1",
        "UPDATE bundle_chunks SET bytes = zeroblob(70000) WHERE number = 1",
        "UPDATE bundle_chunks SET bytes = x'00' WHERE number = 0",
        // `git` takes such a file for a link to a repository anywhere on this machine.
        &format!(
            "DELETE FROM bundle_chunks WHERE number > 0; \
             UPDATE bundle_chunks SET bytes = CAST('gitdir: {elsewhere}' AS BLOB)"
        ),
    ] {
        let (status, said) = forge.import(changed(&state, change).await).await;
        assert_eq!(status, 400, "{change}: {said}");
        assert!(said.contains("is not a state that can be restored"), "{said}");
    }
    // Everything is as it was.
    assert_eq!(forge.branches(REPOSITORY).await, ["main"]);
    assert_eq!(forge.clone(&forge.url(WERETAIL), "clone").head(), work.head());
    let forge = forge.restarted(&[]);
    assert_eq!(forge.on_disk(), ["4-1.git"]);
}

#[tokio::test]
async fn a_deleted_program_takes_its_repositories_with_it() {
    let forge = Forge::new();
    let work = forge.work("work", "main");
    work.run(&["push", "--quiet", &forge.url(WERETAIL), "main"]);
    assert_eq!(forge.send("DELETE", "/api/program/4", "").await.0, 202);
    let said = work.fails(&["ls-remote", &forge.url(WERETAIL)]);
    assert!(said.contains("There is no such repository"), "{said}");
    // The same identifiers again, in a repository of nobody's.
    let demo = include_str!("../../../src/seed/demo.yaml");
    let (status, said) = forge.send("POST", "/_emulator/seed", demo).await;
    assert_eq!(status, 200, "{said}");
    let said = work.fails(&["ls-remote", &forge.url(WERETAIL)]);
    assert!(said.contains("has no objects"), "{said}");
    assert_eq!(forge.on_disk(), Vec::<String>::new());
}
