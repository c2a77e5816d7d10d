//! Fault rules: which calls fail, and how.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Control;
use crate::domain::invalid::{InvalidFields, Place};
use crate::domain::time::{Duration, Timestamp};
use crate::http::body::{invalid, read_object};
use crate::http::operations::Operations;
use crate::http::problem::Problem;
use crate::traffic::faults::{FaultAction, Injection, ListedRule, Preset, Rule};
use crate::traffic::wire::WireFault;

/// The longest latency, in real time.
const LONGEST_LATENCY: Duration = Duration::from_mins(60);

/// After how many seconds callers come again when there is an outage.
const OUTAGE: u64 = 30;

/// A fault injection rule: calls fail or are delayed. One of status, fault, latency and preset is
/// required.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultBody {
    /// A predefined rule; can be combined with operation, after, every, times and ttl.
    preset: Option<Preset>,
    /// The identifier of the operation that the rule applies to; all of /api if absent.
    operation: Option<String>,
    /// How many calls to skip first.
    after: Option<u64>,
    /// After the skipped calls, the rule applies to every n-th call; to all if absent.
    #[schema(minimum = 1)]
    every: Option<u64>,
    /// How many times the rule is applied; always if absent.
    #[schema(minimum = 1)]
    times: Option<u64>,
    /// The status of the error response.
    #[schema(minimum = 400, maximum = 599)]
    status: Option<u16>,
    /// The value of `Retry-After` in seconds; only with a status.
    retry_after: Option<u64>,
    /// The delay of calls in real time, an ISO-8601 duration up to PT1H.
    #[schema(format = "duration")]
    latency: Option<String>,
    /// How the connection fails instead of returning a response.
    fault: Option<WireFault>,
    /// The lifetime of the rule on the emulator's clock, an ISO-8601 duration.
    #[schema(format = "duration")]
    ttl: Option<String>,
}

/// A fault injection rule, with the number of times it was applied.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FaultRule {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    preset: Option<Preset>,
    /// The identifier of the operation that the rule applies to; all of /api if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    /// How many calls to skip first.
    after: u64,
    /// After the skipped calls, the rule applies to every n-th call.
    every: u64,
    /// How many times the rule is applied; always if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<WireFault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<String>,
    /// When the rule expires on the emulator's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// The number of calls of its operation while the rule was active.
    matched: u64,
    /// The number of times it was applied.
    used: u64,
}

/// Fault rules, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct FaultRules {
    faults: Vec<FaultRule>,
}

/// A fault that was injected into a call.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InjectedFault)]
pub struct InjectionView {
    /// The identifier of the rule.
    rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<WireFault>,
}

fn status_of(action: Option<FaultAction>) -> Option<u16> {
    match action {
        Some(FaultAction::Status { status, .. }) => Some(status.as_u16()),
        Some(FaultAction::Wire(_) | FaultAction::ResetMidBody) | None => None,
    }
}

fn fault_of(action: Option<FaultAction>) -> Option<WireFault> {
    match action {
        Some(FaultAction::Wire(fault)) => Some(fault),
        Some(FaultAction::ResetMidBody) => Some(WireFault::ConnectionResetByPeer),
        Some(FaultAction::Status { .. }) | None => None,
    }
}

impl InjectionView {
    /// The view of what was done to a call.
    pub fn new(Injection { rule, latency, action }: Injection) -> Self {
        Self {
            rule: rule.to_string(),
            status: status_of(action),
            latency: latency.map(|latency| latency.to_string()),
            fault: fault_of(action),
        }
    }
}

impl FaultRule {
    fn new(ListedRule { id, rule, matched, used }: ListedRule) -> Self {
        let Rule { preset, operation, after, every, times, latency, action, life } = rule;
        let retry_after = match action {
            Some(FaultAction::Status { retry_after, .. }) => retry_after,
            _ => None,
        };
        Self {
            id: id.to_string(),
            preset,
            operation,
            after,
            every,
            times,
            status: status_of(action),
            retry_after,
            latency: latency.map(|latency| latency.to_string()),
            fault: fault_of(action),
            ttl: life.map(|(ttl, _)| ttl.to_string()),
            expires_at: life.map(|(_, until)| until.to_string()),
            matched,
            used,
        }
    }
}

impl FaultBody {
    /// The rule, made at `now`.
    fn read(self, now: Timestamp, operations: &Operations, place: &mut Place<'_>) -> Rule {
        self.check_contradictions(place);
        if let Some(Err(message)) =
            self.operation.as_deref().map(|id| operations.check_official(id))
        {
            place.wrong("operation", message);
        }
        for (field, number) in [("every", self.every), ("times", self.times)] {
            if number == Some(0) {
                place.wrong(field, "must be at least 1");
            }
        }
        let latency = read_length("latency", self.latency.as_deref(), Some(LONGEST_LATENCY), place);
        let ttl = read_length("ttl", self.ttl.as_deref(), None, place);
        let status = read_status(self.status, place);
        let retry_after = self.retry_after;
        let action = status.map(|status| FaultAction::Status { status, retry_after });
        let rule = Rule {
            preset: self.preset,
            operation: self.operation,
            after: self.after.unwrap_or(0),
            every: self.every.unwrap_or(1),
            times: self.times,
            latency,
            action: action.or(self.fault.map(FaultAction::Wire)),
            life: ttl.map(|ttl| (ttl, now + ttl)),
        };
        match self.preset {
            None => rule,
            Some(preset) => with_preset(preset, self.every, rule),
        }
    }

