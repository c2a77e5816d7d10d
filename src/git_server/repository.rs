//! The repository in the path of a request, if the caller may use it.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::GitServer;
use super::refusal::GitRefusal;
use crate::access::Auth;
use crate::domain::id::{RepositoryKey, TenantId};
use crate::http::path::{PathParameter, describe};

/// A repository that the caller may use.
pub struct NamedRepository {
    /// Which one it is.
    pub key: RepositoryKey,
    /// Its name.
    pub name: String,
    /// Whether somebody has pushed to it.
    pub in_git: bool,
}

impl FromRequestParts<GitServer> for NamedRepository {
    type Rejection = GitRefusal;

    async fn from_request_parts(parts: &mut Parts, server: &GitServer) -> Result<Self, GitRefusal> {
        // Without credentials nobody learns which repositories there are.
        let tenant_id = server.authenticate(&parts.headers)?;
        let path = Path::<(String, String)>::from_request_parts(parts, server).await;
        let Path((tenant, name)) = path.map_err(|_| GitRefusal::not_found())?;
        server.find(tenant_id, &tenant, name)
    }
}

impl GitServer {
    /// Returns the tenant of the client that calls; none if everybody is let in.
    fn authenticate(&self, headers: &HeaderMap) -> Result<Option<TenantId>, GitRefusal> {
        if self.access.auth() == Auth::Open {
            return Ok(None);
        }
        let client = credentials(headers)
            .and_then(|(id, secret)| self.access.find_client(&id, &secret))
            .ok_or_else(GitRefusal::unauthorized)?;
        Ok(Some(client.tenant_id))
    }

    /// Returns the repository with a name, which is taken as it is and never becomes part of a path.
    fn find(
        &self,
        only: Option<TenantId>,
        tenant: &str,
        name: String,
    ) -> Result<NamedRepository, GitRefusal> {
        let catalog = self.engine.catalog();
        let mut tenants = catalog.list_tenants().filter(|it| it.ims_tenant_id == tenant);
        let tenant = tenants.find(|it| only.is_none_or(|only| it.id == only));
        let programs = catalog.list_programs(tenant.ok_or_else(GitRefusal::not_found)?.id);
        let mut found = programs.flat_map(|program| {
            let named = program.repositories.values().filter(|repository| repository.name == name);
            named.map(|repository| {
                let key = RepositoryKey { program_id: program.id, repository_id: repository.id };
                (key, repository.in_git)
            })
        });
        match (found.next(), found.next()) {
            (None, _) => Err(GitRefusal::not_found()),
            (Some(_), Some(_)) => Err(GitRefusal::ambiguous(&name)),
            (Some((key, in_git)), None) => Ok(NamedRepository { key, name, in_git }),
        }
    }
}

/// Returns user name and password of Basic authentication.
fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

impl IntoParams for NamedRepository {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        describe(&[
            PathParameter::new("imsTenantId", "The short name of the organisation"),
            PathParameter::new("repo", "The name of the repository"),
        ])
    }
}
