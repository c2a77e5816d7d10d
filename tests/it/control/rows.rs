//! Rows that make no sense: they are told by table and key, and nothing is guessed from them.

use axum::http::StatusCode;
use cloudmanager_emulator::engine::{Engine, EngineOptions};
use cloudmanager_emulator::seed::Origin;
use cloudmanager_emulator::store::with_causes;
use tempfile::TempDir;

use super::state::{DELIVERY, WEBHOOK, changed, export, import, picture};
use crate::app::{PRODUCTION, TestApp};

/// What makes no sense, and how it is told.
type Change = (&'static [&'static str], &'static str);

const OUT_OF_BOUNDS: &str = "INSERT INTO variables VALUES (4, 'nobody', 1, 'A', '', 'string', '')";

/// Among the definitions.
const DEFINITIONS: [Change; 17] = [
    (
        &["UPDATE phases SET branch = NULL WHERE program_id = 4 AND pipeline_id = 1 AND id > 0"],
        "phases (4, 1, 1): type BUILD does not fit its columns",
    ),
    (
        &["UPDATE phases SET type = 'DANCE' WHERE (program_id, pipeline_id, position) = (4, 1, 3)"],
        "phases (4, 1, 3): type DANCE does not fit its columns",
    ),
    (
        &["UPDATE phases SET type = 'VALIDATE' WHERE program_id = 4 AND pipeline_id = 1"],
        "phases (4, 1, 1): type VALIDATE does not fit its columns",
    ),
    (
        &["UPDATE phases SET environment_type = 'moon' WHERE environment_id = 59254"],
        "phases (4, 1, 3): unknown variant `moon`",
    ),
    (
        &["DELETE FROM phases WHERE (program_id, pipeline_id, position) = (4, 1, 0)"],
        "phases (4, 1, 1): the phase before is missing",
    ),
    (
        &["DELETE FROM phases WHERE (program_id, pipeline_id) = (4, 3)"],
        "pipelines (4, 3): no phases",
    ),
    (
        &["UPDATE steps SET options = '{' WHERE (program_id, pipeline_id) = (4, 3)"],
        "steps (4, 3, 0, 0): EOF",
    ),
    (
        &["INSERT INTO variables VALUES (4, 'pipeline', 1, 'A', '', 'dance', '')"],
        "variables (4, \"pipeline\", 1, \"A\", \"\"): unknown variant `dance`",
    ),
    (
        &["UPDATE clients SET certificate = 'x'"],
        "clients \"emulator\": must be one certificate as PEM",
    ),
    (&["UPDATE clients SET roles = '[\"king\"]'"], "clients \"emulator\": unknown variant `king`"),
    (&["UPDATE programs SET type = 'moon' WHERE id = 5"], "programs 5: unknown variant `moon`"),
    (
        &["UPDATE environments SET status = 'moon' WHERE id = 59252"],
        "environments (4, 59252): unknown variant `moon`",
    ),
    (
        &["UPDATE environments SET authors = 0 WHERE id = 59252"],
        "environments (4, 59252): authors and pairs must be from 1 to 100",
    ),
    (
        &["UPDATE environments SET pairs = 4000000000 WHERE id = 59252"],
        "environments (4, 59252): authors and pairs must be from 1 to 100",
    ),
    (
        &["UPDATE pipelines SET trigger = 'MOON' WHERE (program_id, id) = (5, 7)"],
        "pipelines (5, 7): unknown variant `MOON`",
    ),
    (&[WEBHOOK, "UPDATE webhooks SET events = '[\"dance\"]'"], "webhooks 1: events"),
    (&[WEBHOOK, "UPDATE webhooks SET events = '['"], "webhooks 1: EOF"),
];

/// Among the definitions, where the schema itself is broken: an import finds that first.
const BROKEN: [Change; 5] = [
    (
        &["PRAGMA ignore_check_constraints = ON", OUT_OF_BOUNDS],
        "variables (4, \"nobody\", 1, \"A\", \"\"): unknown owner",
    ),
    (
        &[
            "PRAGMA foreign_keys = OFF",
            "UPDATE steps SET phase_position = 9 WHERE (program_id, pipeline_id) = (4, 3) \
             AND (phase_position, position) = (1, 0)",
        ],
        "steps (4, 3, 9, 0): there is no such phase",
    ),
    (
        &["PRAGMA foreign_keys = OFF", "UPDATE environments SET program_id = 9 WHERE id = 59252"],
        "environments (9, 59252): there is no program 9",
    ),
    (
        &["PRAGMA foreign_keys = OFF", "UPDATE repositories SET program_id = 9"],
        "repositories (9, 1): there is no program 9",
    ),
    (
        &["PRAGMA foreign_keys = OFF", "DELETE FROM repositories"],
        "heads (4, 1, \"develop\"): there is no such repository",
    ),
];

