//! Adding definitions: whole seed documents, pipelines, environments.

use std::panic::resume_unwind;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::Control;
use crate::domain::id::{PipelineKey, ProgramId};
use crate::domain::invalid::InvalidFields;
use crate::engine::additions::{AddError, Added};
use crate::extract::InProgram;
use crate::http::api_path::ApiPath;
use crate::http::body::{as_text, invalid_in};
use crate::http::problem::Problem;
use crate::http::temporary::TemporaryFile;
use crate::input::Document;
use crate::seed::{self, EnvironmentDocument, PipelineDocument};

/// The number of added objects of each kind; existing ones are not changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Added)]
pub struct AddedView {
    tenants: usize,
    programs: usize,
    environments: usize,
    repositories: usize,
    pipelines: usize,
    clients: usize,
    webhooks: usize,
}

/// What was created.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Created)]
pub struct CreatedView {
    id: String,
    program_id: String,
    /// Its path in the API.
    href: String,
}

/// The largest seed, in bytes. It is read into memory, where it takes about twenty times as much.
const LARGEST: u64 = 32 * 1024 * 1024;

/// Reads a document in YAML or JSON with `read`, on a thread on which no request is answered,
/// because a large document takes time. The answer to one with wrong fields repeats their values.
pub(super) async fn read_document<T: Send + 'static>(
    body: Bytes,
    read: impl FnOnce(&str) -> Result<T, InvalidFields> + Send + 'static,
) -> Result<T, Problem> {
    let read = tokio::task::spawn_blocking(move || {
        let text = as_text(&body)?;
        read(text).map_err(|fields| invalid_in(fields, Document::from_yaml(text).ok().as_ref()))
    });
    read.await.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}

impl From<AddError> for Problem {
    fn from(error: AddError) -> Self {
        match error {
            AddError::Conflict(reason) => {
                Self::new(StatusCode::CONFLICT, "Conflict", format!("Nothing was added: {reason}."))
            }
            AddError::Gone => Self::not_found("The program"),
            AddError::Store(error) => error.into(),
        }
    }
}

/// Adds the definitions of a seed document in YAML or JSON, all of them or none. Existing ones are
/// not changed, so adding a document a second time has no effect.
#[utoipa::path(post, path = "/_emulator/seed", operation_id = "postSeed", tag = "Emulator",
    request_body(content((Object = "application/json"), (String = "application/yaml"))),
    responses((status = 200, description = "What was added", body = AddedView),
        (status = 413, description = "The document is larger than 32 MiB; restore a larger \
            database with putState instead", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The document conflicts with existing definitions", body = Problem,
            content_type = "application/problem+json")))]
pub async fn post_seed(
    State(control): State<Control>,
    body: Body,
) -> Result<Json<AddedView>, Problem> {
    let place = control.engine.place_for_copy().await;
    // Its place is kept to the end, so that few large documents are in memory at a time.
    let received = TemporaryFile::receive(place, body, LARGEST).await?;
    let bytes = received.read().await?;
    let catalog = control.engine.catalog();
    let seed = read_document(bytes, move |text| {
        seed::read_further(text, |id| catalog.find_tenant(id).is_some())
    });
    let seed = seed.await?;
    let Added { tenants, programs, environments, repositories, pipelines, clients, webhooks } =
        control.engine.add(seed).await?;
    drop(received);
    Ok(Json(AddedView {
        tenants,
        programs,
        environments,
        repositories,
        pipelines,
        clients,
        webhooks,
    }))
}

type Created = (StatusCode, [(HeaderName, String); 1], Json<CreatedView>);

fn created(program: ProgramId, id: String, path: ApiPath<'_>) -> Created {
    let (program_id, href) = (program.to_string(), String::from(path));
    let location = [(header::LOCATION, href.clone())];
    (StatusCode::CREATED, location, Json(CreatedView { id, program_id, href }))
}

/// Creates a pipeline, described as in a seed document.
#[utoipa::path(post, path = "/_emulator/program/{programId}/pipelines",
    operation_id = "postPipeline", tag = "Emulator", params(InProgram),
    request_body = PipelineDocument,
    responses((status = 201, description = "The pipeline was created", body = CreatedView,
            headers(("location" = String, description = "Its path"))),
        (status = 409, description = "The document conflicts with existing definitions", body = Problem,
            content_type = "application/problem+json")))]
pub async fn post_pipeline(
    State(control): State<Control>,
    InProgram { program }: InProgram,
    body: Bytes,
) -> Result<Created, Problem> {
    let of = program.clone();
    let seed = read_document(body, move |text| seed::read_pipeline(text, &of)).await?;
    let id = seed.programs.iter().flat_map(|program| program.pipelines.keys()).next().copied();
    control.engine.add_part(seed).await?;
    let id = id.ok_or_else(|| Problem::not_found("The pipeline"))?;
    let path = ApiPath::Pipeline(PipelineKey { program_id: program.id, pipeline_id: id });
    Ok(created(program.id, id.to_string(), path))
}

/// Creates an environment, described as in a seed document.
#[utoipa::path(post, path = "/_emulator/program/{programId}/environments",
    operation_id = "postEnvironment", tag = "Emulator", params(InProgram),
    request_body = EnvironmentDocument,
    responses((status = 201, description = "The environment was created", body = CreatedView,
            headers(("location" = String, description = "Its path"))),
        (status = 409, description = "The document conflicts with existing definitions", body = Problem,
            content_type = "application/problem+json")))]
pub async fn post_environment(
    State(control): State<Control>,
    InProgram { program }: InProgram,
    body: Bytes,
) -> Result<Created, Problem> {
    let of = program.clone();
    let seed = read_document(body, move |text| seed::read_environment(text, &of)).await?;
    let id = seed.programs.iter().flat_map(|program| program.environments.keys()).next().copied();
    control.engine.add_part(seed).await?;
    let id = id.ok_or_else(|| Problem::not_found("The environment"))?;
    Ok(created(program.id, id.to_string(), ApiPath::Environment(program.id, id)))
}
