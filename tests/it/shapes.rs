//! Every answer of the API has the shape that Adobe publishes, but for the deviations that are
//! listed here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use axum::http::Method;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::app::Answer;
use crate::description::find_operation;

const PUBLISHED: &str = include_str!("fixtures/official-shapes.txt");

const REL: &str = "http://ns.adobe.com/adobecloud/rel/";

/// What answers have beside what is published: structure and fields, written as there.
const MORE_FIELDS: [(&str, &str); 11] = [
    // Documented: re-execution and rollback have triggers of their own.
    ("PipelineExecution", "trigger=ON_COMMIT|MANUAL|PUSH_UPGRADES|RE_EXECUTE|ROLLBACK"),
    // Adobe's own example of a step state has them.
    ("PipelineExecutionStepState", "executionId pipelineId programId updatedAt"),
    // The documentation says that time-outs and failures are told.
    ("PipelineExecutionStepStateDetails", "message timedOut:boolean"),
    // Clients read them.
    ("Repository", "id programId"),
    ("BadRequestError", "errors!:any"),
    // Recorded answers have it in every list; it is published only for lists with pages.
    ("TenantList", "_links.page:HalLink"),
    ("RegionsList", "_links.page:HalLink"),
    ("BranchList", "_links.page:HalLink"),
    ("EnvironmentList", "_links.page:HalLink"),
    ("ArtifactList", "_links.page:HalLink"),
    ("VariableList", "_links.page:HalLink"),
];

/// The refusals of the gateway, which are not published. Clients compare their content type.
const GATEWAY_ERROR: (&str, &str) = ("GatewayError", "error_code! message!");

/// The statuses of problems with which every operation may answer, although they are not published
/// for it.
const MORE_STATUSES: [&str; 8] = ["400", "401", "403", "404", "405", "412", "413", "503"];

/// Operations that lead to a file. The text of a parameter says that they answer with 307 to
/// whoever does not ask for JSON.
const LEADING_TO_FILES: [&str; 3] = ["getStepLogs", "getStepArtifact", "downloadLogs"];

/// The answer to a request for an artifact is published without content.
const ARTIFACT: (&str, &str) = ("getStepArtifact", "Redirect");

struct Published {
    /// By operation and status: the structure of the answer, if there is one.
    answers: HashMap<&'static str, BTreeMap<&'static str, Option<&'static str>>>,
    validators: HashMap<String, Validator>,
}

static SHAPES: LazyLock<Published> = LazyLock::new(|| {
    let facts = PUBLISHED.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let (mut answers, mut structures) = (HashMap::new(), Map::new());
    let mut structure = "";
    for line in facts {
        match line.strip_prefix("  ") {
            Some(fields) => add_fields(&mut structures[structure], fields),
            None => {
                if let Some((operation, statuses)) = line.split_once(' ') {
                    let of = |word: &'static str| {
                        word.split_once(':').map_or((word, None), |(it, shape)| (it, Some(shape)))
                    };
                    answers.insert(operation, statuses.split(' ').map(of).collect());
                } else {
                    structure = line;
                    structures.insert(line.to_owned(), object());
                }
            }
        }
    }
    structures.insert(GATEWAY_ERROR.0.to_owned(), object());
    for (structure, fields) in MORE_FIELDS.into_iter().chain([GATEWAY_ERROR]) {
        add_fields(&mut structures[structure], fields);
    }
    let validators = structures.keys().map(|name| {
        let schema = json!({"$ref": format!("#/$defs/{name}"), "$defs": structures});
        (name.clone(), jsonschema::validator_for(&schema).unwrap())
    });
    Published { answers, validators: validators.collect() }
});

fn object() -> Value {
    json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false})
}

fn add_fields(structure: &mut Value, fields: &str) {
    for field in fields.split_whitespace() {
        let (path, schema) = match (field.split_once('='), field.split_once(':')) {
            (Some((path, words)), _) => {
                (path, json!({"enum": words.split('|').collect::<Vec<_>>()}))
            }
            (None, Some((path, name))) => (path, schema_of(name)),
            (None, None) => (field, json!({"type": "string"})),
        };
        add_field(structure, path, schema);
    }
}