/// A memory of the environment to which an execution deployed.
const MEMORY: &str = "INSERT INTO environment_memories VALUES (4, 59252, 0, '{}', '[]', 64)";

/// Among executions, memories and deliveries.
const RECORDS: [Change; 15] = [
    (
        &[MEMORY, "UPDATE environment_memories SET instances = '[]'"],
        "environment_memories (4, 59252): invalid type",
    ),
    (
        &[
            MEMORY,
            "UPDATE environment_memories SET instances = \
             '{\"dispatcher1uswest2\":{\"dispatcher\":{\"attached\":true,\"files\":[{\"paths\":[]}]}}}'",
        ],
        "environment_memories (4, 59252): dispatcher1uswest2: an artifact has no files",
    ),
    (
        &[MEMORY, "UPDATE environment_memories SET deployments = '[[1,0]]'"],
        "an environment remembers an execution that is not there",
    ),
    (
        &[MEMORY, "UPDATE environment_memories SET deployments = '[[953671]]'"],
        "environment_memories (4, 59252): invalid length 1",
    ),
    (
        &[MEMORY, "UPDATE environment_memories SET updated_at = 4102444800000"],
        "an environment remembers what is still to come",
    ),
    (
        &["UPDATE executions SET finished_at = 1, due_at = 2"],
        "executions 953671: status RUNNING with finished_at Some(1) and due_at Some(2)",
    ),
    (
        &["UPDATE executions SET status = 'CANCELLING', due_at = NULL"],
        "executions 953671: status CANCELLING with finished_at None and due_at None",
    ),
    (
        &["UPDATE executions SET status = 'DANCE', finished_at = 1, due_at = NULL"],
        "executions 953671: unknown variant `DANCE`",
    ),
    (&["UPDATE executions SET mode = 'DANCE'"], "executions 953671: unknown variant `DANCE`"),
    (&["UPDATE executions SET timeline = '[1]'"], "executions 953671: expected value"),
    (&["UPDATE plans SET body = '{}'"], "plans 1: missing field"),
    (
        &["UPDATE plans SET body = json_set(body, '$.steps[3].target.topology.pairs', 1000000)"],
        "plans 1: authors and pairs must be from 1 to 100",
    ),
    (
        &[WEBHOOK, DELIVERY, "UPDATE deliveries SET status = 'FAILED', step_id = 1"],
        "deliveries 1: half a step",
    ),
    (
        &[WEBHOOK, DELIVERY, "UPDATE deliveries SET status = 'FAILED', failures = 1"],
        "deliveries 1: failures do not fit failing_since",
    ),
    (
        &[
            WEBHOOK,
            DELIVERY,
            "UPDATE deliveries SET status = 'FAILED'",
            "INSERT INTO attempts VALUES (1, 1, 0, NULL, NULL, NULL, 0)",
        ],
        "attempts (1, 1): neither an answer nor an error, or both",
    ),
];

#[tokio::test]
async fn a_state_with_rows_that_make_no_sense_is_refused_and_changes_nothing() {
    let app = TestApp::new().await;
    app.start(PRODUCTION).await;
    let before = picture(&app).await;
    let state = export(&app).await;
    for (statements, told) in DEFINITIONS.iter().chain(&RECORDS) {
        let (status, errors) = import(&app, &changed(&state, statements).await).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{statements:?}: {errors}");
        assert!(errors.contains(told), "{statements:?}: {errors}");
    }
    for (statements, _) in BROKEN {
        let (status, errors) = import(&app, &changed(&state, statements).await).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{statements:?}: {errors}");
    }
    assert_eq!(picture(&app).await, before);
}

#[tokio::test]
async fn a_database_with_definitions_that_make_no_sense_is_not_opened() {
    let state = export(&TestApp::new().await).await;
    for (statements, told) in DEFINITIONS.iter().chain(&BROKEN) {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("cloudmanager.db");
        std::fs::write(&path, changed(&state, statements).await).unwrap();
        let opened = Engine::open(&path, EngineOptions::default(), Origin::Demo).await;
        let error = with_causes(&opened.err().unwrap());
        assert!(error.contains(told), "{statements:?}: {error}");
    }
}
