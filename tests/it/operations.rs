//! Each operation of openapi.yaml succeeds once; the details are tested elsewhere.

use std::collections::BTreeSet;

use axum::body::Body;
use serde_json::json;

use crate::app::{
    Answer, CODE_QUALITY, FORM, OVERSEEN, PRODUCTION, TestApp, link, path_of, signed,
};
use crate::description::{self, find_operation};
use crate::git;

const DEV: &str = "/api/program/4/pipeline/2";

const ENVIRONMENT: &str = "/api/program/4/environment/59252";

/// An emulator, and the operations that have been called.
struct Caller {
    app: TestApp,
    called: BTreeSet<String>,
}

impl Caller {
    /// Calls an operation, which must answer with a status that says that it has succeeded.
    async fn call(&mut self, id: &str, path: &str, body: impl Into<Body>) -> Answer {
        self.send(id, path, "application/json", body.into()).await
    }

    /// The same with a form.
    async fn call_with_form(&mut self, id: &str, path: &str, form: &'static str) -> Answer {
        self.send(id, path, FORM, form.into()).await
    }

    async fn send(&mut self, id: &str, path: &str, content_type: &str, body: Body) -> Answer {
        let method = description::method_of(id);
        let (resource, _) = path.split_once('?').unwrap_or((path, ""));
        let operation = find_operation(&method, resource);
        let found = operation.and_then(|it| it["operationId"].as_str());
        assert_eq!(found, Some(id), "{method} {path} is for another operation");
        let request = signed(method, path).header("content-type", content_type);
        let answer = self.app.send(request.body(body).unwrap()).await;
        assert!(answer.status.is_success(), "{id}: {}: {}", answer.status, answer.text());
        assert!(self.called.insert(id.to_owned()), "{id} is called twice");
        answer
    }
}

#[tokio::test]
async fn every_operation_succeeds() {
    let mut caller = Caller { app: TestApp::new().await, called: BTreeSet::new() };
    call_what_is_defined(&mut caller).await;
    call_executions(&mut caller).await;
    call_environments(&mut caller).await;
    call_ims(&mut caller).await;
    call_clock_and_scenarios(&mut caller).await;
    call_events(&mut caller).await;
    call_traffic(&mut caller).await;
    call_state(&mut caller).await;
    call_git(&mut caller).await;
    call_deletions(&mut caller).await;
    let all = description::operation_ids();
    let left_out: Vec<_> = all.difference(&caller.called).collect();
    assert!(left_out.is_empty(), "these are not called here: {left_out:?}");
}

