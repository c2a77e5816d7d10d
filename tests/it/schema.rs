//! The JSON Schema of seeds agrees with what the emulator reads.

use std::sync::LazyLock;

use cloudmanager_emulator::{schema, seed};
use jsonschema::Validator;
use serde_json::{Value, json};

static SCHEMA: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&schema::json()).unwrap());

static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::draft202012::new(&SCHEMA).unwrap());

const DEMO: &str = include_str!("../../src/seed/demo.yaml");

/// A seed that uses every field.
const FULL: &str = r#"
$schema: ./seed.schema.json
tenants:
  - { id: "1", imsOrgId: 1234567890ABCDEF12345678@AdobeOrg, imsTenantId: weretail }
clients:
  - { clientId: ci, clientSecret: s3cret, technicalAccountId: ci@techacct.adobe.com, tenantId: "1", roles: [deploymentManager] }
programs:
  - id: "4"
    tenantId: "1"
    name: We.Retail Global
    type: aem_managed_services
    emergencyMode: true
    kpis: { responseTime: 3, pageViewsPerMinute: 100 }
    environments:
      - { id: "59253", name: weretail-global-b75-stage, type: stage, topology: { authors: 1, pairs: 1 } }
      - { id: "59254", name: weretail-global-b75-prod, description: live, type: prod, status: ready, topology: { authors: 1, pairs: 2, coldStandby: true } }
    repositories:
      - id: "1"
        repo: weretail
        description: all of it
        branches: { main: 21eeb31e59b0cab98e42c700ce7d2fc98828e947 }
        tags: { release-1.0: becdddb0c6f84f0b8b1f1ab0e2d2c2b9b3f7a101 }
    pipelines:
      - id: "1"
        name: Production Pipeline
        trigger: MANUAL
        importantMetricFailures: ASK
        variables: [ { name: MY_VAR, value: x, type: string, service: build } ]
        phases:
          - { type: VALIDATE, name: VALIDATE }
          - { type: BUILD, name: BUILD_1, repositoryId: "1", branch: main }
          - type: DEPLOY
            name: DEPLOY_1
            environmentId: "59253"
            steps: [ { name: deploy, options: { skipDetachingDispatchers: true } }, { name: securityTest }, { name: loadTest }, { name: assetsTest } ]
          - id: "1575676"
            type: DEPLOY
            name: DEPLOY_2
            environmentId: "59254"
            steps: [ { name: approval }, { id: "2983530", name: deploy, options: { dispatcherCacheFlushPaths: [ /etc.clientlibs ] } } ]
        scenario:
          times: 1
          steps:
            - { action: codeQuality, metrics: { coverage: "41.3" }, log: [ a line, { line: another, times: 2 } ] }
            - { action: deploy, environmentType: prod, outcome: FAILED, message: no space left, duration: PT3M }
webhooks:
  - { tenantId: "1", clientId: ci, clientSecret: s3cret, url: "http://127.0.0.1:9000/webhook", events: [all] }
nextExecutionId: 953671
"#;

/// The seed that docs/configuration.md shows.
fn documented() -> &'static str {
    let text = include_str!("../../docs/configuration.md");
    let (_, rest) = text.split_once("```yaml\n# yaml-language-server").unwrap();
    rest.split_once("```").map(|(seed, _)| seed).and_then(|seed| seed.split_once('\n')).unwrap().1
}