fn schema_of(name: &str) -> Value {
    if let Some(item) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        return json!({"type": "array", "items": schema_of(item)});
    }
    match name {
        "any" => json!({}),
        "string" | "boolean" | "integer" | "object" => json!({"type": name}),
        name => json!({"$ref": format!("#/$defs/{name}")}),
    }
}

fn add_field(structure: &mut Value, path: &str, schema: Value) {
    let Some((outer, inner)) = path.split_once('.') else {
        let name = path.trim_end_matches('!').replace("rel/", REL);
        if path.ends_with('!') {
            structure["required"].as_array_mut().unwrap().push(json!(name));
        }
        structure["properties"][name] = schema;
        return;
    };
    let properties = structure["properties"].as_object_mut().unwrap();
    let inside = match outer.strip_suffix("[]") {
        Some(list) => {
            let list = properties.entry(list).or_insert_with(|| json!({"type": "array"}));
            list.as_object_mut().unwrap().entry("items").or_insert_with(object)
        }
        None => properties.entry(outer).or_insert_with(object),
    };
    add_field(inside, inner, schema);
}

/// Whether an operation may answer with a status that is not published for it.
fn is_allowed(operation: &str, method: &Method, status: &str) -> bool {
    match status {
        "307" => LEADING_TO_FILES.contains(&operation),
        // The emulator's own, for a full disk: only changes need room.
        "507" => *method != Method::GET && *method != Method::HEAD,
        _ => MORE_STATUSES.contains(&status),
    }
}

/// Checks an answer of the API.
pub fn check(method: &Method, path: &str, answer: &Answer) {
    let injected = answer.headers.contains_key("x-emulator-fault");
    let Some(operation) = find_operation(method, path).filter(|_| !injected) else { return };
    let id = operation["operationId"].as_str().unwrap();
    let Some(answers) = SHAPES.answers.get(id) else { return };
    let status = answer.status.as_str();
    let published = answers.get(status).or_else(|| answers.get("default"));
    let is_known = published.is_some() || is_allowed(id, method, status);
    assert!(is_known, "{method} {path}: {status} is not published for {id}");
    if *method == Method::HEAD || answer.bytes.is_empty() {
        return;
    }
    let shape = match published {
        _ if answer.header("content-type") == "application/problem+json" => "BadRequestError",
        _ if answer.status.is_client_error() => GATEWAY_ERROR.0,
        Some(Some(shape)) => shape,
        _ if id == ARTIFACT.0 => ARTIFACT.1,
        _ => panic!("{method} {path}: {status} has a body, which is not published for {id}"),
    };
    let body = answer.json();
    let errors: Vec<_> = SHAPES.validators[shape].iter_errors(&body).collect();
    let told: Vec<_> = errors.iter().map(|it| format!("{}: {it}", it.instance_path())).collect();
    assert!(told.is_empty(), "{method} {path}: {status} is no {shape}: {told:#?}");
}

#[test]
fn the_published_operations_are_those_of_the_emulator() {
    let published: BTreeSet<_> = SHAPES.answers.keys().copied().collect();
    let official: BTreeSet<_> = crate::official::operations().iter().map(|it| it.id).collect();
    assert_eq!(published, official);
}

#[test]
fn what_is_not_published_is_noticed() {
    let validator = &SHAPES.validators["Artifact"];
    assert!(validator.is_valid(&json!({"stepName": "build", "type": "CONTENT_PACKAGE"})));
    for wrong in [
        json!({"stepName": "build"}),
        json!({"stepName": "build", "type": "CONTENT_PACKAGE", "size": 5}),
        json!({"stepName": "build", "type": "PACKAGE"}),
        json!({"stepName": 5, "type": "CONTENT_PACKAGE"}),
        json!({"stepName": "build", "type": "CONTENT_PACKAGE", "_links": {"next": {}}}),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
    let details = &SHAPES.validators["PipelineExecutionStepStateDetails"];
    assert!(!details.is_valid(&json!({"environmentUrls": [{"url": "x"}]})));
}
