//! How long automated steps take when no scenario says otherwise.

use serde::Serialize;
use utoipa::ToSchema;

use super::environment::EnvironmentType;
use super::noise::Noise;
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
            Action::Validate | Action::ReportPerformanceTest => (1, 5),
            Action::Build => (5, 8 * 60),
            Action::CodeQuality => (3, 40),
            Action::Deploy if environment == Some(EnvironmentType::Prod) => (6, 45 * 60),
            Action::Deploy => (4, 9 * 60),
            Action::SecurityTest => (1, 2 * 60),
            Action::LoadTest => (4, 45 * 60),
            Action::AssetsTest => (1, 10 * 60),
            Action::ContentAudit => (1, 5 * 60),
            Action::Approval | Action::Schedule | Action::Managed => (0, 0),
        };
        match self {
            Self::Immediate => Duration::ZERO,
            Self::Quick => Duration::from_secs(quick),
            Self::Realistic => Duration::from_secs(realistic),
        }
    }

    /// Returns the pause before the step at a position, which lasts as long as in recordings: a few
    /// seconds before the first step, and mostly about six between two steps.
    #[must_use]
    pub fn pause(self, position: usize, noise: Noise) -> Duration {
        let (from, to) = match (position, noise.below(0, 5)) {
            (0, _) => (3_000, 5_000),
            (_, 0) => (1_000, 21_000),
            _ => (5_000, 7_000),
        };
        self.between(from, to, noise)
    }

    /// Returns the pause between the end of the last step and the end of the execution.
    #[must_use]
    pub fn closing_pause(self, noise: Noise) -> Duration {
        self.between(15_000, 20_000, noise)
    }

    /// Returns a length of a pause within these limits in milliseconds; only the realistic pace has
    /// pauses.
    fn between(self, from: u32, to: u32, noise: Noise) -> Duration {
        if self != Self::Realistic {
            return Duration::ZERO;
        }
        let length = u64::from(from) + noise.below(1, u64::from(to - from) + 1);
        Duration::from_millis(i64::try_from(length).unwrap_or(0))
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
