//! What is wrong with a field is said in the same way, in every body and query string.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use cloudmanager_emulator::schema;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp};
use crate::description::{body_schemas, method_of, query_parameters, resolved};

const ADVANCE: [&str; 2] = ["advancePipelineExecution", "cancelPipelineExecutionStep"];

/// A body that is accepted, for each operation that takes JSON but those of steps, with every
/// object that there can be in it.
fn bodies() -> Vec<(&'static str, &'static str, Value)> {
    let variables =
        json!([{"name": "MY_VAR", "value": "x", "type": "string", "service": "author"}]);
    let phases = json!([
        {"type": "VALIDATE"},
        {"type": "BUILD", "repositoryId": "1", "branch": "main"},
        {"type": "DEPLOY", "environmentId": "59253", "steps": [
            {"name": "deploy", "options": {"skipDetachingDispatchers": true}}]},
    ]);
    let scenario = json!({"times": 2, "steps": [
        {"action": "deploy", "environmentType": "stage", "outcome": "FAILED",
            "failures": [{"command": "clean-dispatcher-configuration"}], "log": [{"line": "a", "times": 2}]},
        {"action": "codeQuality", "metrics": {"coverage": 5}},
        {"action": "build", "builds": [{"package": "acme.ui.apps", "group": "com.acme", "version": "1.4.0"}, {"dispatcher": "acme.dispatcher"}]},
    ]});
    let environment = |id: &str| {
        json!({"id": id, "name": "e", "type": "stage", "variables": variables,
            "topology": {"authors": 1, "pairs": 1, "coldStandby": false}})
    };
    let pipeline = |id: &str| {
        json!({"id": id, "name": "P", "variables": variables, "phases": phases,
            "scenario": scenario})
    };
    let webhook = json!({"tenantId": "1", "clientId": "c", "clientSecret": "s",
        "url": "http://127.0.0.1:9/", "events": ["all"]});
    let seed = json!({
        "tenants": [{"id": "77", "imsOrgId": "A@AdobeOrg", "imsTenantId": "a"}],
        "clients": [{"clientId": "new", "clientSecret": "s", "technicalAccountId": "t",
            "tenantId": "77", "roles": ["deploymentManager"]}],
        "programs": [{"id": "77", "tenantId": "77", "name": "P", "kpis": {"responseTime": 3},
            "environments": [environment("59253")],
            "repositories": [{"id": "1", "repo": "r", "builds": [{"dispatcher": "acme.dispatcher"}],
                "branches": {"main": "abc"},
                "tags": {"1.0": "abc"}}],
            "pipelines": [pipeline("1")]}],
        "webhooks": [{"tenantId": "77", "clientId": "c", "clientSecret": "s",
            "url": "http://127.0.0.1:9/", "events": ["all"]}],
    });
    let update = json!({"phases": [{"type": "DEPLOY", "name": "DEPLOY_1", "steps": [
        {"name": "deploy", "options": {"dispatcherCacheFlushPaths": ["/"]}}]}]});
    vec![
        ("putClock", "/_emulator/clock", json!({"rate": 1})),
        ("advanceClock", "/_emulator/clock/advance", json!({"by": "PT1S"})),
        ("postFault", "/_emulator/faults", json!({"operation": "getPrograms", "status": 503})),
        (
            "patchProgram",
            "/_emulator/program/4",
            json!({"emergencyMode": false, "kpis": {"responseTime": 7, "pageViewsPerMinute": 8}}),
        ),
        ("patchEnvironment", "/_emulator/program/4/environment/59252", json!({"status": "ready"})),
        ("postEnvironment", "/_emulator/program/4/environments", environment("777")),
        ("postHistory", "/_emulator/program/4/pipeline/1/history", json!({"count": 1})),
        ("putScenario", "/_emulator/program/4/pipeline/1/scenario", scenario.clone()),
        ("postPipeline", "/_emulator/program/4/pipelines", pipeline("777")),
        (
            "postCommit",
            "/_emulator/program/4/repository/1/branch/main/commits",
            json!({"commitId": "abc"}),
        ),
        ("postSeed", "/_emulator/seed", seed),
        ("postWebhook", "/_emulator/webhooks?challenge=false", webhook),
        (
            "patchEnvironmentVariables",
            "/api/program/4/environment/59253/variables",
            variables.clone(),
        ),
        ("patchPipeline", "/api/program/4/pipeline/1", update),
        ("patchPipelineVariables", "/api/program/4/pipeline/1/variables", variables),
        ("reset", "/_emulator/reset", json!({"to": "seed"})),
    ]
}

async fn send(app: &TestApp, operation: &str, path: &str, body: &Value) -> Answer {
    app.request(method_of(operation), path, body.to_string()).await
}

