use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{Answer, CODE_QUALITY, PRODUCTION, TestApp};

const SEED: &str = "/_emulator/seed";

const DEMO: &str = include_str!("../../../src/seed/demo.yaml");

const FURTHER: &str = r#"
tenants: [{ id: "9", imsOrgId: 9876543210ABCDEF12345678@AdobeOrg, imsTenantId: other }]
programs:
  - id: "90"
    tenantId: "9"
    name: Other
    environments: [{ id: "1", name: other-dev, type: dev, variables: [{ name: VAR, value: x }] }]
    repositories: [{ id: "1", repo: other, branches: { main: abc } }]
    pipelines:
      - id: "1"
        name: P
        variables: [{ name: TOKEN, value: s3cret, type: secretString }]
        phases:
          - { type: VALIDATE }
          - { type: BUILD, repositoryId: "1", branch: main }
          - { type: DEPLOY, environmentId: "1" }
        scenario: { times: 1, steps: [{ action: build, outcome: FAILED }] }
nextExecutionId: 1000000
"#;

async fn add(app: &TestApp, document: &str) -> Answer {
    app.request(Method::POST, SEED, document.to_owned()).await
}

fn counts(added: &Value) -> Vec<u64> {
    ["tenants", "programs", "environments", "repositories", "pipelines", "webhooks"]
        .map(|kind| added[kind].as_u64().unwrap())
        .to_vec()
}

#[tokio::test]
async fn a_document_is_added_and_a_second_time_changes_nothing() {
    let app = TestApp::immediate().await;
    let first = add(&app, FURTHER).await;
    assert_eq!(first.status, StatusCode::OK, "{first:?}");
    assert_eq!(counts(&first.json()), [1, 1, 1, 1, 1, 0]);
    let state = app.get("/_emulator/info").await.json();
    let scenario = "/_emulator/program/90/pipeline/1/scenario";
    assert_eq!(app.get(scenario).await.json()["times"], 1);

    for document in [FURTHER, DEMO] {
        let again = add(&app, document).await;
        assert_eq!(counts(&again.json()), [0; 6]);
    }
    assert_eq!(app.get("/_emulator/info").await.json(), state);
    let execution = app.start(PRODUCTION).await;
    assert!(execution.ends_with("/1000000"), "the counter is raised: {execution}");
}

#[tokio::test]
async fn a_document_that_adds_to_a_program_leaves_the_rest_alone() {
    let app = TestApp::immediate().await;
    add(&app, FURTHER).await;
    let more = FURTHER
        .replace("name: Other\n", "name: Renamed\n")
        .replace("      - id: \"1\"\n        name: P", "      - id: \"2\"\n        name: Q");
    let added = add(&app, &more).await;
    assert_eq!(counts(&added.json()), [0, 0, 0, 0, 1, 0]);
    let state = app.get("/_emulator/info").await.json();
    assert_eq!(state["counts"]["pipelines"], 7);
}

#[tokio::test]
async fn a_document_with_mistakes_or_contradictions_adds_nothing() {
    let app = TestApp::immediate().await;
    let before = app.get("/_emulator/info").await.json();
    let mistaken = FURTHER.replace("branch: main }", "branch: main, colour: red }");
    let answer = add(&app, &mistaken).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.errors().contains("colour"), "{}", answer.errors());
    for (wrong, told) in [
        (
            FURTHER.replace("id: \"9\"", "id: \"1\"").replace("tenantId: \"9\"", "tenantId: \"1\""),
            "tenant 1",
        ),
        (FURTHER.replace("- id: \"90\"", "- id: \"4\""), "belongs to another tenant"),
        (
            format!(
                "{FURTHER}clients: [{{ clientId: emulator, clientSecret: x, tenantId: \"9\", \
                 technicalAccountId: x }}]"
            ),
            "the client emulator belongs to another tenant",
        ),
    ] {
        let answer = add(&app, &wrong).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{answer:?}");
        assert!(answer.errors().contains(told), "{}", answer.errors());
    }
    for wrong in ["\u{0}", "- 1", "tenants: 5", "{\"tenants\":", "programs: [{id: 1}]"] {
        let answer = add(&app, wrong).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}: {answer:?}");
    }
    // An empty document adds nothing.
    assert_eq!(add(&app, "").await.status, StatusCode::OK);
    assert_eq!(app.get("/_emulator/info").await.json(), before);
}

