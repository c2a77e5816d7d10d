//! Documents that are read, and every mistake in them.

use super::*;
use crate::domain::pipeline::{Action, PipelineKind};

fn mistakes(text: &str) -> Vec<String> {
    let InvalidFields(fields) = read(text).expect_err("the document is refused");
    fields.iter().map(ToString::to_string).collect()
}

/// Returns a document with one program; `rest` is indented into the program.
fn program(rest: &str) -> String {
    format!(
        "tenants:\n  - {{ id: \"1\", imsOrgId: A@AdobeOrg, imsTenantId: a }}\n\
         programs:\n  - id: \"4\"\n    tenantId: \"1\"\n    name: P\n{rest}"
    )
}

#[test]
fn the_demo_is_as_documented() {
    let seed = demo();
    assert_eq!(seed.next_execution_id, ExecutionId::new(953_671));
    assert_eq!(seed.tenants[0].ims_org_id, "1234567890ABCDEF12345678@AdobeOrg");
    let kinds = |program: usize| -> Vec<_> {
        seed.programs[program].pipelines.values().map(|p| (p.id.number(), p.kind())).collect()
    };
    assert_eq!(
        kinds(0),
        [
            (1, PipelineKind::Production),
            (2, PipelineKind::Deployment),
            (3, PipelineKind::CodeQuality)
        ]
    );
    assert_eq!(kinds(1), [(7, PipelineKind::Production), (8, PipelineKind::Deployment)]);
    assert!(seed.programs[0].emergency_mode && !seed.programs[1].emergency_mode);
}

#[test]
fn steps_come_in_the_order_in_which_they_run() {
    let seed = demo();
    let actions: Vec<_> = seed.programs[1]
        .pipelines
        .values()
        .next()
        .unwrap()
        .steps()
        .map(|(_, step)| step.action)
        .collect();
    assert_eq!(
        actions,
        [
            Action::Validate,
            Action::Build,
            Action::CodeQuality,
            Action::Deploy,
            Action::Approval,
            Action::SecurityTest,
            Action::LoadTest,
            Action::ReportPerformanceTest,
            Action::Approval,
            Action::Schedule,
            Action::Managed,
            Action::Deploy
        ]
    );
}

