//! The lines of a build.
//!
//! Source: the commands and variables in Cloud Manager's documentation of the build environment.

use super::script::{Names, ScriptLine};
use crate::content::artifact::{Build, BuildFile};
use crate::content::message::FAILING_MODULE;
use crate::domain::execution::Execution;
use crate::domain::execution::plan::PlannedStep;
use crate::domain::scenario::Outcome;

/// The commands of a build, and the thousandths of its work at which they begin.
const COMMANDS: [(i64, &str); 3] = [
    (
        100,
        "mvn --batch-mode org.apache.maven.plugins:maven-dependency-plugin:3.1.2:resolve-plugins",
    ),
    (
        250,
        "mvn --batch-mode org.apache.maven.plugins:maven-clean-plugin:3.1.0:clean \
         -Dmaven.clean.failOnError=false",
    ),
    (300, "mvn --batch-mode org.jacoco:jacoco-maven-plugin:prepare-agent package"),
];

/// The container image in which builds run, and the versions of its tools.
///
/// Source: Cloud Manager's documentation of the build environment.
const ENVIRONMENT: [&str; 3] = [
    "Build container image: cloudmanager/build-environment (Ubuntu 22.04)",
    "Apache Maven 3.9.4",
    "Java version: 11.0.22, vendor: Oracle Corporation",
];

/// How many thousandths of a build its modules take.
const MODULES_THOUSANDTHS: i64 = 550;

pub(super) fn script(
    execution: &Execution,
    step: &PlannedStep,
    names: Names<'_>,
) -> Vec<ScriptLine> {
    let code = &execution.plan.code;
    let commit = code.commit.as_deref().unwrap_or("unknown");
    let files = Build::of(execution).files();
    if let Some(build) = &code.built_by {
        let how = if execution.source.is_some() { "copied" } else { "reused" };
        let (id, version) = (build.execution_id, &build.version);
        let mut lines = vec![
            (0, format!("[INFO] Commit {commit} of {} has been built before", code.repository)),
            (0, format!("[INFO] Artifacts {how} from execution {id}, version {version}")),
            (0, "[INFO] No build is executed".to_owned()),
        ];
        lines.extend(files.iter().map(|it| (900, format!("[INFO] Artifact {}", it.file))));
        return lines;
    }
    let mut lines = vec![
        (0, format!("[INFO] Cloning {}, branch {}", code.repository, code.branch)),
        (30, format!("[INFO] HEAD is now at {commit}")),
    ];
    lines.extend(ENVIRONMENT.map(|line| (40, format!("[INFO] {line}"))));
    lines.push((50, "[INFO] Environment variables of the build:".to_owned()));
    lines.extend(
        variables(execution, names).into_iter().map(|line| (50, format!("[INFO]   {line}"))),
    );
    let cache = if execution.plan.cold_cache { "is empty" } else { "is restored" };
    lines.push((80, format!("[INFO] The cache of dependencies {cache}")));
    for (thousandth, command) in COMMANDS {
        lines.push((thousandth, format!("[INFO] Executing: {command}")));
        if thousandth == 100 && execution.plan.cold_cache {
            lines.push((
                120,
                "[INFO] Downloading from central: https://repo.maven.apache.org/maven2/".into(),
            ));
        }
    }
    lines.extend(modules(execution, step, &files));
    lines.push((900, "[INFO] BUILD SUCCESS".to_owned()));
    lines.push((950, format!("[INFO] {} artifacts found in target/*.zip:", files.len())));
    lines.extend(files.iter().map(|it| (950, format!("[INFO]   {}", it.file))));
    lines
}

/// Returns the lines about the modules, up to the one that fails, if the build does. Each artifact
/// has a module of its own.
fn modules(execution: &Execution, step: &PlannedStep, files: &[BuildFile<'_>]) -> Vec<ScriptLine> {
    let own = format!("{}.{FAILING_MODULE}", execution.plan.code.repository);
    let name = |file: &str| file.rsplit_once('-').map_or(file, |it| it.0).to_owned();
    let packaged = files.iter().map(|it| name(&it.file));
    let modules: Vec<_> = [own].into_iter().chain(packaged).collect();
    let fails = matches!(step.outcome, Outcome::Failed | Outcome::Error);
    let duration =
        MODULES_THOUSANDTHS / i64::try_from(modules.len()).unwrap_or(MODULES_THOUSANDTHS);
    let mut lines = Vec::new();
    for (number, module) in (0..).zip(modules) {
        let begin = 320 + number * duration;
        let (tested, end) = (begin + duration * 8 / 10, begin + duration * 9 / 10);
        lines.push((begin, format!("[INFO] Building {module}")));
        if fails {
            lines.push((end, format!("[ERROR] {module} ... FAILURE")));
            break;
        }
        if number == 0 {
            let text = "[INFO] Tests run: 48, Failures: 0, Errors: 0, Skipped: 0";
            lines.push((tested, text.to_owned()));
        }
        lines.push((end, format!("[INFO] {module} ... SUCCESS")));
    }
    lines
}

/// Returns the variables that a build sees, as they are shown: secrets are not.
fn variables(execution: &Execution, names: Names<'_>) -> Vec<String> {
    let mut lines = vec![
        "CM_BUILD=true".to_owned(),
        format!("BRANCH={}", execution.plan.code.branch),
        format!("CM_PROGRAM_ID={}", execution.pipeline.program_id),
        format!("CM_PROGRAM_NAME={}", names.program),
        format!("CM_PIPELINE_ID={}", execution.pipeline.pipeline_id),
        format!("CM_PIPELINE_NAME={}", names.pipeline),
        format!("ARTIFACTS_VERSION={}", execution.artifacts_version()),
    ];
    let own = execution.plan.variables.iter();
    lines.extend(own.map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or("****"))));
    // A value with line breaks would look like lines of the log.
    lines.iter().map(|line| line.escape_debug().to_string()).collect()
}
