//! Pipelines.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::hal::{Link, List};
use super::page::{Paging, QueryParameters};
use crate::domain::environment::EnvironmentType;
use crate::domain::pipeline::{
    Phase, PhaseKind, PhaseType, Pipeline, PipelineTrigger, Step, StepOptions,
};
use crate::domain::program::Program;
use crate::domain::variable::Owner;
use crate::engine::read::Activity;
use crate::extract::{InPipeline, InProgram};
use crate::http::api_path::ApiPath;
use crate::http::problem::Problem;

/// The largest page of pipelines.
const MAX_PAGE_SIZE: u32 = 500;

/// The type of every pipeline here.
const CI_CD: &str = "CI_CD";

/// A pipeline.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Pipeline)]
pub struct PipelineView {
    id: String,
    program_id: String,
    name: String,
    trigger: PipelineTrigger,
    status: PipelineStatus,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_started_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_finished_at: Option<String>,
    phases: Vec<PhaseView>,
    #[serde(rename = "type")]
    pipeline_type: &'static str,
    #[serde(rename = "_links")]
    links: PipelineLinks,
}

/// Whether an execution of the pipeline runs or waits.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum PipelineStatus {
    /// No execution runs or waits.
    Idle,
    /// An execution runs or waits.
    Busy,
}

/// A phase of a pipeline.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PipelinePhase)]
struct PhaseView {
    name: String,
    #[serde(rename = "type")]
    phase_type: PhaseType,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment_type: Option<EnvironmentType>,
    steps: Vec<StepView>,
}

/// A step of a phase.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PipelineStep)]
struct StepView {
    name: &'static str,
    options: StepOptions,
}

#[derive(Debug, Serialize, ToSchema)]
struct PipelineLinks {
    #[serde(rename = "self")]
    this: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/program")]
    program: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/execution")]
    execution: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/execution/id")]
    execution_by_id: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/executions")]
    executions: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/variables")]
    variables: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/cache")]
    cache: Link,
    #[serde(
        rename = "http://ns.adobe.com/adobecloud/rel/rollbackLastSuccessfulExecution",
        skip_serializing_if = "Option::is_none"
    )]
    roll_back: Option<Link>,
}

/// The items.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmbeddedPipelines {
    pipelines: Vec<PipelineView>,
}

impl PipelineView {
    pub(super) fn new(pipeline: &Pipeline, activity: Activity) -> Self {
        let Pipeline {
            id,
            program_id,
            name,
            trigger,
            important_failures: _,
            created_at,
            updated_at,
            phases,
            variables: _,
            cache_invalidated_at: _,
        } = pipeline;
        let key = pipeline.key();
        Self {
            id: id.to_string(),
            program_id: program_id.to_string(),
            name: name.clone(),
            trigger: *trigger,
            status: if activity.busy { PipelineStatus::Busy } else { PipelineStatus::Idle },
            created_at: created_at.to_string(),
            updated_at: updated_at.to_string(),
            last_started_at: activity.last_started_at.map(|at| at.to_string()),
            last_finished_at: activity.last_finished_at.map(|at| at.to_string()),
            phases: phases.iter().map(PhaseView::new).collect(),
            pipeline_type: CI_CD,
            links: PipelineLinks {
                program: Link::to(ApiPath::Program(*program_id)),
                execution: Link::to(ApiPath::CurrentExecution(key)),
                execution_by_id: Link::template(ApiPath::AnyExecution(key)),
                executions: Link::to(ApiPath::Executions(key)),
                variables: Link::to(ApiPath::Variables(Owner::Pipeline(key))),
                cache: Link::to(ApiPath::Cache(key)),
                roll_back: activity
                    .can_roll_back
                    .then(|| Link::to(format!("{}?rollback=true", ApiPath::CurrentExecution(key)))),
                this: Link::to(ApiPath::Pipeline(key)),
            },
        }
    }
}

impl PhaseView {
    fn new(Phase { id: _, name, kind, steps }: &Phase) -> Self {
        let mut view = Self {
            name: name.clone(),
            phase_type: kind.phase_type(),
            repository_id: None,
            branch: None,
            environment_id: None,
            environment_type: None,
            steps: steps.iter().map(StepView::new).collect(),
        };
        match kind {
            PhaseKind::Validate => {}
            PhaseKind::Build { repository_id, branch } => {
                view.repository_id = Some(repository_id.to_string());
                view.branch = Some(branch.clone());
            }
            PhaseKind::Deploy { environment_id, environment_type } => {
                view.environment_id = Some(environment_id.to_string());
                view.environment_type = Some(*environment_type);
            }
        }
        view
    }
}

impl StepView {
    fn new(Step { id: _, action, options }: &Step) -> Self {
        Self { name: action.as_str(), options: options.clone() }
    }
}

/// Lists the pipelines of a program.
#[utoipa::path(get, path = "/api/program/{programId}/pipelines", operation_id = "getPipelines",
    tag = "Pipelines", params(InProgram,
        ("type" = Option<String>, Query, description = "Only pipelines of this type"), Paging),
    responses((status = 200, description = "The pipelines", body = List<EmbeddedPipelines>)))]
pub async fn get_pipelines(
    State(api): State<Api>,
    InProgram { program }: InProgram,
    query: QueryParameters,
    paging: Paging,
) -> Result<Json<List<EmbeddedPipelines>>, Problem> {
    let paging = paging.at_most(MAX_PAGE_SIZE);
    let wanted = query.get("type").is_none_or(|wanted| wanted == CI_CD);
    let all: Vec<_> = program.pipelines.values().filter(|_| wanted).collect();
    let total = all.len() as u64;
    let activities = api.engine.list_activities(&program, None).await?;
    let pipelines = paging
        .cut(all)
        .into_iter()
        .map(|pipeline| {
            // `list_activities` sorts by pipeline.
            let found = activities.binary_search_by_key(&pipeline.id, |(id, _)| *id);
            let activity = found.map_or_else(|_| Activity::default(), |index| activities[index].1);
            PipelineView::new(pipeline, activity)
        })
        .collect();
    // Unless a page is asked for, all are answered, however many there are.
    let usual = MAX_PAGE_SIZE.max(u32::try_from(total).unwrap_or(u32::MAX));
    let (page, links) = paging.describe(ApiPath::Pipelines(program.id), total, Some(usual));
    Ok(Json(List { total, page: Some(page), embedded: EmbeddedPipelines { pipelines }, links }))
}

/// Returns a pipeline.
#[utoipa::path(get, path = "/api/program/{programId}/pipeline/{pipelineId}",
    operation_id = "getPipeline", tag = "Pipelines",
    params(InPipeline),
    responses((status = 200, description = "The pipeline", body = PipelineView)))]
pub async fn get_pipeline(
    State(api): State<Api>,
    InPipeline { program, pipeline }: InPipeline,
) -> Result<Json<PipelineView>, Problem> {
    Ok(Json(PipelineView::new(&pipeline, activity(&api, &program, &pipeline).await?)))
}

/// What the newest executions of a pipeline say about it.
pub(super) async fn activity(
    api: &Api,
    program: &Program,
    pipeline: &Pipeline,
) -> Result<Activity, Problem> {
    let activities = api.engine.list_activities(program, Some(pipeline.id)).await?;
    Ok(activities.first().map(|(_, activity)| *activity).unwrap_or_default())
}
