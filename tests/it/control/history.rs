use axum::http::StatusCode;
use cloudmanager_emulator::seed;
use serde_json::json;

use crate::app::{OVERSEEN, PRODUCTION, TestApp};

const HISTORY: &str = "/_emulator/program/4/pipeline/1/history";

#[tokio::test]
async fn a_history_is_finished_and_older_than_everything_else() {
    let app = TestApp::in_batches(1000, seed::demo()).await;
    let running = app.start(PRODUCTION).await;
    for count in [30, 1000, 2001] {
        let answer = app.post(HISTORY, &json!({ "count": count })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        assert_eq!(answer.json()["count"], count);
    }

    let executions = format!("{PRODUCTION}/executions");
    let newest = app.get(&format!("{executions}?limit=100")).await.json();
    assert_eq!(newest["_totalNumberOfItems"], 3032);
    let newest = newest["_embedded"]["executions"].as_array().unwrap();
    assert_eq!(newest[0]["_links"]["self"]["href"], running);
    assert_eq!(newest[0]["status"], "RUNNING");
    for (later, earlier) in newest.iter().zip(&newest[1..]) {
        assert_eq!(earlier["status"], "FINISHED");
        let finished = earlier["finishedAt"].as_str().unwrap();
        assert!(finished < later["createdAt"].as_str().unwrap(), "{earlier} {later}");
        assert_eq!(earlier["_embedded"]["stepStates"].as_array().unwrap().len(), 10);
    }
    let oldest = app.get(&format!("{executions}?start=3031")).await.json();
    assert_eq!(oldest["_embedded"]["executions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn approvals_schedules_and_oversight_are_agreed_to_in_a_history() {
    let app = TestApp::new().await;
    let path = OVERSEEN.replace("/api/", "/_emulator/") + "/history";
    let made = app.post(&path, &json!({ "count": 1 })).await.json();
    let execution = made["firstExecutionId"].as_str().unwrap();
    assert_eq!(made["lastExecutionId"], execution);
    let execution = app.execution(&format!("{OVERSEEN}/execution/{execution}")).await;
    assert_eq!(execution.status(), "FINISHED");
    assert_eq!(execution.step("schedule")["details"]["input"]["type"], "IMMEDIATE");
    assert_eq!(execution.step("managed")["details"]["input"]["start"], true);
    assert_eq!(execution.step("prod approval")["details"]["input"]["approved"], true);
}

#[tokio::test]
async fn a_history_that_can_t_be_is_refused() {
    let app = TestApp::new().await;
    for (body, said) in [
        (json!({}), "count"),
        (json!({ "count": 0 }), "count: must be a whole number from 1 to 10000000"),
        (json!({ "count": 10_000_001 }), "count: must be a whole number from 1 to 10000000"),
        (json!({ "count": -1 }), "count"),
        (json!({ "count": "many" }), "count"),
    ] {
        let answer = app.post(HISTORY, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(answer.errors().contains(said), "{}", answer.errors());
    }
    let total = app.get(&format!("{PRODUCTION}/executions")).await.json();
    assert_eq!(total["_totalNumberOfItems"], 0);
}

#[tokio::test]
async fn a_reset_in_the_middle_leaves_nothing_of_it() {
    let app = TestApp::in_batches(1, seed::demo()).await;
    let (body, to_seed) = (json!({"count": 500}), json!({}));
    // Each waits for its turn to write: the reset comes between two batches.
    let (history, reset) =
        tokio::join!(app.post(HISTORY, &body), app.post("/_emulator/reset", &to_seed),);
    assert_eq!(reset.status, StatusCode::NO_CONTENT);
    assert_eq!(history.status, StatusCode::CONFLICT, "{history:?}");
    assert_eq!(history.errors(), "the state was reset or replaced in the meantime.");
    let list = app.get("/api/program/4/pipeline/1/executions").await.json();
    assert_eq!(list["_totalNumberOfItems"], 0);
    app.start(PRODUCTION).await;
}

#[tokio::test]
async fn a_history_has_the_trigger_that_is_asked_for() {
    let app = TestApp::new().await;
    for (trigger, user, steps) in [
        ("MANUAL", "history@techacct.adobe.com", 10),
        ("ON_COMMIT", "AnonymousNoPermission", 10),
        ("PUSH_UPGRADES", "AdobeUpdate@techacct.adobe.com", 10),
        ("RE_EXECUTE", "history@techacct.adobe.com", 3),
        ("ROLLBACK", "history@techacct.adobe.com", 3),
    ] {
        let answer = app.post(HISTORY, &json!({"count": 2, "trigger": trigger})).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        for field in ["firstExecutionId", "lastExecutionId"] {
            let id = answer.json()[field].as_str().unwrap().to_owned();
            let execution = app.execution(&format!("{PRODUCTION}/execution/{id}")).await;
            assert_eq!(execution.status(), "FINISHED");
            assert_eq!(execution.0["trigger"], trigger);
            assert_eq!(execution.0["user"], user);
            assert_eq!(execution.steps().len(), steps, "{trigger}");
        }
    }
    let path = "/_emulator/program/4/pipeline/3/history";
    for (trigger, expected) in [
        (
            "ROLLBACK",
            "trigger: only a production pipeline has executions with the trigger ROLLBACK",
        ),
        (
            "SCHEDULE",
            "trigger: must be one of MANUAL, ON_COMMIT, PUSH_UPGRADES, RE_EXECUTE, ROLLBACK",
        ),
    ] {
        let answer = app.post(path, &json!({"count": 1, "trigger": trigger})).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        assert!(answer.errors().contains(expected), "{}", answer.errors());
    }
}
