//! What is large takes its time, and nobody else's.

use std::fmt::Write;
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use futures_util::future::{Either, join_all, select};
use serde_json::json;

use super::deliveries::told;
use crate::app::{CODE_QUALITY, PRODUCTION, TestApp};

/// A seed with many of everything, about `count` of each.
fn large_seed(count: u32) -> String {
    let list = |item: &dyn Fn(u32) -> String| (1..=count).map(item).collect::<Vec<_>>().join(",\n");
    let tenants =
        list(&|n| format!(r#"{{"id":"{}","imsOrgId":"{n}@Org","imsTenantId":"t"}}"#, 1000 + n));
    let clients = list(&|n| {
        format!(
            r#"{{"clientId":"c{n}","clientSecret":"s","technicalAccountId":"a","tenantId":"{}"}}"#,
            1000 + n
        )
    });
    let webhooks = list(&|n| {
        format!(
            r#"{{"tenantId":"{}","clientId":"w{n}","clientSecret":"s","events":["all"],"url":"http://localhost/{n}"}}"#,
            1000 + n
        )
    });
    let environments = list(&|n| {
        format!(
            r#"{{"id":"{n}","name":"e{n}","type":"dev","variables":[{{"name":"V{n}","value":"x"}}]}}"#
        )
    });
    let branches = list(&|n| format!(r#""b{n}":"c{n}""#));
    let pipelines = list(&|n| {
        format!(
            r#"{{"id":"{n}","name":"p","phases":[{{"type":"VALIDATE"}},{{"type":"BUILD","repositoryId":"1","branch":"b{n}"}},{{"type":"DEPLOY","environmentId":"{n}"}}]}}"#
        )
    });
    let mut seed = String::new();
    write!(
        seed,
        r#"{{"tenants":[{tenants}],"clients":[{clients}],"webhooks":[{webhooks}],
        "programs":[{{"id":"900","tenantId":"1001","name":"Large","environments":[{environments}],
        "repositories":[{{"id":"1","repo":"r","branches":{{{branches}}}}}],
        "pipelines":[{pipelines}]}}]}}"#
    )
    .unwrap();
    seed
}

/// Does something large, and reads from the database all the while: nobody waits for a large part
/// of the time.
#[allow(clippy::disallowed_methods, reason = "it is about real time")]
async fn while_others_are_answered<T>(app: &TestApp, large: impl Future<Output = T>) -> T {
    let begin = Instant::now();
    let mut longest = Duration::ZERO;
    let mut large = Box::pin(large);
    let done = loop {
        let asked = Instant::now();
        let next = select(large, Box::pin(app.get("/_emulator/deliveries"))).await;
        longest = longest.max(asked.elapsed());
        match next {
            Either::Left((done, _)) => break done,
            Either::Right((answer, left)) => {
                assert_eq!(answer.status, StatusCode::OK);
                large = left;
            }
        }
    };
    let took = begin.elapsed();
    assert!(longest * 3 < took, "somebody waited {longest:?} of {took:?}");
    done
}

#[tokio::test]
async fn others_are_answered_while_a_large_seed_is_added() {
    let app = TestApp::immediate().await;
    let adding = app.request(Method::POST, "/_emulator/seed", large_seed(3000));
    let answer = while_others_are_answered(&app, adding).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

#[tokio::test]
async fn others_are_answered_while_many_exports_are_made() {
    let app = TestApp::immediate().await;
    let app = app
        .restarted_after(
            "CREATE TABLE _filler AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n \
             WHERE n < 20000) SELECT randomblob(1000) AS filler FROM n",
        )
        .await;
    let exports = join_all((0..16).map(|_| app.get("/_emulator/state")));
    for export in while_others_are_answered(&app, exports).await {
        assert_eq!(export.status, StatusCode::OK);
        assert!(export.bytes.len() > 20_000_000);
    }
}

const PLANS: &str = "SELECT count(*) FROM plans";

#[tokio::test]
async fn plans_go_with_the_last_execution_that_has_them() {
    let app = TestApp::immediate().await;
    let kept = app.start(PRODUCTION).await;
    let before = app.query(PLANS).await;
    app.start(CODE_QUALITY).await;
    app.scenario(CODE_QUALITY, &json!({"steps": [{"action": "build", "outcome": "FAILED"}]})).await;
    app.start(CODE_QUALITY).await;
    assert_eq!(app.query(PLANS).await, before + 2);

    assert!(app.delete(CODE_QUALITY).await.status.is_success());
    // What was deleted is gone before anything is added.
    let added = app.request(Method::POST, "/_emulator/seed", "{}").await;
    assert_eq!(added.status, StatusCode::OK);
    assert_eq!(app.query(PLANS).await, before);
    assert_eq!(app.get(&kept).await.status, StatusCode::OK);

    // The numbers of plans are used again, and nobody has the earlier ones in mind.
    let dev = "/api/program/4/pipeline/2";
    let started = app.start(dev).await;
    let steps = app.execution(&started).await.actions();
    let app = app.restarted().await;
    assert_eq!(app.execution(&started).await.actions(), steps);
}

#[tokio::test]
async fn the_purger_takes_away_what_is_deleted() {
    let app = TestApp::immediate().await;
    let purger = app.run_purger();
    app.start(CODE_QUALITY).await;
    assert!(app.delete(CODE_QUALITY).await.status.is_success());
    while app.query("SELECT count(*) FROM executions").await > 0 {}
    app.stop_waiting();
    purger.await.unwrap();
}

#[tokio::test]
async fn the_last_deliveries_to_a_subscriber_are_kept() {
    let (app, _receiver) = told().await;
    let app = app
        .restarted_after(
            "INSERT INTO deliveries (webhook_id, event_id, kind, published_at, program_id, \
             pipeline_id, execution_id, status) \
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 25000) \
             SELECT webhooks.id, n, 'pipelineExecutionEnd', n, 4, 1, 1, \
             CASE WHEN n = 7 THEN 'PENDING' WHEN n % 2 THEN 'FAILED' ELSE 'DELIVERED' END \
             FROM n, webhooks",
        )
        .await;
    let added = app.request(Method::POST, "/_emulator/seed", "{}").await;
    assert_eq!(added.status, StatusCode::OK);
    assert_eq!(app.query("SELECT count(*) FROM deliveries").await, 10_001);
    let oldest = "SELECT min(published_at) FROM deliveries WHERE status <> 'PENDING'";
    assert_eq!(app.query(oldest).await, 15_001);
    assert_eq!(app.query("SELECT count(*) FROM deliveries WHERE status = 'PENDING'").await, 1);
}
