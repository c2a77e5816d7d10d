//! Figures for Prometheus.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::Control;
use crate::http::problem::Problem;
use crate::traffic::metrics::{CONTENT_TYPE, Gauges};

/// Returns the emulator's metrics in the Prometheus text format.
#[utoipa::path(get, path = "/_emulator/metrics", operation_id = "getMetrics", tag = "Emulator",
    responses((status = 200, description = "The metrics", body = String,
        content_type = "text/plain")))]
pub async fn get_metrics(State(control): State<Control>) -> Result<impl IntoResponse, Problem> {
    let (_, running_executions) = control.engine.count_executions().await?;
    let pending_deliveries = control.engine.count_pending_deliveries().await?;
    let gauges = Gauges { running_executions, pending_deliveries };
    let text = control.traffic.metrics().render(control.engine.performance(), gauges);
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text))
}
