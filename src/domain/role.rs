//! Roles: who may do what. Several roles add up.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::execution::step::StepStatus;
use super::pipeline::Action;

/// What somebody is to a program.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Owns programs and their budget.
    BusinessOwner,
    /// Sets up pipelines and environments, and deploys.
    DeploymentManager,
    /// Follows up on programs and deployments.
    ProgramManager,
    /// Writes the code.
    Developer,
    /// Oversees go-lives, on Adobe's side.
    CustomerSuccessEngineer,
}

use Role::{BusinessOwner, CustomerSuccessEngineer, DeploymentManager, Developer, ProgramManager};

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] =
        [BusinessOwner, DeploymentManager, ProgramManager, Developer, CustomerSuccessEngineer];
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BusinessOwner => "businessOwner",
            DeploymentManager => "deploymentManager",
            ProgramManager => "programManager",
            Developer => "developer",
            CustomerSuccessEngineer => "customerSuccessEngineer",
        })
    }
}

/// A refusal for want of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleNeeded {
    /// What was asked for, as it is told: an operation, or one on certain steps.
    what: &'static str,
    /// The roles of which one would do; none if nobody may.
    roles: &'static [Role],
}

impl fmt::Display for RoleNeeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, roles } = self;
        let names: Vec<_> = roles.iter().map(Role::to_string).collect();
        match names.as_slice() {
            [] => write!(f, "{what} is allowed to nobody"),
            [name] => write!(f, "{what} needs the role {name}"),
            names => write!(f, "{what} needs one of the roles {}", names.join(", ")),
        }
    }
}

/// Who may call an operation.
#[derive(Clone, Copy)]
enum Callers {
    /// Everybody who is let in, also without any role.
    Everybody,
    /// Whoever has one of these roles.
    OneOf(&'static [Role]),
}

use Callers::{Everybody, OneOf};

/// Every operation of the API, and who may call it. What an advance or a cancellation needs also
/// depends on the step. An operation that is not listed is allowed to nobody.
///
/// Source: Cloud Manager's permissions of its API, by operation.
const OPERATIONS: [(&str, Callers); 35] = [
    ("getPrograms", Everybody),
    ("getProgram", Everybody),
    ("deleteProgram", OneOf(&[BusinessOwner])),
    ("getProgramRegions", Everybody),
    ("getTenants", Everybody),
    ("getTenant", Everybody),
    ("getProgramsForTenant", Everybody),
    ("getRepositories", Everybody),
    ("getRepository", Everybody),
    ("getBranches", Everybody),
    ("getEnvironments", Everybody),
    ("getEnvironment", Everybody),
    ("deleteEnvironment", OneOf(&[BusinessOwner, DeploymentManager])),
    ("getEnvironmentLogs", OneOf(&[DeploymentManager, Developer])),
    ("downloadLogs", OneOf(&[DeploymentManager])),
    ("getEnvironmentVariables", Everybody),
    ("patchEnvironmentVariables", OneOf(&[DeploymentManager])),
    ("getPipelines", Everybody),
    ("getPipeline", Everybody),
    ("patchPipeline", OneOf(&[DeploymentManager])),
    ("deletePipeline", OneOf(&[DeploymentManager])),
    ("invalidateCache", OneOf(&[DeploymentManager])),
    ("getPipelineVariables", OneOf(&[BusinessOwner, DeploymentManager, ProgramManager, Developer])),
    ("patchPipelineVariables", OneOf(&[DeploymentManager])),
    ("startPipeline", OneOf(&[BusinessOwner, DeploymentManager, ProgramManager])),
    ("getCurrentExecution", Everybody),
    ("getExecution", Everybody),
    ("getExecutions", Everybody),
    ("stepState", Everybody),
    (
        "advancePipelineExecution",
        OneOf(&[BusinessOwner, DeploymentManager, ProgramManager, CustomerSuccessEngineer]),
    ),
    (
        "cancelPipelineExecutionStep",
        OneOf(&[BusinessOwner, DeploymentManager, ProgramManager, CustomerSuccessEngineer]),
    ),
    ("stepMetric", Everybody),
    ("getStepLogs", Everybody),
    ("listStepArtifacts", Everybody),
    ("getStepArtifact", Everybody),
];

/// Whether somebody with these roles may call an operation, before it is known on what.
pub fn check_operation(roles: &BTreeSet<Role>, operation: &str) -> Result<(), RoleNeeded> {
    match OPERATIONS.into_iter().find(|(listed, _)| *listed == operation) {
        Some((_, Everybody)) => Ok(()),
        Some((what, OneOf(needed))) => check(roles, what, needed),
        None => Err(RoleNeeded { what: "an operation without permissions", roles: &[] }),
    }
}

/// Whether somebody with these roles may advance a step with this action.
pub fn check_advance(roles: &BTreeSet<Role>, action: Action) -> Result<(), RoleNeeded> {
    if action == Action::Managed {
        let what = "advancePipelineExecution of a managed step";
        return check(roles, what, &[CustomerSuccessEngineer]);
    }
    let needed = &[BusinessOwner, DeploymentManager, ProgramManager];
    check(roles, "advancePipelineExecution", needed)
}

/// Whether somebody with these roles may cancel a step with this action and status.
pub fn check_cancel(
    roles: &BTreeSet<Role>,
    action: Action,
    status: StepStatus,
) -> Result<(), RoleNeeded> {
    if action == Action::Managed {
        // It can be cancelled only while it waits.
        return check_operation(roles, "cancelPipelineExecutionStep");
    }
    if status == StepStatus::Waiting {
        let needed = &[BusinessOwner, DeploymentManager, ProgramManager];
        return check(roles, "cancelPipelineExecutionStep", needed);
    }
    let what = "cancelPipelineExecutionStep of a step that does not wait";
    check(roles, what, &[BusinessOwner, DeploymentManager])
}

fn check(
    roles: &BTreeSet<Role>,
    what: &'static str,
    needed: &'static [Role],
) -> Result<(), RoleNeeded> {
    if needed.iter().any(|role| roles.contains(role)) {
        return Ok(());
    }
    Err(RoleNeeded { what, roles: needed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_told_by_the_names_by_which_they_are_stored() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.to_string());
        }
    }

    #[test]
    fn a_refusal_says_what_is_needed() {
        let nobody = BTreeSet::new();
        let told = |refusal: Result<(), RoleNeeded>| refusal.unwrap_err().to_string();
        assert_eq!(
            told(check_operation(&nobody, "startPipeline")),
            "startPipeline needs one of the roles businessOwner, deploymentManager, programManager"
        );
        assert_eq!(
            told(check_operation(&nobody, "patchPipeline")),
            "patchPipeline needs the role deploymentManager"
        );
        assert_eq!(
            told(check_cancel(&[ProgramManager].into(), Action::Build, StepStatus::Running)),
            "cancelPipelineExecutionStep of a step that does not wait needs one of the roles \
             businessOwner, deploymentManager"
        );
        assert_eq!(check_operation(&nobody, "getPipeline"), Ok(()));
    }

    #[test]
    fn what_is_not_listed_is_allowed_to_nobody() {
        let everybody = Role::ALL.into();
        for operation in ["", "createProgram", "getpipeline"] {
            let refusal = check_operation(&everybody, operation).unwrap_err();
            assert_eq!(
                refusal.to_string(),
                "an operation without permissions is allowed to nobody"
            );
        }
    }
}
