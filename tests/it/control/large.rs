//! What is large takes its time, and nobody else's.

use std::fmt::Write;
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use futures_util::future::{Either, select};

use crate::app::{PRODUCTION, TestApp};

/// A seed with many of everything, about `count` of each.
fn large_seed(count: u32) -> String {
    let list = |item: &dyn Fn(u32) -> String| {
        (1..=count).map(item).collect::<Vec<_>>().join(",\n")
    };
    let tenants = list(&|n| {
        format!(r#"{{"id":"{}","imsOrgId":"{n}@Org","imsTenantId":"t"}}"#, 1000 + n)
    });
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

#[tokio::test]
async fn a_large_seed_is_added_in_good_time_while_others_are_answered() {
    let app = TestApp::immediate().await;
    let execution = app.start(PRODUCTION).await;
    let count = std::env::var("COUNT").map_or(20_000, |it| it.parse().unwrap());
    let seed = large_seed(count);
    let begin = Instant::now();
    let mut longest = Duration::ZERO;
    let mut adding = Box::pin(app.request(Method::POST, "/_emulator/seed", seed));
    let answer = loop {
        let asked = Instant::now();
        match select(adding, Box::pin(app.get(&execution))).await {
            Either::Left((answer, _)) => break answer,
            Either::Right((seen, left)) => {
                assert_eq!(seen.status, StatusCode::OK);
                longest = longest.max(asked.elapsed());
                adding = left;
            }
        }
    };
    let took = begin.elapsed();
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    eprintln!("took {took:?} longest {longest:?}");
    assert!(longest * 5 < took, "somebody waited {longest:?} of {took:?}");
}
