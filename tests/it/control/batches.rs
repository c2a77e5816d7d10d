//! Many executions at once: they are settled in batches, and nobody can tell.

use axum::http::StatusCode;
use cloudmanager_emulator::domain::time::{Duration, Timestamp};
use cloudmanager_emulator::seed::{self, Seed};
use serde_json::{Value, json};

use crate::app::{CODE_QUALITY, Execution, OVERSEEN, PRODUCTION, START, TestApp};
use crate::control::deliveries::list;

/// How many executions begin at one time, group by group; a tenth of a second lies between groups.
const GROUPS: [usize; 3] = [5, 3, 4];

/// How many executions that are.
const ALL: u32 = 12;

/// The demo, with further pipelines from number 101 on that build.
fn seed_with(pipelines: usize) -> Seed {
    let mut seed: Value =
        serde_saphyr::from_str(include_str!("../../../src/seed/demo.yaml")).unwrap();
    seed["webhooks"] = json!([{"tenantId": "1", "clientId": "ci", "clientSecret": "s",
        "url": "http://127.0.0.1:9/", "events": ["all"]}]);
    let program = &mut seed["programs"][0];
    // A commit of their own: nothing is there yet that they could take in place of building.
    program["repositories"][0]["branches"]["batches"] = json!("c0ffee");
    let build = json!({"type": "BUILD", "repositoryId": "1", "branch": "batches"});
    let known = program["pipelines"].as_array_mut().unwrap();
    known.extend((101..).take(pipelines).map(|id: usize| {
        json!({"id": id.to_string(), "name": format!("P{id}"),
            "phases": [{"type": "VALIDATE"}, build]})
    }));
    seed::read(&seed.to_string()).unwrap()
}

/// An emulator in which all executions of [`GROUPS`] have started.
async fn started(batch: u32) -> (TestApp, Vec<String>) {
    let app = TestApp::in_batches(batch, seed_with(GROUPS.iter().sum())).await;
    let (mut executions, mut pipelines) = (Vec::new(), 101..);
    for group in GROUPS {
        for id in pipelines.by_ref().take(group) {
            executions.push(app.start(&format!("/api/program/4/pipeline/{id}")).await);
        }
        app.advance("PT0.1S").await;
    }
    (app, executions)
}

async fn show(app: &TestApp, executions: &[String]) -> Vec<Value> {
    let mut shown = Vec::new();
    for path in executions {
        shown.push(app.execution(path).await.0);
    }
    shown
}

fn time(value: &Value) -> Timestamp {
    Timestamp::parse(value.as_str().unwrap()).unwrap()
}

/// Asserts that each step ended after its own time, and nothing came between.
fn check_times(execution: &Execution) {
    let ended = |action| time(&execution.step(action)["finishedAt"]);
    let validated = time(&execution.0["createdAt"]) + Duration::from_secs(1);
    assert_eq!(ended("validate"), validated);
    assert_eq!(ended("build"), validated + Duration::from_secs(5));
    assert_eq!(ended("codeQuality"), validated + Duration::from_secs(8));
    assert_eq!(time(&execution.0["finishedAt"]), validated + Duration::from_secs(8));
}

#[tokio::test]
async fn what_happens_does_not_depend_on_the_size_of_batches() {
    // Some sizes are less than what is due at one instant; some just fit a group, two, or all.
    for batch in [1, 2, 3, 4, 5, 7, 8, 9, ALL - 1, ALL, ALL + 1] {
        let (app, executions) = started(batch).await;
        let settled = app.advance("PT1H").await;
        assert_eq!(settled["transitions"], ALL * 5, "in batches of {batch}");
        assert_eq!(settled["now"], "2026-03-05T11:00:00.300+0000");
        for (number, execution) in show(&app, &executions).await.into_iter().enumerate() {
            let group = if number < 5 {
                0
            } else if number < 8 {
                1
            } else {
                2
            };
            let began = Timestamp::parse(START).unwrap() + Duration::from_millis(group * 100);
            assert_eq!(time(&execution["createdAt"]), began, "in batches of {batch}");
            check_times(&Execution(execution));
        }
    }
}

