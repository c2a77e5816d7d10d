//! Programs.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::hal::{Link, List};
use super::page::{MAX_PAGE_SIZE, Paging};
use super::refusal::refusal;
use crate::access::gateway::Caller;
use crate::domain::environment::REGION;
use crate::domain::id::TenantId;
use crate::domain::program::{Program, ProgramType};
use crate::extract::{InProgram, InTenant};
use crate::http::api_path::ApiPath;
use crate::http::problem::Problem;

/// A program in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EmbeddedProgram)]
pub struct EmbeddedProgramView {
    id: String,
    name: String,
    enabled: bool,
    tenant_id: String,
    status: &'static str,
    created_at: String,
    updated_at: String,
    #[serde(rename = "_links")]
    links: EmbeddedProgramLinks,
}

#[derive(Debug, Serialize, ToSchema)]
struct EmbeddedProgramLinks {
    #[serde(rename = "self")]
    this: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/tenant")]
    tenant: Link,
}

/// A program.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Program)]
pub struct ProgramView {
    id: String,
    name: String,
    enabled: bool,
    tenant_id: String,
    ims_org_id: String,
    status: &'static str,
    #[serde(rename = "type")]
    program_type: ProgramType,
    capabilities: Capabilities,
    created_at: String,
    updated_at: String,
    #[serde(rename = "_links")]
    links: ProgramLinks,
}

/// The capabilities of a program.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProgramCapabilities)]
struct Capabilities {
    /// Whether it is a sandbox.
    sandbox: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct ProgramLinks {
    #[serde(rename = "self")]
    this: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/pipelines")]
    pipelines: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/environments")]
    environments: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/repositories")]
    repositories: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/regions")]
    regions: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/tenant")]
    tenant: Link,
}

/// The items.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmbeddedPrograms {
    programs: Vec<EmbeddedProgramView>,
}

impl EmbeddedProgramView {
    fn new(program: &Program) -> Self {
        Self {
            id: program.id.to_string(),
            name: program.name.clone(),
            enabled: true,
            tenant_id: program.tenant_id.to_string(),
            status: "ready",
            created_at: program.created_at.to_string(),
            updated_at: program.updated_at.to_string(),
            links: EmbeddedProgramLinks {
                this: Link::to(ApiPath::Program(program.id)),
                tenant: Link::to(ApiPath::Tenant(program.tenant_id)),
            },
        }
    }
}

impl ProgramView {
    fn new(program: &Program, ims_org_id: String, status: &'static str) -> Self {
        Self {
            id: program.id.to_string(),
            name: program.name.clone(),
            enabled: true,
            tenant_id: program.tenant_id.to_string(),
            ims_org_id,
            status,
            program_type: program.program_type,
            capabilities: Capabilities { sandbox: false },
            created_at: program.created_at.to_string(),
            updated_at: program.updated_at.to_string(),
            links: ProgramLinks {
                pipelines: Link::to(ApiPath::Pipelines(program.id)),
                environments: Link::to(ApiPath::Environments(program.id)),
                repositories: Link::to(ApiPath::Repositories(program.id)),
                regions: Link::to(ApiPath::Regions(program.id)),
                tenant: Link::to(ApiPath::Tenant(program.tenant_id)),
                this: Link::to(ApiPath::Program(program.id)),
            },
        }
    }
}

fn list(
    api: &Api,
    tenant: TenantId,
    paging: Paging,
    path: ApiPath<'_>,
) -> Json<List<EmbeddedPrograms>> {
    let catalog = api.engine.catalog();
    let programs: Vec<_> =
        catalog.list_programs(tenant).map(|program| EmbeddedProgramView::new(program)).collect();
    let total = programs.len() as u64;
    let paging = paging.at_most(MAX_PAGE_SIZE);
    let (page, links) = paging.describe(path, total, None);
    let embedded = EmbeddedPrograms { programs: paging.cut(programs) };
    Json(List { total, page: Some(page), embedded, links })
}

/// Lists the programs of the caller's tenant. Deprecated in favour of getProgramsForTenant.
#[utoipa::path(get, path = "/api/programs", operation_id = "getPrograms", tag = "Programs",
    params(Paging), responses((status = 200, description = "The programs", body = List<EmbeddedPrograms>)))]
pub async fn get_programs(
    State(api): State<Api>,
    caller: Caller,
    paging: Paging,
) -> Json<List<EmbeddedPrograms>> {
    list(&api, caller.tenant_id, paging, ApiPath::Programs)
}

/// Lists the programs of a tenant.
#[utoipa::path(get, path = "/api/tenant/{tenantId}/programs",
    operation_id = "getProgramsForTenant", tag = "Programs",
    params(InTenant, Paging),
    responses((status = 200, description = "The programs", body = List<EmbeddedPrograms>)))]
pub async fn get_programs_for_tenant(
    State(api): State<Api>,
    InTenant { tenant }: InTenant,
    paging: Paging,
) -> Json<List<EmbeddedPrograms>> {
    list(&api, tenant.id, paging, ApiPath::TenantPrograms(tenant.id))
}

/// Returns a program.
#[utoipa::path(get, path = "/api/program/{programId}", operation_id = "getProgram",
    tag = "Programs", params(InProgram),
    responses((status = 200, description = "The program", body = ProgramView)))]
pub async fn get_program(
    State(api): State<Api>,
    InProgram { program }: InProgram,
) -> Json<ProgramView> {
    Json(view(&api, &program, "ready"))
}

fn view(api: &Api, program: &Program, status: &'static str) -> ProgramView {
    let catalog = api.engine.catalog();
    let organisation =
        catalog.find_tenant(program.tenant_id).map(|tenant| tenant.ims_org_id.clone());
    ProgramView::new(program, organisation.unwrap_or_default(), status)
}

/// Deletes a program with everything in it. Unfinished executions are cancelled first.
#[utoipa::path(delete, path = "/api/program/{programId}", operation_id = "deleteProgram",
    tag = "Programs", params(InProgram),
    responses((status = 202, description = "The program is deleted", body = ProgramView)))]
pub async fn delete_program(
    State(api): State<Api>,
    InProgram { program }: InProgram,
) -> Result<(StatusCode, Json<ProgramView>), Problem> {
    let view = view(&api, &program, "deleting");
    api.engine.delete_program(program.id).await.map_err(|error| refusal(error, "The program"))?;
    Ok((StatusCode::ACCEPTED, Json(view)))
}

/// A region.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Region)]
struct RegionView {
    name: &'static str,
    #[serde(rename = "_links")]
    links: RegionLinks,
}

#[derive(Debug, Serialize, ToSchema)]
struct RegionLinks {
    /// The list of regions: a region has no path of its own.
    #[serde(rename = "self")]
    this: Link,
}

/// The items.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmbeddedRegions {
    regions: Vec<RegionView>,
}

/// Lists the regions of a program.
#[utoipa::path(get, path = "/api/program/{programId}/regions", operation_id = "getProgramRegions",
    tag = "Programs", params(InProgram),
    responses((status = 200, description = "The regions", body = List<EmbeddedRegions>)))]
pub async fn get_program_regions(InProgram { program }: InProgram) -> Json<List<EmbeddedRegions>> {
    let path = ApiPath::Regions(program.id);
    let links = RegionLinks { this: Link::to(path) };
    let regions = vec![RegionView { name: REGION, links }];
    Json(List::whole(path, regions.len(), EmbeddedRegions { regions }))
}
