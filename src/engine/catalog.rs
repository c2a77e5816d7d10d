//! The definitions in memory: an immutable snapshot, replaced after each committed change.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::client::Client;
use crate::domain::id::{PipelineId, ProgramId, TenantId, WebhookId};
use crate::domain::pipeline::Pipeline;
use crate::domain::program::{Program, Tenant};
use crate::domain::webhook::{NewWebhook, Webhook};
use crate::store::definitions::{clients, programs, tenants};
use crate::store::{Connection, StoreError, webhooks};

/// A snapshot of all definitions. Programs are shared with the snapshots before and after it.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    tenants: BTreeMap<TenantId, Tenant>,
    tenant_by_organisation: HashMap<String, TenantId>,
    programs: BTreeMap<ProgramId, Arc<Program>>,
    webhooks: BTreeMap<WebhookId, Webhook>,
    clients: BTreeMap<String, Arc<Client>>,
}

impl Catalog {
    /// Reads the whole catalog from the database.
    pub(super) async fn load(connection: &mut Connection) -> Result<Self, StoreError> {
        let tenants = tenants::list(connection).await?;
        let programs = programs::list(connection).await?;
        let clients = clients::list(connection).await?;
        let webhooks = webhooks::list(connection).await?;
        Ok(Self {
            tenant_by_organisation: tenants
                .iter()
                .map(|tenant| (tenant.ims_org_id.clone(), tenant.id))
                .collect(),
            tenants: tenants.into_iter().map(|tenant| (tenant.id, tenant)).collect(),
            programs: programs.into_iter().map(|program| (program.id, Arc::new(program))).collect(),
            webhooks: webhooks.into_iter().map(|webhook| (webhook.id, webhook)).collect(),
            clients: clients
                .into_iter()
                .map(|client| (client.client_id.clone(), Arc::new(client)))
                .collect(),
        })
    }

    /// Returns a copy with a new version of a program.
    pub(super) fn with_program(&self, program: Arc<Program>) -> Self {
        let mut changed = self.clone();
        changed.programs.insert(program.id, program);
        changed
    }

    /// Returns a copy without a program.
    pub(super) fn without_program(&self, id: ProgramId) -> Self {
        let mut changed = self.clone();
        changed.programs.remove(&id);
        changed
    }

    /// Returns a copy with one more subscription.
    pub(super) fn with_webhook(&self, webhook: Webhook) -> Self {
        let mut changed = self.clone();
        changed.webhooks.insert(webhook.id, webhook);
        changed
    }

    /// Returns a copy without this subscription, or without any.
    pub(super) fn without_webhooks(&self, id: Option<WebhookId>) -> Self {
        let mut changed = self.clone();
        changed.webhooks.retain(|known, _| id.is_some_and(|id| id != *known));
        changed
    }

    /// Returns a tenant by its identifier.
    #[must_use]
    pub fn find_tenant(&self, id: TenantId) -> Option<&Tenant> {
        self.tenants.get(&id)
    }

    /// Returns all tenants.
    pub fn list_tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.values()
    }

    /// Returns the tenant of an IMS organisation.
    #[must_use]
    pub fn find_tenant_of(&self, ims_org_id: &str) -> Option<&Tenant> {
        self.tenants.get(self.tenant_by_organisation.get(ims_org_id)?)
    }

    /// Returns `wanted` if a tenant has this organisation, else the organisation of the tenant with
    /// the lowest identifier.
    #[must_use]
    pub fn organisation(&self, wanted: Option<&str>) -> Option<String> {
        let found = wanted.and_then(|organisation| self.find_tenant_of(organisation));
        let tenant = found.or_else(|| self.tenants.values().next())?;
        Some(tenant.ims_org_id.clone())
    }

    /// Returns a client by its api key.
    #[must_use]
    pub fn find_client(&self, id: &str) -> Option<&Arc<Client>> {
        self.clients.get(id)
    }

    /// Returns all clients, by api key.
    pub fn clients(&self) -> impl Iterator<Item = &Client> {
        self.clients.values().map(|client| &**client)
    }

    /// Returns the first client, by tenant and api key.
    #[must_use]
    pub fn first_client(&self) -> Option<&Arc<Client>> {
        // Clients are ordered by api key, and the first of equal ones is taken.
        self.clients.values().min_by_key(|client| client.tenant_id)
    }

    /// Returns a program, whoever owns it.
    #[must_use]
    pub fn find_program(&self, id: ProgramId) -> Option<&Arc<Program>> {
        self.programs.get(&id)
    }

    /// Returns a pipeline, whoever owns it.
    #[must_use]
    pub fn find_pipeline(
        &self,
        program: ProgramId,
        pipeline: PipelineId,
    ) -> Option<&Arc<Pipeline>> {
        self.programs.get(&program)?.pipelines.get(&pipeline)
    }

    /// Returns the programs of a tenant, by identifier.
    pub fn list_programs(&self, tenant: TenantId) -> impl Iterator<Item = &Arc<Program>> {
        self.programs.values().filter(move |program| program.tenant_id == tenant)
    }

    /// Returns the subscriptions to the events of a program's executions.
    #[must_use]
    pub fn list_webhooks(&self, program: ProgramId) -> Vec<&Webhook> {
        let tenant = self.programs.get(&program).map(|program| program.tenant_id);
        let of_tenant = |webhook: &&Webhook| Some(webhook.subscription.tenant_id) == tenant;
        self.webhooks.values().filter(of_tenant).collect()
    }

    /// Returns all subscriptions, in the order in which they were made.
    pub fn webhooks(&self) -> impl Iterator<Item = &Webhook> {
        self.webhooks.values()
    }

    /// Returns a subscription.
    #[must_use]
    pub fn find_webhook(&self, id: WebhookId) -> Option<&Webhook> {
        self.webhooks.get(&id)
    }

    /// Returns the subscription of the same subscriber for the same address.
    #[must_use]
    pub fn find_same_webhook(&self, wanted: &NewWebhook) -> Option<&Webhook> {
        self.webhooks().find(|webhook| webhook.subscription.identity() == wanted.identity())
    }

    /// Returns how many tenants, programs and pipelines there are.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let pipelines = self.programs.values().map(|program| program.pipelines.len()).sum();
        (self.tenants.len(), self.programs.len(), pipelines)
    }
}

/// The current catalog. The lock is held only while the `Arc` is copied or replaced: readers keep
/// their snapshot for as long as they need it.
pub(super) struct CurrentCatalog(RwLock<Arc<Catalog>>);

impl CurrentCatalog {
    pub(super) fn new(catalog: Catalog) -> Self {
        Self(RwLock::new(Arc::new(catalog)))
    }

    pub(super) fn get(&self) -> Arc<Catalog> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the catalog. Only a write may do so, after its commit: otherwise two changes could
    /// overwrite each other.
    pub(super) fn set(&self, catalog: Catalog) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
    }
}