#[tokio::test]
async fn what_happens_in_later_batches_happens_later() {
    let (app, executions) = started(1).await;
    app.advance("PT1H").await;
    let mut told = list(&app, "?limit=1000").await;
    told.reverse();
    let published =
        |delivery: &Value| time(&delivery["body"]["event"]["activitystreams:published"]);
    let times: Vec<_> = told.iter().map(published).collect();
    assert_eq!(times.len(), 7 * executions.len());
    assert!(times.is_sorted(), "{times:?}");
}

#[tokio::test]
async fn an_advance_ends_between_batches_as_it_does_within_one() {
    let (whole, executions) = started(20_000).await;
    let (batched, _) = started(1).await;
    // The first step of the first group ends at 10:00:01.000, all later ones not yet.
    for by in ["PT0.7S", "PT0.05S", "PT0.05S", "PT0.1S", "PT4.85S", "PT0.05S", "PT2.999S"] {
        assert_eq!(batched.advance(by).await, whole.advance(by).await);
        assert_eq!(show(&batched, &executions).await, show(&whole, &executions).await);
    }
}

#[tokio::test]
async fn what_is_overdue_at_the_start_is_settled_in_batches() {
    const LATER: &str = "UPDATE emulator SET clock_base = clock_base + 60000, \
        seen_at = seen_at + 60000";
    for batch in [1, 4, ALL] {
        let (app, executions) = started(batch).await;
        let app = app.restarted_after(LATER).await;
        let timers = app.get("/_emulator/timers").await.json();
        assert_eq!(timers["timers"], json!([]), "in batches of {batch}");
        for execution in show(&app, &executions).await {
            check_times(&Execution(execution));
        }
    }
}

#[tokio::test]
async fn commands_take_their_turn_between_batches() {
    let app = TestApp::in_batches(1, seed_with(100)).await;
    let (advanced, cancelled) = (app.start(OVERSEEN).await, app.start(PRODUCTION).await);
    app.advance("PT1M").await;
    let find = async |execution: &str, action: &str, rel: &str| {
        app.execution(execution).await.link(action, rel).unwrap()
    };
    let advance = find(&advanced, "stage approval", "pipeline/advance").await;
    let cancel = find(&cancelled, "prod approval", "pipeline/cancel").await;
    let mut others = Vec::new();
    for id in 101..=200 {
        others.push(app.start(&format!("/api/program/4/pipeline/{id}")).await);
        app.advance("PT0.01S").await;
    }
    let now = async || time(&app.get("/_emulator/clock").await.json()["now"]);
    let before = now().await;

    let commands = async {
        while now().await == before {}
        let started = app.start(CODE_QUALITY).await;
        let answer = app.put(&advance, &json!({"approved": true})).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        let answer = app.put(&cancel, &json!({"approved": false})).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        (started, now().await)
    };
    let (settled, (started, between)) = tokio::join!(app.advance("PT1M"), commands);
    let after = time(&settled["now"]);
    assert_eq!(after, before + Duration::from_mins(1), "commands do not change where it ends");
    assert!(between < after, "the commands were answered while the clock was being moved");

    let (started, advanced) = (app.execution(&started).await, app.execution(&advanced).await);
    let approval = time(&advanced.step("stage approval")["finishedAt"]);
    let cancelled = time(&app.execution(&cancelled).await.0["finishedAt"]);
    let times = [before, time(&started.0["createdAt"]), approval, cancelled, between];
    assert!(times[0] < times[1] && times.is_sorted(), "{times:?}");
    // Everything takes its time from there, as if nothing else were going on.
    check_times(&started);
    let tested = time(&advanced.step("securityTest")["finishedAt"]);
    assert_eq!(tested, approval + Duration::from_secs(1));
    for path in others {
        check_times(&app.execution(&path).await);
    }
}
