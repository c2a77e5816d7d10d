//! What is on the instances of an environment.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Control;
use crate::domain::deployment::InstanceKind;
use crate::domain::deployment::memory::{
    CacheChange, DispatcherMemory, FileOrigin, InstalledPackage, InstanceMemory,
};
use crate::extract::InEnvironment;
use crate::http::problem::Problem;

/// The instances of an environment.
#[derive(Debug, Serialize, ToSchema)]
pub struct InstanceList {
    instances: Vec<InstanceView>,
}

/// An instance, with the packages or files that deployments have installed so far.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Instance)]
struct InstanceView {
    instance_id: String,
    instance_type: InstanceKind,
    /// Author and publish instances: the packages that were deployed, sorted by group and name.
    #[serde(skip_serializing_if = "Option::is_none")]
    packages: Option<Vec<PackageView>>,
    /// Dispatchers: whether it is in the load balancer.
    #[serde(skip_serializing_if = "Option::is_none")]
    attached: Option<bool>,
    /// Dispatchers: the configuration files, sorted by path.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<FileView>>,
    /// Dispatchers: the last flush of the cache; absent before the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_flush: Option<CacheView>,
    /// Dispatchers: the last invalidation of the cache; absent before the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_invalidation: Option<CacheView>,
}

/// A package on an instance.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InstancePackage)]
struct PackageView {
    group: String,
    name: String,
    version: String,
    /// The artifact that it was installed from.
    file: String,
    /// The execution that deployed it.
    execution_id: String,
    /// The execution that built it.
    built_by: String,
    installed_at: String,
}

/// A configuration file of a dispatcher.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InstanceFile)]
struct FileView {
    /// Relative to the folder of the web server.
    path: String,
    origin: OriginName,
    /// With the origin `artifact`: the file of the artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact: Option<String>,
    /// With the origin `artifact`: the execution that deployed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_id: Option<String>,
    /// With the origin `artifact`: the execution that built it.
    #[serde(skip_serializing_if = "Option::is_none")]
    built_by: Option<String>,
}

/// Where a configuration file comes from: `baseline` (an immutable file), `provisioning` (a file
/// from before the first deployment), or `artifact` (a file that a deployment installed).
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = InstanceFileOrigin)]
enum OriginName {
    Baseline,
    Provisioning,
    Artifact,
}

/// The last time that a deployment flushed or invalidated a cache.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InstanceCacheChange)]
struct CacheView {
    /// The execution that did it.
    execution_id: String,
    /// The time of the change; for several paths, that of the last one.
    at: String,
    /// The paths; `/` is the whole cache.
    paths: Vec<String>,
}

impl InstanceView {
    fn new(name: String, kind: InstanceKind, instance: &InstanceMemory) -> Self {
        let dispatcher = instance.dispatcher.as_ref();
        let installed = || instance.installed().iter().map(PackageView::new).collect();
        let files = |dispatcher: &DispatcherMemory| {
            let files = dispatcher.files.list().into_iter();
            files.map(|(path, origin)| FileView::new(path, origin)).collect()
        };
        Self {
            instance_id: name,
            instance_type: kind,
            packages: dispatcher.is_none().then(installed),
            attached: dispatcher.map(|dispatcher| dispatcher.attached),
            files: dispatcher.map(files),
            cache_flush: dispatcher.and_then(|it| it.flush.as_ref()).map(CacheView::new),
            cache_invalidation: dispatcher
                .and_then(|it| it.invalidation.as_ref())
                .map(CacheView::new),
        }
    }
}

impl PackageView {
    fn new(package: &InstalledPackage) -> Self {
        let InstalledPackage { group, name, version, file, execution, built_by, installed_at } =
            package.clone();
        Self {
            group,
            name,
            version,
            file,
            execution_id: execution.to_string(),
            built_by: built_by.to_string(),
            installed_at: installed_at.to_string(),
        }
    }
}

impl FileView {
    fn new(path: &str, origin: FileOrigin<'_>) -> Self {
        let (origin, artifact) = match origin {
            FileOrigin::Baseline => (OriginName::Baseline, None),
            FileOrigin::Provisioning => (OriginName::Provisioning, None),
            FileOrigin::Artifact(artifact) => (OriginName::Artifact, Some(artifact)),
        };
        Self {
            path: path.to_owned(),
            origin,
            artifact: artifact.map(|artifact| artifact.file.clone()),
            execution_id: artifact.map(|artifact| artifact.execution.to_string()),
            built_by: artifact.map(|artifact| artifact.built_by.to_string()),
        }
    }
}

impl CacheView {
    fn new(change: &CacheChange) -> Self {
        Self {
            execution_id: change.execution.to_string(),
            at: change.at.to_string(),
            paths: change.paths.clone(),
        }
    }
}

/// Lists the instances of an environment, with what deployments have left on them.
///
/// A running deployment is shown as far as it is at this moment.
#[utoipa::path(get, path = "/_emulator/program/{programId}/environment/{environmentId}/instances",
    operation_id = "getInstances", tag = "Emulator", params(InEnvironment),
    responses((status = 200, description = "The instances: authors, publish instances, dispatchers",
        body = InstanceList)))]
pub async fn get_instances(
    State(control): State<Control>,
    InEnvironment { program, environment }: InEnvironment,
) -> Result<Json<InstanceList>, Problem> {
    let instances = control.engine.list_instances(&program, &environment).await?;
    let view = |(name, kind, instance)| InstanceView::new(name, kind, &instance);
    Ok(Json(InstanceList { instances: instances.into_iter().map(view).collect() }))
}
