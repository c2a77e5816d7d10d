//! Builds a seed from its document, and collects every mistake.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::NOT_YET;
use super::document::{
    EnvironmentDocument, KpisDocument, PipelineDocument, ProgramDocument, RepositoryDocument,
    SeedDocument, TenantDocument, VariableDocument, WebhookDocument,
};
use super::fields::{check_description, check_ref, read_id, read_tenant_id};
use super::outputs::{ZipFiles, read_outputs};
use super::{Seed, pipeline};
use crate::domain::certificate::Certificate;
use crate::domain::client::Client;
use crate::domain::environment::{Environment, EnvironmentStatus, Topology};
use crate::domain::id::{ExecutionId, PipelineKey, ProgramId, TenantId};
use crate::domain::invalid::{self, Place};
use crate::domain::program::{Kpis, Program, ProgramType, Tenant};
use crate::domain::repository::{Repository, TAG_PREFIX};
use crate::domain::scenario_document::ScenarioDocument;
use crate::domain::text::{CERTIFICATE, DESCRIPTION, NAME, TITLE};
use crate::domain::variable::{self, Owner, VariableChange, VariableUpdate};
use crate::domain::webhook::{self, NewWebhook};

/// The greatest identifier of a first execution: artifact versions have room for ten digits.
const LAST_EXECUTION_ID: i64 = 9_999_999_999;

/// Builds what a document defines, without the parts that have mistakes. It may refer to its own
/// tenants and to those that `is_tenant` knows.
pub(super) fn build(
    document: SeedDocument,
    is_tenant: impl Fn(TenantId) -> bool,
    zips: ZipFiles,
    root: &mut Place<'_>,
) -> Seed {
    let SeedDocument { schema: _, tenants, clients, programs, webhooks, next_execution_id } =
        document;
    let tenants = build_tenants(&tenants, root);
    let tenant_ids: BTreeSet<_> = tenants.iter().map(|tenant| tenant.id).collect();
    let tenant_of = |place: &mut Place<'_>, text: &str| {
        read_tenant_id(place, text, |id| tenant_ids.contains(&id) || is_tenant(id))
    };

    let mut client_ids = BTreeSet::new();
    let clients = collect(clients, "clients", root, |place, client| {
        let tenant_id = tenant_of(place, &client.tenant_id);
        for (field, text) in [
            ("clientId", &client.client_id),
            ("clientSecret", &client.client_secret),
            ("technicalAccountId", &client.technical_account_id),
        ] {
            place.check_length(field, text, &NAME);
        }
        if !client_ids.insert(client.client_id.clone()) {
            place.wrong("clientId", format!("the client {} already exists", client.client_id));
        }
        let certificate = client.certificate.and_then(|pem| {
            place.check_length("certificate", &pem, &CERTIFICATE);
            let read = Certificate::parse(&pem);
            read.map_err(|expected| place.wrong("certificate", expected)).ok()
        });
        Some(Client {
            certificate,
            client_id: client.client_id,
            client_secret: client.client_secret,
            technical_account_id: client.technical_account_id,
            tenant_id: tenant_id?,
            roles: client.roles.into_iter().collect(),
        })
    });

    let webhooks = collect(webhooks, "webhooks", root, |place, webhook| {
        let tenant_id = tenant_of(place, &webhook.tenant_id);
        build_webhook(place, webhook, tenant_id)
    });

    let mut parts = Parts::new(zips);
    let mut program_ids = BTreeSet::new();
    let programs = collect(programs, "programs", root, |place, program| {
        let tenant_id = tenant_of(place, &program.tenant_id);
        let id: Option<ProgramId> = read_id(place, "id", &program.id);
        if id.is_some_and(|id| !program_ids.insert(id)) {
            place.wrong("id", format!("the program {} already exists", program.id));
        }
        let built = build_program(place, program, id, tenant_id, &mut parts);
        id.and(tenant_id).map(|_| built)
    });

    let next_execution_id = next_execution_id.unwrap_or(1);
    if !(1..=LAST_EXECUTION_ID).contains(&next_execution_id) {
        root.wrong("nextExecutionId", format!("must be from 1 to {LAST_EXECUTION_ID}"));
    }
    Seed {
        tenants,
        clients,
        programs,
        variables: parts.variables,
        scenarios: parts.scenarios,
        webhooks,
        files: parts.zips.into_read(),
        next_execution_id: ExecutionId::new(next_execution_id),
    }
}

/// Builds each item of a list. Items with mistakes are left out, so that the others are still
/// checked.
fn collect<D, T>(
    items: Vec<D>,
    name: &str,
    root: &mut Place<'_>,
    mut convert: impl FnMut(&mut Place<'_>, D) -> Option<T>,
) -> Vec<T> {
    let mut built = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        built.extend(convert(&mut root.at(&format!("{name}[{index}]")), item));
    }
    built
}

