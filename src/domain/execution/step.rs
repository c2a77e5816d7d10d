//! The state of one step of an execution.

use crate::domain::time::Timestamp;

use super::End;
use super::answer::Answer;
use super::status::StepStatus;

/// How far a step has come.
#[derive(Clone, Debug, PartialEq)]
pub enum StepState {
    /// Its turn has not come.
    NotStarted,
    /// At work.
    Running {
        /// When it started.
        started_at: Timestamp,
        /// When the work is done, or pauses.
        until: Timestamp,
        /// When it was resumed after a pause, if it was.
        resumed_at: Option<Timestamp>,
    },
    /// Waits for somebody, or for the time that somebody gave.
    Waiting {
        /// When it started.
        started_at: Timestamp,
        /// When it began to wait.
        since: Timestamp,
        /// The time that somebody gave, for a schedule step.
        scheduled: Option<Scheduled>,
    },
    /// Over.
    Ended {
        /// How.
        end: End,
        /// When it started.
        started_at: Timestamp,
        /// When it ended.
        at: Timestamp,
        /// When it was resumed after a pause, if it was.
        resumed_at: Option<Timestamp>,
        /// What somebody last answered.
        answer: Option<Answer>,
        /// Whether it ended because nobody answered in time.
        timed_out: bool,
    },
}

/// The answer to a schedule step that names a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// When the deployment is to begin.
    pub at: Timestamp,
    /// That time as it was written.
    pub text: String,
    /// When the answer was given.
    pub given_at: Timestamp,
}

impl Scheduled {
    /// Returns the answer as it was given.
    #[must_use]
    pub fn answer(&self) -> Answer {
        Answer::Schedule { at: self.at, text: self.text.clone() }
    }
}

impl StepState {
    /// Returns its status.
    #[must_use]
    pub fn status(&self) -> StepStatus {
        match self {
            Self::NotStarted => StepStatus::NotStarted,
            Self::Running { .. } => StepStatus::Running,
            Self::Waiting { .. } => StepStatus::Waiting,
            Self::Ended { end: End::Finished, .. } => StepStatus::Finished,
            Self::Ended { end: End::Failed, .. } => StepStatus::Failed,
            Self::Ended { end: End::Error, .. } => StepStatus::Error,
            Self::Ended { end: End::Cancelled, .. } => StepStatus::Cancelled,
        }
    }

    /// Returns when it started, if it has.
    #[must_use]
    pub fn started_at(&self) -> Option<Timestamp> {
        match self {
            Self::NotStarted => None,
            Self::Running { started_at, .. }
            | Self::Waiting { started_at, .. }
            | Self::Ended { started_at, .. } => Some(*started_at),
        }
    }

    /// Returns when it ended, if it has.
    #[must_use]
    pub fn finished_at(&self) -> Option<Timestamp> {
        match self {
            Self::Ended { at, .. } => Some(*at),
            _ => None,
        }
    }

    /// Returns when it last changed, if it ever did.
    #[must_use]
    pub fn updated_at(&self) -> Option<Timestamp> {
        match self {
            Self::NotStarted => None,
            Self::Running { started_at, resumed_at, .. } => Some(resumed_at.unwrap_or(*started_at)),
            Self::Waiting { since, scheduled, .. } => {
                Some(scheduled.as_ref().map_or(*since, |scheduled| scheduled.given_at))
            }
            Self::Ended { at, .. } => Some(*at),
        }
    }

    /// Returns when it was resumed after a pause, if it was.
    #[must_use]
    pub fn resumed_at(&self) -> Option<Timestamp> {
        match self {
            Self::Running { resumed_at, .. } | Self::Ended { resumed_at, .. } => *resumed_at,
            Self::NotStarted | Self::Waiting { .. } => None,
        }
    }

    /// Returns what somebody last answered, if anybody did.
    #[must_use]
    pub fn answer(&self) -> Option<Answer> {
        match self {
            Self::NotStarted => None,
            Self::Running { resumed_at, .. } => resumed_at.map(|_| Answer::Resume(true)),
            Self::Waiting { scheduled, .. } => scheduled.as_ref().map(Scheduled::answer),
            Self::Ended { answer, .. } => answer.clone(),
        }
    }

    /// Returns whether it ended because nobody answered in time.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        matches!(self, Self::Ended { timed_out: true, .. })
    }
}
