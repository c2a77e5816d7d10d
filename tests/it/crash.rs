//! The real process is killed again and again under load. Whatever it has answered is there
//! afterwards, and everything goes on as if nothing had happened.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use cloudmanager_emulator::domain::time::{Duration, Timestamp};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

use crate::app::{Execution, ORGANISATION, link};
use crate::process::{Running, start};

/// How often the process is killed.
const KILLS: usize = 25;

/// How many callers there are at a time.
const CALLERS: usize = 8;

const PIPELINES: u32 = 12;

/// Production pipelines that wait for approvals, schedules and oversight.
fn seed() -> String {
    let steps =
        |names: &[&str]| names.iter().map(|name| json!({ "name": name })).collect::<Value>();
    let pipelines: Vec<_> = (1..=PIPELINES)
        .map(|id| {
            json!({"id": id.to_string(), "name": format!("Pipeline {id}"), "phases": [
                {"type": "VALIDATE"},
                {"type": "BUILD", "repositoryId": "1", "branch": "main"},
                {"type": "DEPLOY", "environmentId": "1",
                    "steps": steps(&["deploy", "approval", "securityTest", "loadTest"])},
                {"type": "DEPLOY", "environmentId": "2",
                    "steps": steps(&["approval", "schedule", "managed", "deploy"])},
            ]})
        })
        .collect();
    json!({
        "tenants": [{"id": "1", "imsOrgId": ORGANISATION, "imsTenantId": "t"}],
        "programs": [{"id": "4", "tenantId": "1", "name": "P", "emergencyMode": true,
            "environments": [
                {"id": "1", "name": "stage", "type": "stage"},
                {"id": "2", "name": "prod", "type": "prod"},
            ],
            "repositories": [{"id": "1", "repo": "code", "branches": {"main": "abc"}}],
            "pipelines": pipelines}],
    })
    .to_string()
}

/// What the process has answered: it must never be lost.
#[derive(Default)]
struct Answered {
    /// Executions as they were created, by path.
    started: BTreeMap<String, Value>,
    /// Accepted answers to steps, the last of each step, by the step's path.
    inputs: BTreeMap<String, Value>,
}

struct Caller {
    client: Client,
    url: String,
    random: fastrand::Rng,
    answered: Arc<Mutex<Answered>>,
    /// Counts answers; the process is killed when it comes to zero.
    until_the_kill: Arc<AtomicUsize>,
}

