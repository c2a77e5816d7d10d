//! Who may do what, where only clients are let in.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::openapi;
use serde_json::{Value, json};

use crate::app::{Answer, OVERSEEN, PRODUCTION, TestApp};
use crate::clients::Identity;

/// All operations of the API, with the marks of those who may call them: owner, deployer, manager,
/// developer, engineer, nobody.
const PERMISSIONS: &str = "
    getPrograms                  x x x x x x
    getProgram                   x x x x x x
    deleteProgram                x . . . . .
    getProgramRegions            x x x x x x
    getTenants                   x x x x x x
    getTenant                    x x x x x x
    getProgramsForTenant         x x x x x x
    getRepositories              x x x x x x
    getRepository                x x x x x x
    getBranches                  x x x x x x
    getEnvironments              x x x x x x
    getEnvironment               x x x x x x
    deleteEnvironment            x x . . . .
    getEnvironmentLogs           . x . x . .
    downloadLogs                 . x . . . .
    getEnvironmentVariables      x x x x x x
    patchEnvironmentVariables    . x . . . .
    getPipelines                 x x x x x x
    getPipeline                  x x x x x x
    patchPipeline                . x . . . .
    deletePipeline               . x . . . .
    invalidateCache              . x . . . .
    getPipelineVariables         x x x x . .
    patchPipelineVariables       . x . . . .
    startPipeline                x x x . . .
    getCurrentExecution          x x x x x x
    getExecution                 x x x x x x
    getExecutions                x x x x x x
    stepState                    x x x x x x
    advancePipelineExecution     x x x . x .
    cancelPipelineExecutionStep  x x x . x .
    stepMetric                   x x x x x x
    getStepLogs                  x x x x x x
    listStepArtifacts            x x x x x x
    getStepArtifact              x x x x x x
";

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
    let mut permissions: BTreeMap<&str, Vec<&str>> = PERMISSIONS
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.collect()))
        })
        .collect();
    let mut callers = Vec::new();
    for (client, role) in CLIENTS {
        callers.push((app.sign_in(client).await, role));
    }
    let document = serde_json::to_value(openapi::document()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    for (path, item) in paths.iter().filter(|(path, _)| path.starts_with("/api")) {
        let parts = path.split('/').map(|part| if part.starts_with('{') { "999" } else { part });
        let path = parts.collect::<Vec<_>>().join("/");
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            let marks = permissions.remove(id).unwrap_or_else(|| panic!("{id} is not listed"));
            assert_eq!(marks.len(), 6, "{id}");
            let may = |index: usize| marks[index] == "x";
            let roles: Vec<_> =
                (0..6).filter(|index| may(*index)).map(|index| CLIENTS[index].1).collect();
            let needed = if roles.len() == 1 { "the role" } else { "one of the roles" };
            let message = format!("{id} needs {needed} {}", roles.join(", "));
            for (index, (caller, role)) in callers.iter().enumerate() {
                let method: Method = method.to_uppercase().parse().unwrap();
                let answer = app.request_as(caller, method.clone(), &path, "{}").await;
                if may(index) {
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
    assert!(permissions.is_empty(), "these are not operations: {permissions:?}");
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
