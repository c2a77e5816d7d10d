//! Scenarios of pipelines.

use std::sync::Arc;

use crate::domain::id::PipelineKey;
use crate::domain::scenario_document::ScenarioDocument;
use crate::engine::Engine;
use crate::engine::changes::Change;
use crate::store::StoreError;
use crate::store::definitions::scenarios;

impl Engine {
    /// Sets the scenario of a pipeline. The pipeline must exist.
    pub async fn put_scenario(
        self: &Arc<Self>,
        pipeline: PipelineKey,
        scenario: ScenarioDocument,
    ) -> Result<(), StoreError> {
        self.write(async move |mut write| {
            scenarios::put(&mut write.tx, &[(pipeline, scenario)]).await?;
            write.changes.add(Change::Pipeline(pipeline));
            write.commit().await
        })
        .await
    }

    /// Deletes the scenario of a pipeline, if it has one.
    pub async fn delete_scenario(
        self: &Arc<Self>,
        pipeline: PipelineKey,
    ) -> Result<(), StoreError> {
        self.write(async move |mut write| {
            scenarios::delete(&mut write.tx, pipeline).await?;
            write.changes.add(Change::Pipeline(pipeline));
            write.commit().await
        })
        .await
    }
}
