//! The clients of the seed, and tokens for them.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::Control;
use crate::access::ims::TokenView;
use crate::domain::client::Client;
use crate::domain::role::Role;
use crate::extract::NamedClient;
use crate::http::problem::Problem;

/// Clients, by api key.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClientList {
    clients: Vec<ClientView>,
}

/// A client; its secret is not shown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Client)]
struct ClientView {
    /// The api key.
    client_id: String,
    technical_account_id: String,
    tenant_id: String,
    /// The organisation of the tenant.
    ims_org_id: String,
    roles: Vec<Role>,
}

/// Lists the clients that may get tokens.
#[utoipa::path(get, path = "/_emulator/clients", operation_id = "getClients", tag = "Emulator",
    responses((status = 200, description = "The clients", body = ClientList)))]
pub async fn get_clients(State(control): State<Control>) -> Json<ClientList> {
    let catalog = control.engine.catalog();
    let view = |client: &Client| ClientView {
        client_id: client.client_id.clone(),
        technical_account_id: client.technical_account_id.clone(),
        tenant_id: client.tenant_id.to_string(),
        ims_org_id: catalog
            .find_tenant(client.tenant_id)
            .map_or_else(String::new, |tenant| tenant.ims_org_id.clone()),
        roles: client.roles.iter().copied().collect(),
    };
    Json(ClientList { clients: catalog.clients().map(view).collect() })
}

/// Issues an access token for a client, without its secret.
#[utoipa::path(post, path = "/_emulator/clients/{clientId}/token", operation_id = "postClientToken",
    tag = "Emulator", params(NamedClient),
    responses((status = 200, description = "The token", body = TokenView)))]
pub async fn post_client_token(
    State(control): State<Control>,
    NamedClient(id): NamedClient,
) -> Result<([(HeaderName, &'static str); 1], Json<TokenView>), Problem> {
    let client = control.engine.catalog().find_client(&id).cloned();
    let client = client.ok_or_else(|| Problem::not_found("The client"))?;
    let token = TokenView::new(control.access.tokens().issue_to(&client).await?);
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(token)))
}