/// The places of all values in a value, as JSON pointers, itself among them.
fn places(value: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, it)| (name.clone(), it)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, it)| (index.to_string(), it)).collect()
        }
        _ => Vec::new(),
    };
    let inner = inner
        .into_iter()
        .flat_map(|(name, it)| places(it).into_iter().map(move |rest| format!("/{name}{rest}")));
    [String::new()].into_iter().chain(inner).collect()
}

/// A place as messages name it.
fn field_of(place: &str) -> String {
    let parts = place.split('/').skip(1).map(|part| match part.parse::<usize>() {
        Ok(index) => format!("[{index}]"),
        Err(_) => format!(".{part}"),
    });
    parts.collect::<String>().trim_start_matches('.').to_owned()
}

fn with(body: &Value, place: &str, value: Value) -> Value {
    let mut changed = body.clone();
    *changed.pointer_mut(place).unwrap() = value;
    changed
}

/// The places of all objects that a schema describes; `*` stands for items and for any name.
fn described_objects(schema: &Value, place: &str, found: &mut BTreeSet<String>) {
    let schema = &resolved(schema);
    for of in ["oneOf", "allOf", "anyOf"] {
        for one in schema[of].as_array().into_iter().flatten() {
            described_objects(one, place, found);
        }
    }
    if let Some(items) = schema.get("items") {
        described_objects(items, &format!("{place}/*"), found);
    }
    let properties = schema["properties"].as_object();
    for (name, property) in properties.into_iter().flatten() {
        described_objects(property, &format!("{place}/{name}"), found);
    }
    let is_map = schema.get("additionalProperties").is_some_and(|it| it != &json!(false));
    if properties.is_some() || is_map {
        found.insert(place.to_owned());
    }
}

