//! Tenants: a caller sees its own.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::hal::{Link, List};
use super::page::{MAX_PAGE_SIZE, Paging};
use crate::access::gateway::Caller;
use crate::domain::program::Tenant;
use crate::extract::InTenant;
use crate::http::api_path::ApiPath;

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Tenant)]
pub struct TenantView {
    id: String,
    ims_org_id: String,
    ims_tenant_id: String,
    description: String,
    status: &'static str,
    organisation: OrganisationOfTenant,
    #[serde(rename = "_links")]
    links: TenantLinks,
}

/// The organisation that owns the tenant's git repositories.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Organisation)]
struct OrganisationOfTenant {
    /// The first part of the paths of its repositories.
    organization_name: String,
    status: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
struct TenantLinks {
    #[serde(rename = "self")]
    this: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/programs")]
    programs: Link,
}

/// The items.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmbeddedTenants {
    tenants: Vec<TenantView>,
}

impl TenantView {
    fn new(Tenant { id, ims_org_id, ims_tenant_id }: &Tenant) -> Self {
        Self {
            id: id.to_string(),
            ims_org_id: ims_org_id.clone(),
            ims_tenant_id: ims_tenant_id.clone(),
            description: ims_tenant_id.clone(),
            status: "ready",
            organisation: OrganisationOfTenant {
                organization_name: ims_tenant_id.clone(),
                status: "ready",
            },
            links: TenantLinks {
                this: Link::to(ApiPath::Tenant(*id)),
                programs: Link::to(ApiPath::TenantPrograms(*id)),
            },
        }
    }
}

/// Lists the caller's tenants.
#[utoipa::path(get, path = "/api/tenants", operation_id = "getTenants", tag = "Tenants",
    params(Paging), responses((status = 200, description = "The tenants", body = List<EmbeddedTenants>)))]
pub async fn get_tenants(
    State(api): State<Api>,
    caller: Caller,
    paging: Paging,
) -> Json<List<EmbeddedTenants>> {
    let catalog = api.engine.catalog();
    let tenants: Vec<_> =
        catalog.find_tenant(caller.tenant_id).map(TenantView::new).into_iter().collect();
    let total = tenants.len() as u64;
    let paging = paging.at_most(MAX_PAGE_SIZE);
    let (_, links) = paging.describe(ApiPath::Tenants, total, None);
    Json(List {
        total,
        page: None,
        embedded: EmbeddedTenants { tenants: paging.cut(tenants) },
        links,
    })
}

/// Returns a tenant.
#[utoipa::path(get, path = "/api/tenant/{tenantId}", operation_id = "getTenant", tag = "Tenants",
    params(InTenant),
    responses((status = 200, description = "The tenant", body = TenantView)))]
pub async fn get_tenant(InTenant { tenant }: InTenant) -> Json<TenantView> {
    Json(TenantView::new(&tenant))
}
