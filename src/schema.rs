//! The JSON Schema of seed documents, made from their types: what editors complete and check. What
//! goes beyond shapes, such as environments that are not there, only reading a document tells.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::http::operations::IS_DESCRIBED;
use crate::openapi::leave_out_null;
use crate::{embedded, seed};

/// Where a description of an API keeps its schemas.
const COMPONENTS: &str = "#/components/schemas/";

/// Where a schema keeps those that it is made of.
const DEFINITIONS: &str = "#/$defs/";

/// A schema that stands alone, its parts in the usual order.
#[derive(Serialize)]
struct StandaloneSchema {
    #[serde(rename = "$schema")]
    dialect: &'static str,
    title: &'static str,
    #[serde(rename = "$ref")]
    whole: String,
    #[serde(rename = "$defs")]
    definitions: BTreeMap<String, Value>,
}

/// Returns the schema, docs/seed.schema.json.
#[must_use]
pub fn json() -> String {
    if IS_DESCRIBED { generate() } else { embedded::seed_schema() }
}

fn generate() -> String {
    let shapes = seed::shapes();
    let document = StandaloneSchema {
        dialect: "https://json-schema.org/draft/2020-12/schema",
        title: "Seed of the Cloud Manager emulator",
        whole: format!("{DEFINITIONS}{}", seed::SHAPE),
        definitions: shapes
            .into_iter()
            .map(|(name, shape)| {
                let mut shape = serde_json::to_value(shape).unwrap_or_default();
                leave_out_null(&mut shape);
                make_definition(&mut shape);
                (name, shape)
            })
            .collect(),
    };
    // Serialising a schema that was built in memory can't fail.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// Lets references lead to other definitions, and objects have no fields but those named.
fn make_definition(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get_mut("$ref") {
                *reference = reference.replacen(COMPONENTS, DEFINITIONS, 1);
            }
            if object.get("properties").is_some_and(Value::is_object) && object.contains_key("type")
            {
                object.insert("additionalProperties".into(), false.into());
            }
            object.values_mut().for_each(make_definition);
        }
        Value::Array(items) => items.iter_mut().for_each(make_definition),
        _ => {}
    }
}
