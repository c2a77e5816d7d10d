//! What is asked of the program while calls fail.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{ALL, Caller, EIO, ENOSPC, Failure, Faults, WRITE, Which, check_integrity};
use crate::app::{CODE_QUALITY, PRODUCTION, link};

/// An operation, with what it needs.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Start,
    Cancel,
    Advance,
    History,
    Variables,
    Export,
    Import,
    Seed,
    Reset,
}

const OPERATIONS: [Operation; 9] = [
    Operation::Start,
    Operation::Cancel,
    Operation::Advance,
    Operation::History,
    Operation::Variables,
    Operation::Export,
    Operation::Import,
    Operation::Seed,
    Operation::Reset,
];

/// What an operation is made with.
struct Prepared {
    request: RequestBuilder,
    /// The executions of the pipeline before.
    before: Vec<String>,
}

impl Caller {
    /// The identifiers of the executions of the code quality pipeline.
    async fn executions(&self) -> Vec<String> {
        let path = format!("{CODE_QUALITY}/executions?limit=100");
        let list = self.succeed(self.request(Method::GET, &path)).await;
        let list: Value = list.json().await.unwrap();
        let executions = list["_embedded"]["executions"].as_array().unwrap();
        executions.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Brings about what an operation needs.
    async fn prepare(&self, operation: Operation, state: &[u8]) -> Prepared {
        let start = || self.request(Method::PUT, &format!("{CODE_QUALITY}/execution"));
        let post =
            |path: &str, body: Value| self.request(Method::POST, path).body(body.to_string());
        let request = match operation {
            Operation::Start => {
                self.post("/_emulator/clock/advance", json!({"by": "P30D"})).await;
                start()
            }
            Operation::Cancel => {
                self.post("/_emulator/clock/advance", json!({"by": "P30D"})).await;
                self.succeed(start()).await;
                self.post("/_emulator/clock/advance", json!({})).await;
                let path = format!("{CODE_QUALITY}/execution");
                let current = self.succeed(self.request(Method::GET, &path)).await;
                let current: Value = current.json().await.unwrap();
                let steps = current["_embedded"]["stepStates"].as_array().unwrap();
                let href = steps.iter().find_map(|step| link(step, "pipeline/cancel")).unwrap();
                self.request(Method::PUT, &href).body(json!({"cancel": true}).to_string())
            }
            Operation::Advance => {
                self.post("/_emulator/clock/advance", json!({"by": "P30D"})).await;
                self.succeed(start()).await;
                post("/_emulator/clock/advance", json!({"by": "P1D"}))
            }
            Operation::History => {
                let path = format!("{}/history", PRODUCTION.replace("/api/", "/_emulator/"));
                post(&path, json!({"count": 500}))
            }
            Operation::Variables => {
                let path = format!("{CODE_QUALITY}/variables");
                let variable = json!([{"name": "KEY", "value": "b", "type": "secretString"}]);
                self.request(Method::PATCH, &path).body(variable.to_string())
            }
            Operation::Export => self.request(Method::GET, "/_emulator/state"),
            Operation::Import => self.request(Method::PUT, "/_emulator/state").body(state.to_vec()),
            Operation::Seed => post(
                "/_emulator/seed",
                json!({"tenants": [
                {"id": "77", "imsOrgId": "77@AdobeOrg", "imsTenantId": "t77"}]}),
            ),
            Operation::Reset => post("/_emulator/reset", json!({})),
        };
        Prepared { request, before: self.executions().await }
    }

    /// Carries out an operation while calls fail; whether any did.
    async fn try_out(
        &self,
        faults: &Faults,
        operation: Operation,
        state: &[u8],
        failure: Failure,
    ) -> bool {
        let Prepared { request, before } = self.prepare(operation, state).await;
        faults.arm(failure);
        let answer = match request.send().await {
            Ok(answer) => answer,
            // What is exported breaks off where it can't be read.
            Err(_) if matches!(operation, Operation::Export) && faults.have_struck() => {
                faults.disarm();
                return true;
            }
            Err(error) => panic!("{operation:?}: {error}"),
        };
        let status = answer.status().as_u16();
        // It may also break off when its beginning has been sent.
        let body = answer.bytes().await.unwrap_or_default();
        let struck = faults.have_struck();
        let told = String::from_utf8_lossy(&body);
        let is_expected = match status {
            200..300 => true,
            507 => struck,
            503 => struck && failure.error != ENOSPC,
            // A file that can't be read is taken for one that is malformed.
            400 => struck && matches!(operation, Operation::Import),
            _ => false,
        };
        assert!(is_expected, "{operation:?}: {status} {told}\n{}", faults.log());
        let writes = matches!(operation, Operation::Start | Operation::History | Operation::Reset);
        if writes && status == 507 && matches!(failure.which, Which::From(_)) {
            assert!(!self.is_well().await);
        }
        faults.disarm();
        if matches!(operation, Operation::Start) {
            let mut expected = before;
            if status == 201 {
                let created: Value = serde_json::from_slice(&body).unwrap();
                expected.insert(0, created["id"].as_str().unwrap().to_owned());
            }
            assert_eq!(self.executions().await, expected, "{status} {told}");
        }
        struck
    }

    /// The same process goes on at once, and says so.
    async fn goes_on(&self) {
        self.post("/_emulator/clock/advance", json!({"by": "PT1S"})).await;
        assert!(self.is_well().await);
    }
}

/// Carries out each operation again and again, until no call is left that has not failed; how many
/// have.
async fn fail_all(faults: &Faults, failure: impl Fn(i64) -> Failure) -> i64 {
    let directory = TempDir::new().unwrap();
    let running = faults.start(directory.path());
    let caller = Caller::of(&running);
    caller.wait_for_check().await;
    let state = caller.succeed(caller.request(Method::GET, "/_emulator/state")).await;
    let state = state.bytes().await.unwrap();
    let mut all = 0;
    for operation in OPERATIONS {
        let mut call = 1;
        while caller.try_out(faults, operation, &state, failure(call)).await {
            caller.goes_on().await;
            call += 1;
        }
        caller.goes_on().await;
        check_integrity(directory.path()).await;
        all += call - 1;
    }
    assert_eq!(running.stop("-TERM").code(), Some(0));
    all
}

#[tokio::test]
async fn every_call_may_fail_once() {
    let failure = |call| Failure { which: Which::Only(call), error: EIO, kinds: ALL };
    let failed = fail_all(&Faults::new(), failure).await;
    assert!(failed > 100, "{failed}");
}

#[tokio::test]
async fn the_disk_may_be_full_from_every_write_on() {
    let failure = |call| Failure { which: Which::From(call), error: ENOSPC, kinds: WRITE };
    let failed = fail_all(&Faults::new(), failure).await;
    assert!(failed > 50, "{failed}");
}

#[tokio::test]
async fn every_call_may_fail_from_some_call_on() {
    let failure = |call| Failure { which: Which::From(call), error: EIO, kinds: ALL };
    let failed = fail_all(&Faults::new(), failure).await;
    assert!(failed > 100, "{failed}");
}