/// Returns a subscription of a tenant, if there is nothing wrong with it.
pub(super) fn build_webhook(
    place: &mut Place<'_>,
    document: WebhookDocument,
    tenant_id: Option<TenantId>,
) -> Option<NewWebhook> {
    let WebhookDocument { tenant_id: _, client_id, client_secret, url, events } = document;
    for (field, text) in [("clientId", &client_id), ("clientSecret", &client_secret)] {
        place.check_length(field, text, &NAME);
    }
    place.check_length("url", &url, &DESCRIPTION);
    if !webhook::is_address(&url) {
        place.wrong("url", "must be an absolute http or https address");
    }
    if events.is_empty() {
        place.wrong("events", "must contain at least one event; all means all events");
    }
    let events = webhook::events(events.iter().map(String::as_str)).map_err(|unknown| {
        for name in unknown {
            place.wrong(
                "events",
                format!("{name} {}", invalid::unknown("event", name, &webhook::NAMES)),
            );
        }
    });
    Some(NewWebhook { tenant_id: tenant_id?, client_id, client_secret, url, events: events.ok()? })
}

fn build_tenants(documents: &[TenantDocument], root: &mut Place<'_>) -> Vec<Tenant> {
    let mut tenants: Vec<Tenant> = Vec::new();
    let (mut ids, mut organisations) = (BTreeSet::new(), BTreeSet::new());
    for (index, tenant) in documents.iter().enumerate() {
        let place = &mut root.at(&format!("tenants[{index}]"));
        for (field, text) in
            [("imsOrgId", &tenant.ims_org_id), ("imsTenantId", &tenant.ims_tenant_id)]
        {
            place.check_length(field, text, &NAME);
        }
        let Some(id) = read_id::<TenantId>(place, "id", &tenant.id) else { continue };
        if !ids.insert(id) {
            place.wrong("id", format!("the tenant {id} already exists"));
        }
        if !organisations.insert(&tenant.ims_org_id) {
            place.wrong("imsOrgId", "another tenant has this organisation");
        }
        tenants.push(Tenant {
            id,
            ims_org_id: tenant.ims_org_id.clone(),
            ims_tenant_id: tenant.ims_tenant_id.clone(),
        });
    }
    tenants
}

fn build_program(
    place: &mut Place<'_>,
    document: ProgramDocument,
    id: Option<ProgramId>,
    tenant_id: Option<TenantId>,
    parts: &mut Parts,
) -> Program {
    place.check_length("name", &document.name, &TITLE);
    let mut program = Program {
        // Mistakes in these two have been reported. The default only lets the checks of the parts
        // go on; the program is not used.
        id: id.unwrap_or(ProgramId::new(0)),
        tenant_id: tenant_id.unwrap_or(TenantId::new(0)),
        name: document.name,
        program_type: document.program_type.unwrap_or(ProgramType::AemManagedServices),
        emergency_mode: document.emergency_mode,
        kpis: Kpis::default(),
        created_at: NOT_YET,
        updated_at: NOT_YET,
        environments: BTreeMap::new(),
        repositories: BTreeMap::new(),
        pipelines: BTreeMap::new(),
    };
    program.kpis = document.kpis.unwrap_or_default().apply(program.kpis, &mut place.at("kpis"));
    for (index, environment) in document.environments.iter().enumerate() {
        let mut place = place.at(&format!("environments[{index}]"));
        parts.add_environment(&mut place, &mut program, environment);
    }
    for (index, repository) in document.repositories.iter().enumerate() {
        let mut place = place.at(&format!("repositories[{index}]"));
        if let Some(repository) = parts.build_repository(&mut place, repository) {
            let id = repository.id;
            if program.repositories.insert(id, repository).is_some() {
                place.wrong("id", format!("the repository {id} already exists"));
            }
        }
    }
    for (index, pipeline) in document.pipelines.iter().enumerate() {
        let mut place = place.at(&format!("pipelines[{index}]"));
        parts.add_pipeline(&mut place, &mut program, pipeline);
    }
    program
}

/// What belongs to environments and pipelines beside their definitions.
pub(super) struct Parts {
    scenarios: Vec<(PipelineKey, ScenarioDocument)>,
    variables: Vec<(Owner, Vec<VariableChange>)>,
    zips: ZipFiles,
}

impl Parts {
    fn new(zips: ZipFiles) -> Self {
        Self { scenarios: Vec::new(), variables: Vec::new(), zips }
    }

    /// Builds an environment and adds it to its program.
    pub(super) fn add_environment(
        &mut self,
        place: &mut Place<'_>,
        program: &mut Program,
        document: &EnvironmentDocument,
    ) {
        let Some(mut environment) = build_environment(place, document) else { return };
        let id = environment.id;
        let owner = Owner::Environment(program.id, id);
        let changes = build_variables(place, owner, &document.variables);
        environment.variables = variable::changed(&[], &changes);
        self.variables.push((owner, changes));
        if program.environments.insert(id, environment).is_some() {
            place.wrong("id", format!("the environment {id} already exists"));
        }
    }

