//! What people answer to a step: the bodies of advance and cancel.

use serde_json::{Value, json};

use crate::domain::gate::{Gate, Metric};
use crate::domain::invalid::InvalidField;
use crate::domain::pipeline::Action;
use crate::domain::time::Timestamp;

use super::status::StepStatus;

/// An answer to a step that waits or runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Gates: important failures are overridden, or rejected.
    Override(bool),
    /// Approvals: yes or no.
    Approve(bool),
    /// Schedules: now.
    Immediate,
    /// Schedules: at that time.
    Schedule {
        /// The time.
        at: Timestamp,
        /// The time as it was written.
        text: String,
    },
    /// Oversight: start the deployment, or don't.
    Start(bool),
    /// Paused deployments: go on, or stop.
    Resume(bool),
    /// Stop.
    Cancel,
}

impl Answer {
    /// Returns the answer as it is shown in a step's `details.input`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Override(value) => json!({ "override": value }),
            Self::Approve(value) => json!({ "approved": value }),
            Self::Immediate => json!({ "type": "IMMEDIATE" }),
            Self::Schedule { text, .. } => json!({ "type": "SCHEDULED", "schedule": text }),
            Self::Start(value) => json!({ "start": value }),
            Self::Resume(value) => json!({ "resume": value }),
            Self::Cancel => json!({ "cancel": true }),
        }
    }
}

/// Reads the body of an advance of a waiting step. `metrics` are those of the step's gate.
///
/// Source: Cloud Manager's guide on advancing and cancelling steps.
pub fn read_advance(
    action: Action,
    metrics: &[Metric],
    body: &Value,
    now: Timestamp,
) -> Result<Answer, InvalidField> {
    match action {
        Action::Approval => expect_flag(body, "approved", true)
            .map(|()| Answer::Approve(true))
            .map_err(|error| InvalidField {
                message: format!("{}; reject with the cancel link", error.message),
                ..error
            }),
        Action::Managed => expect_flag(body, "start", true).map(|()| Answer::Start(true)),
        Action::Schedule => read_schedule(body, now),
        Action::Deploy => match body.get("resume") {
            Some(Value::Bool(resume)) => Ok(Answer::Resume(*resume)),
            other => Err(invalid("resume", "must be true or false", other)),
        },
        _ => read_overrides(action, metrics, body),
    }
}

/// Reads the body of a cancellation of a waiting or running step.
///
/// Source: Cloud Manager's guide on advancing and cancelling steps.
pub fn read_cancel(
    action: Action,
    status: StepStatus,
    body: &Value,
) -> Result<Answer, InvalidField> {
    match action {
        _ if status == StepStatus::Running => {
            expect_flag(body, "cancel", true).map(|()| Answer::Cancel)
        }
        Action::Approval => expect_flag(body, "approved", false).map(|()| Answer::Approve(false)),
        Action::Schedule => expect_flag(body, "cancel", true).map(|()| Answer::Cancel),
        // A Java client rejects every waiting step but approvals and schedules by `override`.
        Action::Managed if body.get("start").is_none() && body.get("override").is_some() => {
            expect_flag(body, "override", false).map(|()| Answer::Override(false))
        }
        Action::Managed => expect_flag(body, "start", false).map(|()| Answer::Start(false)),
        Action::Deploy => expect_flag(body, "resume", false).map(|()| Answer::Resume(false)),
        _ => expect_flag(body, "override", false).map(|()| Answer::Override(false)),
    }
}

/// Returns the body by which somebody agrees to a waiting step. `metrics` are those of the step's
/// gate.
#[must_use]
pub fn consent(action: Action, metrics: &[Metric]) -> Value {
    match action {
        Action::Approval => Answer::Approve(true).to_json(),
        Action::Managed => Answer::Start(true).to_json(),
        Action::Schedule => Answer::Immediate.to_json(),
        Action::Deploy => Answer::Resume(true).to_json(),
        _ => {
            let overrides = metrics
                .iter()
                .filter(|metric| metric.is_important_failure())
                .map(|metric| json!({ "kpi": metric.kpi, "override": true }));
            json!({ "metrics": overrides.collect::<Value>() })
        }
    }
}

/// Returns a field that is wrong, with what was sent, if anything was.
fn invalid(field: &str, message: impl Into<String>, sent: Option<&Value>) -> InvalidField {
    InvalidField { invalid_value: sent.cloned(), ..InvalidField::new(field, message) }
}

fn expect_flag(body: &Value, field: &str, expected: bool) -> Result<(), InvalidField> {
    match body.get(field) {
        Some(Value::Bool(value)) if *value == expected => Ok(()),
        other => Err(invalid(field, format!("must be {expected}"), other)),
    }
}

fn read_schedule(body: &Value, now: Timestamp) -> Result<Answer, InvalidField> {
    match body.get("type").and_then(Value::as_str) {
        Some("IMMEDIATE") => Ok(Answer::Immediate),
        Some("SCHEDULED") => {
            let field = body.get("schedule");
            let text = field.and_then(Value::as_str).unwrap_or_default();
            let at = Timestamp::parse(text)
                .map_err(|error| invalid("schedule", error.to_string(), field))?;
            if at < now {
                return Err(invalid("schedule", "must not be in the past", field));
            }
            Ok(Answer::Schedule { at, text: text.into() })
        }
        _ => Err(invalid("type", "must be IMMEDIATE or SCHEDULED", body.get("type"))),
    }
}

fn read_overrides(
    action: Action,
    metrics: &[Metric],
    body: &Value,
) -> Result<Answer, InvalidField> {
    let field = body.get("metrics");
    let Some(overrides) = field.and_then(Value::as_array) else {
        return Err(invalid("metrics", "must be an array of metrics", field));
    };
    let mut kpis = Vec::new();
    for (index, metric) in overrides.iter().enumerate() {
        let path = |name| format!("metrics[{index}].{name}");
        let kpi = metric.get("kpi");
        match kpi.and_then(Value::as_str) {
            Some(kpi) if Gate::of(action).is_some_and(|gate| gate.has_kpi(kpi)) => kpis.push(kpi),
            _ => {
                let message = "must be a metric of this step's gate";
                return Err(invalid(&path("kpi"), message, kpi));
            }
        }
        if metric.get("override") != Some(&Value::Bool(true)) {
            let value = metric.get("override");
            return Err(invalid(&path("override"), "must be true", value));
        }
    }
    let missing: Vec<_> = metrics
        .iter()
        .filter(|metric| metric.is_important_failure() && !kpis.contains(&metric.kpi))
        .map(|metric| metric.kpi)
        .collect();
    if missing.is_empty() {
        return Ok(Answer::Override(true));
    }
    let message =
        format!("must override every failed important metric; missing: {}", missing.join(", "));
    Err(invalid("metrics", message, field))
}