#[test]
fn identifiers_of_phases_and_steps_are_made_up_without_collisions() {
    let seed = demo();
    for pipeline in seed.programs.iter().flat_map(|program| program.pipelines.values()) {
        let mut ids: Vec<_> = pipeline.phases.iter().map(|phase| phase.id.number()).collect();
        ids.extend(pipeline.steps().map(|(_, step)| step.id.number()));
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}

#[test]
fn syntax_and_type_errors_name_line_and_field() {
    assert!(mistakes("tenants:\n  - id: [1\n")[0].starts_with("line "));
    assert_eq!(
        mistakes(&program("    type: aem_on_premise\n")),
        ["line 7: programs[0].type: must be one of aem_managed_services, \
          aem_cloud_service"]
    );
    assert_eq!(
        mistakes(&program("    emergencymode: true\n")),
        ["line 7: programs[0].emergencymode: is not a known field; did you mean emergencyMode?"]
    );
}

#[test]
fn every_mistake_of_shape_is_listed_with_line_and_field() {
    let text = program(
        "    type: 5\n  - id: \"5\"\n    tenantId: 1\n    name: Q\n    environments:\n\
         \x20     - { id: \"1\", name: e, type: qa }\n      - { id: \"2\", name: e, type: dev }\n\
         \x20     - { id: \"3\", name: e }\n    repositories: none\n\
         \x20 - { id: \"6\", tenantId: \"1\", name: R, kpi: {} }\n\
         nextExecutionId: many\nrest: true\n",
    );
    let found = mistakes(&text);
    let places: Vec<_> =
        found.iter().map(|text| text.split(": ").take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        places,
        [
            "line 7 programs[0].type",
            "line 12 programs[1].environments[0].type",
            "line 14 programs[1].environments[2].type",
            "line 15 programs[1].repositories",
            "line 16 programs[2].kpi",
            "line 17 nextExecutionId",
            "line 18 rest",
        ],
        "{found:#?}"
    );
}

#[test]
fn every_mistake_is_listed_with_line_and_field() {
    let text = program(
        "    environments:\n      - { id: \"x\", name: e, type: dev }\n    pipelines:\n\
         \x20     - id: \"1\"\n        name: \"\"\n        phases:\n\
         \x20         - { type: VALIDATE }\n          - { type: BUILD, repositoryId: \"9\" }\n\
         \x20         - { type: DEPLOY, environmentId: \"77\" }\n\
         \x20         - { type: DEPLOY, environmentId: prod }\n      - id: two\n\
         \x20       name: Q\n        phases: [{ type: BUILD, branch: main }]\n",
    );
    assert_eq!(
        mistakes(&text),
        [
            "line 8: programs[0].environments[0].id: must be a whole number from 1 to \
             9223372036854775807, written as a string",
            "line 11: programs[0].pipelines[0].name: must have 1 to 64 characters",
            "line 14: programs[0].pipelines[0].phases[1].repositoryId: the program has no \
             repository 9",
            "line 15: programs[0].pipelines[0].phases[2].environmentId: the program has no \
             environment 77",
            "line 16: programs[0].pipelines[0].phases[3].environmentId: must be a whole \
             number from 1 to 9223372036854775807, written as a string",
            "line 17: programs[0].pipelines[1].id: must be a whole number from 1 to \
             9223372036854775807, written as a string",
            "line 19: programs[0].pipelines[1].phases[0].repositoryId: must be a whole \
             number from 1 to 9223372036854775807, written as a string",
        ]
    );
}

#[test]
fn mistakes_are_on_the_line_of_the_field_itself() {
    let text = program("    kpis:\n      pageViewsPerMinute: 5\n      responseTime: -1\n");
    assert_eq!(
        mistakes(&text),
        ["line 9: programs[0].kpis.responseTime: must be a number of seconds above 0"]
    );
    let text = program(
        "    repositories: [{ id: \"1\", repo: code }]\n    pipelines:\n      - id: \"1\"\n\
         \x20       name: X\n        phases:\n          - { type: VALIDATE }\n\
         \x20         - { type: BUILD, repositoryId: \"1\" }\n        scenario:\n\
         \x20         steps:\n            - action: build\n            - action: codeQuality\n\
         \x20             metrics:\n                coverage: high\n",
    );
    assert_eq!(
        mistakes(&text),
        ["line 19: programs[0].pipelines[0].scenario.steps[1].metrics.coverage: \
          coverage must be a number"]
    );
}

#[test]
fn messages_are_whole_and_speak_of_the_document() {
    for (text, expected) in [
        (
            program("    type: \"aem at line up\"\n"),
            "programs[0].type: must be one of aem_managed_services, aem_cloud_service",
        ),
        (program("    name: Q\n"), "programs[0]: duplicate mapping key: name"),
        ("tenants: []\n---\ntenants: []\n".into(), "must be a single document"),
        (program("    kpis: high\n"), "programs[0].kpis: must be an object"),
        (program("    environments:\n"), "programs[0].environments: must be an array"),
        (program("    emergencyMode: 1\n"), "must be true or false"),
        ("nextExecutionId: many\n".into(), "must be a whole number with at most 18 digits"),
        ("nextExecutionId: 10000000000\n".into(), "must be from 1 to 9999999999"),
    ] {
        let found = mistakes(&text);
        assert!(found[0].contains(expected), "{found:?}");
        assert!(!found[0].contains("Options") && !found[0].contains("column"), "{found:?}");
    }
}

#[test]
fn large_documents_are_read() {
    let branches: Vec<_> = (0..130_000).map(|number| format!("b{number}: c")).collect();
    let text = program(&format!(
        "    repositories:\n      - id: \"1\"\n        repo: code\n        branches:\n          {}\n",
        branches.join("\n          ")
    ));
    let seed = read(&text).unwrap();
    let repository = seed.programs[0].repositories.values().next().unwrap();
    assert_eq!(repository.heads.len(), 130_000);
}

#[test]
fn identifiers_are_used_once() {
    let text = program("") + &program("").split_off(program("").find("  - id: \"4\"").unwrap());
    assert_eq!(mistakes(&text), ["line 7: programs[1].id: the program 4 already exists"]);
}