async fn call_what_is_defined(caller: &mut Caller) {
    caller.call("getTenants", "/api/tenants", "").await;
    caller.call("getTenant", "/api/tenant/1", "").await;
    caller.call("getProgramsForTenant", "/api/tenant/1/programs", "").await;
    caller.call("getPrograms", "/api/programs", "").await;
    caller.call("getProgram", "/api/program/4", "").await;
    caller.call("getProgramSettings", "/_emulator/program/4", "").await;
    caller.call("patchProgram", "/_emulator/program/4", r#"{"emergencyMode":true}"#).await;
    let environment = ENVIRONMENT.replace("/api/", "/_emulator/");
    caller.call("patchEnvironment", &environment, r#"{"status":"ready"}"#).await;
    caller.call("getInstances", &format!("{environment}/instances"), "").await;
    caller.call("getProgramRegions", "/api/program/4/regions", "").await;
    caller.call("getRepositories", "/api/program/4/repositories", "").await;
    caller.call("getRepository", "/api/program/4/repository/1", "").await;
    caller.call("getBranches", "/api/program/4/repository/1/branches", "").await;
    let commits = "/_emulator/program/4/repository/1/branch/main/commits";
    caller.call("postCommit", commits, "{}").await;
    caller.call("getHeads", "/_emulator/program/4/repository/1/heads", "").await;
    let artifacts = "/_emulator/program/4/repository/1/commit/c0ffee/artifacts";
    let artifact = format!("{artifacts}/acme.zip");
    let zip = include_bytes!("fixtures/artifacts/java.zip").as_slice();
    caller.call("putArtifact", &artifact, zip).await;
    caller.call("getArtifacts", artifacts, "").await;
    caller.call("deleteArtifact", &artifact, "").await;
    let pipeline = json!({"id": "11", "name": "New", "phases": [{"type": "VALIDATE"},
        {"type": "BUILD", "repositoryId": "1", "branch": "main"}]});
    caller.call("postPipeline", "/_emulator/program/4/pipelines", pipeline.to_string()).await;
    caller.call("getPipelines", "/api/program/4/pipelines", "").await;
    caller.call("getPipeline", PRODUCTION, "").await;
    caller.call("patchPipeline", DEV, r#"{"phases":[]}"#).await;
    let variables = json!([{"name": "KEY", "value": "x", "type": "string"}]).to_string();
    let path = format!("{DEV}/variables");
    caller.call("patchPipelineVariables", &path, variables).await;
    caller.call("getPipelineVariables", &path, "").await;
    caller.call("invalidateCache", &format!("{DEV}/cache"), "").await;
}

async fn call_executions(caller: &mut Caller) {
    let started = caller.call("startPipeline", &format!("{PRODUCTION}/execution"), "").await.json();
    let path = link(&started, "self").unwrap();
    caller.call("getCurrentExecution", &format!("{PRODUCTION}/execution"), "").await;
    caller.app.advance("PT1M").await;
    caller.call("getExecution", &path, "").await;
    caller.call("getExecutions", &format!("{PRODUCTION}/executions"), "").await;
    let control = path.replace("/api/", "/_emulator/");
    caller.call("getProgramExecutions", "/_emulator/program/4/executions", "").await;
    caller.call("explainExecution", &format!("{control}/explain"), "").await;
    caller.call("waitForExecution", &format!("{control}/wait?for=WAITING"), "").await;

    let execution = caller.app.execution(&path).await;
    let step = execution.link("codeQuality", "self").unwrap();
    caller.call("stepState", &step, "").await;
    caller.call("stepMetric", &format!("{step}/metrics"), "").await;
    let list = caller.call("listStepArtifacts", &format!("{step}/artifacts"), "").await.json();
    let artifact = link(&list["_embedded"]["artifacts"][0], "self").unwrap();
    caller.call("getStepArtifact", &artifact, "").await;
    let log = caller.call("getStepLogs", &format!("{step}/logs"), "").await.json();
    let file = path_of(log["redirect"].as_str().unwrap()).to_owned();
    caller.call("downloadFile", &file, "").await;

    let href = execution.link("prod approval", "pipeline/advance").unwrap();
    caller.call("advancePipelineExecution", &href, r#"{"approved":true}"#).await;
    let other = caller.app.start(OVERSEEN).await;
    caller.app.advance("PT3S").await;
    let href = caller.app.execution(&other).await.link("build", "pipeline/cancel").unwrap();
    caller.call("cancelPipelineExecutionStep", &href, r#"{"cancel":true}"#).await;
}

async fn call_environments(caller: &mut Caller) {
    let environment = json!({"id": "60000", "name": "new-dev", "type": "dev"}).to_string();
    caller.call("postEnvironment", "/_emulator/program/4/environments", environment).await;
    caller.call("getEnvironments", "/api/program/4/environments", "").await;
    caller.call("getEnvironment", ENVIRONMENT, "").await;
    let logs = format!("{ENVIRONMENT}/logs?days=1");
    let logs = caller.call("getEnvironmentLogs", &logs, "").await.json();
    let log = link(&logs["_embedded"]["downloads"][0], "logs/download").unwrap();
    caller.call("downloadLogs", &log, "").await;
    let variables = json!([{"name": "KEY", "value": "x", "type": "string"}]).to_string();
    let path = format!("{ENVIRONMENT}/variables");
    caller.call("patchEnvironmentVariables", &path, variables).await;
    caller.call("getEnvironmentVariables", &path, "").await;
}

async fn call_ims(caller: &mut Caller) {
    let form = "grant_type=client_credentials&client_id=any&client_secret=thing";
    caller.call_with_form("getAccessToken", "/ims/token/v3", form).await;
    caller.call_with_form("getAccessTokenV2", "/ims/token/v2", form).await;
    caller.call_with_form("getAccessTokenV1", "/ims/token/v1", form).await;
    let form = "client_id=any&client_secret=thing&jwt_token=x";
    caller.call_with_form("exchangeJwt", "/ims/exchange/jwt", form).await;
    caller.call("getClients", "/_emulator/clients", "").await;
    caller.call("postClientToken", "/_emulator/clients/emulator/token", "").await;
    caller.call("getKeys", "/ims/keys", "").await;
    let path = caller.app.event_key_path().await;
    caller.call("getEventKey", &path, "").await;
    caller.call("getUserInfo", "/ims/userinfo/v2", "").await;
    caller.call("getProfile", "/ims/profile/v1", "").await;
    caller.call("getOrganizations", "/ims/organizations/v6", "").await;
    caller.call("validateToken", "/ims/validate_token/v1", "").await;
    caller.call_with_form("validateTokenByForm", "/ims/validate_token/v1", "").await;
    caller.call_with_form("invalidateToken", "/ims/invalidate_token/v2", "client_id=any").await;
}

async fn call_clock_and_scenarios(caller: &mut Caller) {
    caller.call("getClock", "/_emulator/clock", "").await;
    caller.call("putClock", "/_emulator/clock", r#"{"rate":0}"#).await;
    caller.call("advanceClock", "/_emulator/clock/advance", r#"{"by":"P1D"}"#).await;
    caller.call("getTimers", "/_emulator/timers", "").await;
    let pipeline = CODE_QUALITY.replace("/api/", "/_emulator/");
    let scenario = format!("{pipeline}/scenario");
    caller.call("putScenario", &scenario, r#"{"steps":[]}"#).await;
    caller.call("getScenario", &scenario, "").await;
    caller.call("deleteScenario", &scenario, "").await;
    caller.call("postHistory", &format!("{pipeline}/history"), r#"{"count":1}"#).await;
    caller.call("postPushUpdate", &format!("{pipeline}/push-update"), "").await;
    caller.app.advance("PT1M").await;
}

async fn call_events(caller: &mut Caller) {
    caller.call("getEvents", "/_emulator/events", "").await;
    // Nobody is asked for the challenge, and no delivery is made.
    let webhook = json!({"tenantId": "1", "clientId": "ci", "clientSecret": "s",
        "url": "http://127.0.0.1:9/", "events": ["all"]});
    let path = "/_emulator/webhooks?challenge=false";
    let added = caller.call("postWebhook", path, webhook.to_string()).await.json();
    caller.call("getWebhooks", "/_emulator/webhooks", "").await;
    // There is nothing to wait for.
    caller.call("waitForDeliveries", "/_emulator/deliveries/wait", "").await;
    caller.app.start(CODE_QUALITY).await;
    let list = caller.call("getDeliveries", "/_emulator/deliveries", "").await.json();
    let id = list["deliveries"][0]["id"].as_str().unwrap().to_owned();
    caller.call("redeliver", &format!("/_emulator/deliveries/{id}/redeliver"), "").await;
    let path = format!("/_emulator/webhooks/{}", added["id"].as_str().unwrap());
    caller.call("deleteWebhook", &path, "").await;
    caller.call("deleteWebhooks", "/_emulator/webhooks", "").await;
}

async fn call_traffic(caller: &mut Caller) {
    caller.call("getHealth", "/_emulator/health", "").await;
    caller.call("getInfo", "/_emulator/info", "").await;
    caller.call("getStatus", "/_emulator/status", "").await;
    caller.call("getDescription", "/openapi.yaml", "").await;
    caller.call("getMetrics", "/_emulator/metrics", "").await;
    caller.call("getRequests", "/_emulator/requests", "").await;
    caller.call("getRequestCount", "/_emulator/requests/count", "").await;
    caller.call("deleteRequests", "/_emulator/requests", "").await;
    let rule = json!({"operation": "getTenants", "status": 503}).to_string();
    let added = caller.call("postFault", "/_emulator/faults", rule).await.json();
    caller.call("getFaults", "/_emulator/faults", "").await;
    let path = format!("/_emulator/faults/{}", added["id"].as_str().unwrap());
    caller.call("deleteFault", &path, "").await;
    caller.call("deleteFaults", "/_emulator/faults", "").await;
}

async fn call_state(caller: &mut Caller) {
    let state = caller.call("getState", "/_emulator/state", "").await.bytes;
    caller.call("putState", "/_emulator/state", state).await;
    let seed = include_str!("../../src/seed/demo.yaml");
    caller.call("postSeed", "/_emulator/seed", seed).await;
    caller.call("reset", "/_emulator/reset", "{}").await;
}

async fn call_git(caller: &mut Caller) {
    let repository = "/git/weretail/weretail";
    let refs = format!("{repository}/info/refs?service=git-upload-pack");
    caller.call("getGitRefs", &refs, "").await;
    let (push, commit) = git::push_request("main");
    let media_type = "application/x-git-receive-pack-request";
    let path = format!("{repository}/git-receive-pack");
    caller.send("gitReceivePack", &path, media_type, push.into()).await;
    let fetch = format!("0032want {commit}\n00000009done\n");
    let media_type = "application/x-git-upload-pack-request";
    let path = format!("{repository}/git-upload-pack");
    caller.send("gitUploadPack", &path, media_type, fetch.into()).await;
}

async fn call_deletions(caller: &mut Caller) {
    caller.call("deletePipeline", DEV, "").await;
    caller.call("deleteEnvironment", ENVIRONMENT, "").await;
    caller.call("deleteProgram", "/api/program/4", "").await;
}
