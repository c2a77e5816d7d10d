//! `/_emulator/clock`, `/_emulator/timers`, `/_emulator/health`, `/_emulator/info`

use axum::http::{Method, StatusCode};
use cloudmanager_emulator::domain::time::Timestamp;
use serde_json::json;

use crate::app::{CODE_QUALITY, ORGANISATION, OVERSEEN, PRODUCTION, START, TestApp};

#[tokio::test]
async fn the_clock_stands_until_it_is_moved() {
    let app = TestApp::new().await;
    let clock = app.get("/_emulator/clock").await.json();
    assert_eq!(clock, json!({"now": START, "rate": 0.0}));
    app.start(CODE_QUALITY).await;
    let clock = app.get("/_emulator/clock").await.json();
    assert_eq!(clock["nextDue"], "2026-03-05T10:00:01.000+0000");
}

#[tokio::test]
async fn it_moves_by_a_duration_to_a_time_or_to_the_next_thing_due() {
    let app = TestApp::new().await;
    app.start(CODE_QUALITY).await;
    let moved = app.post("/_emulator/clock/advance", &json!({})).await.json();
    assert_eq!(
        moved,
        json!({"now": "2026-03-05T10:00:01.000+0000", "transitions": 2, "events": 0,
            "nextDue": "2026-03-05T10:00:06.000+0000"})
    );
    let to = json!({"to": "2026-03-05T12:00:09+02:00"});
    let moved = app.post("/_emulator/clock/advance", &to).await.json();
    assert_eq!(
        moved,
        json!({"now": "2026-03-05T10:00:09.000+0000", "transitions": 3, "events": 0})
    );
    // Nothing is due: it stays.
    let moved = app.post("/_emulator/clock/advance", &json!({})).await.json();
    assert_eq!(moved["now"], "2026-03-05T10:00:09.000+0000");
    assert_eq!(app.advance("P1W").await["now"], "2026-03-12T10:00:09.000+0000");
    assert_eq!(app.advance("PT0S").await["now"], "2026-03-12T10:00:09.000+0000");
}

#[tokio::test]
async fn everything_happens_at_its_own_time() {
    let app = TestApp::new().await;
    let execution = app.start(OVERSEEN).await;
    let settled = app.advance("P30D").await;
    // The start has begun validate; four steps end, three begin, and the approval waits and ends.
    assert_eq!(settled["transitions"], 9);
    let shown = app.execution(&execution).await;
    assert_eq!(shown.0["finishedAt"], "2026-03-12T10:00:13.000+0000");
    assert_eq!(shown.status(), "CANCELLED");
}