    /// What can't be said together, and what must be said.
    fn check_contradictions(&self, place: &mut Place<'_>) {
        let Self { preset, operation, status, retry_after, latency, fault, .. } = self;
        if preset.is_some() {
            let given = [
                ("status", status.is_some()),
                ("retryAfter", retry_after.is_some()),
                ("latency", latency.is_some()),
                ("fault", fault.is_some()),
            ];
            for (field, _) in given.into_iter().filter(|(_, given)| *given) {
                place.wrong(field, "can't be given together with preset");
            }
            if *preset == Some(Preset::ResetMidLog) && operation.is_some() {
                place.wrong("operation", "must be downloadFile for this preset");
            }
            return;
        }
        if status.is_some() && fault.is_some() {
            place.wrong("fault", "can't be given together with status");
        }
        if retry_after.is_some() && status.is_none() {
            place.wrong("retryAfter", "is only allowed together with status");
        }
        if status.is_none() && fault.is_none() && latency.is_none() {
            let message = "is required, unless fault, latency or preset is given";
            place.wrong("status", message);
        }
    }
}

fn read_length(
    field: &str,
    text: Option<&str>,
    most: Option<Duration>,
    place: &mut Place<'_>,
) -> Option<Duration> {
    match Duration::parse(text?) {
        Ok(Duration::ZERO) => place.wrong(field, "must be more than PT0S"),
        Ok(length) if most.is_some_and(|most| length > most) => {
            place.wrong(field, "must be at most PT1H");
        }
        Ok(length) => return Some(length),
        Err(error) => place.wrong(field, error.to_string()),
    }
    None
}

fn read_status(number: Option<u16>, place: &mut Place<'_>) -> Option<StatusCode> {
    let status = StatusCode::from_u16(number?).ok();
    let status = status.filter(|it| it.is_client_error() || it.is_server_error());
    if status.is_none() {
        place.wrong("status", "must be from 400 to 599");
    }
    status
}

fn with_preset(preset: Preset, every: Option<u64>, rule: Rule) -> Rule {
    let error = |status, retry_after| Some(FaultAction::Status { status, retry_after });
    match preset {
        Preset::Flaky401 => Rule {
            every: every.unwrap_or(20),
            action: error(StatusCode::UNAUTHORIZED, None),
            ..rule
        },
        Preset::Outage503 => {
            Rule { action: error(StatusCode::SERVICE_UNAVAILABLE, Some(OUTAGE)), ..rule }
        }
        Preset::ResetMidLog => Rule {
            operation: Some("downloadFile".into()),
            action: Some(FaultAction::ResetMidBody),
            ..rule
        },
        Preset::Slow => Rule { latency: Some(Duration::from_secs(2)), ..rule },
    }
}

/// Adds a fault rule after the existing ones. Of the rules that match a call, the first is applied.
#[utoipa::path(post, path = "/_emulator/faults", operation_id = "postFault", tag = "Emulator",
    request_body = FaultBody,
    responses((status = 201, description = "The rule", body = FaultRule)))]
pub async fn post_fault(
    State(control): State<Control>,
    body: Bytes,
) -> Result<(StatusCode, Json<FaultRule>), Problem> {
    let fault: FaultBody = read_object(&body)?;
    let now = control.engine.now();
    let operations = control.traffic.operations();
    let rule = InvalidFields::collect(|place| Some(fault.read(now, operations, place)))
        .map_err(|fields| invalid(fields, &body))?;
    let listed = control.traffic.faults().add(rule, now);
    let listed = listed.map_err(|error| Problem::bad_request(error.to_string()))?;
    Ok((StatusCode::CREATED, Json(FaultRule::new(listed))))
}

/// Lists the fault rules in order, including used-up and expired ones.
#[utoipa::path(get, path = "/_emulator/faults", operation_id = "getFaults", tag = "Emulator",
    responses((status = 200, description = "The rules", body = FaultRules)))]
pub async fn get_faults(State(control): State<Control>) -> Json<FaultRules> {
    let faults = control.traffic.faults().list();
    Json(FaultRules { faults: faults.into_iter().map(FaultRule::new).collect() })
}

/// Deletes all fault rules.
#[utoipa::path(delete, path = "/_emulator/faults", operation_id = "deleteFaults",
    tag = "Emulator", responses((status = 204, description = "All rules were deleted")))]
pub async fn delete_faults(State(control): State<Control>) -> StatusCode {
    control.traffic.faults().clear();
    StatusCode::NO_CONTENT
}

/// Deletes a fault rule.
#[utoipa::path(delete, path = "/_emulator/faults/{faultId}", operation_id = "deleteFault",
    tag = "Emulator", params(("faultId" = String, Path, description = "The fault rule")),
    responses((status = 204, description = "The rule was deleted")))]
pub async fn delete_fault(
    State(control): State<Control>,
    id: Result<Path<u64>, axum::extract::rejection::PathRejection>,
) -> Result<StatusCode, Problem> {
    match id {
        Ok(Path(id)) if control.traffic.faults().remove(id) => Ok(StatusCode::NO_CONTENT),
        _ => Err(Problem::not_found("The fault rule")),
    }
}
