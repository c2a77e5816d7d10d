//! Identifiers: positive numbers, which the API writes as decimal strings.

use std::fmt;

/// A text that is not an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from 1 to 9223372036854775807, written as a string")]
pub struct InvalidId;

/// Reads the one way in which an identifier is written: digits, no sign, no leading zero.
fn parse(text: &str) -> Result<i64, InvalidId> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    if canonical { text.parse().map_err(|_| InvalidId) } else { Err(InvalidId) }
}

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(i64);

        impl $name {
            /// Returns the identifier with this number, as it is stored.
            #[must_use]
            pub fn new(number: i64) -> Self {
                Self(number)
            }

            /// Returns the number, as it is stored.
            #[must_use]
            pub fn number(self) -> i64 {
                self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

identifiers! {
    /// Names a tenant (one IMS organisation).
    TenantId;
    /// Names a program, unique in the emulator.
    ProgramId;
    /// Names an environment, unique in its program.
    EnvironmentId;
    /// Names a repository, unique in its program.
    RepositoryId;
    /// Names a pipeline, unique in its program.
    PipelineId;
    /// Names a phase of a pipeline definition, the same in all its executions.
    PhaseId;
    /// Names a step of a pipeline definition, the same in all its executions.
    StepId;
    /// Names an execution, unique in the emulator.
    ExecutionId;
    /// Names a subscription, unique among those that there are.
    WebhookId;
    /// Names a delivery, unique among those that there are; greater is later.
    DeliveryId;
}

/// A pipeline and the program that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PipelineKey {
    /// The program.
    pub program_id: ProgramId,
    /// The pipeline in that program.
    pub pipeline_id: PipelineId,
}

/// A repository and the program that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryKey {
    /// The program.
    pub program_id: ProgramId,
    /// The repository in that program.
    pub repository_id: RepositoryId,
}

/// Names a step of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepKey {
    /// The pipeline.
    pub pipeline: PipelineKey,
    /// The execution.
    pub execution_id: ExecutionId,
    /// The phase.
    pub phase_id: PhaseId,
    /// The step.
    pub step_id: StepId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_an_identifier() {
        assert_eq!("953671".parse(), Ok(ExecutionId::new(953_671)));
        for text in ["", "0", "04", "-4", "+4", "4.0", " 4", "four", "９", "99999999999999999999"]
        {
            assert_eq!(text.parse::<ProgramId>(), Err(InvalidId), "{text}");
        }
    }
}
