//! Checks the fields of a pipeline update that can't be changed: each must have its current value.

use serde_json::Value;

use crate::api::pipelines::PipelineView;
use crate::domain::invalid::{InvalidField, InvalidFields, Place};
use crate::domain::pipeline::Action;
use crate::http::body::invalid;
use crate::http::problem::Problem;

/// The options of a step that can be changed.
const OPTIONS: [&str; 2] = ["dispatcherCacheInvalidationPaths", "dispatcherCacheFlushPaths"];

/// Rejects a well-formed body if a field that can't be changed differs from its current value.
/// Phases and steps that the pipeline does not have are ignored here.
pub(super) fn check(body: &[u8], shown: &PipelineView) -> Result<(), Problem> {
    let sent: Value = serde_json::from_slice(body).unwrap_or_default();
    let shown = serde_json::to_value(shown).unwrap_or_default();
    let compared = InvalidFields::collect(|place| {
        compare(&sent, &shown, &["phases"], place);
        for (index, phase) in items(&sent["phases"]).enumerate() {
            compare_phase(phase, &shown["phases"], &mut place.at(&format!("phases[{index}]")));
        }
        Some(())
    });
    // The answer repeats the values that were sent, without secrets.
    compared.map_err(|fields| invalid(fields, body))
}

fn compare_phase(sent: &Value, phases: &Value, place: &mut Place<'_>) {
    let is_meant = |phase: &&Value| {
        phase["type"] == sent["type"] && (sent["name"].is_null() || phase["name"] == sent["name"])
    };
    let Some(shown) = items(phases).find(is_meant) else { return };
    let changeable: &[&str] = match shown["type"].as_str() {
        Some("BUILD") => &["repositoryId", "branch", "steps"],
        Some("DEPLOY") => &["environmentId", "steps"],
        _ => &["steps"],
    };
    compare(sent, shown, changeable, place);
    for (index, step) in items(&sent["steps"]).enumerate() {
        let name = step["name"].as_str().unwrap_or(Action::Deploy.as_str());
        let Some(shown) = items(&shown["steps"]).find(|shown| shown["name"] == name) else {
            continue;
        };
        let place = &mut place.at(&format!("steps[{index}]"));
        compare(step, shown, &["options"], place);
        compare(&step["options"], &shown["options"], &OPTIONS, &mut place.at("options"));
    }
}

/// Reports the fields that can't be changed and differ from their current value. Fields that the
/// pipeline does not have may be sent as null.
fn compare(sent: &Value, shown: &Value, changeable: &[&str], place: &mut Place<'_>) {
    for (name, value) in sent.as_object().into_iter().flatten() {
        if changeable.contains(&name.as_str()) || *value == shown[name] {
            continue;
        }
        let message = if shown.get(name).is_some() {
            "can't be changed; omit it or send its current value".to_owned()
        } else {
            format!("can't be changed; fields that can be changed: {}", changeable.join(", "))
        };
        place.report(InvalidField::new(name, message));
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}
