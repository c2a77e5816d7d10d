//! Tenants and their programs.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::environment::Environment;
use super::id::{EnvironmentId, PipelineId, ProgramId, RepositoryId, TenantId};
use super::pipeline::Pipeline;
use super::repository::Repository;
use super::time::Timestamp;
use super::variable::{Owner, Variable};
use super::word::words;

/// One IMS organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Identifier.
    pub id: TenantId,
    /// The organisation that callers name in `x-gw-ims-org-id`.
    pub ims_org_id: String,
    /// The organisation's short name.
    pub ims_tenant_id: String,
}

words! {
    /// The type of a program.
    pub enum ProgramType {
        /// Adobe Managed Services.
        AemManagedServices = "aem_managed_services",
        /// AEM as a Cloud Service.
        AemCloudService = "aem_cloud_service",
    }
}

/// The targets against which a program's performance is judged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kpis {
    /// 95th percentile of the response time, in seconds.
    pub response_time: f64,
    /// Page views per minute.
    pub page_views_per_minute: f64,
}

impl Default for Kpis {
    fn default() -> Self {
        Self { response_time: 3.0, page_views_per_minute: 100.0 }
    }
}

/// A program with everything that is defined in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// Identifier.
    pub id: ProgramId,
    /// The tenant that owns it.
    pub tenant_id: TenantId,
    /// Display name.
    pub name: String,
    /// What it runs on.
    pub program_type: ProgramType,
    /// Whether Customer Success Engineers have activated the emergency execution mode.
    pub emergency_mode: bool,
    /// Its performance targets.
    pub kpis: Kpis,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Its environments.
    pub environments: BTreeMap<EnvironmentId, Environment>,
    /// Its repositories.
    pub repositories: BTreeMap<RepositoryId, Repository>,
    /// Its pipelines.
    pub pipelines: BTreeMap<PipelineId, Arc<Pipeline>>,
}

impl Program {
    /// Removes the parts that another version has, too.
    pub fn leave_out(&mut self, known: &Self) {
        self.environments.retain(|id, _| !known.environments.contains_key(id));
        self.repositories.retain(|id, _| !known.repositories.contains_key(id));
        self.pipelines.retain(|id, _| !known.pipelines.contains_key(id));
    }

    /// Returns whether it has a part that another version has, too.
    #[must_use]
    pub fn has_some_of(&self, other: &Self) -> bool {
        self.environments.keys().any(|id| other.environments.contains_key(id))
            || self.repositories.keys().any(|id| other.repositories.contains_key(id))
            || self.pipelines.keys().any(|id| other.pipelines.contains_key(id))
    }

    /// Returns the variables of a pipeline or an environment of the program, to be changed.
    pub fn variables_mut(&mut self, owner: Owner) -> Option<&mut Vec<Variable>> {
        match owner {
            Owner::Pipeline(key) => {
                let pipeline = self.pipelines.get_mut(&key.pipeline_id)?;
                Some(&mut Arc::make_mut(pipeline).variables)
            }
            Owner::Environment(_, id) => Some(&mut self.environments.get_mut(&id)?.variables),
        }
    }
}
