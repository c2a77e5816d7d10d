//! Every answer is one that openapi.yaml describes, and openapi.yaml is what the code describes.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;
use std::sync::LazyLock;

use axum::http::{Method, StatusCode};
use cloudmanager_emulator::{openapi, schema};
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::app::Answer;
use crate::official;

/// What openapi.yaml says.
pub static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_saphyr::from_str(CHECKED_IN).unwrap());

const CHECKED_IN: &str = include_str!("../../openapi.yaml");

static VALIDATORS: LazyLock<HashMap<String, Validator>> = LazyLock::new(|| {
    let mut components = DOCUMENT["components"].clone();
    close_objects(&mut components);
    let names = components["schemas"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    names
        .into_iter()
        .map(|name| {
            let reference = format!("#/components/schemas/{name}");
            let schema = json!({ "$ref": reference, "components": components });
            (reference, jsonschema::validator_for(&schema).unwrap())
        })
        .collect()
});

/// What is not described must not be answered.
fn close_objects(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(close_objects);
            if object.contains_key("properties") && object.get("type") == Some(&json!("object")) {
                object.entry("additionalProperties").or_insert(json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close_objects),
        _ => {}
    }
}

/// The methods, paths and identifiers of all operations.
fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    DOCUMENT["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(|(method, operation)| {
            (method.as_str(), path.as_str(), operation["operationId"].as_str().unwrap())
        })
    })
}

/// The identifiers of all operations.
pub fn operation_ids() -> BTreeSet<String> {
    operations().map(|(_, _, id)| id.to_owned()).collect()
}

/// The method of an operation.
pub fn method_of(id: &str) -> Method {
    let (method, ..) = operations().find(|(_, _, found)| *found == id).unwrap();
    method.to_uppercase().parse().unwrap()
}

/// The operations that take JSON, with the schemas of their bodies.
pub fn body_schemas() -> impl Iterator<Item = (&'static str, &'static Value)> {
    operations().filter_map(|(method, path, id)| {
        let body = &DOCUMENT["paths"][path][method]["requestBody"];
        Some((id, body["content"]["application/json"].get("schema")?))
    })
}

/// The methods and paths of the operations that have query parameters, with the names of those.
pub fn query_parameters() -> impl Iterator<Item = (&'static str, &'static str, Vec<&'static str>)> {
    operations().filter_map(|(method, path, _)| {
        let parameters = DOCUMENT["paths"][path][method]["parameters"].as_array()?;
        let in_query = parameters.iter().filter(|parameter| parameter["in"] == "query");
        let names: Vec<_> = in_query.map(|it| it["name"].as_str().unwrap()).collect();
        (!names.is_empty()).then_some((method, path, names))
    })
}

/// The schema itself, where it is a reference to another; those of seeds are among them.
pub fn resolved(schema: &Value) -> Value {
    let Some(reference) = schema["$ref"].as_str() else { return schema.clone() };
    let (_, name) = reference.rsplit_once('/').unwrap();
    let described = DOCUMENT["components"]["schemas"].get(name).cloned();
    described.unwrap_or_else(|| {
        let seed: Value = serde_json::from_str(&schema::json()).unwrap();
        seed["$defs"][name].clone()
    })
}

/// The operation that a request is for.
pub fn find_operation(method: &Method, path: &str) -> Option<&'static Value> {
    let method = if method == Method::HEAD { "get".into() } else { method.as_str().to_lowercase() };
    let path = format!("/{}", path.trim_start_matches('/'));
    let path = if path.starts_with("/ims/") { path.trim_end_matches('/') } else { &path };
    let segments: Vec<_> = path.split('/').collect();
    DOCUMENT["paths"]
        .as_object()
        .unwrap()
        .iter()
        .find(|(template, _)| {
            let template: Vec<_> = template.split('/').collect();
            template.len() == segments.len()
                && template
                    .iter()
                    .zip(&segments)
                    .all(|(expected, actual)| expected.starts_with('{') || expected == actual)
        })
        .and_then(|(_, item)| item.get(&method))
}

