//! Technical accounts.

use sqlx::SqliteConnection;

use crate::domain::certificate::Certificate;
use crate::domain::client::Client;
use crate::domain::id::TenantId;
use crate::store::insert::insert_rows;
use crate::store::{InRow, StoreError, Transaction, parse_json};

/// Stores clients; those that are there stay as they are.
pub async fn insert(tx: &mut Transaction, clients: &[Client]) -> Result<(), StoreError> {
    let rows: Vec<_> = clients
        .iter()
        .map(|client| {
            let certificate = client.certificate.as_ref().map(Certificate::as_pem);
            let Client { client_id, client_secret, technical_account_id, .. } = client;
            let Client { tenant_id, roles, .. } = client;
            (client_id, client_secret, technical_account_id, tenant_id, roles, certificate)
        })
        .collect();
    insert_rows(
        tx,
        "INSERT INTO clients (client_id, client_secret, technical_account_id, tenant_id, roles, \
         certificate) SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value -> 4, \
         value ->> 5 \
         FROM json_each($1) WHERE true ON CONFLICT (client_id) DO NOTHING",
        &rows,
    )
    .await
}

/// Returns all clients.
pub async fn list(connection: &mut SqliteConnection) -> Result<Vec<Client>, StoreError> {
    let rows: Vec<(String, String, String, i64, String, Option<String>)> = sqlx::query_as(
        "SELECT client_id, client_secret, technical_account_id, tenant_id, roles, certificate \
         FROM clients",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut clients = Vec::with_capacity(rows.len());
    for (client_id, client_secret, technical_account_id, tenant_id, roles, certificate) in rows {
        let roles = parse_json(&roles).in_row("clients", &client_id)?;
        let certificate = certificate.map(|pem| Certificate::parse(&pem)).transpose();
        let certificate =
            certificate.map_err(StoreError::unreadable).in_row("clients", &client_id)?;
        clients.push(Client {
            client_id,
            client_secret,
            technical_account_id,
            tenant_id: TenantId::new(tenant_id),
            certificate,
            roles,
        });
    }
    Ok(clients)
}
