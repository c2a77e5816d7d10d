//! The structure of a seed document in YAML or JSON. The docs of these fields are the descriptions
//! in the JSON Schema, which editors show.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, ArrayBuilder, Object, ObjectBuilder, Schema, Type};

use crate::domain::build_document::BuildDocument;
use crate::domain::environment::{EnvironmentStatus, EnvironmentType};
use crate::domain::pipeline::{Action, ImportantFailures, PhaseType, PipelineTrigger, StepOptions};
use crate::domain::program::ProgramType;
use crate::domain::role::Role;
use crate::domain::scenario_document::ScenarioDocument;
use crate::domain::variable::VariableType;
use crate::domain::webhook;

/// The tenants, programs and pipelines of a new emulator.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Seed)]
pub(super) struct SeedDocument {
    /// The URL of the JSON Schema, for editors; the emulator ignores it.
    #[serde(rename = "$schema")]
    #[expect(dead_code, reason = "it is for editors alone")]
    pub schema: Option<String>,
    /// IMS organisations.
    #[serde(default)]
    pub tenants: Vec<TenantDocument>,
    /// Technical accounts that can get access tokens.
    #[serde(default)]
    pub clients: Vec<ClientDocument>,
    /// Programs with environments, repositories and pipelines.
    #[serde(default)]
    pub programs: Vec<ProgramDocument>,
    /// Subscriptions to events.
    #[serde(default)]
    pub webhooks: Vec<WebhookDocument>,
    /// The identifier of the first execution; 1 if absent.
    #[schema(minimum = 1, maximum = 9_999_999_999_i64)]
    pub next_execution_id: Option<i64>,
}

/// An IMS organisation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SeedTenant)]
pub(super) struct TenantDocument {
    /// Identifier.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    pub id: String,
    /// The organisation id that callers send in `x-gw-ims-org-id`.
    #[schema(min_length = 1, max_length = 255)]
    pub ims_org_id: String,
    /// The organisation's short name.
    #[schema(min_length = 1, max_length = 255)]
    pub ims_tenant_id: String,
}

/// A technical account.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SeedClient)]
pub(super) struct ClientDocument {
    /// The api key; unique in the document.
    #[schema(min_length = 1, max_length = 255)]
    pub client_id: String,
    /// The client secret.
    #[schema(min_length = 1, max_length = 255)]
    pub client_secret: String,
    /// The account, as shown in executions, for example `ci@techacct.adobe.com`.
    #[schema(min_length = 1, max_length = 255)]
    pub technical_account_id: String,
    /// The tenant that it belongs to.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    pub tenant_id: String,
    /// The certificate of its JWTs, as PEM. The signature of a JWT that it exchanges for a token is
    /// checked if the certificate is known.
    #[schema(max_length = 65_536)]
    pub certificate: Option<String>,
    /// Its roles; without any, only operations that need no role are allowed.
    #[serde(default)]
    pub roles: Vec<Role>,
}