/// The place with `*` for each item.
fn general(place: &str) -> String {
    let parts = place.split('/').map(|part| if part.parse::<usize>().is_ok() { "*" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn the_bodies_here_have_every_object_of_every_operation() {
    let described: BTreeSet<_> = body_schemas().map(|(id, _)| id.to_owned()).collect();
    let here = bodies().into_iter().map(|(id, ..)| id);
    assert_eq!(described, here.chain(ADVANCE).map(str::to_owned).collect());
    let seed: Value = serde_json::from_str(&schema::json()).unwrap();
    for (operation, _, body) in bodies() {
        let schema = body_schemas().find(|(id, _)| *id == operation).unwrap().1;
        let mut described = BTreeSet::new();
        match operation {
            "postSeed" => described_objects(&json!({"$ref": seed["$ref"]}), "", &mut described),
            _ => described_objects(schema, "", &mut described),
        }
        let places = places(&body).into_iter();
        let objects = places.filter(|place| body.pointer(place).unwrap().is_object());
        let objects: BTreeSet<_> = objects.map(|place| general(&place)).collect();
        assert_eq!(described, objects, "{operation}");
    }
}

/// What bodies can change.
async fn state(app: &TestApp) -> Vec<String> {
    let mut state = Vec::new();
    for path in [
        "/api/programs",
        "/api/program/4/pipelines",
        "/api/program/4/environments",
        "/api/program/4/pipeline/1/executions",
        "/api/program/4/pipeline/1/variables",
        "/api/program/4/environment/59253/variables",
        "/_emulator/faults",
        "/_emulator/webhooks",
        "/_emulator/program/4/pipeline/1/scenario",
    ] {
        state.push(app.get(path).await.text());
    }
    let clock = app.get("/_emulator/clock").await.json();
    state.push(clock["rate"].to_string());
    state
}

#[tokio::test]
async fn a_list_does_not_pass_for_an_object() {
    for (operation, path, body) in bodies() {
        let app = TestApp::new().await;
        let before = state(&app).await;
        for place in places(&body) {
            let Value::Object(fields) = body.pointer(&place).unwrap() else { continue };
            let list = fields.values().cloned().collect();
            let answer = send(&app, operation, path, &with(&body, &place, list)).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{operation} {place}: {answer:?}");
            let errors = answer.errors();
            let field = field_of(&place);
            let is_named = match field.as_str() {
                "" => ["must be an object", "is not a JSON object"]
                    .iter()
                    .any(|said| errors.contains(said)),
                field => ["must be an object", "must be a string, or an object"]
                    .iter()
                    .any(|said| errors.starts_with(&format!("{field}: {said}"))),
            };
            assert!(is_named, "{operation} {place}: {errors}");
        }
        assert_eq!(state(&app).await, before, "{operation}");
        let answer = send(&app, operation, path, &body).await;
        assert!(answer.status.is_success(), "{operation}: {answer:?}");
    }
}

/// Words of the program's own that say nothing to who sends JSON.
const FOREIGN: [&str; 24] = [
    "f32", "f64", "u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "variant",
    "struct", "sequence", "map", "mapping", "unit", "boolean", "integer", "floating", "scalar",
    "expected", "invalid", "Option",
];

fn assert_plain(what: &str, answer: &Answer) {
    if answer.status != StatusCode::BAD_REQUEST {
        assert!(!answer.status.is_server_error(), "{what}: {answer:?}");
        return;
    }
    let errors = answer.errors();
    let mut words = errors.split(|c: char| !c.is_ascii_alphanumeric());
    let foreign = words.find(|word| FOREIGN.contains(word));
    assert_eq!(foreign, None, "{what}: {errors}");
}

#[tokio::test]
async fn messages_about_bodies_speak_of_json() {
    let others = [
        json!(null),
        json!(true),
        json!(5),
        json!(-1),
        json!(1.5),
        json!(1e30),
        json!("x"),
        json!([]),
        json!({}),
        json!([[1]]),
        json!({"x": 1}),
    ];
    for (operation, path, body) in bodies() {
        let app = TestApp::new().await;
        for place in places(&body) {
            for other in &others {
                let answer = send(&app, operation, path, &with(&body, &place, other.clone())).await;
                assert_plain(&format!("{operation} {place} {other}"), &answer);
            }
            let Value::Object(fields) = body.pointer(&place).unwrap() else { continue };
            let mut more = fields.clone();
            more.insert("unknownToAll".into(), json!(1));
            let answer = send(&app, operation, path, &with(&body, &place, more.into())).await;
            assert_plain(&format!("{operation} {place} more"), &answer);
            for name in fields.keys() {
                let mut less = fields.clone();
                less.remove(name);
                let answer = send(&app, operation, path, &with(&body, &place, less.into())).await;
                assert_plain(&format!("{operation} {place} without {name}"), &answer);
            }
        }
    }
}

#[tokio::test]
async fn messages_about_queries_speak_of_the_parameters() {
    let app = TestApp::new().await;
    let mut count = 0;
    for (method, path, names) in query_parameters() {
        // A stream that is opened does not end.
        // What IMS says has a form of its own.
        if path.ends_with("/events") || path.starts_with("/ims/") || method != "get" {
            continue;
        }
        let path = path
            .replace("{programId}", "4")
            .replace("{pipelineId}", "1")
            .replace("{environmentId}", "59253")
            .replace("{executionId}", "953671");
        for name in names {
            for value in ["", "x", "-1", "1.5", "99999999999999999999", "%00", "true&x=1"] {
                let asked = format!("{path}?{name}={value}");
                let answer = app.request(Method::GET, &asked, "").await;
                assert_plain(&asked, &answer);
                count += usize::from(answer.status == StatusCode::BAD_REQUEST);
            }
        }
    }
    assert!(count > 20, "{count}");
}

#[tokio::test]
async fn what_was_probably_meant_is_told() {
    let app = TestApp::new().await;
    for (operation, path, body, expected) in [
        (
            "patchProgram",
            "/_emulator/program/4",
            json!({"emergencymode": true}),
            "emergencymode: is not a known field; did you mean emergencyMode?",
        ),
        (
            "patchProgram",
            "/_emulator/program/4",
            json!({"sleep": true}),
            "sleep: is not a known field; known fields: emergencyMode, kpis",
        ),
        ("putClock", "/_emulator/clock", json!({"rate": "fast"}), "rate: must be a number"),
        ("putClock", "/_emulator/clock", json!({}), "rate: is missing"),
        (
            "postHistory",
            "/_emulator/program/4/pipeline/1/history",
            json!({"count": -1}),
            "count: must be a whole number from 0 to 4294967295",
        ),
        (
            "postFault",
            "/_emulator/faults",
            json!({"preset": "flaky_401"}),
            "preset: must be one of flaky-401, outage-503, reset-mid-log, slow; \
             did you mean flaky-401?",
        ),
        (
            "putScenario",
            "/_emulator/program/4/pipeline/1/scenario",
            json!({"steps": [{"action": "codequality"}]}),
            "steps[0].action: must be one of validate, build, codeQuality, deploy, approval, \
             securityTest, loadTest, assetsTest, reportPerformanceTest, contentAudit, schedule, \
             managed; did you mean codeQuality?",
        ),
        (
            "patchPipelineVariables",
            "/api/program/4/pipeline/1/variables",
            json!([{"name": "AB", "value": "x", "type": "secret"}]),
            "[0].type: must be one of string, secretString",
        ),
    ] {
        let answer = send(&app, operation, path, &body).await;
        assert_eq!(answer.errors(), expected, "{body}");
    }
    let answer = app.get("/_emulator/requests?methd=GET").await;
    assert_eq!(answer.errors(), "methd: is not a known parameter; did you mean method?");
    let twice = app.request(Method::PUT, "/_emulator/clock", r#"{"rate":1,"rate":2}"#).await;
    assert_eq!(twice.errors(), "rate: is given more than once");
}
