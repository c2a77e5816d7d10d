//! The shapes of a seed document, as it is written in YAML or JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::scenario::ScenarioDocument;
use crate::domain::environment::{EnvironmentStatus, EnvironmentType};
use crate::domain::pipeline::{ImportantFailures, PipelineTrigger, StepOptions};
use crate::domain::program::ProgramType;
use crate::domain::variable::VariableType;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SeedDocument {
    #[serde(default)]
    pub tenants: Vec<TenantDocument>,
    #[serde(default)]
    pub clients: Vec<ClientDocument>,
    #[serde(default)]
    pub programs: Vec<ProgramDocument>,
    #[serde(default)]
    pub webhooks: Vec<WebhookDocument>,
    pub next_execution_id: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TenantDocument {
    pub id: String,
    pub ims_org_id: String,
    pub ims_tenant_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ClientDocument {
    pub client_id: String,
    pub client_secret: String,
    pub technical_account_id: String,
    pub tenant_id: String,
    #[serde(default)]
    pub roles: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WebhookDocument {
    pub tenant_id: String,
    pub client_id: String,
    pub client_secret: String,
    pub url: String,
    pub events: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ProgramDocument {
    pub id: String,
    pub tenant_id: String,
    pub name: String,
    #[serde(rename = "type")]
    pub program_type: Option<ProgramType>,
    #[serde(default)]
    pub emergency_mode: bool,
    pub kpis: Option<KpisDocument>,
    #[serde(default)]
    pub environments: Vec<EnvironmentDocument>,
    #[serde(default)]
    pub repositories: Vec<RepositoryDocument>,
    #[serde(default)]
    pub pipelines: Vec<PipelineDocument>,
}

/// The performance targets of a program; what is left out keeps its value.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Kpis)]
pub struct KpisDocument {
    /// 95th percentile of the response time, in seconds.
    pub response_time: Option<f64>,
    /// Page views per minute.
    pub page_views_per_minute: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EnvironmentDocument {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    #[serde(rename = "type")]
    pub environment_type: EnvironmentType,
    pub status: Option<EnvironmentStatus>,
    pub topology: Option<TopologyDocument>,
    #[serde(default)]
    pub variables: Vec<VariableDocument>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TopologyDocument {
    pub authors: Option<u32>,
    pub pairs: Option<u32>,
    #[serde(default)]
    pub cold_standby: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RepositoryDocument {
    pub id: String,
    pub repo: String,
    pub description: Option<String>,
    #[serde(default)]
    pub branches: BTreeMap<String, String>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PipelineDocument {
    pub id: String,
    pub name: String,
    pub trigger: Option<PipelineTrigger>,
    #[serde(default)]
    pub important_metric_failures: ImportantFailures,
    #[serde(default)]
    pub variables: Vec<VariableDocument>,
    pub phases: Vec<PhaseDocument>,
    pub scenario: Option<ScenarioDocument>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct VariableDocument {
    pub name: String,
    pub value: String,
    #[serde(rename = "type", default)]
    pub variable_type: VariableType,
    pub service: Option<String>,
}

impl fmt::Debug for VariableDocument {
    /// Without the value, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VariableDocument").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum PhaseType {
    Validate,
    Build,
    Deploy,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PhaseDocument {
    pub id: Option<String>,
    #[serde(rename = "type")]
    pub phase_type: PhaseType,
    pub name: Option<String>,
    pub repository_id: Option<String>,
    pub branch: Option<String>,
    pub environment_id: Option<String>,
    pub steps: Option<Vec<StepDocument>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StepDocument {
    pub id: Option<String>,
    pub name: String,
    #[serde(default)]
    pub options: StepOptions,
}