impl fmt::Debug for ClientDocument {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientDocument").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// A subscription to the events of a tenant's executions.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SeedWebhook)]
pub struct WebhookDocument {
    /// The tenant.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    pub tenant_id: String,
    /// The subscriber, named in each event.
    #[schema(min_length = 1, max_length = 255)]
    pub client_id: String,
    /// The secret that signs the deliveries.
    #[schema(min_length = 1, max_length = 255)]
    pub client_secret: String,
    /// The absolute http or https URL to which events are delivered.
    #[schema(pattern = "^https?://", max_length = 2048)]
    pub url: String,
    /// The names of the events.
    #[schema(schema_with = events)]
    pub events: Vec<String>,
}

impl fmt::Debug for WebhookDocument {
    /// Without the secret, and without the address, which may hold one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookDocument")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// A program with its environments, repositories and pipelines.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SeedProgram)]
pub(super) struct ProgramDocument {
    /// Identifier, unique in the document.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    pub id: String,
    /// The tenant that owns it.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    pub tenant_id: String,
    /// Display name.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// Its type; `aem_managed_services` if absent.
    #[serde(rename = "type")]
    pub program_type: Option<ProgramType>,
    /// Whether Customer Success Engineers have activated the emergency execution mode.
    #[serde(default)]
    pub emergency_mode: bool,
    /// Its performance targets.
    pub kpis: Option<KpisDocument>,
    /// Its environments.
    #[serde(default)]
    pub environments: Vec<EnvironmentDocument>,
    /// Its git repositories.
    #[serde(default)]
    pub repositories: Vec<RepositoryDocument>,
    /// Its pipelines.
    #[serde(default)]
    pub pipelines: Vec<PipelineDocument>,
}

/// The performance targets of a program; absent ones keep their values.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Kpis)]
pub struct KpisDocument {
    /// 95th percentile of the response time, in seconds.
    #[schema(exclusive_minimum = 0)]
    pub response_time: Option<f64>,
    /// Page views per minute.
    #[schema(exclusive_minimum = 0)]
    pub page_views_per_minute: Option<f64>,
}

/// An environment of a program.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SeedEnvironment)]
pub struct EnvironmentDocument {
    /// Identifier, unique in the program.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    pub(super) id: String,
    /// Display name.
    #[schema(min_length = 1, max_length = 64)]
    pub(super) name: String,
    /// Free text.
    #[schema(max_length = 2048)]
    pub(super) description: Option<String>,
    /// Its type.
    #[serde(rename = "type")]
    pub(super) environment_type: EnvironmentType,
    /// Whether it can be deployed to; `ready` if absent.
    pub(super) status: Option<EnvironmentStatus>,
    /// Its instances.
    pub(super) topology: Option<TopologyDocument>,
    /// Its variables.
    #[serde(default)]
    pub(super) variables: Vec<VariableDocument>,
}

/// The instances of an environment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SeedTopology)]
pub(super) struct TopologyDocument {
    /// Author instances; 1 if absent.
    #[schema(minimum = 1, maximum = 100)]
    pub authors: Option<u32>,
    /// Pairs of one publish instance and its dispatcher; 1 if absent.
    #[schema(minimum = 1, maximum = 100)]
    pub pairs: Option<u32>,
    /// Whether a cold standby of the author exists.
    #[serde(default)]
    pub cold_standby: bool,
}

/// A git repository of a program.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SeedRepository)]
pub(super) struct RepositoryDocument {
    /// Identifier, unique in the program.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    pub id: String,
    /// Display name.
    #[schema(min_length = 1, max_length = 64)]
    pub repo: String,
    /// Free text.
    #[schema(max_length = 2048)]
    pub description: Option<String>,
    /// The newest commit of each branch, by the branch's name.
    #[serde(default)]
    #[schema(schema_with = branches)]
    pub branches: BTreeMap<String, String>,
    /// The commit of each tag, by the tag's name without `refs/tags/`.
    #[serde(default)]
    #[schema(schema_with = tags)]
    pub tags: BTreeMap<String, String>,
    /// The output of a build in `target/*.zip`; two packages and a dispatcher artifact if absent.
    #[schema(max_items = 1000)]
    pub builds: Option<Vec<BuildDocument>>,
}

/// A pipeline of a program. Its phases make it a production, a non-production or a code quality
/// pipeline.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SeedPipeline)]
pub struct PipelineDocument {
    /// Identifier, unique in the program.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    pub(super) id: String,
    /// Display name.
    #[schema(min_length = 1, max_length = 64)]
    pub(super) name: String,
    /// What starts executions; `MANUAL` if absent.
    pub(super) trigger: Option<PipelineTrigger>,
    /// What it does when an important metric fails; `ASK` if absent.
    #[serde(default)]
    pub(super) important_metric_failures: ImportantFailures,
    /// Variables of the build.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub(super) variables: Vec<VariableDocument>,
    /// A `VALIDATE` and a `BUILD` phase; then no `DEPLOY` phase, one to a dev or stage environment,
    /// or one to a stage and one to a prod environment.
    #[schema(min_items = 2, max_items = 4)]
    pub(super) phases: Vec<PhaseDocument>,
    /// The scenario of its next executions.
    pub(super) scenario: Option<ScenarioDocument>,
}

/// A variable of a pipeline's builds or of an environment.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SeedVariable)]
pub(super) struct VariableDocument {
    /// Name, unique per service.
    #[schema(pattern = "^[a-zA-Z_][a-zA-Z_0-9]{1,99}$")]
    pub name: String,
    /// Value; a secret has at most 500 characters.
    #[schema(max_length = 2048)]
    pub value: String,
    /// Whether it is a secret; `string` if absent.
    #[serde(rename = "type", default)]
    pub variable_type: VariableType,
    /// The service that it applies to; all if absent.
    #[schema(max_length = 255)]
    pub service: Option<String>,
}

impl fmt::Debug for VariableDocument {
    /// Without the value, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VariableDocument").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A phase of a pipeline.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SeedPhase)]
pub(super) struct PhaseDocument {
    /// Identifier, unique in the pipeline; generated if absent.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    pub id: Option<String>,
    /// The type of the phase.
    #[serde(rename = "type")]
    pub phase_type: PhaseType,
    /// Name, unique in the pipeline; generated if absent, for example `DEPLOY_1`.
    #[schema(min_length = 1, max_length = 255)]
    pub name: Option<String>,
    /// `BUILD`: the repository, which must exist.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    pub repository_id: Option<String>,
    /// `BUILD`: a branch, or a tag as `refs/tags/…`; `master` if absent.
    #[schema(min_length = 1, max_length = 255, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    pub branch: Option<String>,
    /// `DEPLOY`: the environment, which must exist.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    pub environment_id: Option<String>,
    /// Its steps, in any order; the required ones if absent.
    pub steps: Option<Vec<StepDocument>>,
}

/// A step of a phase.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SeedStep)]
pub(super) struct StepDocument {
    /// Identifier, unique in the pipeline; generated if absent.
    #[schema(pattern = "^[1-9][0-9]{0,18}$")]
    pub id: Option<String>,
    /// The action of the step.
    #[schema(value_type = Action)]
    pub name: String,
    /// The options of the step; the allowed ones depend on its name.
    #[serde(default)]
    pub options: StepOptions,
}

fn branches() -> Object {
    heads("The newest commit of each branch, by the branch's name.")
}

fn tags() -> Object {
    heads("The commit of each tag, by the tag's name without `refs/tags/`.")
}

/// Returns the shape of commits by the names of branches or tags.
fn heads(description: &str) -> Object {
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some(r"^[^\x00-\x1f\x7f-\x9f]*$"))
        .build();
    ObjectBuilder::new()
        .description(Some(description))
        .property_names(Some(text.clone()))
        .additional_properties(Some(Schema::Object(text)))
        .build()
}

fn events() -> Array {
    list_of(&webhook::NAMES, "The names of the events.")
}

/// Returns the shape of a list of some of these words.
fn list_of(words: &[&str], description: &str) -> Array {
    let word = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.to_vec()));
    ArrayBuilder::new().items(word).description(Some(description)).build()
}