fn resolve(response: &'static Value) -> &'static Value {
    match response["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(&reference[1..]).unwrap(),
        None => response,
    }
}

/// Returns whether a path is a page or a file of the console. These are for browsers, so they are no
/// operations, and the description leaves them out.
fn is_console(path: &str) -> bool {
    let parts = ["/program/", "/console/"];
    ["/", "/emulator"].contains(&path) || parts.iter().any(|part| path.starts_with(part))
}

/// Checks an answer against the description.
pub fn check(method: &Method, path: &str, answer: &Answer) {
    assert!(!answer.header("x-request-id").is_empty(), "{method} {path}: no x-request-id");
    assert!(!answer.headers.contains_key("content-encoding"), "{method} {path}");
    let injected = answer.headers.contains_key("x-emulator-fault");
    let failed = answer.status == StatusCode::INTERNAL_SERVER_ERROR && !injected;
    assert!(!failed, "{method} {path}: {answer:?}");
    if is_console(path) {
        return;
    }
    let content_type = answer.header("content-type");
    let Some(operation) = find_operation(method, path) else {
        let status = answer.status.as_u16();
        assert!(
            injected || [400, 401, 403, 404, 405, 413].contains(&status),
            "{method} {path}: {status}"
        );
        return;
    };
    let status = answer.status.as_str();
    let responses = &operation["responses"];
    // Only an injected fault may have a status that is not the operation's own.
    let range = || injected.then(|| responses.get(format!("{}XX", &status[..1]))).flatten();
    let response = responses.get(status).or_else(range).map(resolve);
    let response = response.unwrap_or_else(|| panic!("{method} {path}: {status} is not described"));
    if method == Method::HEAD {
        return;
    }
    let Some(content) = response["content"].as_object() else {
        assert!(answer.bytes.is_empty(), "{method} {path}: {status} has an undescribed body");
        return;
    };
    let media_type = content_type.split(';').next().unwrap();
    let described = content.get(media_type).unwrap_or_else(|| {
        panic!("{method} {path}: {status} is described, but not as {content_type}")
    });
    if media_type.ends_with("json") {
        let body = answer.json();
        let Some(reference) = described["schema"]["$ref"].as_str() else {
            assert_eq!(operation["operationId"], "downloadFile", "only a file may hold any JSON");
            return;
        };
        let errors: Vec<_> =
            VALIDATORS[reference].iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{method} {path}: {status}: {errors:#?}\n{body:#}");
    }
}

/// Compares sets. Of long ones only what differs is of interest.
fn assert_same<T: Ord + Debug>(described: &BTreeSet<T>, expected: &BTreeSet<T>) {
    let unexpected: Vec<_> = described.difference(expected).collect();
    let missing: Vec<_> = expected.difference(described).collect();
    let same = unexpected.is_empty() && missing.is_empty();
    assert!(same, "unexpected: {unexpected:#?}, missing: {missing:#?}");
}

#[test]
fn openapi_yaml_is_up_to_date() {
    assert!(
        CHECKED_IN == openapi::yaml(),
        "openapi.yaml is stale: cargo run -- openapi > openapi.yaml"
    );
}

#[test]
fn operations_have_their_official_methods_paths_and_identifiers() {
    let described = operations().filter(|(_, path, _)| path.starts_with("/api/"));
    let official = official::operations();
    let official: BTreeSet<_> =
        official.iter().map(|it| (it.method, it.path.as_str(), it.id)).collect();
    assert_same(&described.collect(), &official);
}

#[test]
fn every_tag_is_explained() {
    let names = |list: &Value| -> BTreeSet<String> {
        list.as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap().into()).collect()
    };
    let items = DOCUMENT["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    let used = operations.flat_map(|operation| operation["tags"].as_array().unwrap());
    let used: BTreeSet<_> = used.map(|tag| tag.as_str().unwrap().to_owned()).collect();
    assert_same(&used, &names(&DOCUMENT["tags"]));
}
