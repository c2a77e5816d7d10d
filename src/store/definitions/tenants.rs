//! Tenants.

use sqlx::SqliteConnection;

use crate::domain::id::TenantId;
use crate::domain::program::Tenant;
use crate::store::insert::insert_rows;
use crate::store::{StoreError, Transaction};

/// Stores tenants.
pub async fn insert(tx: &mut Transaction, tenants: &[Tenant]) -> Result<(), StoreError> {
    let rows: Vec<_> = tenants
        .iter()
        .map(|Tenant { id, ims_org_id, ims_tenant_id }| (id, ims_org_id, ims_tenant_id))
        .collect();
    insert_rows(
        tx,
        "INSERT INTO tenants (id, ims_org_id, ims_tenant_id) \
         SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each($1)",
        &rows,
    )
    .await
}

/// Returns all tenants.
pub async fn list(connection: &mut SqliteConnection) -> Result<Vec<Tenant>, StoreError> {
    let rows: Vec<(i64, String, String)> =
        sqlx::query_as("SELECT id, ims_org_id, ims_tenant_id FROM tenants")
            .fetch_all(&mut *connection)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(id, ims_org_id, ims_tenant_id)| Tenant {
            id: TenantId::new(id),
            ims_org_id,
            ims_tenant_id,
        })
        .collect())
}