#[tokio::test]
async fn it_moves_only_forward_and_only_so_far() {
    let app = TestApp::new().await;
    for (body, field) in [
        (json!({"to": "2026-03-05T09:59:59.999Z"}), "to"),
        (json!({"to": "soon"}), "to"),
        (json!({"to": "+010000-01-01T00:00:00Z"}), "to"),
        (json!({"by": "-PT1S"}), "by"),
        (json!({"by": "1 day"}), "by"),
        (json!({"by": "P1M"}), "by"),
        (json!({"by": "P9999999W"}), "by"),
        (json!({"by": "P1D", "to": START}), "to"),
    ] {
        let answer = app.post("/_emulator/clock/advance", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(answer.errors().starts_with(&format!("{field}: ")), "{body}: {}", answer.errors());
    }
    for body in [json!([]), json!({"in": "P1D"}), json!({"by": 5})] {
        let answer = app.post("/_emulator/clock/advance", &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(app.get("/_emulator/clock").await.json()["now"], START);
}

#[tokio::test]
async fn the_rate_is_set_within_bounds() {
    let app = TestApp::new().await;
    for rate in [json!(-1), json!("fast"), json!(null), json!(1e9)] {
        let answer = app.put("/_emulator/clock", &json!({ "rate": rate })).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{rate}");
    }
    let answer = app.put("/_emulator/clock", &json!({"rate": 1000})).await.json();
    assert_eq!(answer["rate"], 1000.0);
    let answer = app.put("/_emulator/clock", &json!({"rate": 0})).await.json();
    assert_eq!(answer["rate"], 0.0);
    assert!(answer["now"].as_str().unwrap() >= START);
}

#[tokio::test]
async fn the_clock_survives_a_restart() {
    let app = TestApp::new().await;
    app.advance("P3D").await;
    let app = app.restarted().await;
    let clock = app.get("/_emulator/clock").await.json();
    assert_eq!(clock["now"], "2026-03-08T10:00:00.000+0000");
}

#[tokio::test]
async fn timers_tell_what_will_happen_next() {
    let app = TestApp::new().await;
    app.start(PRODUCTION).await;
    app.advance("PT20S").await;
    let execution = app.start(OVERSEEN).await;
    app.advance("PT2S").await;
    app.accept(&execution, "build", "pipeline/cancel", &json!({"cancel": true})).await;
    app.start("/api/program/4/pipeline/2").await;
    insta::assert_json_snapshot!(app.get("/_emulator/timers").await.json());
}

#[tokio::test]
async fn it_is_known_what_runs_here() {
    let app = TestApp::new().await;
    let version = env!("CARGO_PKG_VERSION");
    let health = app.get("/_emulator/health").await.json();
    assert_eq!(health, json!({"status": "ok", "version": version, "database": "checking"}));
    app.start(PRODUCTION).await;
    let info = app.get("/_emulator/info").await.json();
    assert_eq!(
        info,
        json!({"version": version,
            "options": {"pace": "quick", "clockRate": 0.0, "auth": "open"},
            "organisations": [ORGANISATION],
            "counts": {"tenants": 1, "programs": 2, "pipelines": 5, "executions": 1,
                "runningExecutions": 1}})
    );
}

#[tokio::test]
async fn at_any_rate_everything_happens_at_its_own_time() {
    let app = TestApp::new().await;
    for rate in [1000, 1, 0] {
        app.put("/_emulator/clock", &json!({ "rate": rate })).await;
        let execution = app.start(CODE_QUALITY).await;
        let wait = execution.replace("/api/", "/_emulator/") + "/wait?for=ENDED&timeout=PT1M";
        if rate < 1000 {
            app.advance("PT10S").await;
        }
        let ended = app.get(&wait).await;
        assert_eq!(ended.status, StatusCode::OK, "{ended:?}");
        let ended = ended.json();
        let time = |name: &str| Timestamp::parse(ended[name].as_str().unwrap()).unwrap();
        // Artifacts of a commit are built once.
        let seconds = if rate == 1000 { 9000 } else { 4500 };
        assert_eq!(time("finishedAt").since(time("createdAt")).as_millis(), seconds);
    }
}

#[tokio::test]
async fn no_time_is_out_of_order_while_the_clock_is_moved() {
    let app = TestApp::new().await;
    app.put("/_emulator/clock", &json!({ "rate": 1000 })).await;
    let moving = async {
        for _ in 0..40 {
            app.advance("PT47S").await;
        }
    };
    let starting = async {
        for _ in 0..40 {
            app.request(Method::PUT, &format!("{CODE_QUALITY}/execution"), "").await;
        }
    };
    let looking = async {
        let mut seen = String::new();
        for _ in 0..120 {
            let now = app.get("/_emulator/clock").await.json()["now"].as_str().unwrap().to_owned();
            assert!(now >= seen, "{now} after {seen}");
            seen = now;
            let list = app.get(&format!("{CODE_QUALITY}/executions?limit=2")).await.json();
            for execution in list["_embedded"]["executions"].as_array().unwrap() {
                let created = execution["createdAt"].as_str().unwrap().to_owned();
                let finished = execution["finishedAt"].as_str().map(str::to_owned);
                assert!(finished.is_none_or(|finished| finished >= created));
            }
        }
    };
    futures_util::future::join3(moving, starting, looking).await;
    app.advance("PT1H").await;
    let list = app.get(&format!("{CODE_QUALITY}/executions?limit=100")).await.json();
    let executions = list["_embedded"]["executions"].as_array().unwrap();
    assert!(executions.len() > 5, "{}", executions.len());
    let mut later = app.get("/_emulator/clock").await.json()["now"].as_str().unwrap().to_owned();
    for execution in executions {
        let finished = execution["finishedAt"].as_str().unwrap().to_owned();
        assert!(finished <= later, "executions of a pipeline do not overlap");
        let mut before = execution["createdAt"].as_str().unwrap().to_owned();
        later.clone_from(&before);
        for step in execution["_embedded"]["stepStates"].as_array().unwrap() {
            let ended = step["finishedAt"].as_str().unwrap().to_owned();
            assert!(ended >= before, "{step}");
            before = ended;
        }
        assert_eq!(before, finished);
    }
}
