//! Adding definitions. Definitions that already exist stay as they are.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::domain::pipeline::{PhaseKind, Pipeline};
use crate::domain::program::Program;
use crate::domain::variable::Owner;
use crate::engine::catalog::Catalog;
use crate::engine::changes::Change;
use crate::engine::write::Write;
use crate::engine::{Engine, run_on_own_thread};
use crate::seed::Seed;
use crate::store::{StoreError, emulator};

/// How many of each were added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Tenants.
    pub tenants: usize,
    /// Programs.
    pub programs: usize,
    /// Environments, those of new programs among them.
    pub environments: usize,
    /// Repositories, those of new programs among them.
    pub repositories: usize,
    /// Pipelines, those of new programs among them.
    pub pipelines: usize,
    /// Clients.
    pub clients: usize,
    /// Subscriptions.
    pub webhooks: usize,
}

/// Why nothing was added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// Something contradicts existing definitions.
    #[error("{0}")]
    Conflict(String),
    /// The program of a part is not there any more.
    #[error("the program is deleted")]
    Gone,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Adds what a seed defines, all of it or nothing. Definitions that already exist stay as they
    /// are.
    pub async fn add(self: &Arc<Self>, seed: Seed) -> Result<Added, AddError> {
        self.add_checked(seed, |_, _| Ok(())).await
    }

    /// Adds a part to an existing program. Returns an error if the program was deleted, or if the
    /// part was added meanwhile.
    pub async fn add_part(self: &Arc<Self>, seed: Seed) -> Result<(), AddError> {
        let check = |seed: &Seed, catalog: &Catalog| {
            for program in &seed.programs {
                let known = catalog.find_program(program.id).ok_or(AddError::Gone)?;
                if program.has_some_of(known) {
                    return Err(AddError::Conflict("it has been created meanwhile".into()));
                }
            }
            Ok(())
        };
        self.add_checked(seed, check).await.map(|_| ())
    }

    /// Adds the definitions of a seed, if `check` accepts the definitions that exist at that time.
    async fn add_checked(
        self: &Arc<Self>,
        seed: Seed,
        check: impl FnOnce(&Seed, &Catalog) -> Result<(), AddError> + Send + 'static,
    ) -> Result<Added, AddError> {
        let engine = self.clone();
        run_on_own_thread(self, async move {
            // Rows of deleted definitions must be gone before their identifiers are used again.
            // Most are removed here, while others can write; what is deleted in between, in the
            // same write.
            engine.purge().await?;
            let mut write = Write::begin(&engine).await?;
            while write.purge_some().await? {}
            check(&seed, &write.catalog)?;
            let (seed, added) = missing(seed.created_at(write.now), &write.catalog)?;
            write.add(seed).await?;
            write.commit().await?;
            Ok(added)
        })
        .await
    }
}

impl Write {
    /// Stores the new part of a seed.
    async fn add(&mut self, mut seed: Seed) -> Result<(), StoreError> {
        let (known, new): (Vec<_>, Vec<_>) = std::mem::take(&mut seed.programs)
            .into_iter()
            .partition(|program| self.catalog.find_program(program.id).is_some());
        seed.programs = new;
        self.store(&seed, &known).await?;
        emulator::raise_execution_id(&mut self.tx, seed.next_execution_id).await?;
        let catalog = Catalog::load(&mut self.tx).await?;
        for webhook in catalog.webhooks().filter(|it| self.catalog.find_webhook(it.id).is_none()) {
            self.changes.add(Change::Webhook(webhook.id));
        }
        for program in known.iter().chain(&seed.programs) {
            self.add_changes(program);
        }
        self.set_definitions(catalog);
        Ok(())
    }

    /// Adds the changes for the new parts of a program, or for a new program with all its parts.
    fn add_changes(&mut self, program: &Program) {
        let is_new = self.catalog.find_program(program.id).is_none();
        if is_new || !program.repositories.is_empty() {
            self.changes.add(Change::Program(program.id));
        }
        for id in program.environments.keys() {
            self.changes.add(Change::Environment(program.id, *id));
        }
        for pipeline in program.pipelines.values() {
            self.changes.add(Change::Pipeline(pipeline.key()));
        }
    }
}

