//! Callers: each does what makes sense for things as they are, and notes what it was told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::history::{History, Sight, Start, Started, Time, When};
use crate::app::{Execution, ORGANISATION, link};

/// How many pipelines are executed.
pub const PIPELINES: u32 = 12;

/// What the process has answered: it must never be lost.
#[derive(Default)]
pub struct Answered {
    /// Executions as they were created, by path.
    pub started: BTreeMap<String, Value>,
    /// Accepted answers to steps, the last of each step, by the step's path.
    pub inputs: BTreeMap<String, Value>,
    /// Everything that was done and seen.
    pub history: History,
}

/// What all callers share.
#[derive(Clone, Default)]
pub struct Shared {
    pub answered: Arc<Mutex<Answered>>,
    /// Numbers the moments.
    moment: Arc<AtomicU64>,
    /// Numbers the things that callers make.
    pub number: Arc<AtomicU64>,
}

pub struct Caller {
    pub client: Client,
    pub url: String,
    pub random: fastrand::Rng,
    pub shared: Shared,
    /// Counts answers; the process is killed when it comes to zero.
    pub until_the_kill: Arc<AtomicUsize>,
    pub disk: Arc<Disk>,
}

/// The disk of a process, which may be full for a while.
#[derive(Default)]
pub struct Disk {
    is_full: AtomicBool,
    refusals: watch::Sender<u32>,
}

impl Disk {
    /// From now on, refusals for want of room are expected until the process is killed: an answer may
    /// be late.
    pub fn fill(&self) {
        self.is_full.store(true, Ordering::SeqCst);
    }

    /// How often something was refused because there was no room.
    pub fn refusals(&self) -> u32 {
        *self.refusals.borrow()
    }

    /// Waits until something was refused that often.
    pub async fn wait_for_refusals(&self, count: u32) {
        let mut refusals = self.refusals.subscribe();
        refusals.wait_for(|refusals| *refusals >= count).await.unwrap();
    }

    fn refuses(&self, status: u16) -> bool {
        // It is an I/O error if there is room again when the program looks for it.
        let refused = [507, 503].contains(&status) && self.is_full.load(Ordering::SeqCst);
        if refused {
            self.refusals.send_modify(|refusals| *refusals += 1);
        }
        refused
    }
}

