//! The real process is killed again and again under load, also while its disk is full. What it has
//! answered is there afterwards, and everything goes on as if nothing had happened.

mod caller;
mod changes;
mod checker;
mod history;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use self::caller::{Answered, Caller, Disk, PIPELINES, Shared, id};
use self::changes::Thing;
use crate::app::{ORGANISATION, link};
use crate::process::{Running, limit_files, start};
use crate::receiver::{Behaviour, Receiver};

/// How often the process is killed, unless the environment variable says otherwise.
const ROUNDS: usize = 50;
const ROUNDS_VARIABLE: &str = "CRASH_ROUNDS";

/// How many finished deliveries the emulator keeps of each subscription.
const KEPT: usize = 10_000;

/// How many callers there are at a time.
const CALLERS: usize = 8;

/// How many callers find the disk full, until there is room again.
const REFUSALS: u32 = 10;

/// How long a stopped process is silent at least.
const SILENCE: Duration = Duration::from_millis(50);

/// Production pipelines that wait for approvals, schedules and oversight.
fn seed(receiver: &Receiver) -> String {
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
        "tenants": [{"id": "1", "imsOrgId": ORGANISATION, "imsTenantId": "t"},
            {"id": "2", "imsOrgId": "O", "imsTenantId": "o"}],
        "webhooks": [receiver.subscription(&json!(["all"]))],
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

fn started(directory: &Path, clock_rate: &str) -> Running {
    start(directory, &["--seed", "seed.yaml", "--clock-rate", clock_rate])
}

fn rounds() -> usize {
    let given = std::env::var(ROUNDS_VARIABLE).ok();
    given.map_or(ROUNDS, |rounds| rounds.parse().expect("CRASH_ROUNDS is a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_answered_is_lost_when_the_process_is_killed() {
    let directory = TempDir::new().unwrap();
    let mut receiver = Receiver::start().await;
    std::fs::write(directory.path().join("seed.yaml"), seed(&receiver)).unwrap();
    let shared = Shared::default();
    let mut random = fastrand::Rng::with_seed(7);
    let mut refusals = 0;
    for round in 0..rounds() {
        if round % 4 == 1 {
            receiver.behave([503, 500, 502, 503].map(Behaviour::Answer));
        }
        refusals += run_round(directory.path(), round, &shared, &mut random).await;
    }
    assert!(refusals > 0, "the disk was full for somebody");
    let running = started(directory.path(), "0");
    let caller = caller(&running, &shared, random, Arc::default(), Arc::default());
    deliver_everything(&caller).await;
    let taken = receiver.take();
    let events = taken.iter().map(|event| (execution_of(&event.body), event_id(&event.body)));
    shared.note(|history| history.received.extend(events));
    check_everything(&caller).await;
    running.stop("-TERM");
    timeline::check_integrity(&directory.path().join("cloudmanager.db")).await;
}

fn caller(
    running: &Running,
    shared: &Shared,
    random: fastrand::Rng,
    until_the_kill: Arc<AtomicUsize>,
    disk: Arc<Disk>,
) -> Caller {
    let (url, shared) = (running.url.clone(), shared.clone());
    Caller { client: Client::new(), url, random, shared, until_the_kill, disk }
}

/// Starts the process, lets callers work, and kills it. Returns how often there was no room.
async fn run_round(
    directory: &Path,
    round: usize,
    shared: &Shared,
    random: &mut fastrand::Rng,
) -> u32 {
    if round % 5 == 4 {
        // Time stands: nothing may happen between the export and the import, which would undo it.
        let running = started(directory, "0");
        kill_while_it_imports(running, shared, random.fork()).await;
        return 0;
    }
    let running = started(directory, "20");
    let until_the_kill = Arc::new(AtomicUsize::new(random.usize(20..120)));
    let disk = Arc::new(Disk::default());
    let room = (round % 6 == 3).then(|| fill_disk_for_a_moment(running.id(), disk.clone()));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let until_the_kill = until_the_kill.clone();
            caller(&running, shared, random.fork(), until_the_kill, disk.clone())
        })
        .map(|caller| tokio::spawn(caller.call_until_killed()))
        .collect();
    if round % 3 == 2 {
        stop_for_a_moment(&running).await;
    }
    // The first caller to be done means that the moment has come; the others are at work.
    let (first, _, others) = futures_util::future::select_all(callers).await;
    first.unwrap();
    // It may be killed while its disk is full.
    room.inspect(JoinHandle::abort);
    running.kill();
    for caller in others {
        caller.await.unwrap();
    }
    disk.refusals()
}

/// Lets no file of the process grow or change until some callers have been refused.
fn fill_disk_for_a_moment(process: u32, disk: Arc<Disk>) -> JoinHandle<()> {
    disk.fill();
    limit_files(process, "0");
    tokio::spawn(async move {
        disk.wait_for_refusals(REFUSALS).await;
        limit_files(process, "unlimited");
    })
}

/// Stops the process until somebody has waited in vain, and lets it go on.
async fn stop_for_a_moment(running: &Running) {
    running.signal("-STOP");
    let health = format!("{}/_emulator/health", running.url);
    let asked = Client::new().get(health).timeout(SILENCE).send().await;
    assert!(asked.is_err(), "a stopped process does not answer");
    running.signal("-CONT");
}

/// Kills the process while it takes back the state that it has: either is the same.
async fn kill_while_it_imports(running: Running, shared: &Shared, mut random: fastrand::Rng) {
    let in_vain = random.bool();
    let caller = caller(&running, shared, random, Arc::default(), Arc::default());
    let state = caller.request(Method::GET, "/_emulator/state").send().await.unwrap();
    let state = state.bytes().await.unwrap();
    let import = caller.request(Method::PUT, "/_emulator/state").body(state).send();
    if in_vain {
        let import = tokio::spawn(import);
        tokio::task::yield_now().await;
        running.kill();
        // Whether it was answered before the kill does not matter.
        let _ = import.await.unwrap();
    } else {
        assert_eq!(import.await.unwrap().status(), 204);
        running.kill();
    }
}

fn event_id(body: &Value) -> String {
    body["event_id"].as_str().unwrap().to_owned()
}

/// The execution that an event is about.
fn execution_of(body: &Value) -> String {
    let object = body["event"]["activitystreams:object"]["@id"].as_str().unwrap();
    let (_, execution) = object.split_once("/execution/").unwrap();
    execution.split('/').next().unwrap().to_owned()
}

/// Whether an event is the first about its execution.
fn is_first(body: &Value) -> bool {
    let event = &body["event"];
    let is_about_step =
        event["activitystreams:object"]["@id"].as_str().unwrap().contains("/phase/");
    event["@type"].as_str().unwrap().ends_with("/started") && !is_about_step
}

/// Moves the clock until nothing is pending, and notes which events there are.
async fn deliver_everything(caller: &Caller) {
    loop {
        let waited = caller.get("/_emulator/deliveries/wait?timeout=PT5M").await.unwrap();
        assert!(waited.0.is_some());
        let pending = caller.get("/_emulator/deliveries?status=PENDING&limit=1").await.unwrap();
        if pending.0.unwrap()["deliveries"].as_array().unwrap().is_empty() {
            break;
        }
        advance(caller, "PT1M").await;
    }
    let mut before = String::new();
    let mut newest_first = Vec::new();
    loop {
        let path = format!("/_emulator/deliveries?limit=1000{before}");
        let (answer, _) = caller.get(&path).await.unwrap();
        let answer = answer.unwrap();
        let page = answer["deliveries"].as_array().unwrap();
        let Some(oldest) = page.last() else { break };
        before = format!("&before={}", oldest["id"].as_str().unwrap());
        newest_first.extend(page.iter().cloned());
    }
    assert!(!newest_first.is_empty());
    caller.shared.note(|history| {
        for delivery in newest_first.iter().rev() {
            assert_eq!(delivery["status"], "DELIVERED", "{delivery}");
            let body = &delivery["body"];
            let execution = execution_of(body);
            // Beyond that many the oldest are removed: of some executions only the later ones are left.
            if newest_first.len() < KEPT
                || is_first(body)
                || history.events.contains_key(&execution)
            {
                history.events.entry(execution).or_default().push(event_id(body));
            }
        }
    });
}

async fn advance(caller: &Caller, by: &str) {
    let body = json!({ "by": by });
    let path = "/_emulator/clock/advance";
    let (moved, _) = caller.send(Method::POST, path, Some(&body)).await.unwrap();
    assert_eq!(moved.status(), 200);
}

async fn check_everything(caller: &Caller) {
    // Whoever waits, waits no longer than this for each of the four answers.
    advance(caller, "P60D").await;
    let mut executions = BTreeMap::new();
    for pipeline in 1..=PIPELINES {
        let found = executions_of(caller, pipeline).await;
        let ids: BTreeSet<u64> = found.values().map(id).collect();
        caller.shared.note(|history| {
            history.executions.insert(pipeline, ids);
        });
        executions.extend(found);
    }
    let keys: BTreeSet<_> = {
        let answered = caller.shared.answered.lock().unwrap();
        answered.history.writes.iter().map(|write| write.key.clone()).collect()
    };
    for key in keys {
        caller.read(&Thing::find(&key)).await.unwrap();
    }
    let answered = std::mem::take(&mut *caller.shared.answered.lock().unwrap());
    check_answered(&answered, &executions);
    executions.values().for_each(timeline::check_times);
    let violations = history::check(&answered.history);
    assert!(violations.is_empty(), "{violations:#?}");
}

/// The executions of a pipeline by path; none began before the one before it had ended.
async fn executions_of(caller: &Caller, number: u32) -> BTreeMap<String, Value> {
    let path = format!("/api/program/4/pipeline/{number}");
    let (pipeline, _) = caller.get(&path).await.unwrap();
    assert_eq!(pipeline.unwrap()["status"], "IDLE", "no pipeline stays busy for ever");
    let mut executions = BTreeMap::new();
    let mut next = Some(format!("{path}/executions?limit=100"));
    let mut later: Option<String> = None;
    while let Some(page) = next {
        let (list, when) = caller.get(&page).await.unwrap();
        let list = list.unwrap();
        for execution in list["_embedded"]["executions"].as_array().unwrap() {
            let ended = execution["finishedAt"].as_str().expect("every execution ends");
            assert!(later.is_none_or(|later| ended <= later.as_str()), "{path}");
            later = Some(execution["createdAt"].as_str().unwrap().to_owned());
            caller.see(execution, when);
            executions.insert(link(execution, "self").unwrap(), execution.clone());
        }
        next = link(&list, "next");
    }
    executions
}

/// What was answered is there as it was answered.
fn check_answered(answered: &Answered, executions: &BTreeMap<String, Value>) {
    let enough = rounds() / 2;
    assert!(answered.started.len() > enough, "there was some load: {}", answered.started.len());
    assert!(answered.inputs.len() > enough, "there was some load: {}", answered.inputs.len());
    assert!(answered.history.writes.len() > enough, "there was some load");
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
}
