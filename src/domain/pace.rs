//! How long automated steps take when no scenario says otherwise.

use serde::Serialize;
use utoipa::ToSchema;

use super::environment::EnvironmentType;
use super::pipeline::Action;
use super::time::Duration;

/// How fast automated steps run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Pace {
    /// They take no time.
    Immediate,
    /// A production run reaches its go-live approval in about 20 seconds.
    #[default]
    Quick,
    /// As in Cloud Manager.
    Realistic,
}

impl Pace {
    /// Returns how long a step runs; none for a step that only waits.
    #[must_use]
    pub fn duration(self, action: Action, environment: Option<EnvironmentType>) -> Duration {
        let (quick, realistic) = match action {
            Action::Validate => (1, 5),
            Action::Build => (5, 8 * 60),
            Action::CodeQuality => (3, 5 * 60),
            Action::Deploy if environment == Some(EnvironmentType::Prod) => (6, 45 * 60),
            Action::Deploy => (4, 25 * 60),
            Action::SecurityTest => (1, 2 * 60),
            Action::LoadTest => (4, 30 * 60),
            Action::AssetsTest => (1, 10 * 60),
            Action::ReportPerformanceTest => (1, 60),
            Action::ContentAudit => (1, 5 * 60),
            Action::Approval | Action::Schedule | Action::Managed => (0, 0),
        };
        match self {
            Self::Immediate => Duration::ZERO,
            Self::Quick => Duration::from_secs(quick),
            Self::Realistic => Duration::from_secs(realistic),
        }
    }

    /// Returns how long an execution stays CANCELLING.
    #[must_use]
    pub fn cancelling(self) -> Duration {
        match self {
            Self::Immediate => Duration::ZERO,
            Self::Quick => Duration::from_secs(1),
            Self::Realistic => Duration::from_secs(10),
        }
    }
}
