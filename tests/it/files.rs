//! The files of the real program: what it takes for a database, who may read what it writes, and
//! what becomes of a database that is damaged or goes away.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::process::{Running, program, start};

const DATABASE: &str = "cloudmanager.db";

/// Starts the program where it is expected to refuse; what it says.
fn refusal(directory: &Path, database: &str) -> String {
    let arguments = ["--listen", "127.0.0.1:0", "--database", database];
    let output = program(directory).args(arguments).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(output.stdout.is_empty());
    message
}

/// Waits until the file has been checked; what the last answer says.
async fn checked_health(running: &Running) -> (u16, Value) {
    loop {
        let (status, health) = health(running).await;
        if health["database"] != "checking" {
            return (status, health);
        }
        assert_eq!((status, &health["status"]), (200, &json!("ok")));
    }
}

async fn health(running: &Running) -> (u16, Value) {
    let answer = reqwest::get(format!("{}/_emulator/health", running.url)).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Starts the program with its log in hand.
fn start_with_log(directory: &Path) -> (Running, impl Iterator<Item = String>) {
    let mut command = program(directory);
    command.args(["--listen", "127.0.0.1:0", "--quiet"]).stderr(Stdio::piped());
    let mut running = Running::spawn(&mut command);
    let log = BufReader::new(running.take_stderr()).lines().map(Result::unwrap);
    (running.when_ready(), log)
}

#[cfg(unix)]
#[tokio::test]
async fn files_and_directories_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TempDir::new().unwrap();
    let open = |arguments: &str| {
        let program = program(directory.path());
        let mut command = Command::new("/bin/sh");
        let script = format!("umask 0; exec \"$0\" --listen 127.0.0.1:0 {arguments}");
        command.arg("-c").arg(script).arg(program.get_program());
        command.current_dir(directory.path()).env_clear().env("TMPDIR", directory.path());
        Running::spawn(&mut command).when_ready()
    };
    let modes = || {
        let entries = fs::read_dir(directory.path()).unwrap().map(Result::unwrap);
        let mode = |entry: fs::DirEntry| {
            let found = entry.metadata().unwrap();
            (entry.file_name().into_string().unwrap(), found.permissions().mode() & 0o777)
        };
        let mut modes: Vec<_> = entries.map(mode).collect();
        modes.sort();
        modes
    };

    let running = open("");
    let variables = format!("{}/api/program/4/pipeline/3/variables", running.url);
    let secret = json!([{"name": "TOKEN", "value": "s3cret", "type": "secretString"}]).to_string();
    let stored = reqwest::Client::new().patch(variables).body(secret);
    let stored = stored.header("x-gw-ims-org-id", crate::app::ORGANISATION);
    let stored = stored.header("x-api-key", "ci").bearer_auth("token").send().await.unwrap();
    let (status, told) = (stored.status(), stored.text().await.unwrap());
    assert!(status.is_success(), "{told}");
    let own = |suffix: &str| (format!("{DATABASE}{suffix}"), 0o600);
    assert_eq!(modes(), ["", "-shm", "-wal", ".key", ".lock"].map(own));
    running.stop("-TERM");

    for (name, _) in modes() {
        fs::remove_file(directory.path().join(name)).unwrap();
    }
    let running = open("--ephemeral");
    let [(name, mode)] = &modes()[..] else { panic!("one directory") };
    assert!(name.starts_with("cloudmanager-emulator-") && *mode == 0o700, "{name} {mode:o}");
    running.stop("-TERM");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_of_its_own_is_refused_and_not_written_through() {
    use std::os::unix::fs::symlink;
    let fifo = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    let link = |path: &Path| symlink("precious", path).unwrap();
    let hard_link = |path: &Path| fs::hard_link(path.with_file_name("precious"), path).unwrap();
    let directory = |path: &Path| fs::create_dir(path).unwrap();
    let irregular: &[&dyn Fn(&Path)] = &[&fifo, &link, &directory];
    let any: &[&dyn Fn(&Path)] = &[&fifo, &link, &directory, &hard_link];
    for (suffix, kinds, told) in [
        ("", irregular, "cloudmanager.db: not a "),
        (".lock", any, "cloudmanager.db.lock "),
        ("-wal", any, "cloudmanager.db-wal "),
        ("-shm", any, "cloudmanager.db-shm "),
        ("-journal", any, "cloudmanager.db-journal "),
        (".key", &[&fifo, &directory], "cloudmanager.db.key: not a regular file"),
    ] {
        for make in kinds {
            let directory = TempDir::new().unwrap();
            let precious = directory.path().join("precious");
            fs::write(&precious, "Do not touch. ".repeat(10)).unwrap();
            make(&directory.path().join(format!("{DATABASE}{suffix}")));
            let message = refusal(directory.path(), DATABASE);
            assert!(message.contains(told) && message.lines().count() == 1, "{suffix} {message}");
            assert_eq!(fs::read_to_string(&precious).unwrap(), "Do not touch. ".repeat(10));
        }
    }
}

#[test]
fn names_that_are_none_of_a_file_are_refused() {
    let directory = TempDir::new().unwrap();
    for name in [":memory:", "file:x.db?mode=memory", "..", "/"] {
        let message = refusal(directory.path(), name);
        let told = format!("{name}: must be the name of a file");
        assert!(message.starts_with(&told) && message.lines().count() == 1, "{message}");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_read_only_database_is_refused() {
    let directory = TempDir::new().unwrap();
    start(directory.path(), &[]).stop("-TERM");
    let path = directory.path().join(DATABASE);
    let before = fs::read(&path).unwrap();
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    let message = refusal(directory.path(), DATABASE);
    assert_eq!(message, "cloudmanager.db: the file is read-only\n");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_with_two_names_is_refused() {
    let directory = TempDir::new().unwrap();
    let running = start(directory.path(), &[]);
    let (path, other) = (directory.path().join(DATABASE), directory.path().join("other.db"));
    fs::hard_link(&path, &other).unwrap();
    let message = refusal(directory.path(), "other.db");
    assert!(message.starts_with("other.db: the file has a second name"), "{message}");
    running.stop("-TERM");
    fs::remove_file(&other).unwrap();

    // By a symbolic link it is the same database, with the same files beside it.
    std::os::unix::fs::symlink(DATABASE, &other).unwrap();
    fs::write(directory.path().join("cloudmanager.db.key"), "no key").unwrap();
    let message = refusal(directory.path(), "other.db");
    assert!(message.contains("cloudmanager.db.key: must be 32 bytes"), "{message}");
    fs::remove_file(&path).unwrap();
    let message = refusal(directory.path(), "other.db");
    assert_eq!(message, "other.db: this is a link to a file that does not exist\n");
    assert!(!path.exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_that_goes_away_is_told() {
    let directory = TempDir::new().unwrap();
    let running = start(directory.path(), &[]);
    assert_eq!(checked_health(&running).await.0, 200);
    let path = directory.path().join(DATABASE);
    fs::rename(&path, directory.path().join("elsewhere")).unwrap();
    let told = async |what: &str| {
        let (status, health) = health(&running).await;
        assert_eq!((status, &health["status"]), (503, &json!("failing")));
        let problem = health["database"]["problem"].as_str().unwrap();
        assert!(problem.contains("/cloudmanager.db was ") && problem.contains(what), "{problem}");
    };
    told("deleted").await;
    fs::write(&path, "").unwrap();
    told("replaced").await;
    fs::rename(directory.path().join("elsewhere"), &path).unwrap();
    assert_eq!(health(&running).await.0, 200);
    running.stop("-TERM");
}

#[tokio::test]
async fn a_sound_database_is_said_to_be() {
    let directory = TempDir::new().unwrap();
    let running = start(directory.path(), &["--ephemeral"]);
    checked_health(&running).await;
    let answer = reqwest::get(format!("{}/_emulator/health", running.url)).await.unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!(r#"{{"status":"ok","version":"{version}","database":"ok"}}"#);
    assert_eq!(answer.text().await.unwrap(), expected);
    running.stop("-TERM");
}

/// Overwrites the page that an index begins at, which nothing reads at start.
async fn damage(path: &Path) {
    let url = format!("sqlite://{}", path.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let page = "SELECT rootpage FROM sqlite_schema WHERE name = 'artifacts_of_damage'";
    sqlx::raw_sql("CREATE TABLE damage (a); CREATE INDEX artifacts_of_damage ON damage (a)")
        .execute(&mut connection)
        .await
        .unwrap();
    let page: u32 = sqlx::query_scalar(page).fetch_one(&mut connection).await.unwrap();
    let size: u32 =
        sqlx::query_scalar("PRAGMA page_size").fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let mut file = fs::File::options().write(true).open(path).unwrap();
    let at = std::io::SeekFrom::Start(u64::from((page - 1) * size));
    std::io::Seek::seek(&mut file, at).unwrap();
    file.write_all(&[0xff; 64]).unwrap();
}

#[tokio::test]
async fn a_damaged_database_is_told() {
    let directory = TempDir::new().unwrap();
    start(directory.path(), &[]).stop("-TERM");
    damage(&directory.path().join(DATABASE)).await;
    let (running, mut log) = start_with_log(directory.path());
    let line = log.next().unwrap();
    assert!(line.contains("ERROR") && line.contains("the database is damaged: "), "{line}");
    let (status, health) = health(&running).await;
    assert_eq!((status, &health["status"]), (503, &json!("failing")));
    let problem = health["database"]["problem"].as_str().unwrap();
    assert!(line.contains(problem), "{line} {problem}");
    running.stop("-TERM");
}
