//! What Adobe publishes of the operations of Cloud Manager that the emulator has. It is written
//! down here a second time, so that a slip in the code is noticed.

/// Each operation: method, path, identifier, and marks for those who may call it: business owner,
/// deployment manager, program manager, developer, customer success engineer, and anybody without a
/// role.
///
/// Sources: Cloud Manager's API description (Swagger), and the documentation of its permissions.
const OPERATIONS: &str = "
get    /tenants                                                getTenants                   x x x x x x
get    /tenant/{tenantId}                                      getTenant                    x x x x x x
get    /tenant/{tenantId}/programs                             getProgramsForTenant         x x x x x x
get    /programs                                               getPrograms                  x x x x x x
get    /program/{programId}                                    getProgram                   x x x x x x
delete /program/{programId}                                    deleteProgram                x . . . . .
get    /program/{programId}/regions                            getProgramRegions            x x x x x x
get    /program/{programId}/repositories                       getRepositories              x x x x x x
get    /program/{programId}/repository/{repositoryId}          getRepository                x x x x x x
get    /program/{programId}/repository/{repositoryId}/branches getBranches                  x x x x x x
get    /program/{programId}/environments                       getEnvironments              x x x x x x
get    {environment}                                           getEnvironment               x x x x x x
delete {environment}                                           deleteEnvironment            x x . . . .
get    {environment}/logs                                      getEnvironmentLogs           . x . x . .
get    {environment}/logs/download                             downloadLogs                 . x . . . .
get    {environment}/variables                                 getEnvironmentVariables      x x x x x x
patch  {environment}/variables                                 patchEnvironmentVariables    . x . . . .
get    /program/{programId}/pipelines                          getPipelines                 x x x x x x
get    {pipeline}                                              getPipeline                  x x x x x x
patch  {pipeline}                                              patchPipeline                . x . . . .
delete {pipeline}                                              deletePipeline               . x . . . .
delete {pipeline}/cache                                        invalidateCache              . x . . . .
get    {pipeline}/variables                                    getPipelineVariables         x x x x . .
patch  {pipeline}/variables                                    patchPipelineVariables       . x . . . .
put    {pipeline}/execution                                    startPipeline                x x x . . .
get    {pipeline}/execution                                    getCurrentExecution          x x x x x x
get    {pipeline}/executions                                   getExecutions                x x x x x x
get    {pipeline}/execution/{executionId}                      getExecution                 x x x x x x
get    {step}                                                  stepState                    x x x x x x
put    {step}/advance                                          advancePipelineExecution     x x x . x .
put    {step}/cancel                                           cancelPipelineExecutionStep  x x x . x .
get    {step}/metrics                                          stepMetric                   x x x x x x
get    {step}/logs                                             getStepLogs                  x x x x x x
get    {step}/artifacts                                        listStepArtifacts            x x x x x x
get    {step}/artifact/{artifactId}                            getStepArtifact              x x x x x x
";

/// Beginnings of paths that many operations share.
const SHORT: [(&str, &str); 3] = [
    ("{step}", "{pipeline}/execution/{executionId}/phase/{phaseId}/step/{stepId}"),
    ("{pipeline}", "/program/{programId}/pipeline/{pipelineId}"),
    ("{environment}", "/program/{programId}/environment/{environmentId}"),
];

/// An operation of Cloud Manager.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// The template of its path.
    pub path: String,
    /// Its method, in small letters.
    pub method: &'static str,
    /// Its identifier.
    pub id: &'static str,
    /// Whether each of the roles may call it, in the order of the marks.
    pub allowed: [bool; 6],
}

/// All of them.
pub fn operations() -> Vec<Operation> {
    OPERATIONS.lines().filter(|line| !line.is_empty()).map(read).collect()
}

fn read(line: &'static str) -> Operation {
    let words: Vec<_> = line.split_whitespace().collect();
    let [method, path, id, marks @ ..] = words.as_slice() else { panic!("{line}") };
    let path = SHORT.iter().fold(path.to_string(), |path, (short, long)| path.replace(short, long));
    let marks: &[&str; 6] = marks.try_into().expect(line);
    let allowed = marks.map(|mark| match mark {
        "x" => true,
        "." => false,
        _ => panic!("{line}"),
    });
    Operation { path: format!("/api{path}"), method, id, allowed }
}
