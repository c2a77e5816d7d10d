//! `…/variables` of pipelines and environments.

use axum::http::{Method, StatusCode};
use cloudmanager_emulator::domain::pace::Pace;
use cloudmanager_emulator::seed;
use serde_json::{Value, json};

use crate::app::{Answer, CODE_QUALITY, TestApp};

const PIPELINE: &str = "/api/program/4/pipeline/3/variables";
const ENVIRONMENT: &str = "/api/program/4/environment/59252/variables";
const SECRET: &str = "correct-horse-battery-staple";

async fn set(app: &TestApp, path: &str, body: &Value) {
    let answer = app.patch(path, body).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
}

async fn variables(app: &TestApp, path: &str) -> Value {
    app.get(path).await.json()["_embedded"]["variables"].clone()
}

/// The fields that a problem names, with what it says and shows of each.
fn mistakes(answer: &Answer) -> Vec<(String, String, Value)> {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    let body = answer.json();
    let errors = body["errors"].as_object().unwrap();
    let mistake = |error: &Value| {
        let text = |name: &str| error[name].as_str().unwrap().to_owned();
        (text("field"), text("message"), error["invalidValue"].clone())
    };
    errors.values().map(mistake).collect()
}

fn fields(answer: &Answer) -> Vec<String> {
    mistakes(answer).into_iter().map(|(field, ..)| field).collect()
}

#[tokio::test]
async fn variables_are_set_listed_changed_and_deleted() {
    let app = TestApp::new().await;
    for path in [PIPELINE, ENVIRONMENT] {
        assert_eq!(variables(&app, path).await, json!([]));
        set(
            &app,
            path,
            &json!([{"name": "SECOND", "value": SECRET, "type": "secretString"},
            {"name": "FIRST", "value": "a \"b\"\n\u{0}\u{1f980}"}]),
        )
        .await;
        let list = app.get(path).await.json();
        assert_eq!(list["_totalNumberOfItems"], 2);
        assert_eq!(list["_links"]["self"]["href"], path);
        let second = json!({"name": "SECOND", "type": "secretString", "status": "ready"});
        let first = |value: &str| json!({"name": "FIRST", "value": value, "type": "string", "status": "ready"});
        assert_eq!(
            list["_embedded"]["variables"],
            json!([first("a \"b\"\n\u{0}\u{1f980}"), second])
        );
        set(&app, path, &json!([{"name": "FIRST", "value": "c", "type": "string"}])).await;
        assert_eq!(variables(&app, path).await, json!([first("c"), second]));
        set(
            &app,
            path,
            &json!([{"name": "FIRST", "value": "", "type": "secretString"},
            {"name": "SECOND"}, {"name": "NEVER_THERE", "value": null}]),
        )
        .await;
        assert_eq!(variables(&app, path).await, json!([]));
    }
}

