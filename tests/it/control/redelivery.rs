//! Deliveries that are asked for again, and what happens while others are under way.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::deliveries::{DELIVERIES, list, progress, subscribe, text, told};
use crate::app::{CODE_QUALITY, TestApp};
use crate::receiver::Behaviour::{Answer, Hold};
use crate::receiver::Received;

/// Asks for a delivery once more.
async fn redeliver(app: &TestApp, delivery: &Value) -> Value {
    let path = format!("{DELIVERIES}/{}/redeliver", text(delivery, "id"));
    let answer = app.post(&path, &json!({})).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    answer.json()
}

/// The delivery of the first event.
async fn first(app: &TestApp) -> Value {
    list(app, "").await.pop().unwrap()
}

#[tokio::test]
async fn a_delivery_can_be_made_again() {
    let (app, mut receiver) = told().await;
    receiver.behave([Answer(404)]);
    app.start(CODE_QUALITY).await;
    app.deliver().await;
    let before = receiver.take();
    for (position, answers) in [(0, "DELIVERED 404,200"), (6, "DELIVERED 200,200")] {
        let id = &list(&app, "").await[6 - position]["id"];
        let path = format!("{DELIVERIES}/{}/redeliver", id.as_str().unwrap());
        let answer = app.post(&path, &json!({})).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
        assert_eq!(answer.json()["status"], "PENDING");
        assert_eq!(answer.json()["nextAttemptAt"], "2026-03-05T10:00:00.000+0000");
        app.deliver().await;
        let again = receiver.take();
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].body, before[position].body, "the same event");
        assert_eq!(progress(&app).await[position], answers);
    }
    // One that waits for its next attempt need not wait any longer.
    receiver.behave([Answer(500)]);
    let second = app.start(CODE_QUALITY).await;
    app.deliver().await;
    receiver.take();
    let first = list(&app, "?status=PENDING").await.pop().unwrap();
    app.post(&format!("{DELIVERIES}/{}/redeliver", text(&first, "id")), &json!({})).await;
    app.deliver().await;
    assert_eq!(receiver.take().len(), 7, "{second}");
    for id in ["0", "99", "x"] {
        let answer = app.post(&format!("{DELIVERIES}/{id}/redeliver"), &json!({})).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id}");
    }
}

#[tokio::test]
async fn a_delivery_that_is_under_way_is_made_again() {
    let (app, mut receiver) = told().await;
    receiver.behave([Hold(200)]);
    app.start(CODE_QUALITY).await;
    let meanwhile = async {
        let under_way = receiver.next().await;
        assert_eq!(redeliver(&app, &first(&app).await).await["status"], "PENDING");
        receiver.release();
        under_way
    };
    let ((), before) = tokio::join!(app.deliver(), meanwhile);
    let told = receiver.take();
    assert_eq!(told[0].body, before.body);
    assert_eq!(told.len(), 7);
    assert_eq!(progress(&app).await[..2], ["DELIVERED 200,200", "DELIVERED 200"]);
}

#[tokio::test]
async fn what_fails_meanwhile_does_not_hold_up_what_is_asked_for() {
    let (app, mut receiver) = told().await;
    receiver.behave([Answer(200), Hold(503)]);
    app.start(CODE_QUALITY).await;
    let meanwhile = async {
        let before = [receiver.next().await, receiver.next().await];
        redeliver(&app, &first(&app).await).await;
        receiver.release();
        before
    };
    let ((), before) = tokio::join!(app.deliver(), meanwhile);
    let told = receiver.take();
    let retries: Vec<_> = told.iter().map(|it| it.header("x-adobe-retry-count")).collect();
    assert_eq!(retries[..3], [None, Some("1"), None], "each has its own attempts");
    assert_eq!([&told[0].body, &told[1].body], [&before[0].body, &before[1].body]);
    assert_eq!(progress(&app).await[..2], ["DELIVERED 200,200", "DELIVERED 503,200"]);
}

#[tokio::test]
async fn what_is_asked_for_waits_for_those_before_it() {
    let (app, mut receiver) = told().await;
    app.start(CODE_QUALITY).await;
    app.deliver().await;
    receiver.take();
    let deliveries = list(&app, "").await;
    receiver.behave([Answer(503)]);
    redeliver(&app, &deliveries[6]).await;
    app.deliver().await;
    let behind = redeliver(&app, &deliveries[0]).await;
    assert_eq!(behind.get("nextAttemptAt"), None);
    app.deliver().await;
    assert_eq!(receiver.take().len(), 1, "the first one is not due yet");
    app.advance("PT1M").await;
    app.deliver().await;
    let told: Vec<_> = receiver.take().iter().map(Received::summary).collect();
    assert_eq!(told, ["started 953671", "ended 953671"]);
    assert_eq!(progress(&app).await[0], "DELIVERED 200,503,200");
}