impl Shared {
    /// A moment after all moments before.
    pub fn now(&self) -> u64 {
        self.moment.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub fn note(&self, note: impl FnOnce(&mut History)) {
        note(&mut self.answered.lock().unwrap().history);
    }
}

impl Caller {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.url))
            .header("x-gw-ims-org-id", ORGANISATION)
            .header("x-api-key", "ci")
            .bearer_auth("token")
    }

    /// Sends a request; the answer, and from when to when it took.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::Result<(Response, When)> {
        let called = self.shared.now();
        let body = body.map(Value::to_string).unwrap_or_default();
        let response = self.request(method, path).body(body).send().await?;
        Ok((response, When { called, answered: Some(self.shared.now()) }))
    }

    /// The status of an answer, which is one of these, or none if there was no room for the change.
    pub fn status(&self, response: &Response, expected: &[u16]) -> Option<u16> {
        let status = response.status().as_u16();
        if self.disk.refuses(status) {
            return None;
        }
        assert!(expected.contains(&status), "{response:?}");
        Some(status)
    }

    /// What there is at a path, if there is something.
    pub async fn get(&self, path: &str) -> reqwest::Result<(Option<Value>, When)> {
        let (response, when) = self.send(Method::GET, path, None).await?;
        assert!([200, 404].contains(&response.status().as_u16()), "{path}: {response:?}");
        let found = if response.status() == 200 { Some(response.json().await?) } else { None };
        Ok((found, when))
    }

    /// Acts until the process is killed.
    pub async fn call_until_killed(mut self) {
        while self.act().await.is_ok() {
            let left = self.until_the_kill.fetch_sub(1, Ordering::SeqCst);
            if left <= 1 {
                // Others may still be waiting for their answers.
                self.until_the_kill.store(0, Ordering::SeqCst);
                return;
            }
        }
    }

    async fn act(&mut self) -> reqwest::Result<()> {
        match self.random.u8(..100) {
            0..10 => self.move_clock().await,
            10..15 => self.read_clock().await,
            15..18 => self.follow_for_a_moment().await,
            18..20 => self.inject_a_fault().await,
            20..45 => self.change_something().await,
            _ => self.execute().await,
        }
    }

    async fn move_clock(&mut self) -> reqwest::Result<()> {
        let (method, path, body) = if self.random.u8(..4) == 0 {
            (Method::PUT, "/_emulator/clock", json!({ "rate": self.random.u32(10..40) }))
        } else {
            let by = format!("PT{}S", self.random.u32(..20));
            (Method::POST, "/_emulator/clock/advance", json!({ "by": by }))
        };
        let (response, _) = self.send(method, path, Some(&body)).await?;
        self.status(&response, &[200]);
        Ok(())
    }

    async fn read_clock(&self) -> reqwest::Result<()> {
        let (clock, when) = self.get("/_emulator/clock").await?;
        let now = clock.unwrap()["now"].as_str().unwrap().to_owned();
        self.shared.note(|history| history.times.push(Time { now, when }));
        Ok(())
    }

    /// Begins to follow what changes, and is gone.
    async fn follow_for_a_moment(&self) -> reqwest::Result<()> {
        let mut stream = self.request(Method::GET, "/_emulator/events").send().await?;
        assert_eq!(stream.status(), 200);
        stream.chunk().await?;
        Ok(())
    }

    /// Lets one call fail of an operation that nobody else calls.
    async fn inject_a_fault(&self) -> reqwest::Result<()> {
        let rule = json!({"operation": "getTenants", "status": 503, "times": 1});
        let (made, _) = self.send(Method::POST, "/_emulator/faults", Some(&rule)).await?;
        assert_eq!(made.status(), 201);
        let (answer, _) = self.send(Method::GET, "/api/tenants", None).await?;
        // Somebody else may have met the fault.
        assert!([200, 503].contains(&answer.status().as_u16()), "{answer:?}");
        Ok(())
    }

    /// Does one thing that makes sense for a pipeline as it is now.
    async fn execute(&mut self) -> reqwest::Result<()> {
        let number = self.random.u32(1..=PIPELINES);
        let pipeline = format!("/api/program/4/pipeline/{number}");
        match self.get(&format!("{pipeline}/execution")).await? {
            (Some(current), when) => {
                self.see(&current, when);
                self.answer(&current).await
            }
            (None, _) => self.start(number, &pipeline).await,
        }
    }

    /// Notes how an execution was seen.
    pub fn see(&self, execution: &Value, when: When) {
        let shown = Execution(execution.clone());
        let count = |unlike: &[&str]| {
            let is_unlike = |step: &&Value| !unlike.contains(&step["status"].as_str().unwrap());
            shown.steps().iter().filter(is_unlike).count()
        };
        let begun = count(&["NOT_STARTED"]);
        let ended = count(&["NOT_STARTED", "RUNNING", "WAITING"]);
        let sight = Sight {
            execution: id(execution),
            status: shown.status().to_owned(),
            steps: (begun, ended),
            when,
        };
        self.shared.note(|history| history.sights.push(sight));
    }

    async fn start(&mut self, number: u32, pipeline: &str) -> reqwest::Result<()> {
        let (list, when) = self.get(&format!("{pipeline}/executions?limit=1")).await?;
        let newest = list.unwrap()["_embedded"]["executions"].get(0).cloned();
        let again = newest.and_then(|newest| {
            self.see(&newest, when);
            Execution(newest).steps().iter().find_map(|step| link(step, "pipeline/reExecute"))
        });
        let path = match again {
            Some(href) if self.random.bool() => href,
            _ if self.random.bool() => {
                format!("{pipeline}/execution?pipelineExecutionMode=EMERGENCY")
            }
            _ => format!("{pipeline}/execution"),
        };
        let (response, when) = self.send(Method::PUT, &path, None).await?;
        // Somebody else may have been quicker: the pipeline is busy, or the step is of the past.
        let status = self.status(&response, &[201, 412, 400]);
        let note = |outcome| {
            let start = Start { pipeline: number, outcome, when };
            self.shared.note(|history| history.starts.push(start));
        };
        if status == Some(412) {
            note(Started::Busy);
        }
        if status == Some(201) {
            let created: Value = response.json().await?;
            note(Started::Created(id(&created)));
            let path = link(&created, "self").unwrap();
            self.shared.answered.lock().unwrap().started.insert(path, created);
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
        let (response, _) = self.send(Method::PUT, &href, Some(&body)).await?;
        if self.status(&response, &[202, 404]) == Some(202) {
            let path = link(step, "self").unwrap();
            self.shared.answered.lock().unwrap().inputs.insert(path, body);
        }
        Ok(())
    }
}

/// The number of an execution.
pub fn id(execution: &Value) -> u64 {
    execution["id"].as_str().unwrap().parse().unwrap()
}