#[tokio::test]
async fn a_variable_is_identified_by_name_and_service() {
    let app = TestApp::new().await;
    set(
        &app,
        ENVIRONMENT,
        &json!([{"name": "LEVEL", "value": "all"},
        {"name": "LEVEL", "value": "a", "service": "author"},
        {"name": "LEVEL", "value": "p", "service": "publish", "type": "secretString"},
        {"name": "LEVEL", "value": "v", "service": "preview"}]),
    )
    .await;
    set(
        &app,
        ENVIRONMENT,
        &json!([{"name": "LEVEL", "service": "author"},
        {"name": "LEVEL", "value": "every", "service": ""}]),
    )
    .await;
    assert_eq!(
        variables(&app, ENVIRONMENT).await,
        json!([{"name": "LEVEL", "value": "every", "type": "string", "status": "ready"},
            {"name": "LEVEL", "value": "v", "type": "string", "service": "preview", "status": "ready"},
            {"name": "LEVEL", "type": "secretString", "service": "publish", "status": "ready"}])
    );
    let other =
        app.patch(ENVIRONMENT, &json!([{"name": "NAME", "value": "x", "service": "build"}])).await;
    assert_eq!(
        mistakes(&other),
        [("[0].service".into(), "must be one of author, publish, preview".into(), json!("build"))]
    );
    set(
        &app,
        PIPELINE,
        &json!([{"name": "NAME", "value": "x", "service": "build"},
        {"name": "NAME", "value": "y", "service": "uiTest"}]),
    )
    .await;
    assert_eq!(variables(&app, PIPELINE).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn names_are_checked() {
    let app = TestApp::new().await;
    for name in ["_a", "A_1", "aB", "__", &"n".repeat(100)] {
        set(&app, PIPELINE, &json!([{"name": name, "value": "x"}])).await;
    }
    for name in ["", "a", "1a", "a-b", "a b", "ä_b", "a\n", "a\u{0}", "a.b", &"n".repeat(101)] {
        for value in [json!("x"), Value::Null] {
            let body = json!([{"name": name, "value": value}]);
            assert_eq!(fields(&app.patch(PIPELINE, &body).await), ["[0].name"], "{name:?}");
        }
    }
    assert_eq!(variables(&app, PIPELINE).await.as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn values_have_a_longest_length_in_characters() {
    let app = TestApp::new().await;
    for (kind, longest) in [("string", 2048), ("secretString", 500)] {
        let entry = |length| json!([{"name": kind, "type": kind, "value": "ü".repeat(length)}]);
        set(&app, ENVIRONMENT, &entry(longest)).await;
        let answer = app.patch(ENVIRONMENT, &entry(longest + 1)).await;
        assert_eq!(
            answer.errors(),
            format!("[0].value: must not be longer than {longest} characters")
        );
        assert_eq!(answer.text().contains('ü'), kind == "string", "a secret is not told back");
    }
    // Without a type, it is what it was.
    let answer =
        app.patch(ENVIRONMENT, &json!([{"name": "secretString", "value": "ü".repeat(501)}])).await;
    assert_eq!(mistakes(&answer)[0].2, "****");
}

#[tokio::test]
async fn the_type_of_a_variable_stays() {
    let app = TestApp::new().await;
    set(
        &app,
        PIPELINE,
        &json!([{"name": "AA", "value": "x"},
        {"name": "BB", "value": SECRET, "type": "secretString"}]),
    )
    .await;
    let other = json!([{"name": "AA", "value": SECRET, "type": "secretString"},
        {"name": "BB", "value": "x", "type": "string"}]);
    let answer = app.patch(PIPELINE, &other).await;
    assert!(!answer.text().contains(SECRET));
    let message = "the type of a variable can't be changed; delete the variable first";
    assert_eq!(
        mistakes(&answer),
        [
            ("[0].type".into(), message.into(), json!("secretString")),
            ("[1].type".into(), message.into(), json!("string"))
        ]
    );
    // Deleted, it can come back as something else.
    set(&app, PIPELINE, &json!([{"name": "AA"}])).await;
    set(&app, PIPELINE, &json!([{"name": "AA", "value": SECRET, "type": "secretString"}])).await;
    assert_eq!(variables(&app, PIPELINE).await[0]["type"], "secretString");
}

#[tokio::test]
async fn every_mistake_is_listed_and_nothing_is_changed() {
    let app = TestApp::new().await;
    set(&app, ENVIRONMENT, &json!([{"name": "KEPT", "value": "x"}])).await;
    let answer = app
        .patch(
            ENVIRONMENT,
            &json!([{"name": "GOOD", "value": "x"}, {"name": "KEPT"},
            {"name": "1st", "value": "y".repeat(3000), "service": "moon"},
            {"name": "TWICE", "value": "x"}, {"name": "TWICE", "value": "y"}]),
        )
        .await;
    assert_eq!(fields(&answer), ["[2].name", "[2].service", "[2].value", "[4].name"]);
    assert_eq!(mistakes(&answer)[2].2.as_str().unwrap().chars().count(), 201, "shortened");
    let kept = json!([{"name": "KEPT", "value": "x", "type": "string", "status": "ready"}]);
    assert_eq!(variables(&app, ENVIRONMENT).await, kept);
}

#[tokio::test]
async fn there_are_at_most_200() {
    let app = TestApp::new().await;
    let many = |count: usize| (0..count).map(|n| json!({"name": format!("N{n}"), "value": "x"}));
    let answer = app.patch(PIPELINE, &many(201).collect()).await;
    assert_eq!(
        mistakes(&answer),
        [(String::new(), "there can't be more than 200 variables".into(), json!(201))]
    );
    set(&app, PIPELINE, &many(200).collect()).await;
    let one_more = json!([{"name": "ONE_MORE", "value": "x"}]);
    assert_eq!(app.patch(PIPELINE, &one_more).await.status, StatusCode::BAD_REQUEST);
    // One comes and one goes; what is there already can change.
    set(&app, PIPELINE, &json!([{"name": "N7"}, {"name": "ONE_MORE", "value": "x"}])).await;
    set(&app, PIPELINE, &json!([{"name": "N8", "value": "y"}])).await;
    assert_eq!(app.get(PIPELINE).await.json()["_totalNumberOfItems"], 200);
}

#[tokio::test]
async fn bodies_of_another_shape_are_refused() {
    let app = TestApp::new().await;
    for (body, field) in [
        ("", ""),
        ("{}", ""),
        ("null", ""),
        ("[null]", "[0]"),
        ("[[]]", "[0]"),
        (r#"[{"value":"x"}]"#, "[0].name"),
        (r#"[{"name":null,"value":"x"}]"#, "[0].name"),
        (r#"[{"name":5,"value":"x"}]"#, "[0].name"),
        (r#"[{"name":"AA","value":1e999}]"#, ""),
        (r#"[{"name":"AA","value":["x"]}]"#, "[0].value"),
        (r#"[{"name":"AA","value":"x"},{"name":"BB","value":"x","type":"secret"}]"#, "[1].type"),
        (r#"[{"name":"AA","value":"x","service":7}]"#, "[0].service"),
    ] {
        let answer = app.request(Method::PATCH, PIPELINE, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        if !field.is_empty() {
            assert_eq!(fields(&answer), [field], "{body}");
        }
    }
    let unknown = r#"[{"name":"AA","value":"x","type":"secret"}]"#;
    let answer = app.request(Method::PATCH, PIPELINE, unknown).await;
    assert_eq!(mistakes(&answer)[0].2, "secret", "{answer:?}");
    set(&app, PIPELINE, &json!([])).await;
    assert_eq!(variables(&app, PIPELINE).await, json!([]));
    for path in ["/api/program/4/pipeline/99/variables", "/api/program/4/environment/1/variables"] {
        assert_eq!(app.patch(path, &json!([])).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_secret_is_in_no_file_and_no_answer() {
    let app = TestApp::immediate().await;
    let body = json!([{"name": "TOKEN", "value": SECRET, "type": "secretString"},
        {"name": "PLAIN", "value": "to-be-found"}]);
    set(&app, PIPELINE, &body).await;
    set(&app, ENVIRONMENT, &body).await;
    let execution = app.start(CODE_QUALITY).await;
    let log = app.log(&execution, "build").await;
    assert!(log.contains("[INFO]   TOKEN=****\n") && log.contains("[INFO]   PLAIN=to-be-found\n"));
    let mut answers = log;
    for path in [PIPELINE, ENVIRONMENT, CODE_QUALITY, &execution] {
        answers += &app.get(path).await.text();
    }
    for refused in [
        json!({"variables": [{"name": "A", "value": SECRET, "type": "secretString"}],
            "clientSecret": SECRET}),
        json!({"variables": [["A", SECRET]]}),
        json!({"phases": [{"type": "BUILD", "name": "BUILD_1", "password": SECRET}]}),
    ] {
        let answer = app.patch(CODE_QUALITY, &refused).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
        answers += &answer.text();
    }
    assert!(!answers.contains(SECRET));

    let files = |app: &TestApp| {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(app.directory()).unwrap() {
            files.extend(std::fs::read(entry.unwrap().path()).unwrap());
        }
        files
    };
    let holds =
        |files: &[u8], text: &str| files.windows(text.len()).any(|at| at == text.as_bytes());
    assert!(app.directory().join("cloudmanager.db-wal").exists());
    let (open, app) = (files(&app), app.restarted().await);
    for files in [open, files(&app)] {
        assert!(holds(&files, "to-be-found"));
        assert!(!holds(&files, SECRET));
    }
    let names = json!([{"name": "PLAIN", "value": "to-be-found", "type": "string", "status": "ready"},
        {"name": "TOKEN", "type": "secretString", "status": "ready"}]);
    assert_eq!(variables(&app, PIPELINE).await, names);
    assert_eq!(variables(&app, ENVIRONMENT).await, names);
}

#[cfg(unix)]
#[tokio::test]
async fn the_key_is_for_the_owner_alone_and_made_with_the_first_secret() {
    use std::os::unix::fs::PermissionsExt;

    let app = TestApp::new().await;
    set(&app, PIPELINE, &json!([{"name": "PLAIN", "value": "x"}])).await;
    let key = app.directory().join("cloudmanager.db.key");
    assert!(!key.exists());
    set(&app, PIPELINE, &json!([{"name": "AA", "value": SECRET, "type": "secretString"}])).await;
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn with_another_key_secrets_are_listed_and_can_be_set_again() {
    let app = TestApp::new().await;
    let secret = json!([{"name": "AA", "value": SECRET, "type": "secretString"}]);
    set(&app, PIPELINE, &secret).await;
    let other = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=".parse().unwrap();
    let app = app.restarted_with(Some(other)).await;
    let listed = json!([{"name": "AA", "type": "secretString", "status": "ready"}]);
    assert_eq!(variables(&app, PIPELINE).await, listed);
    set(&app, PIPELINE, &secret).await;
    assert_eq!(variables(&app, PIPELINE).await, listed);
}

#[tokio::test]
async fn any_text_is_kept_as_it_is_across_restarts() {
    let app = TestApp::new().await;
    let values = [
        "\u{0}",
        "a\u{0}b",
        "\r\n\t",
        "\u{7f}\u{1b}[31m",
        "'; DROP TABLE variables; --",
        "null",
        "\u{202e}\u{feff}",
        " ",
        "{\"a\":1}",
        "\\u0000",
        "0",
        "1e400",
    ];
    let names = |index| format!("N{index:02}");
    let body = values
        .iter()
        .enumerate()
        .map(|(index, value)| json!({"name": names(index), "value": value}));
    set(&app, PIPELINE, &body.collect()).await;
    let app = app.restarted().await;
    let shown = variables(&app, PIPELINE).await;
    for (index, value) in values.iter().enumerate() {
        assert_eq!(shown[index]["name"], names(index));
        assert_eq!(shown[index]["value"], *value, "{value:?}");
    }
}

#[tokio::test]
async fn a_seed_has_variables_of_pipelines_and_environments() {
    let demo = include_str!("../../../src/seed/demo.yaml");
    let variables_of = "variables: [{ name: AA, value: plain }, \
        { name: BB, value: correct-horse-battery-staple, type: secretString }]";
    let environment = "name: weretail-global-b75-dev, type: dev,";
    let pipeline = "        name: Code quality\n";
    let text = demo
        .replace(environment, &format!("{environment} {variables_of},"))
        .replace(pipeline, &format!("{pipeline}        {variables_of}\n"));
    let app = TestApp::with(Pace::Quick, seed::read(&text).unwrap()).await;
    let listed = json!([{"name": "AA", "value": "plain", "type": "string", "status": "ready"},
        {"name": "BB", "type": "secretString", "status": "ready"}]);
    assert_eq!(variables(&app, PIPELINE).await, listed);
    assert_eq!(variables(&app, ENVIRONMENT).await, listed);
    let database = std::fs::read(app.closed().await.path().join("cloudmanager.db")).unwrap();
    assert!(!database.windows(SECRET.len()).any(|at| at == SECRET.as_bytes()));
}

#[tokio::test]
async fn values_that_are_no_texts_are_refused_without_being_told() {
    let app = TestApp::new().await;
    let path = "/api/program/4/pipeline/1/variables";
    for value in [json!(1_234_567), json!(["s3cret"]), json!({"s3cret": 1}), json!(true)] {
        let body = json!([
            {"name": "OTHER", "value": "x"},
            {"name": "PASSWORD", "type": "secretString", "value": value},
        ]);
        let answer = app.patch(path, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.errors(), "[1].value: must be a string");
        assert!(!answer.text().contains("s3cret") && !answer.text().contains("1234567"));
    }
    assert_eq!(app.get(path).await.json()["_totalNumberOfItems"], 0);
}
