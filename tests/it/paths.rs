//! The paths that answers tell of are those of the operations.

use std::collections::BTreeSet;

use cloudmanager_emulator::domain::id::{
    EnvironmentId, ExecutionId, PhaseId, PipelineId, PipelineKey, ProgramId, RepositoryId, StepId,
    StepKey, TenantId,
};
use cloudmanager_emulator::domain::variable::Owner;
use cloudmanager_emulator::http::api_path::ApiPath;

use crate::description;

/// What stands for each parameter.
const PARAMETERS: [(&str, &str); 10] = [
    ("{tenantId}", "1"),
    ("{programId}", "2"),
    ("{environmentId}", "3"),
    ("{repositoryId}", "4"),
    ("{pipelineId}", "5"),
    ("{executionId}", "6"),
    ("{phaseId}", "7"),
    ("{stepId}", "8"),
    ("{artifactId}", "9"),
    ("{token}", "abc"),
];

fn with_parameters(template: &str) -> String {
    PARAMETERS.iter().fold(template.to_owned(), |path, (name, value)| path.replace(name, value))
}

#[test]
fn every_operation_of_the_api_has_its_path_and_no_other_path_is_told() {
    let tenant = TenantId::new(1);
    let program = ProgramId::new(2);
    let environment = EnvironmentId::new(3);
    let repository = RepositoryId::new(4);
    let pipeline = PipelineKey { program_id: program, pipeline_id: PipelineId::new(5) };
    let execution = ExecutionId::new(6);
    let step = StepKey {
        pipeline,
        execution_id: execution,
        phase_id: PhaseId::new(7),
        step_id: StepId::new(8),
    };
    let paths = [
        ApiPath::Tenants,
        ApiPath::Tenant(tenant),
        ApiPath::TenantPrograms(tenant),
        ApiPath::Programs,
        ApiPath::Program(program),
        ApiPath::Regions(program),
        ApiPath::Environments(program),
        ApiPath::Environment(program, environment),
        ApiPath::EnvironmentLogs(program, environment),
        ApiPath::EnvironmentLog(program, environment),
        ApiPath::Repositories(program),
        ApiPath::Repository(program, repository),
        ApiPath::Branches(program, repository),
        ApiPath::Pipelines(program),
        ApiPath::Pipeline(pipeline),
        ApiPath::Cache(pipeline),
        ApiPath::Variables(Owner::Pipeline(pipeline)),
        ApiPath::Variables(Owner::Environment(program, environment)),
        ApiPath::CurrentExecution(pipeline),
        ApiPath::Executions(pipeline),
        ApiPath::Execution(pipeline, execution),
        ApiPath::Step(step),
        ApiPath::Advance(step),
        ApiPath::Cancel(step),
        ApiPath::Metrics(step),
        ApiPath::Logs(step),
        ApiPath::Artifacts(step),
        ApiPath::Artifact(step, 9),
        ApiPath::File("abc"),
    ];
    let told: BTreeSet<_> = paths.map(String::from).into();
    let templates = description::DOCUMENT["paths"].as_object().unwrap().keys();
    let is_told = |template: &&String| {
        ["/api/", "/files/"].iter().any(|beginning| template.starts_with(beginning))
    };
    let described: BTreeSet<_> = templates.filter(is_told).map(|it| with_parameters(it)).collect();
    assert_eq!(told, described);

    let template = String::from(ApiPath::AnyExecution(pipeline));
    assert_eq!(with_parameters(&template), String::from(ApiPath::Execution(pipeline, execution)));
    assert!(template.ends_with("/{executionId}"), "{template}");
}
