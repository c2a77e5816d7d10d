//! Repositories and their branches.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::hal::{Link, List};
use super::page::{MAX_PAGE_SIZE, Paging};
use crate::domain::program::Program;
use crate::domain::repository::{Repository, TAG_PREFIX};
use crate::extract::{InProgram, InRepository};
use crate::http::api_path::ApiPath;

/// A repository.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Repository)]
pub struct RepositoryView {
    id: String,
    program_id: String,
    repo: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    repository_url: String,
    #[serde(rename = "_links")]
    links: RepositoryLinks,
}

#[derive(Debug, Serialize, ToSchema)]
struct RepositoryLinks {
    #[serde(rename = "self")]
    this: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/program")]
    program: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/branches")]
    branches: Link,
}

/// The items.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmbeddedRepositories {
    repositories: Vec<RepositoryView>,
}

/// A branch of a repository.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RepositoryBranch)]
struct BranchView {
    program_id: String,
    repository_id: i64,
    name: String,
    #[serde(rename = "_links")]
    links: BranchLinks,
}

#[derive(Debug, Serialize, ToSchema)]
struct BranchLinks {
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/program")]
    program: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/repository")]
    repository: Link,
}

/// The items.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmbeddedBranches {
    branches: Vec<BranchView>,
}

impl RepositoryView {
    fn new(api: &Api, program: &Program, repository: &Repository) -> Self {
        let Repository { id, name, description, heads: _, in_git: _, outputs: _ } = repository;
        let catalog = api.engine.catalog();
        let tenant = catalog.find_tenant(program.tenant_id);
        let organisation = tenant.map_or("", |tenant| tenant.ims_tenant_id.as_str());
        Self {
            id: id.to_string(),
            program_id: program.id.to_string(),
            repo: name.clone(),
            description: description.clone(),
            repository_url: format!("https://git.cloudmanager.adobe.com/{organisation}/{name}/"),
            links: RepositoryLinks {
                program: Link::to(ApiPath::Program(program.id)),
                branches: Link::to(ApiPath::Branches(program.id, *id)),
                this: Link::to(ApiPath::Repository(program.id, *id)),
            },
        }
    }
}

/// Lists the repositories of a program.
#[utoipa::path(get, path = "/api/program/{programId}/repositories",
    operation_id = "getRepositories", tag = "Repositories", params(InProgram, Paging),
    responses((status = 200, description = "The repositories", body = List<EmbeddedRepositories>)))]
pub async fn get_repositories(
    State(api): State<Api>,
    InProgram { program }: InProgram,
    paging: Paging,
) -> Json<List<EmbeddedRepositories>> {
    let all = program.repositories.values();
    let repositories: Vec<_> =
        all.map(|repository| RepositoryView::new(&api, &program, repository)).collect();
    let total = repositories.len() as u64;
    let paging = paging.at_most(MAX_PAGE_SIZE);
    let (page, links) = paging.describe(ApiPath::Repositories(program.id), total, None);
    let embedded = EmbeddedRepositories { repositories: paging.cut(repositories) };
    Json(List { total, page: Some(page), embedded, links })
}

/// Returns a repository.
#[utoipa::path(get, path = "/api/program/{programId}/repository/{repositoryId}",
    operation_id = "getRepository", tag = "Repositories", params(InRepository),
    responses((status = 200, description = "The repository", body = RepositoryView)))]
pub async fn get_repository(
    State(api): State<Api>,
    InRepository { program, repository }: InRepository,
) -> Json<RepositoryView> {
    Json(RepositoryView::new(&api, &program, &repository))
}

/// Lists the branches of a repository.
#[utoipa::path(get, path = "/api/program/{programId}/repository/{repositoryId}/branches",
    operation_id = "getBranches", tag = "Repositories", params(InRepository),
    responses((status = 200, description = "The branches", body = List<EmbeddedBranches>)))]
pub async fn get_branches(
    InRepository { program, repository }: InRepository,
) -> Json<List<EmbeddedBranches>> {
    let branches: Vec<_> = repository
        .heads
        .keys()
        .filter(|head| !head.starts_with(TAG_PREFIX))
        .map(|name| BranchView {
            program_id: program.id.to_string(),
            repository_id: repository.id.number(),
            name: name.clone(),
            links: BranchLinks {
                program: Link::to(ApiPath::Program(program.id)),
                repository: Link::to(ApiPath::Repository(program.id, repository.id)),
            },
        })
        .collect();
    let path = ApiPath::Branches(program.id, repository.id);
    Json(List::whole(path, branches.len(), EmbeddedBranches { branches }))
}
