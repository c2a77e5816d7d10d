//! `…/executions`

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{CODE_QUALITY, PRODUCTION, TestApp, link};

fn ids(list: &Value) -> Vec<i64> {
    let executions = list["_embedded"]["executions"].as_array().unwrap();
    executions.iter().map(|e| e["id"].as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn executions_come_newest_first_a_page_at_a_time() {
    let app = TestApp::immediate().await;
    for _ in 0..45 {
        app.start(CODE_QUALITY).await;
    }
    let newest_first: Vec<i64> = (953_671..953_671 + 45).rev().collect();
    let mut next = Some(format!("{CODE_QUALITY}/executions"));
    let mut seen = Vec::new();
    let mut pages = 0;
    while let Some(path) = next {
        let list = app.get(&path).await.json();
        assert_eq!(list["_totalNumberOfItems"], 45);
        seen.extend(ids(&list));
        next = link(&list, "next");
        pages += 1;
    }
    assert_eq!((seen, pages), (newest_first.clone(), 3));

    let list = app.get(&format!("{CODE_QUALITY}/executions?start=40&limit=3")).await.json();
    assert_eq!(ids(&list), newest_first[40..43]);
    assert_eq!(list["_page"], json!({"limit": 3, "property": [], "next": 43, "prev": 37}));
    let path = format!("{CODE_QUALITY}/executions");
    let to = |href: &str| json!({"href": format!("{path}?{href}"), "templated": false});
    let links = json!({"self": to("start=40&limit=3"), "next": to("start=43&limit=3"),
        "prev": to("start=37&limit=3"),
        "page": {"href": format!("{path}?start={{start}}&limit={{limit}}"), "templated": true}});
    assert_eq!(list["_links"], links);
}

#[tokio::test]
async fn a_page_past_the_end_is_an_empty_list() {
    let app = TestApp::immediate().await;
    for (pipeline, start) in [(CODE_QUALITY, "0"), (CODE_QUALITY, "99"), (PRODUCTION, "5")] {
        if start == "99" {
            app.start(CODE_QUALITY).await;
        }
        let list = app.get(&format!("{pipeline}/executions?start={start}")).await.json();
        assert_eq!(ids(&list), [0; 0], "{start}");
        assert_eq!(link(&list, "next"), None);
    }
    let far = u64::MAX;
    let list = app.get(&format!("{CODE_QUALITY}/executions?start={far}")).await.json();
    assert_eq!(ids(&list), [0; 0]);
}

#[tokio::test]
async fn start_that_is_no_number_counts_from_the_beginning() {
    let app = TestApp::immediate().await;
    app.start(CODE_QUALITY).await;
    for start in ["undefined", "", "-3", "1.5", "%ff"] {
        let answer = app.get(&format!("{CODE_QUALITY}/executions?start={start}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{start}");
        assert_eq!(ids(&answer.json()).len(), 1, "{start}");
    }
}

#[tokio::test]
async fn a_limit_is_from_1_to_100_and_what_is_above_is_clamped() {
    let app = TestApp::immediate().await;
    let list = app.get(&format!("{CODE_QUALITY}/executions?limit=5000")).await;
    assert_eq!(list.json()["_page"]["limit"], 100);
    for limit in ["0", "-1", "x", ""] {
        let answer = app.get(&format!("{CODE_QUALITY}/executions?limit={limit}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{limit}");
        assert_eq!(answer.errors(), "limit: must be a whole number, at least 1");
    }
}

fn items(list: &Value) -> &[Value] {
    list["_embedded"]["executions"].as_array().unwrap()
}

/// Answers about a pipeline that the emulator keeps between calls.
struct Kept<'a> {
    app: &'a TestApp,
    pipeline: &'static str,
    before: Value,
    /// A page of this size, and of any smaller one, has not been asked for.
    unused_limit: usize,
}

impl<'a> Kept<'a> {
    /// Asks for everything once.
    async fn new(app: &'a TestApp, pipeline: &'static str) -> Self {
        let before = app.get(&format!("{pipeline}/executions")).await.json();
        let mut kept = Self { app, pipeline, before, unused_limit: 100 };
        kept.check().await;
        kept
    }

    /// The list after something has happened that changes it.
    async fn changed_by(&mut self, event: &str) -> Value {
        let list = self.app.get(&format!("{}/executions", self.pipeline)).await.json();
        assert_ne!(list, self.before, "{event}");
        self.before = list.clone();
        self.check().await;
        list
    }

    /// Every answer shows what a page shows that was never asked for before.
    async fn check(&mut self) {
        let path = format!("{}/executions", self.pipeline);
        let new = self.app.get(&format!("{path}?limit={}", self.unused_limit)).await.json();
        self.unused_limit -= 1;
        let all = items(&new);
        for (query, this, start, limit) in [
            ("", "?start=0&limit=20", 0, 20),
            ("?limit=20", "?start=0&limit=20", 0, 20),
            ("?start=1", "?start=1&limit=20", 1, 20),
            ("?start=1&limit=2", "?start=1&limit=2", 1, 2),
            ("?limit=2&start=2", "?start=2&limit=2", 2, 2),
        ] {
            let page = self.app.get(&format!("{path}{query}")).await.json();
            let expected: Vec<_> = all.iter().skip(start).take(limit).cloned().collect();
            assert_eq!(items(&page), expected, "{query}");
            assert_eq!(link(&page, "self"), Some(format!("{path}{this}")), "{query}");
            assert_eq!(page["_totalNumberOfItems"], new["_totalNumberOfItems"], "{query}");
        }
        let current = self.app.get(&format!("{}/execution", self.pipeline)).await;
        let running = all.iter().find(|execution| execution["finishedAt"].is_null());
        match running {
            Some(running) => assert_eq!(current.json(), *running),
            None => assert_eq!(current.status, StatusCode::NOT_FOUND),
        }
    }
}

#[tokio::test]
async fn lists_show_what_calls_have_changed() {
    let app = TestApp::new().await;
    let mut kept = Kept::new(&app, PRODUCTION).await;
    let first = app.start(PRODUCTION).await;
    kept.changed_by("a start").await;
    app.advance("PT3S").await;
    kept.changed_by("moving the clock").await;
    app.accept(&first, "build", "pipeline/cancel", &json!({"cancel": true})).await;
    kept.changed_by("a cancellation").await;
    app.advance("PT1S").await;
    kept.changed_by("its end").await;

    let second = app.start(PRODUCTION).await;
    kept.changed_by("another start").await;
    app.advance("PT1M").await;
    kept.changed_by("moving the clock to the approval").await;
    app.accept(&second, "prod approval", "pipeline/advance", &json!({"approved": true})).await;
    kept.changed_by("an approval").await;
    app.advance("PT1M").await;
    let list = kept.changed_by("moving the clock to the end").await;
    assert_eq!(items(&list)[0]["status"], "FINISHED");

    let again = app.execution(&second).await.link("prod deploy", "pipeline/reExecute").unwrap();
    let answer = app.request(Method::PUT, &again, Body::empty()).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let list = kept.changed_by("a re-execution").await;
    assert_eq!(items(&list)[0]["trigger"], "RE_EXECUTE");

    let history = PRODUCTION.replace("/api/", "/_emulator/") + "/history";
    assert_eq!(app.post(&history, &json!({"count": 3})).await.status, StatusCode::CREATED);
    kept.changed_by("a past").await;
}

#[tokio::test]
async fn lists_show_what_time_alone_has_changed() {
    let app = TestApp::new().await;
    let mut kept = Kept::new(&app, CODE_QUALITY).await;
    let execution = app.start(CODE_QUALITY).await;
    let list = kept.changed_by("a start").await;
    assert_eq!(items(&list)[0]["status"], "RUNNING");
    // No scheduler runs in tests: nothing is saved when the time has come.
    let rate = app.put("/_emulator/clock", &json!({"rate": 1_000_000})).await;
    assert_eq!(rate.status, StatusCode::OK);
    let wait = execution.replace("/api/", "/_emulator/") + "/wait?for=ENDED";
    assert_eq!(app.get(&wait).await.status, StatusCode::OK);
    let list = kept.changed_by("time").await;
    assert_eq!(items(&list)[0]["status"], "FINISHED");
}

#[tokio::test]
async fn lists_show_what_replacing_everything_has_changed() {
    const STATE: &str = "/_emulator/state";
    let app = TestApp::new().await;
    app.start(CODE_QUALITY).await;
    app.advance("PT2S").await;
    let mut kept = Kept::new(&app, CODE_QUALITY).await;
    let (exported, state) = (kept.before.clone(), app.get(STATE).await.bytes);

    assert_eq!(app.post("/_emulator/reset", &json!({})).await.status, StatusCode::NO_CONTENT);
    let list = kept.changed_by("a reset").await;
    assert_eq!(list["_totalNumberOfItems"], 0);
    // The execution gets the same identifier as the one before.
    app.start(CODE_QUALITY).await;
    let list = kept.changed_by("a start").await;
    assert_eq!(ids(&list), ids(&exported));

    let imported = app.request(Method::PUT, STATE, state).await;
    assert_eq!(imported.status, StatusCode::NO_CONTENT);
    assert_eq!(kept.changed_by("an import").await, exported);

    app.advance("PT1M").await;
    kept.changed_by("moving the clock").await;
    assert_eq!(app.delete(CODE_QUALITY).await.status, StatusCode::NO_CONTENT);
    let list = app.get(&format!("{CODE_QUALITY}/executions")).await;
    assert_eq!(list.status, StatusCode::NOT_FOUND);
}