#[tokio::test]
async fn what_is_added_may_belong_to_a_tenant_that_is_there() {
    let app = TestApp::new().await;
    let client = "clients:\n  - { clientId: ci, clientSecret: s3cret, tenantId: \"1\", \
                  technicalAccountId: ci@techacct.adobe.com, roles: [deploymentManager] }\n";
    let webhook = "webhooks:\n  - { tenantId: \"1\", clientId: ci, clientSecret: s, \
                   url: \"http://127.0.0.1:9/\", events: [all] }\n";
    let answer = add(&app, &format!("{client}{webhook}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let added = answer.json();
    assert_eq!((&added["clients"], &added["webhooks"]), (&json!(1), &json!(1)));
    let answer = add(&app, &client.replace("tenantId: \"1\"", "tenantId: \"2\"")).await;
    assert_eq!(answer.errors(), "clients[0].tenantId: the tenant 2 does not exist");
    let error = &answer.json()["errors"]["clients[0].tenantId"];
    assert_eq!(error["invalidValue"], "2", "in YAML, too");
}

#[tokio::test]
async fn pipelines_and_environments_are_created_as_they_are_written_in_seeds() {
    let app = TestApp::immediate().await;
    let environment = json!({"id": "60000", "name": "new-dev", "type": "dev"});
    let answer = app.post("/_emulator/program/4/environments", &environment).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    assert_eq!(answer.header("location"), "/api/program/4/environment/60000");
    assert_eq!(app.get(answer.header("location")).await.json()["name"], "new-dev");

    let pipeline = json!({"id": "11", "name": "New", "phases": [
        {"type": "VALIDATE"},
        {"type": "BUILD", "repositoryId": "1", "branch": "main"},
        {"type": "DEPLOY", "environmentId": "60000"},
    ]});
    let answer = app.post("/_emulator/program/4/pipelines", &pipeline).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    let created = answer.json();
    assert_eq!(created["href"], "/api/program/4/pipeline/11");
    let execution = app.start("/api/program/4/pipeline/11").await;
    assert_eq!(app.execution(&execution).await.status(), "FINISHED");

    for (path, body) in [
        ("/_emulator/program/4/pipelines", &pipeline),
        ("/_emulator/program/4/environments", &environment),
    ] {
        let again = app.post(path, body).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST);
        assert!(again.errors().contains("already exists"), "{}", again.errors());
        for wrong in [json!({}), json!([]), json!({"id": 5}), json!({"id": "x", "name": ""})] {
            let answer = app.post(path, &wrong).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}: {answer:?}");
        }
    }
    let unknown = app.post("/_emulator/program/99/pipelines", &pipeline).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_was_deleted_can_be_created_again_without_its_past() {
    let app = TestApp::immediate().await;
    add(&app, FURTHER).await;
    app.request(Method::DELETE, "/_emulator/program/90/pipeline/1/scenario", "").await;
    app.post("/_emulator/program/90/pipeline/1/history", &json!({"count": 12_000})).await;
    let before = app.get("/_emulator/info").await.json();
    assert_eq!(before["counts"]["executions"], 12_000);
    let deleted = app
        .send(
            crate::app::signed(Method::DELETE, "/api/program/90/pipeline/1")
                .body(axum::body::Body::empty())
                .unwrap(),
        )
        .await;
    // The program belongs to another organisation: the caller does not see it.
    assert_eq!(deleted.status, StatusCode::NOT_FOUND);
    app.post("/_emulator/reset", &json!({"to": "empty"})).await;
    let again = add(&app, FURTHER).await;
    assert_eq!(counts(&again.json()), [1, 1, 1, 1, 1, 0]);
    assert_eq!(app.get("/_emulator/info").await.json()["counts"]["executions"], 0);
}

#[tokio::test]
async fn what_is_deleted_does_not_come_back_with_what_is_added_meanwhile() {
    let app = TestApp::immediate().await;
    let pipeline = json!({"id": "77", "name": "N", "phases": [{"type": "VALIDATE"},
        {"type": "BUILD", "repositoryId": "1", "branch": "main"}]});
    // The first has read what the program has before the second takes something away.
    let post = app.post("/_emulator/program/4/pipelines", &pipeline);
    let (added, deleted) = tokio::join!(post, app.delete(CODE_QUALITY));
    assert_eq!((added.status, deleted.status), (StatusCode::CREATED, StatusCode::NO_CONTENT));
    assert_eq!(app.get(CODE_QUALITY).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.get("/api/program/4/pipeline/77").await.status, StatusCode::OK);

    let environment = json!({"id": "78", "name": "n", "type": "dev"});
    let post = app.post("/_emulator/program/5/environments", &environment);
    let (added, deleted) = tokio::join!(post, app.delete("/api/program/5"));
    assert_eq!((added.status, deleted.status), (StatusCode::NOT_FOUND, StatusCode::ACCEPTED));
    assert_eq!(app.get("/api/program/5").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn of_two_who_create_the_same_at_once_one_is_told() {
    let app = TestApp::immediate().await;
    let environment = |name| json!({"id": "78", "name": name, "type": "dev"});
    let path = "/_emulator/program/5/environments";
    let (a, b) = (environment("a"), environment("b"));
    let (first, second) = tokio::join!(app.post(path, &a), app.post(path, &b));
    assert_eq!((first.status, second.status), (StatusCode::CREATED, StatusCode::CONFLICT));
    assert_eq!(app.get("/api/program/5/environment/78").await.json()["name"], "a");
}
