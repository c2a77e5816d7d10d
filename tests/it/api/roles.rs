//! Who may do what, where only clients are let in.

use axum::http::{Method, StatusCode};
use cloudmanager_emulator::domain::pace::Pace;
use serde_json::{Value, json};

use crate::app::{Answer, OVERSEEN, PRODUCTION, TestApp};
use crate::clients::Identity;
use crate::official::{self, Operation};

/// A client with each role, in the order of the official table.
const CLIENTS: [(&str, &str); 6] = [
    ("owner", "businessOwner"),
    ("deployer", "deploymentManager"),
    ("manager", "programManager"),
    ("developer", "developer"),
    ("engineer", "customerSuccessEngineer"),
    ("nobody", "none"),
];

fn assert_refused(answer: &Answer, message: &str) {
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer:?}");
    assert_eq!(answer.json(), json!({"error_code": "403025", "message": message}));
    assert_eq!(answer.header("content-type"), "application/json");
}

/// Each operation of the API is called by everybody, for something that does not exist: whoever may
/// call it finds that out.
#[tokio::test]
async fn operations_are_allowed_to_the_roles_that_may_call_them() {
    let app = TestApp::strict(Pace::Immediate).await;
    let mut callers = Vec::new();
    for (client, role) in CLIENTS {
        callers.push((app.sign_in(client).await, role));
    }
    for Operation { path, method, id, allowed } in official::operations() {
        let parts = path.split('/').map(|part| if part.starts_with('{') { "999" } else { part });
        let path = parts.collect::<Vec<_>>().join("/");
        let method: Method = method.to_uppercase().parse().unwrap();
        let roles = CLIENTS.iter().zip(allowed).filter(|(_, allowed)| *allowed);
        let roles: Vec<_> = roles.map(|((_, role), _)| *role).collect();
        let needed = if roles.len() == 1 { "the role" } else { "one of the roles" };
        let message = format!("{id} needs {needed} {}", roles.join(", "));
        for ((caller, role), allowed) in callers.iter().zip(allowed) {
            let answer = app.request_as(caller, method.clone(), &path, "{}").await;
            if allowed {
                let found = [StatusCode::OK, StatusCode::NOT_FOUND].contains(&answer.status);
                assert!(found, "{id} as {role}: {answer:?}");
            } else {
                assert_refused(&answer, &message);
            }
            if method == Method::GET {
                let head = app.request_as(caller, Method::HEAD, &path, "").await;
                assert_eq!(head.status, answer.status, "{id} as {role}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    let app = TestApp::strict(Pace::Immediate).await;
    let developer = app.sign_in("developer").await;
    let start = format!("{PRODUCTION}/execution");
    let refused = app.request_as(&developer, Method::PUT, &start, "").await;
    let needed = "startPipeline needs one of the roles businessOwner, deploymentManager, \
                  programManager";
    assert_refused(&refused, needed);
    for (method, path) in [
        (Method::DELETE, "/api/program/4"),
        (Method::DELETE, PRODUCTION),
        (Method::DELETE, "/api/program/4/environment/59252"),
    ] {
        let answer = app.request_as(&developer, method, path, "").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let found = app.request_as(&developer, Method::GET, path, "").await;
        assert_eq!(found.status, StatusCode::OK);
    }
    assert_eq!(app.get(&start).await.status, StatusCode::NOT_FOUND, "nothing was started");
}

#[tokio::test]
async fn in_open_mode_everybody_has_all_roles() {
    let app = TestApp::immediate().await;
    let overseen = to_oversight(&app).await;
    app.accept(&overseen, "managed", "pipeline/advance", &json!({"start": true})).await;
    assert_eq!(app.delete("/api/program/4").await.status, StatusCode::ACCEPTED);
}

/// Starts the overseen pipeline and brings the execution to the step that waits for a Customer
/// Success Engineer.
async fn to_oversight(app: &TestApp) -> String {
    let execution = app.start(OVERSEEN).await;
    for (step, body) in [
        ("stage approval", json!({"approved": true})),
        ("prod approval", json!({"approved": true})),
        ("schedule", json!({"type": "IMMEDIATE"})),
    ] {
        app.accept(&execution, step, "pipeline/advance", &body).await;
    }
    execution
}

/// Puts a body where a link of a step leads.
async fn follow(
    app: &TestApp,
    caller: &Identity,
    execution: &str,
    (step, rel): (&str, &str),
    body: &Value,
) -> Answer {
    let href = app.execution(execution).await.link(step, rel).unwrap();
    app.request_as(caller, Method::PUT, &href, body.to_string()).await
}

#[tokio::test]
async fn only_customer_success_engineers_go_on_from_oversight() {
    let app = TestApp::strict(Pace::Immediate).await;
    let execution = to_oversight(&app).await;
    let before = app.execution(&execution).await.0;
    let (step, answer) = (("managed", "pipeline/advance"), json!({"start": true}));
    for client in ["owner", "deployer", "manager"] {
        let caller = app.sign_in(client).await;
        let refused = follow(&app, &caller, &execution, step, &answer).await;
        let needed = "of a managed step needs the role customerSuccessEngineer";
        assert_refused(&refused, &format!("advancePipelineExecution {needed}"));
        assert_eq!(app.execution(&execution).await.0, before);
    }
    let engineer = app.sign_in("engineer").await;
    let accepted = follow(&app, &engineer, &execution, step, &answer).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED);
    assert_eq!(app.execution(&execution).await.status(), "FINISHED");
}

#[tokio::test]
async fn whoever_may_cancel_and_customer_success_engineers_end_oversight() {
    for client in ["owner", "deployer", "manager", "engineer"] {
        let app = TestApp::strict(Pace::Immediate).await;
        let execution = to_oversight(&app).await;
        let caller = app.sign_in(client).await;
        let (step, answer) = (("managed", "pipeline/cancel"), json!({"start": false}));
        let accepted = follow(&app, &caller, &execution, step, &answer).await;
        assert_eq!(accepted.status, StatusCode::ACCEPTED, "{client}");
        assert_eq!(app.execution(&execution).await.status(), "CANCELLED", "{client}");
    }
}

#[tokio::test]
async fn customer_success_engineers_answer_nothing_but_oversight() {
    let app = TestApp::strict(Pace::Immediate).await;
    let engineer = app.sign_in("engineer").await;
    let execution = app.start(OVERSEEN).await;
    let before = app.execution(&execution).await.0;
    for (rel, operation, approved) in [
        ("pipeline/advance", "advancePipelineExecution", true),
        ("pipeline/cancel", "cancelPipelineExecutionStep", false),
    ] {
        let step = ("stage approval", rel);
        let answer = json!({"approved": approved});
        let refused = follow(&app, &engineer, &execution, step, &answer).await;
        let needed = "needs one of the roles businessOwner, deploymentManager, programManager";
        assert_refused(&refused, &format!("{operation} {needed}"));
        assert_eq!(app.execution(&execution).await.0, before);
    }
}

#[tokio::test]
async fn program_managers_cancel_only_what_waits() {
    let app = TestApp::strict(Pace::Quick).await;
    let manager = app.sign_in("manager").await;
    let deployer = app.sign_in("deployer").await;
    let execution = app.start(PRODUCTION).await;
    app.advance("PT2S").await;
    let before = app.execution(&execution).await.0;
    let build = ("build", "pipeline/cancel");
    let cancel = json!({"cancel": true});
    let refused = follow(&app, &manager, &execution, build, &cancel).await;
    assert_refused(
        &refused,
        "cancelPipelineExecutionStep of a step that does not wait needs one of the roles \
         businessOwner, deploymentManager",
    );
    assert_eq!(app.execution(&execution).await.0, before);
    let accepted = follow(&app, &deployer, &execution, build, &cancel).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED);
    app.advance("PT1S").await;

    let execution = app.start(PRODUCTION).await;
    app.advance("PT1M").await;
    let approval = ("prod approval", "pipeline/cancel");
    let no = json!({"approved": false});
    let accepted = follow(&app, &manager, &execution, approval, &no).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED);
    assert_eq!(app.execution(&execution).await.status(), "CANCELLED");
}

#[tokio::test]
async fn a_paused_deployment_waits() {
    let app = TestApp::strict(Pace::Immediate).await;
    let manager = app.sign_in("manager").await;
    let paused = json!({"steps": [{"action": "deploy", "environmentType": "stage",
        "outcome": "PAUSED"}]});
    app.scenario(PRODUCTION, &paused).await;
    let execution = app.start(PRODUCTION).await;
    let stage = ("stage deploy", "pipeline/cancel");
    let no = json!({"resume": false});
    let accepted = follow(&app, &manager, &execution, stage, &no).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED);
    assert_eq!(app.execution(&execution).await.status(), "CANCELLED");
}

#[tokio::test]
async fn several_roles_add_up() {
    let app = TestApp::strict(Pace::Immediate).await;
    let several = app.sign_in("several").await;
    let start = format!("{PRODUCTION}/execution");
    let started = app.request_as(&several, Method::PUT, &start, "").await;
    assert_eq!(started.status, StatusCode::CREATED);
    let logs = "/api/program/4/environment/59252/logs?service=author&name=aemerror&days=1";
    assert_eq!(app.request_as(&several, Method::GET, logs, "").await.status, StatusCode::OK);
    let overseen = to_oversight(&app).await;
    let managed = ("managed", "pipeline/advance");
    let accepted = follow(&app, &several, &overseen, managed, &json!({"start": true})).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED);
    let answer = app.request_as(&several, Method::DELETE, PRODUCTION, "").await;
    assert_refused(&answer, "deletePipeline needs the role deploymentManager");
}