#[tokio::test]
async fn an_attempt_counts_from_its_own_time_however_far_the_clock_has_moved() {
    let (app, mut receiver) = told().await;
    receiver.behave([Answer(503), Hold(503)]);
    app.start(CODE_QUALITY).await;
    app.deliver().await;
    app.advance("PT1M").await;
    let meanwhile = async {
        receiver.next().await;
        receiver.next().await;
        app.advance("P2D").await;
        receiver.release();
    };
    tokio::join!(app.deliver(), meanwhile);
    assert_eq!(progress(&app).await[0], "DELIVERED 503,503,200");
    let first = first(&app).await;
    let times: Vec<_> =
        first["attempts"].as_array().unwrap().iter().map(|it| text(it, "at")).collect();
    assert_eq!(
        times,
        [
            "2026-03-05T10:00:00.000+0000",
            "2026-03-05T10:01:00.000+0000",
            "2026-03-07T10:01:00.000+0000"
        ]
    );
}

#[tokio::test]
async fn what_was_under_way_before_a_reset_counts_for_nothing_after_it() {
    let (app, mut receiver) = told().await;
    receiver.behave([Hold(400)]);
    app.start(CODE_QUALITY).await;
    let meanwhile = async {
        receiver.next().await;
        app.post("/_emulator/reset", &json!({})).await;
        // The same identifiers again.
        subscribe(&app, &receiver, json!(["all"])).await;
        app.start(CODE_QUALITY).await;
        receiver.release();
    };
    tokio::join!(app.deliver(), meanwhile);
    app.deliver().await;
    assert_eq!(progress(&app).await, ["DELIVERED 200"; 7]);
}

#[tokio::test]
async fn what_was_under_way_counts_for_nothing_in_an_earlier_state_of_the_same_deliveries() {
    let (app, mut receiver) = told().await;
    receiver.behave([Answer(503), Hold(200)]);
    app.start(CODE_QUALITY).await;
    app.deliver().await;
    let state = app.get("/_emulator/state").await.bytes;
    app.advance("P2D").await;
    let meanwhile = async {
        receiver.next().await;
        receiver.next().await;
        let imported = app.request(Method::PUT, "/_emulator/state", state).await;
        assert_eq!(imported.status, StatusCode::NO_CONTENT);
        receiver.release();
    };
    tokio::join!(app.deliver(), meanwhile);
    assert_eq!(progress(&app).await[..2], ["PENDING 503", "PENDING "]);
    app.advance("PT1M").await;
    app.deliver().await;
    assert_eq!(progress(&app).await[..2], ["DELIVERED 503,200", "DELIVERED 200"]);
}

#[tokio::test]
async fn nobody_waits_for_deliveries_to_those_who_have_unsubscribed() {
    let (app, _receiver) = told().await;
    app.start(CODE_QUALITY).await;
    let wait = format!("{DELIVERIES}/wait?timeout=PT1M");
    let (answer, _) = tokio::join!(app.get(&wait), app.delete("/_emulator/webhooks"));
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({"deliveries": []})));
}

#[tokio::test]
async fn many_executions_are_told_each_in_order() {
    let (app, mut receiver) = told().await;
    let mut started = Vec::new();
    for _ in 0..40 {
        started.push(app.start(CODE_QUALITY).await);
    }
    app.deliver().await;
    let told: Vec<_> = receiver.take().iter().map(Received::summary).collect();
    let deliveries = list(&app, "?limit=1000").await;
    assert_eq!((told.len(), deliveries.len()), (40 * 7, 40 * 7));
    for execution in started {
        let id = execution.rsplit('/').next().unwrap();
        let of_it = |event: &&String| event.split(['/', ' ']).nth(1) == Some(id);
        let told: Vec<_> = told.iter().filter(of_it).collect();
        let expected = deliveries.iter().rev().filter(|it| it["executionId"] == id).map(|it| {
            let object = text(&it["body"]["event"]["activitystreams:object"], "@id");
            let verb = text(&it["body"]["event"], "@type").rsplit('/').next().unwrap();
            format!("{verb} {}", object.split_once("/execution/").unwrap().1)
        });
        let expected: Vec<_> = expected.collect();
        assert_eq!(told, expected.iter().collect::<Vec<_>>());
    }
}