fn document(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

#[test]
fn the_file_is_up_to_date() {
    assert!(
        include_str!("../../docs/seed.schema.json") == schema::json(),
        "docs/seed.schema.json is stale: cargo run -- schema > docs/seed.schema.json"
    );
}

#[test]
fn seeds_that_are_read_are_valid() {
    for text in [DEMO, FULL, documented(), "tenants: []"] {
        seed::read(text).unwrap();
        let errors: Vec<_> =
            VALIDATOR.iter_errors(&document(text)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn mistakes_of_shape_are_found_by_the_schema_and_by_reading() {
    for (place, wrong) in [
        ("/tenants", json!({})),
        ("/tenants/0/id", json!("one")),
        ("/tenants/0/id", json!("01")),
        ("/tenants/0/imsOrgId", json!("")),
        ("/clients/0/roles/0", json!("admin")),
        ("/clients/0/clientId", json!("x".repeat(256))),
        ("/clients/0/clientSecret", json!("")),
        ("/clients/0/technicalAccountId", json!("")),
        ("/programs/0", json!({"id": "4", "tenantId": "1"})),
        ("/programs/0/name", json!("x".repeat(65))),
        ("/programs/0/type", json!("aem_on_premise")),
        ("/programs/0/emergencyMode", json!("maybe")),
        ("/programs/0/kpis", json!({"responseTime": 0})),
        ("/programs/0/kpis", json!({"speed": 1})),
        ("/programs/0/environments/0/type", json!("qa")),
        ("/programs/0/environments/1/status", json!("broken")),
        ("/programs/0/environments/1/topology/pairs", json!(101)),
        ("/programs/0/repositories/0/branches", json!(["main"])),
        ("/programs/0/environments/1/description", json!("x".repeat(2049))),
        ("/programs/0/repositories/0/description", json!("x".repeat(2049))),
        ("/programs/0/repositories/0/branches/main", json!("x".repeat(256))),
        ("/programs/0/repositories/0/branches", json!({"": "c0ffee"})),
        ("/programs/0/repositories/0/tags", json!({"x".repeat(256): "c0ffee"})),
        ("/programs/0/repositories/0/tags/release-1.0", json!("a\nb")),
        ("/programs/0/pipelines/0/trigger", json!("HOURLY")),
        ("/programs/0/pipelines/0/importantMetricFailures", json!("IGNORE")),
        ("/programs/0/pipelines/0/variables/0/name", json!("1X")),
        ("/programs/0/pipelines/0/variables/0/type", json!("number")),
        ("/programs/0/pipelines/0/variables/0/service", json!("x".repeat(256))),
        ("/programs/0/pipelines/0/phases", json!([])),
        ("/programs/0/pipelines/0/phases/1/name", json!("x".repeat(256))),
        ("/programs/0/pipelines/0/phases/1/branch", json!("x".repeat(256))),
        ("/programs/0/pipelines/0/phases/0/type", json!("TEST")),
        ("/programs/0/pipelines/0/phases/2/steps/0/name", json!("dance")),
        ("/programs/0/pipelines/0/phases/2/steps/0/options", json!({"skip": true})),
        ("/programs/0/pipelines/0/scenario/times", json!(0)),
        ("/programs/0/pipelines/0/scenario/steps/0/action", json!("dance")),
        ("/programs/0/pipelines/0/scenario/steps/1/environmentType", json!("qa")),
        ("/programs/0/pipelines/0/scenario/steps/1/outcome", json!("LATE")),
        (
            "/programs/0/pipelines/0/scenario/steps/0/log/1",
            json!({"line": "x", "times": 1, "y": 1}),
        ),
        ("/webhooks/0/clientId", json!("x".repeat(256))),
        ("/webhooks/0/clientSecret", json!("x".repeat(256))),
        ("/webhooks/0/url", json!(format!("http://{}", "x".repeat(2042)))),
        ("/webhooks/0/url", json!("ftp://127.0.0.1")),
        ("/webhooks/0/events/0", json!("some")),
        ("/nextExecutionId", json!(0)),
    ] {
        let mut changed = document(FULL);
        *changed.pointer_mut(place).unwrap() = wrong.clone();
        assert!(!VALIDATOR.is_valid(&changed), "{place} {wrong}");
        assert!(seed::read(&changed.to_string()).is_err(), "{place} {wrong}");
    }
}

/// Every object in the schema that has fields.
fn objects<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    if value["properties"].is_object() && value["type"] == "object" {
        found.push(value);
    }
    match value {
        Value::Object(object) => object.values().for_each(|inner| objects(inner, found)),
        Value::Array(items) => items.iter().for_each(|inner| objects(inner, found)),
        _ => {}
    }
}

#[test]
fn objects_are_closed_and_every_field_is_explained() {
    let mut found = Vec::new();
    objects(&SCHEMA, &mut found);
    assert!(found.len() > 15, "{}", found.len());
    for object in found {
        assert_eq!(object["additionalProperties"], false, "{object}");
        for (name, field) in object["properties"].as_object().unwrap() {
            assert!(field["description"].is_string(), "{name} is not explained: {object}");
        }
    }
}
