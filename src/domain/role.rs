//! Roles: who may do what. Several roles add up.

use std::collections::BTreeSet;
use std::fmt;

use super::execution::status::StepStatus;
use super::pipeline::Action;
use super::word::words;

words! {
    /// The role of a client, which decides what it may do.
    pub enum Role {
        /// Owns programs and their budget.
        BusinessOwner = "businessOwner",
        /// Sets up pipelines and environments, and deploys.
        DeploymentManager = "deploymentManager",
        /// Follows up on programs and deployments.
        ProgramManager = "programManager",
        /// Writes the code.
        Developer = "developer",
        /// Oversees go-lives, on Adobe's side.
        CustomerSuccessEngineer = "customerSuccessEngineer",
    }
}

use Role::{BusinessOwner, CustomerSuccessEngineer, DeploymentManager, ProgramManager};

/// The refusal of a caller who lacks a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleNeeded {
    /// The operation as the message names it, with the kind of step where that matters.
    what: String,
    /// The roles of which one is enough; empty if no role is.
    roles: &'static [Role],
}

impl fmt::Display for RoleNeeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, roles } = self;
        let names: Vec<_> = roles.iter().map(Role::to_string).collect();
        match names.as_slice() {
            [] => write!(f, "no role allows {what}"),
            [name] => write!(f, "{what} needs the role {name}"),
            names => write!(f, "{what} needs one of the roles {}", names.join(", ")),
        }
    }
}

/// Who may call an operation.
#[derive(Clone, Copy, Debug)]
pub enum Callers {
    /// Everybody with a valid token, also without any role.
    Everybody,
    /// Whoever has one of these roles.
    OneOf(&'static [Role]),
}

/// The roles that may advance or cancel at least one kind of step. The operation checks this before
/// the step is known; the checks below decide by the kind of step.
const ANSWERERS: &[Role] =
    &[BusinessOwner, DeploymentManager, ProgramManager, CustomerSuccessEngineer];

impl Callers {
    /// The roles that may advance or cancel at least one kind of step.
    pub const ANSWERERS: Self = Self::OneOf(ANSWERERS);
}

/// Checks that these roles may call an operation, before its target is known. An operation without
/// declared callers is refused to everybody, so that a forgotten declaration is noticed.
pub fn check_operation(
    roles: &BTreeSet<Role>,
    operation: &str,
    callers: Option<Callers>,
) -> Result<(), RoleNeeded> {
    match callers {
        Some(Callers::Everybody) => Ok(()),
        Some(Callers::OneOf(needed)) => check(roles, operation, needed),
        None => check(roles, operation, &[]),
    }
}

/// Checks that these roles may advance a step with this action.
pub fn check_advance(roles: &BTreeSet<Role>, action: Action) -> Result<(), RoleNeeded> {
    if action == Action::Managed {
        let what = "advancePipelineExecution of a managed step";
        return check(roles, what, &[CustomerSuccessEngineer]);
    }
    let needed = &[BusinessOwner, DeploymentManager, ProgramManager];
    check(roles, "advancePipelineExecution", needed)
}

/// Checks that these roles may cancel a step with this action and status.
pub fn check_cancel(
    roles: &BTreeSet<Role>,
    action: Action,
    status: StepStatus,
) -> Result<(), RoleNeeded> {
    if action == Action::Managed {
        // A managed step only waits, so its status does not matter.
        return check(roles, "cancelPipelineExecutionStep", ANSWERERS);
    }
    if status == StepStatus::Waiting {
        let needed = &[BusinessOwner, DeploymentManager, ProgramManager];
        return check(roles, "cancelPipelineExecutionStep", needed);
    }
    let what = "cancelPipelineExecutionStep of a step that does not wait";
    check(roles, what, &[BusinessOwner, DeploymentManager])
}

fn check(roles: &BTreeSet<Role>, what: &str, needed: &'static [Role]) -> Result<(), RoleNeeded> {
    if needed.iter().any(|role| roles.contains(role)) {
        return Ok(());
    }
    Err(RoleNeeded { what: what.to_owned(), roles: needed })
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
        let several = Some(Callers::OneOf(&[BusinessOwner, ProgramManager]));
        assert_eq!(
            told(check_operation(&nobody, "startPipeline", several)),
            "startPipeline needs one of the roles businessOwner, programManager"
        );
        let one = Some(Callers::OneOf(&[DeploymentManager]));
        assert_eq!(
            told(check_operation(&nobody, "patchPipeline", one)),
            "patchPipeline needs the role deploymentManager"
        );
        assert_eq!(
            told(check_cancel(&[ProgramManager].into(), Action::Build, StepStatus::Running)),
            "cancelPipelineExecutionStep of a step that does not wait needs one of the roles \
             businessOwner, deploymentManager"
        );
        assert_eq!(check_operation(&nobody, "getPipeline", Some(Callers::Everybody)), Ok(()));
    }

    #[test]
    fn no_role_allows_an_operation_whose_callers_are_not_known() {
        let refusal = check_operation(&Role::ALL.into(), "createProgram", None).unwrap_err();
        assert_eq!(refusal.to_string(), "no role allows createProgram");
    }
}
