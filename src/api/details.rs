//! The details of step states: answers, reasons, deployments.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::content::deployment::{self, StepDeployment};
use crate::content::message::message;
use crate::domain::deployment::Command;
use crate::domain::execution::step::StepState;
use crate::engine::read::Snapshot;

/// Details of a step.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PipelineExecutionStepStateDetails)]
pub(super) struct StepDetails {
    /// The last body with which the step was advanced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    input: Option<Value>,
    /// Whether the step timed out while it waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    timed_out: Option<bool>,
    /// Why the step failed or timed out, or which execution its artifacts come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// Deployments: the planned commands, as a JSON array in a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    deploy_commands: Option<String>,
    /// Deployments: the command that is being performed, or was performed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_deploy_command_id: Option<String>,
    /// Deployments: the performed commands, as a JSON array in a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment_step_description: Option<String>,
    /// Deployments: the URLs of the environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment_urls: Option<Vec<EnvironmentUrl>>,
}

/// The URL of instances of an environment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EnvironmentUrl {
    instance_type: &'static str,
    instance_url: String,
}

/// A command in the string `deployCommands`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CommandText<'a> {
    id: u32,
    step_action: &'static str,
    instance_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
}

/// A command in the string `deploymentStepDescription`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PerformedText<'a> {
    id: u32,
    step_action: &'static str,
    instance_id: &'a str,
    updated: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> CommandText<'a> {
    fn new(Command { id, kind, instance, subject, stage: _ }: &'a Command) -> Self {
        Self {
            id: *id,
            step_action: kind.as_str(),
            instance_id: instance,
            subject: subject.as_deref(),
        }
    }
}

impl StepDetails {
    /// The details of the step at a position.
    pub(super) fn new(snapshot: &Snapshot, position: usize, state: &StepState) -> Self {
        let execution = &snapshot.execution;
        let deployment = deployment::deployment(execution, position, snapshot.now);
        let deployment = deployment.as_ref();
        Self {
            input: state.answer().map(|answer| answer.to_json()),
            timed_out: state.timed_out().then_some(true),
            message: message(execution, position, deployment),
            deploy_commands: deployment.map(deploy_commands),
            current_deploy_command_id: deployment
                .and_then(|deployment| deployment.current)
                .map(|id| id.to_string()),
            deployment_step_description: deployment.map(deployment_step_description),
            environment_urls: deployment.map(|deployment| {
                let urls = deployment.urls.iter();
                urls.map(|(instance_type, url)| EnvironmentUrl {
                    instance_type,
                    instance_url: url.clone(),
                })
                .collect()
            }),
        }
    }
}

fn deploy_commands(deployment: &StepDeployment) -> String {
    let commands: Vec<_> = deployment.commands.iter().map(CommandText::new).collect();
    serde_json::to_string(&commands).unwrap_or_default()
}

fn deployment_step_description(deployment: &StepDeployment) -> String {
    let performed = deployment.performed().map(|(performed, at)| PerformedText {
        id: performed.command.id,
        step_action: performed.command.kind.as_str(),
        instance_id: &performed.command.instance,
        updated: at.to_string(),
        error: performed.result.as_ref().err().map(String::as_str),
    });
    serde_json::to_string(&performed.collect::<Vec<_>>()).unwrap_or_default()
}
