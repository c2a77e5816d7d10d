//! The program whose pipelines are executed: one pipeline of each kind, with every possible step.

use std::sync::LazyLock;

use cloudmanager_emulator::domain::id::PipelineId;
use cloudmanager_emulator::domain::pipeline::Pipeline;
use cloudmanager_emulator::domain::program::Program;
use cloudmanager_emulator::seed;

const DOCUMENT: &str = r#"
tenants:
  - { id: "1", imsOrgId: A@AdobeOrg, imsTenantId: a }
programs:
  - id: "4"
    tenantId: "1"
    name: Program
    emergencyMode: true
    environments:
      - { id: "11", name: dev, type: dev }
      - { id: "12", name: stage, type: stage }
      - { id: "13", name: prod, type: prod }
    repositories:
      - { id: "1", repo: code, branches: { main: 21eeb31e59b0 } }
    pipelines:
      - id: "1"
        name: Production
        phases:
          - { type: VALIDATE, name: VALIDATE }
          - { type: BUILD, name: BUILD, repositoryId: "1", branch: main }
          - type: DEPLOY
            name: STAGE
            environmentId: "12"
            steps:
              - { name: deploy }
              - { name: approval }
              - { name: securityTest }
              - { name: loadTest }
              - { name: assetsTest }
              - { name: contentAudit }
          - type: DEPLOY
            name: PROD
            environmentId: "13"
            steps:
              - { name: approval }
              - { name: schedule }
              - { name: managed }
              - { name: deploy }
      - id: "2"
        name: Deployment
        phases:
          - { type: VALIDATE, name: VALIDATE }
          - { type: BUILD, name: BUILD, repositoryId: "1", branch: main }
          - { type: DEPLOY, name: DEV, environmentId: "11" }
      - id: "3"
        name: Code quality
        phases:
          - { type: VALIDATE, name: VALIDATE }
          - { type: BUILD, name: BUILD, repositoryId: "1", branch: main }
"#;

pub static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
    let seed = seed::read(DOCUMENT).expect("the document has no mistakes");
    seed.programs.into_iter().next().expect("the document has a program")
});

/// Which of the program's pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Production,
    Deployment,
    CodeQuality,
}

/// The program's pipeline of that kind.
pub fn pipeline(kind: Kind) -> Pipeline {
    let id = match kind {
        Kind::Production => 1,
        Kind::Deployment => 2,
        Kind::CodeQuality => 3,
    };
    Pipeline::clone(&PROGRAM.pipelines[&PipelineId::new(id)])
}