/// Returns the part of a seed that does not exist yet, or what contradicts existing definitions.
fn missing(mut seed: Seed, catalog: &Catalog) -> Result<(Seed, Added), AddError> {
    let mut added = Added::default();
    for tenant in &seed.tenants {
        let same =
            catalog.find_tenant(tenant.id).map(|known| known.ims_org_id == tenant.ims_org_id);
        let taken = catalog.find_tenant_of(&tenant.ims_org_id);
        if same == Some(false) || taken.is_some_and(|known| known.id != tenant.id) {
            return Err(AddError::Conflict(format!(
                "the tenant {} has another organisation, or the organisation {} has another tenant",
                tenant.id, tenant.ims_org_id
            )));
        }
    }
    let new: BTreeSet<_> = seed.tenants.iter().map(|tenant| tenant.id).collect();
    let is_tenant = |id| catalog.find_tenant(id).is_some() || new.contains(&id);
    let referred = (seed.programs.iter().map(|program| program.tenant_id))
        .chain(seed.clients.iter().map(|client| client.tenant_id))
        .chain(seed.webhooks.iter().map(|webhook| webhook.tenant_id));
    if let Some(gone) = referred.into_iter().find(|id| !is_tenant(*id)) {
        return Err(AddError::Conflict(format!("the tenant {gone} no longer exists")));
    }
    seed.tenants.retain(|tenant| catalog.find_tenant(tenant.id).is_none());
    added.tenants = seed.tenants.len();
    for client in &seed.clients {
        let known = catalog.find_client(&client.client_id);
        if known.is_some_and(|known| known.tenant_id != client.tenant_id) {
            let id = &client.client_id;
            return Err(AddError::Conflict(format!("the client {id} belongs to another tenant")));
        }
    }
    seed.clients.retain(|client| catalog.find_client(&client.client_id).is_none());
    added.clients = seed.clients.len();
    let known: HashSet<_> = catalog.webhooks().map(|it| it.subscription.identity()).collect();
    seed.webhooks.retain(|webhook| !known.contains(&webhook.identity()));
    added.webhooks = seed.webhooks.len();

    let mut owners = BTreeSet::new();
    let mut pipelines = BTreeSet::new();
    for program in &mut seed.programs {
        match catalog.find_program(program.id) {
            None => added.programs += 1,
            Some(known) => leave_out_known(program, known)?,
        }
        added.environments += program.environments.len();
        added.repositories += program.repositories.len();
        added.pipelines += program.pipelines.len();
        owners.extend(program.environments.keys().map(|id| Owner::Environment(program.id, *id)));
        owners.extend(program.pipelines.values().map(|p| Owner::Pipeline(p.key())));
        pipelines.extend(program.pipelines.values().map(|p| (program.id, p.id)));
    }
    seed.variables.retain(|(owner, _)| owners.contains(owner));
    seed.scenarios.retain(|(key, _)| pipelines.contains(&(key.program_id, key.pipeline_id)));
    Ok((seed, added))
}

/// Removes from a program what the existing one already has.
fn leave_out_known(program: &mut Program, known: &Program) -> Result<(), AddError> {
    let id = program.id;
    if program.tenant_id != known.tenant_id {
        return Err(AddError::Conflict(format!("the program {id} belongs to another tenant")));
    }
    program.leave_out(known);
    match program.pipelines.values().find(|pipeline| !fits(pipeline, known)) {
        None => Ok(()),
        Some(pipeline) => Err(AddError::Conflict(format!(
            "the pipeline {} of the program {id} deploys to an environment that already exists \
             with another type",
            pipeline.id
        ))),
    }
}

/// Returns whether the existing environments of a pipeline have the types that it expects.
fn fits(pipeline: &Pipeline, program: &Program) -> bool {
    pipeline.phases.iter().all(|phase| match &phase.kind {
        PhaseKind::Deploy { environment_id, environment_type } => program
            .environments
            .get(environment_id)
            .is_none_or(|known| known.environment_type == *environment_type),
        PhaseKind::Validate | PhaseKind::Build { .. } => true,
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::domain::id::TenantId;
    use crate::domain::program::Tenant;
    use crate::domain::webhook::NewWebhook;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "it is about real time")]
    fn comparing_takes_no_longer_for_each_part_where_there_are_many() {
        let count = 100_000;
        let tenant = |number| Tenant {
            id: TenantId::new(number),
            ims_org_id: format!("{number}@AdobeOrg"),
            ims_tenant_id: "t".into(),
        };
        let webhook = |number| NewWebhook {
            tenant_id: TenantId::new(number),
            client_id: "c".into(),
            client_secret: "s".into(),
            url: format!("http://localhost/{number}"),
            events: BTreeSet::default(),
        };
        let seed = Seed {
            tenants: (1..=count).map(tenant).collect(),
            webhooks: (1..=count).map(webhook).collect(),
            ..Seed::empty()
        };
        let begin = Instant::now();
        let (_, added) = missing(seed, &Catalog::default()).unwrap();
        assert_eq!((added.tenants, added.webhooks), (100_000, 100_000));
        // Comparing each with each takes minutes.
        assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    }
}
