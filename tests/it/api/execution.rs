//! `…/execution`, `…/execution/{id}`, `…/phase/{id}/step/{id}`

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::app::{CODE_QUALITY, PRODUCTION, TestApp, rels};

#[tokio::test]
async fn a_finished_production_deployment_is_shown_as_documented() {
    let app = TestApp::immediate().await;
    let execution = app.start(PRODUCTION).await;
    app.accept(&execution, "prod approval", "pipeline/advance", &json!({"approved": true})).await;
    let shown = app.execution(&execution).await;
    insta::assert_json_snapshot!(shown.step("prod deploy"));
    // Each step state answers alone, the same.
    for step in shown.steps() {
        let alone = app.get(step["_links"]["self"]["href"].as_str().unwrap()).await;
        assert_eq!(alone.json(), *step);
    }
}

#[tokio::test]
async fn an_execution_is_shown_with_its_step_states() {
    let app = TestApp::new().await;
    let execution = app.start(CODE_QUALITY).await;
    app.advance("PT2S").await;
    insta::assert_json_snapshot!(app.execution(&execution).await.0);
}

#[tokio::test]
async fn links_are_there_while_their_action_is_possible() {
    let app = TestApp::new().await;
    let always =
        ["rel/execution", "rel/pipeline", "rel/program"].map(|rel| rel.replace("rel/", ""));
    let links = |step: &Value| -> Vec<String> {
        rels(step).into_iter().filter(|rel| !always.contains(rel) && rel != "self").collect()
    };
    let execution = app.start(PRODUCTION).await;
    let mut seen: Vec<(String, String, Vec<String>)> = Vec::new();
    for _ in 0..60 {
        for step in app.execution(&execution).await.steps() {
            let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
            let environment = text("environmentType");
            let name = format!("{environment} {}", text("action")).trim().to_owned();
            let entry = (name, text("status"), links(step));
            if !seen.contains(&entry) {
                seen.push(entry);
            }
        }
        let shown = app.execution(&execution).await;
        if shown.link("prod approval", "pipeline/advance").is_some() {
            let yes = json!({"approved": true});
            app.accept(&execution, "prod approval", "pipeline/advance", &yes).await;
        } else {
            app.advance("PT0.5S").await;
        }
    }
    assert_eq!(app.execution(&execution).await.status(), "FINISHED");
    seen.sort();
    insta::assert_json_snapshot!(seen);
}

#[tokio::test]
async fn the_current_execution_is_the_one_that_is_not_over() {
    let app = TestApp::new().await;
    let current = format!("{CODE_QUALITY}/execution");
    assert_eq!(app.get(&current).await.status, StatusCode::NOT_FOUND);
    let execution = app.start(CODE_QUALITY).await;
    let shown = app.get(&current).await;
    assert_eq!(shown.json(), app.execution(&execution).await.0);
    app.advance("PT9S").await;
    assert_eq!(app.get(&current).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.execution(&execution).await.status(), "FINISHED");
}

#[tokio::test]
async fn what_the_path_names_must_be_there() {
    let app = TestApp::new().await;
    let execution = app.start(PRODUCTION).await;
    let other = app.start("/api/program/4/pipeline/2").await;
    let step = app.execution(&execution).await.step("build").clone();
    let step_of_other = app.execution(&other).await.step("build").clone();
    let text = |step: &Value, name: &str| step[name].as_str().unwrap().to_owned();
    let (phase, id) = (text(&step, "phaseId"), text(&step, "stepId"));
    let (other_phase, other_id) = (text(&step_of_other, "phaseId"), text(&step_of_other, "stepId"));
    for path in [
        "/api/program/4/pipeline/2/execution/953671".to_owned(),
        "/api/program/5/pipeline/7/execution/953671".to_owned(),
        "/api/program/4/pipeline/1/execution/953670".to_owned(),
        "/api/program/4/pipeline/1/execution/0953671".to_owned(),
        "/api/program/4/pipeline/1/execution/x".to_owned(),
        "/api/program/4/pipeline/1/execution/%ff".to_owned(),
        "/api/program/4/pipeline/1/execution/%00".to_owned(),
        "/api/program/04/pipeline/1/execution/953671".to_owned(),
        format!("{execution}/phase/{other_phase}/step/{id}"),
        format!("{execution}/phase/{phase}/step/{other_id}"),
        format!("{execution}/phase/{phase}/step/-1"),
        format!("{execution}/phase/99999999999999999999/step/{id}"),
    ] {
        let answer = app.get(&path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}

#[tokio::test]
async fn an_execution_read_again_is_up_to_date() {
    let app = TestApp::new().await;
    let execution = app.start(PRODUCTION).await;
    let mut bodies = Vec::new();
    for _ in 0..10 {
        for _ in 0..2 {
            bodies.push(app.get(&execution).await.bytes);
        }
        app.advance("PT1.5S").await;
    }
    bodies.dedup();
    // Four steps, and what the stage deployment has performed.
    assert_eq!(bodies.len(), 6, "each change is seen, and nothing else");
}

#[tokio::test]
async fn a_validation_that_fails_says_what_is_missing() {
    let text = r#"
tenants: [{ id: "1", imsOrgId: 1234567890ABCDEF12345678@AdobeOrg, imsTenantId: t }]
programs:
  - id: "4"
    tenantId: "1"
    name: P
    environments: [{ id: "1", name: my-dev, type: dev, status: updating }]
    repositories: [{ id: "1", repo: code, branches: { main: abc } }]
    pipelines:
      - id: "1"
        name: P
        phases:
          - { type: VALIDATE }
          - { type: BUILD, repositoryId: "1", branch: mian }
          - { type: DEPLOY, environmentId: "1" }
"#;
    let seed = cloudmanager_emulator::seed::read(text).unwrap();
    let app = TestApp::with(cloudmanager_emulator::domain::pace::Pace::Immediate, seed).await;
    let execution = app.start("/api/program/4/pipeline/1").await;
    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "FAILED");
    assert_eq!(shown.progress(), ["validate:FAILED"]);
    assert_eq!(
        shown.step("validate")["details"]["message"],
        "mian does not exist in the repository code. The environment my-dev is not ready."
    );
}