impl Caller {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.url))
            .header("x-gw-ims-org-id", ORGANISATION)
            .header("x-api-key", "ci")
            .bearer_auth("token")
    }

    async fn get(&self, path: &str) -> reqwest::Result<Option<Value>> {
        let response = self.request(Method::GET, path).send().await?;
        assert!([200, 404].contains(&response.status().as_u16()), "{path}: {response:?}");
        Ok(if response.status() == 200 { Some(response.json().await?) } else { None })
    }

    /// Acts until the process is killed.
    async fn call_until_killed(mut self) {
        while self.act().await.is_ok() {
            let left = self.until_the_kill.fetch_sub(1, Ordering::SeqCst);
            if left <= 1 {
                // Others may still be waiting for their answers.
                self.until_the_kill.store(0, Ordering::SeqCst);
                return;
            }
        }
    }

    /// Does one thing that makes sense for a pipeline as it is now.
    async fn act(&mut self) -> reqwest::Result<()> {
        if self.random.u8(..10) == 0 {
            let by = json!({"by": format!("PT{}S", self.random.u32(..20))}).to_string();
            let path = "/_emulator/clock/advance";
            let response = self.request(Method::POST, path).body(by).send().await?;
            assert_eq!(response.status(), 200);
            return Ok(());
        }
        let pipeline = format!("/api/program/4/pipeline/{}", self.random.u32(1..=PIPELINES));
        match self.get(&format!("{pipeline}/execution")).await? {
            Some(current) => self.answer(&current).await,
            None => self.start(&pipeline).await,
        }
    }

    async fn start(&mut self, pipeline: &str) -> reqwest::Result<()> {
        let list = self.get(&format!("{pipeline}/executions?limit=1")).await?.unwrap();
        let newest = list["_embedded"]["executions"].get(0).cloned();
        let again = newest.and_then(|newest| {
            Execution(newest).steps().iter().find_map(|step| link(step, "pipeline/reExecute"))
        });
        let path = match again {
            Some(href) if self.random.bool() => href,
            _ if self.random.bool() => {
                format!("{pipeline}/execution?pipelineExecutionMode=EMERGENCY")
            }
            _ => format!("{pipeline}/execution"),
        };
        let response = self.request(Method::PUT, &path).send().await?;
        let status = response.status().as_u16();
        // Somebody else may have been quicker: the pipeline is busy, or the step is of the past.
        assert!([201, 412, 400].contains(&status), "{path}: {response:?}");
        if status == 201 {
            let created: Value = response.json().await?;
            let path = link(&created, "self").unwrap();
            self.answered.lock().unwrap().started.insert(path, created);
        }
        Ok(())
    }

    async fn answer(&mut self, execution: &Value) -> reqwest::Result<()> {
        let steps = execution["_embedded"]["stepStates"].as_array().unwrap();
        let waiting = steps.iter().find(|step| step["status"] == "WAITING");
        let running = steps.iter().find(|step| link(step, "pipeline/cancel").is_some());
        let (step, rel, body) = match (waiting, running) {
            (Some(step), _) => {
                let yes = self.random.u8(..6) > 0;
                let rel = if yes { "pipeline/advance" } else { "pipeline/cancel" };
                let body = match step["action"].as_str().unwrap() {
                    "approval" => json!({ "approved": yes }),
                    "managed" => json!({ "start": yes }),
                    _ if yes => json!({"type": "IMMEDIATE"}),
                    _ => json!({"cancel": true}),
                };
                (step, rel, body)
            }
            (None, Some(step)) if self.random.u8(..6) == 0 => {
                (step, "pipeline/cancel", json!({"cancel": true}))
            }
            _ => return Ok(()),
        };
        let href = link(step, rel).unwrap();
        let response = self.request(Method::PUT, &href).body(body.to_string()).send().await?;
        let status = response.status().as_u16();
        assert!([202, 404].contains(&status), "{href}: {response:?}");
        if status == 202 {
            let path = link(step, "self").unwrap();
            self.answered.lock().unwrap().inputs.insert(path, body);
        }
        Ok(())
    }
}

fn started(directory: &Path, clock_rate: &str) -> Running {
    start(directory, &["--seed", "seed.yaml", "--clock-rate", clock_rate])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_answered_is_lost_when_the_process_is_killed() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("seed.yaml"), seed()).unwrap();
    let answered = Arc::new(Mutex::new(Answered::default()));
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..KILLS {
        let running = started(directory.path(), "20");
        let until_the_kill = Arc::new(AtomicUsize::new(random.usize(20..120)));
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let caller = Caller {
                    client: Client::new(),
                    url: running.url.clone(),
                    random: random.fork(),
                    answered: answered.clone(),
                    until_the_kill: until_the_kill.clone(),
                };
                tokio::spawn(caller.call_until_killed())
            })
            .collect();
        // The first caller to be done means that the moment has come; the others are at work.
        let (first, _, others) = futures_util::future::select_all(callers).await;
        first.unwrap();
        running.kill();
        for caller in others {
            caller.await.unwrap();
        }
    }
    let running = started(directory.path(), "0");
    let answered = Arc::into_inner(answered).unwrap().into_inner().unwrap();
    check_everything(&running.url, &answered).await;
    running.stop("-TERM");
    check_integrity(&directory.path().join("cloudmanager.db")).await;
}

