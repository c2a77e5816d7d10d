//! The lines of a build.
//!
//! Source: the commands and variables in Cloud Manager's documentation of the build environment.

use super::script::{Names, ScriptLine};
use crate::content::artifact::Build;
use crate::domain::execution::Execution;

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

/// The modules of the code, as Maven builds them.
const MODULES: [&str; 5] = ["core", "ui.apps", "ui.content", "dispatcher.ams", "all"];

pub(super) fn script(execution: &Execution, names: Names<'_>) -> Vec<ScriptLine> {
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
        (50, "[INFO] Environment variables of the build:".to_owned()),
    ];
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
    for (number, module) in (0..).zip(MODULES) {
        let begin = 320 + number * 110;
        lines.push((begin, format!("[INFO] Building {}.{module}", code.repository)));
        if module == "core" {
            let text = "[INFO] Tests run: 48, Failures: 0, Errors: 0, Skipped: 0";
            lines.push((begin + 90, text.to_owned()));
        }
        lines.push((begin + 100, format!("[INFO] {}.{module} ... SUCCESS", code.repository)));
    }
    lines.push((900, "[INFO] BUILD SUCCESS".to_owned()));
    lines.push((950, format!("[INFO] {} artifacts found in target/*.zip:", files.len())));
    lines.extend(files.iter().map(|it| (950, format!("[INFO]   {}", it.file))));
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
