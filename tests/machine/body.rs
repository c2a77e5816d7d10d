//! What people send to advance and cancel a step.

use cloudmanager_emulator::domain::time::Timestamp;
use serde_json::{Value, json};

/// The two commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Advance,
    Cancel,
}

/// A way to write the offset of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offset {
    Zulu,
    Plain,
    OneHourEast,
}

/// The body of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    Nothing,
    Overrides(Vec<(&'static str, bool)>),
    Override(bool),
    Approved(bool),
    Immediate,
    Scheduled(i64, Offset),
    Tomorrow,
    Start(bool),
    Resume(bool),
    Cancel(bool),
}

impl Body {
    /// All bodies without a part that depends on a step or on the time.
    pub const FIXED: [Self; 13] = [
        Self::Nothing,
        Self::Override(true),
        Self::Override(false),
        Self::Approved(true),
        Self::Approved(false),
        Self::Immediate,
        Self::Tomorrow,
        Self::Start(true),
        Self::Start(false),
        Self::Resume(true),
        Self::Resume(false),
        Self::Cancel(true),
        Self::Cancel(false),
    ];

    pub fn to_json(&self) -> Value {
        match self {
            Self::Nothing => json!({}),
            Self::Overrides(metrics) => {
                let metrics: Vec<_> = metrics
                    .iter()
                    .map(|(kpi, value)| json!({ "kpi": kpi, "override": value }))
                    .collect();
                json!({ "metrics": metrics })
            }
            Self::Override(value) => json!({ "override": value }),
            Self::Approved(value) => json!({ "approved": value }),
            Self::Immediate => json!({ "type": "IMMEDIATE" }),
            Self::Scheduled(at, offset) => {
                json!({ "type": "SCHEDULED", "schedule": offset.write(*at) })
            }
            Self::Tomorrow => json!({ "type": "SCHEDULED", "schedule": "tomorrow" }),
            Self::Start(value) => json!({ "start": value }),
            Self::Resume(value) => json!({ "resume": value }),
            Self::Cancel(value) => json!({ "cancel": value }),
        }
    }
}

impl Offset {
    fn write(self, millis: i64) -> String {
        let (shift, suffix) = match self {
            Self::Zulu => (0, "Z"),
            Self::Plain => (0, "+0000"),
            Self::OneHourEast => (3_600_000, "+01:00"),
        };
        Timestamp::from_millis(millis + shift).strftime("%Y-%m-%dT%H:%M:%S%.3f") + suffix
    }
}