    /// Builds a pipeline and adds it to its program, whose other parts are known.
    pub(super) fn add_pipeline(
        &mut self,
        place: &mut Place<'_>,
        program: &mut Program,
        document: &PipelineDocument,
    ) {
        let built = pipeline::build(place, document, program, &mut self.zips);
        let Some((mut pipeline, scenario)) = built else {
            return;
        };
        let (id, key) = (pipeline.id, pipeline.key());
        let changes = build_variables(place, Owner::Pipeline(key), &document.variables);
        pipeline.variables = variable::changed(&[], &changes);
        self.variables.push((Owner::Pipeline(key), changes));
        self.scenarios.extend(scenario.map(|scenario| (key, scenario)));
        if program.pipelines.insert(id, Arc::new(pipeline)).is_some() {
            place.wrong("id", format!("the pipeline {id} already exists"));
        }
    }

    fn build_repository(
        &mut self,
        place: &mut Place<'_>,
        document: &RepositoryDocument,
    ) -> Option<Repository> {
        place.check_length("repo", &document.repo, &TITLE);
        check_description(place, document.description.as_deref());
        let tags = document
            .tags
            .iter()
            .map(|(name, commit)| (format!("{TAG_PREFIX}{name}"), commit.clone()));
        let branches =
            document.branches.iter().map(|(name, commit)| (name.clone(), commit.clone()));
        for (field, heads) in [("branches", &document.branches), ("tags", &document.tags)] {
            for text in heads.iter().flat_map(|(name, commit)| [name, commit]) {
                check_ref(place, field, text);
            }
        }
        let builds = document.builds.as_deref();
        let outputs = builds.map(|builds| read_outputs(builds, &mut self.zips, place));
        Some(Repository {
            id: read_id(place, "id", &document.id)?,
            name: document.repo.clone(),
            description: document.description.clone(),
            heads: branches.chain(tags).collect(),
            in_git: false,
            outputs,
        })
    }
}

/// Builds a new part of an existing program. The seed holds nothing else of the program, which may
/// have changed when the part is added.
pub(super) fn build_part(known: &Program, add: impl FnOnce(&mut Parts, &mut Program)) -> Seed {
    let mut parts = Parts::new(ZipFiles::Refused);
    let mut program = known.clone();
    add(&mut parts, &mut program);
    program.leave_out(known);
    let Parts { scenarios, variables, zips: _ } = parts;
    Seed { programs: vec![program], scenarios, variables, ..Seed::empty() }
}

impl KpisDocument {
    /// Returns the targets with these changes.
    pub fn apply(self, kpis: Kpis, place: &mut Place<'_>) -> Kpis {
        let Self { response_time, page_views_per_minute } = self;
        let mut read = |field, value: Option<f64>, unchanged, message| {
            let value = value.unwrap_or(unchanged);
            if !(value.is_finite() && value > 0.0) {
                place.wrong(field, message);
            }
            value
        };
        let message = "must be a number of seconds above 0";
        Kpis {
            response_time: read("responseTime", response_time, kpis.response_time, message),
            page_views_per_minute: read(
                "pageViewsPerMinute",
                page_views_per_minute,
                kpis.page_views_per_minute,
                "must be a number above 0",
            ),
        }
    }
}

fn build_environment(place: &mut Place<'_>, document: &EnvironmentDocument) -> Option<Environment> {
    place.check_length("name", &document.name, &TITLE);
    check_description(place, document.description.as_deref());
    let topology = document.topology.as_ref().map_or_else(Topology::default, |topology| Topology {
        authors: topology.authors.unwrap_or(1),
        pairs: topology.pairs.unwrap_or(1),
        cold_standby: topology.cold_standby,
    });
    for (field, count) in
        [("topology.authors", topology.authors), ("topology.pairs", topology.pairs)]
    {
        if !Topology::is_possible(count) {
            place.wrong(field, "must be from 1 to 100");
        }
    }
    Some(Environment {
        id: read_id(place, "id", &document.id)?,
        name: document.name.clone(),
        description: document.description.clone(),
        environment_type: document.environment_type,
        status: document.status.unwrap_or(EnvironmentStatus::Ready),
        topology,
        variables: Vec::new(),
    })
}

fn build_variables(
    place: &mut Place<'_>,
    owner: Owner,
    documents: &[VariableDocument],
) -> Vec<VariableChange> {
    let updates = documents.iter().map(|document| VariableUpdate {
        name: document.name.clone(),
        value: Some(document.value.clone()),
        variable_type: Some(document.variable_type),
        service: document.service.clone(),
    });
    variable::check(owner, &[], updates.collect(), &mut place.at("variables"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::domain::invalid::InvalidFields;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "it is about real time")]
    fn checking_takes_no_longer_for_each_tenant_where_there_are_many() {
        let tenant = |number: u32| TenantDocument {
            id: format!("{}", number + 1),
            ims_org_id: format!("{number}@AdobeOrg"),
            ims_tenant_id: "t".into(),
        };
        let documents: Vec<_> = (0..200_000).map(tenant).collect();
        let begin = Instant::now();
        let tenants = InvalidFields::collect(|place| Some(build_tenants(&documents, place)));
        assert_eq!(tenants.unwrap().len(), documents.len());
        // Comparing each with each takes minutes.
        assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    }
}
