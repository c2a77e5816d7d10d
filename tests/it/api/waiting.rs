//! Steps that wait for people: approval, schedule, oversight, paused deployments.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{OVERSEEN, PRODUCTION, TestApp};

const ADVANCE: &str = "pipeline/advance";
const CANCEL: &str = "pipeline/cancel";

/// An execution that waits at a step of the overseen pipeline.
async fn waiting_at(step: &str) -> (TestApp, String) {
    let app = TestApp::immediate().await;
    let execution = app.start(OVERSEEN).await;
    for (waiting, yes) in [
        ("stage approval", json!({"approved": true})),
        ("prod approval", json!({"approved": true})),
        ("schedule", json!({"type": "IMMEDIATE"})),
        ("managed", json!({"start": true})),
    ] {
        let shown = app.execution(&execution).await;
        assert_eq!(shown.step(waiting)["status"], "WAITING");
        if waiting == step {
            break;
        }
        app.accept(&execution, waiting, ADVANCE, &yes).await;
    }
    (app, execution)
}

#[tokio::test]
async fn every_person_is_asked_in_turn() {
    let (app, execution) = waiting_at("managed").await;
    app.accept(&execution, "managed", ADVANCE, &json!({"start": true})).await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "FINISHED");
    let input = |step: &str| shown.step(step)["details"]["input"].clone();
    assert_eq!(input("stage approval"), json!({"approved": true}));
    assert_eq!(input("schedule"), json!({"type": "IMMEDIATE"}));
    assert_eq!(input("managed"), json!({"start": true}));
    assert_eq!(input("prod deploy"), json!(null));
}

#[tokio::test]
async fn rejecting_cancels_step_and_execution() {
    for (step, no) in [
        ("stage approval", json!({"approved": false})),
        ("prod approval", json!({"approved": false})),
        ("schedule", json!({"cancel": true})),
        ("managed", json!({"start": false})),
        ("managed", json!({"override": false})),
    ] {
        let (app, execution) = waiting_at(step).await;
        app.accept(&execution, step, CANCEL, &no).await;
        let shown = app.execution(&execution).await;
        assert_eq!(shown.status(), "CANCELLED", "{step}");
        assert_eq!(shown.progress().last().unwrap(), &format!("{step}:CANCELLED"));
        assert_eq!(shown.step(step)["details"]["input"], no);
        assert_eq!(shown.step(step)["finishedAt"], shown.0["finishedAt"]);
        // The pipeline is free at once.
        app.start(OVERSEEN).await;
    }
}

#[tokio::test]
async fn answers_that_do_not_fit_change_nothing() {
    for (step, rel, bodies) in [
        ("stage approval", ADVANCE, vec![json!({}), json!({"approved": false}), json!([true])]),
        ("stage approval", CANCEL, vec![json!({"approved": true}), json!({"cancel": true})]),
        (
            "schedule",
            ADVANCE,
            vec![
                json!({"type": "LATER"}),
                json!({"type": "SCHEDULED"}),
                json!({"type": "SCHEDULED", "schedule": "tomorrow"}),
                json!({"type": "SCHEDULED", "schedule": 5}),
                json!({"type": "SCHEDULED", "schedule": format!("2026-04-01T14:00:00.{}Z", "0".repeat(1000))}),
                json!({"type": "SCHEDULED", "schedule": "2026-03-05T09:59:59.999Z"}),
                json!({"approved": true}),
            ],
        ),
        ("schedule", CANCEL, vec![json!({"cancel": false}), json!(null)]),
        ("managed", ADVANCE, vec![json!({"start": false}), json!({"start": "true"})]),
        ("managed", CANCEL, vec![json!({"start": true}), json!({"override": true})]),
    ] {
        let (app, execution) = waiting_at(step).await;
        let before = app.execution(&execution).await.0;
        for body in bodies {
            let answer = app.follow(&execution, step, rel, &body).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{step} {rel} {body}");
        }
        assert_eq!(app.execution(&execution).await.0, before);
    }
}

#[tokio::test]
async fn a_scheduled_step_is_over_at_its_time() {
    let (app, execution) = waiting_at("schedule").await;
    let first = json!({"type": "SCHEDULED", "schedule": "2026-04-01T14:00:00+02:00"});
    app.accept(&execution, "schedule", ADVANCE, &first).await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.step("schedule")["status"], "WAITING");
    assert_eq!(shown.step("schedule")["details"]["input"], first);

    // Another time replaces it; the fourteen days no longer count.
    let second = json!({"type": "SCHEDULED", "schedule": "2026-05-01T12:00:00.000Z"});
    app.accept(&execution, "schedule", ADVANCE, &second).await;
    app.advance("P30D").await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.step("schedule")["status"], "WAITING");
    app.advance("P30D").await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.step("schedule")["status"], "FINISHED");
    assert_eq!(shown.step("schedule")["finishedAt"], "2026-05-01T12:00:00.000+0000");
    assert_eq!(shown.step("schedule")["details"]["input"], second);
    assert_eq!(shown.step("managed")["startedAt"], "2026-05-01T12:00:00.000+0000");
}