async fn check_everything(url: &str, answered: &Answered) {
    let caller = Caller {
        client: Client::new(),
        url: url.to_owned(),
        random: fastrand::Rng::with_seed(1),
        answered: Arc::default(),
        until_the_kill: Arc::default(),
    };
    // Whoever waits, waits no longer than this for each of the four answers.
    let month = json!({"by": "P60D"}).to_string();
    let moved = caller.request(Method::POST, "/_emulator/clock/advance").body(month).send().await;
    assert_eq!(moved.unwrap().status(), 200);

    let mut executions = BTreeMap::new();
    for pipeline in 1..=PIPELINES {
        let path = format!("/api/program/4/pipeline/{pipeline}");
        let pipeline = caller.get(&path).await.unwrap().unwrap();
        assert_eq!(pipeline["status"], "IDLE", "no pipeline stays busy for ever");
        let mut next = Some(format!("{path}/executions?limit=100"));
        let mut later: Option<String> = None;
        while let Some(page) = next {
            let list = caller.get(&page).await.unwrap().unwrap();
            for execution in list["_embedded"]["executions"].as_array().unwrap() {
                // Newest first: none began before the one before it had ended.
                let ended = execution["finishedAt"].as_str().expect("every execution ends");
                assert!(later.is_none_or(|later| ended <= later.as_str()), "{path}");
                later = Some(execution["createdAt"].as_str().unwrap().to_owned());
                executions.insert(link(execution, "self").unwrap(), execution.clone());
            }
            next = link(&list, "next");
        }
    }
    assert!(answered.started.len() > KILLS, "there was some load: {}", answered.started.len());
    assert!(answered.inputs.len() > KILLS, "there was some load: {}", answered.inputs.len());
    for (path, created) in &answered.started {
        let found = executions.get(path).unwrap_or_else(|| panic!("{path} is lost"));
        for field in ["id", "createdAt", "trigger", "pipelineExecutionMode", "user"] {
            assert_eq!(found[field], created[field], "{path}");
        }
    }
    let steps: BTreeMap<_, _> = executions
        .values()
        .flat_map(|execution| execution["_embedded"]["stepStates"].as_array().unwrap())
        .map(|step| (link(step, "self").unwrap(), step))
        .collect();
    for (path, input) in &answered.inputs {
        assert_eq!(steps[path]["details"]["input"], *input, "{path}");
    }
    executions.values().for_each(check_times);
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str().map(|text| Timestamp::parse(text).unwrap())
}

/// Each step began when the one before it ended, and its work took as long as it takes.
fn check_times(execution: &Value) {
    let execution = Execution(execution.clone());
    let re_executed = execution.0["trigger"] == "RE_EXECUTE";
    let mut ended = time(&execution.0["createdAt"]);
    for step in execution.steps() {
        let action = step["action"].as_str().unwrap();
        if step["status"] == "NOT_STARTED" {
            continue;
        }
        let (began, finished) = (ended, time(&step["finishedAt"]));
        if action != "codeQuality" {
            assert_eq!(time(&step["startedAt"]), began, "{step}");
        }
        ended = finished;
        let took = finished.unwrap().since(began.unwrap());
        let usual = match (action, step["environmentType"].as_str()) {
            ("validate" | "securityTest" | "reportPerformanceTest", _) => 1000,
            ("build", _) if step["details"]["message"].is_string() => 500,
            ("build", _) if re_executed => panic!("re-executions copy: {step}"),
            ("build", _) => 5000,
            ("codeQuality", _) => 3000,
            ("deploy", Some("stage")) | ("loadTest", _) => 4000,
            ("deploy", _) => 6000,
            // These wait; if for nothing, then for exactly as long as they may.
            (_, environment) if step["details"]["timedOut"] == true => {
                let days = if environment == Some("stage") { 7 } else { 14 };
                assert_eq!(took, Duration::from_days(days), "{step}");
                continue;
            }
            _ => continue,
        };
        if step["status"] == "FINISHED" {
            assert_eq!(took, Duration::from_millis(usual), "{step}");
        } else {
            assert_eq!(step["status"], "CANCELLED", "{step}");
            assert!(took <= Duration::from_millis(usual), "{step}");
        }
    }
    let finished = time(&execution.0["finishedAt"]).unwrap();
    let stopped = execution.steps().iter().any(|step| step["details"]["input"]["cancel"] == true);
    let waited = execution
        .steps()
        .iter()
        .any(|step| step["action"] == "schedule" && step["status"] == "CANCELLED");
    let cancelling = i64::from(stopped && !waited);
    assert_eq!(
        finished.since(ended.unwrap()),
        Duration::from_secs(cancelling),
        "{:#}",
        execution.0
    );
}

async fn check_integrity(database: &Path) {
    let url = format!("sqlite://{}?mode=ro", database.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let found: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap();
    assert_eq!(found, "ok");
    let running: i64 =
        sqlx::query_scalar("SELECT count(*) FROM executions WHERE finished_at IS NULL")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert_eq!(running, 0);
}