#[tokio::test]
async fn a_scheduled_step_can_still_be_cancelled_or_sent_on() {
    let later = json!({"type": "SCHEDULED", "schedule": "2026-04-01T12:00:00.000Z"});
    let (app, execution) = waiting_at("schedule").await;
    app.accept(&execution, "schedule", ADVANCE, &later).await;
    app.accept(&execution, "schedule", CANCEL, &json!({"cancel": true})).await;
    assert_eq!(app.execution(&execution).await.status(), "CANCELLED");

    let (app, execution) = waiting_at("schedule").await;
    app.accept(&execution, "schedule", ADVANCE, &later).await;
    app.accept(&execution, "schedule", ADVANCE, &json!({"type": "IMMEDIATE"})).await;
    assert_eq!(app.execution(&execution).await.step("managed")["status"], "WAITING");
}

#[tokio::test]
async fn a_schedule_for_this_very_moment_is_over_at_once() {
    let (app, execution) = waiting_at("schedule").await;
    let now = json!({"type": "SCHEDULED", "schedule": "2026-03-05T10:00:00.000Z"});
    app.accept(&execution, "schedule", ADVANCE, &now).await;
    assert_eq!(app.execution(&execution).await.step("managed")["status"], "WAITING");
}

/// An execution whose stage deployment takes ten seconds and pauses after five.
async fn paused() -> (TestApp, String) {
    let app = TestApp::immediate().await;
    let entry = json!({"action": "deploy", "environmentType": "stage", "outcome": "PAUSED",
        "duration": "PT10S"});
    app.scenario(PRODUCTION, &json!({ "steps": [entry] })).await;
    let execution = app.start(PRODUCTION).await;
    app.advance("PT4.999S").await;
    assert_eq!(app.execution(&execution).await.step("stage deploy")["status"], "RUNNING");
    app.advance("PT0.001S").await;
    assert_eq!(app.execution(&execution).await.step("stage deploy")["status"], "WAITING");
    // It waits for ever.
    app.advance("P100D").await;
    assert_eq!(app.execution(&execution).await.step("stage deploy")["status"], "WAITING");
    (app, execution)
}

#[tokio::test]
async fn a_paused_deployment_is_resumed_and_runs_the_rest() {
    let (app, execution) = paused().await;
    app.accept(&execution, "stage deploy", ADVANCE, &json!({"resume": true})).await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.step("stage deploy")["status"], "RUNNING");
    assert_eq!(shown.step("stage deploy")["details"]["input"], json!({"resume": true}));
    app.advance("PT5S").await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.step("stage deploy")["status"], "FINISHED");
    assert_eq!(shown.step("stage deploy")["details"]["input"], json!({"resume": true}));
    assert_eq!(shown.step("stage deploy")["finishedAt"], "2026-06-13T10:00:10.000+0000");
}

#[tokio::test]
async fn a_paused_deployment_is_stopped_by_either_link() {
    for rel in [ADVANCE, CANCEL] {
        let (app, execution) = paused().await;
        app.accept(&execution, "stage deploy", rel, &json!({"resume": false})).await;
        let shown = app.execution(&execution).await;
        assert_eq!(shown.status(), "CANCELLED");
        assert_eq!(shown.step("stage deploy")["status"], "CANCELLED");
    }
    let (app, execution) = paused().await;
    for (rel, body) in
        [(ADVANCE, json!({})), (CANCEL, json!({"resume": true})), (CANCEL, Value::Null)]
    {
        let answer = app.follow(&execution, "stage deploy", rel, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn a_stale_link_is_a_404_that_says_why() {
    let (app, execution) = waiting_at("stage approval").await;
    let shown = app.execution(&execution).await;
    let advance = shown.link("stage approval", ADVANCE).unwrap();
    let cancel = shown.link("stage approval", CANCEL).unwrap();
    app.accept(&execution, "stage approval", ADVANCE, &json!({"approved": true})).await;
    for (path, body) in
        [(&advance, json!({"approved": true})), (&cancel, json!({"approved": false}))]
    {
        let answer = app.put(path, &body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert!(answer.errors().ends_with("the step has ended."), "{}", answer.errors());
    }
}

#[tokio::test]
async fn of_simultaneous_answers_one_wins() {
    let (app, execution) = waiting_at("stage approval").await;
    let app = std::sync::Arc::new(app);
    let shown = app.execution(&execution).await;
    let advance = shown.link("stage approval", ADVANCE).unwrap();
    let cancel = shown.link("stage approval", CANCEL).unwrap();
    let answers: Vec<_> = (0..40)
        .map(|number| {
            let (app, advance, cancel) = (app.clone(), advance.clone(), cancel.clone());
            tokio::spawn(async move {
                if number % 2 == 0 {
                    app.put(&advance, &json!({"approved": true})).await.status
                } else {
                    app.put(&cancel, &json!({"approved": false})).await.status
                }
            })
        })
        .collect();
    let mut accepted = 0;
    for answer in answers {
        match answer.await.unwrap() {
            StatusCode::ACCEPTED => accepted += 1,
            status => assert_eq!(status, StatusCode::NOT_FOUND),
        }
    }
    assert_eq!(accepted, 1);
}
