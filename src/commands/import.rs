//! A seed of what an organisation has in Cloud Manager: programs, environments, repositories and
//! pipelines, without secrets and executions.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::client::{failure, read_json};
use super::{CommandError, parse_url, print};
use crate::{outgoing, seed};

/// Where an organisation is imported from, and as whom.
#[derive(Args, Debug)]
pub struct ImportOptions {
    /// The base URL of Cloud Manager, or of another emulator.
    #[arg(
        long, value_name = "URL", default_value = "https://cloudmanager.adobe.io",
        value_parser = parse_url
    )]
    pub from: String,
    /// The IMS organisation.
    #[arg(long, value_name = "ORGANISATION")]
    pub org: String,
    /// The api key (client id).
    #[arg(long, value_name = "KEY")]
    pub api_key: String,
    /// The file with the access token.
    #[arg(long, value_name = "FILE")]
    pub token_file: PathBuf,
}

/// A document whose fields are in an order for people, without those that say nothing.
struct ForPeople<'a>(&'a Value);

/// The fields that come first.
const FIRST: [&str; 5] = ["tenants", "id", "type", "name", "action"];

/// The fields that are left out if they are empty.
const OPTIONAL: [&str; 2] = ["options", "variables"];

impl Serialize for ForPeople<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(fields) => {
                let rank = |name: &str| FIRST.iter().position(|first| *first == name);
                let says_something = |(name, value): &(&String, &Value)| {
                    !(OPTIONAL.contains(&name.as_str()) && [json!({}), json!([])].contains(value))
                };
                let mut fields: Vec<_> = fields.iter().filter(says_something).collect();
                fields.sort_by_key(|(name, _)| rank(name).unwrap_or(FIRST.len()));
                serializer.collect_map(fields.into_iter().map(|(name, it)| (name, ForPeople(it))))
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(ForPeople)),
            value => value.serialize(serializer),
        }
    }
}

/// Reads the API as a client.
struct ApiSource {
    http: reqwest::Client,
    url: String,
    organisation: String,
    api_key: String,
    token: String,
}

/// Writes the seed of an organisation to stdout.
pub async fn import(options: ImportOptions) -> Result<ExitCode, CommandError> {
    let ImportOptions { from, org, api_key, token_file } = options;
    let token = std::fs::read_to_string(&token_file)
        .map_err(|error| CommandError::Read { path: token_file.display().to_string(), error })?;
    let http = outgoing::build(reqwest::Client::builder).map_err(|error| failure(&from, error))?;
    let url = from.trim_end_matches('/').to_owned();
    let token = token.trim().to_owned();
    let source = ApiSource { http, url, organisation: org, api_key, token };
    let document = source.seed().await?;
    let text = serde_saphyr::to_string(&ForPeople(&document))
        .map_err(|error| CommandError::Import(format!("the seed can't be written: {error}")))?;
    print(text.as_bytes())?;
    // Cloud Manager may have what the emulator does not know. Its user can edit the seed.
    let mistakes = seed::read(&text).err();
    mistakes.map_or(Ok(ExitCode::SUCCESS), |mistakes| {
        let text = format!("the emulator does not accept the whole seed; edit it:\n{mistakes}");
        Err(CommandError::Import(text))
    })
}

impl ApiSource {
    async fn seed(&self) -> Result<Value, CommandError> {
        let mut tenants = Vec::new();
        let mut programs = Vec::new();
        for tenant in self.list("/api/tenants", "tenants").await? {
            let path = format!("/api/tenant/{}/programs", id_of(&tenant)?);
            for program in self.list(&path, "programs").await? {
                programs.push(self.program(&program, id_of(&tenant)?).await?);
            }
            tenants.push(pick(&tenant, &["id", "imsOrgId", "imsTenantId"]));
        }
        Ok(json!({ "tenants": tenants, "programs": programs }))
    }

    async fn program(&self, program: &Value, tenant: &str) -> Result<Value, CommandError> {
        let path = format!("/api/program/{}", id_of(program)?);
        let mut seed = pick(program, &["id", "name", "type"]);
        let environments = self.list(&format!("{path}/environments"), "environments").await?;
        let environments = environments.iter();
        let environments = environments.map(|it| pick(it, &["id", "name", "type", "description"]));
        let mut repositories = Vec::new();
        for repository in self.list(&format!("{path}/repositories"), "repositories").await? {
            repositories.push(self.repository(&path, &repository).await?);
        }
        let mut pipelines = Vec::new();
        for pipeline in self.list(&format!("{path}/pipelines"), "pipelines").await? {
            pipelines.push(self.pipeline(&path, &pipeline).await?);
        }
        seed["tenantId"] = tenant.into();
        seed["environments"] = environments.collect();
        seed["repositories"] = repositories.into();
        seed["pipelines"] = pipelines.into();
        Ok(seed)
    }

    async fn repository(&self, program: &str, repository: &Value) -> Result<Value, CommandError> {
        let path = format!("{program}/repository/{}/branches", id_of(repository)?);
        let mut seed = pick(repository, &["id", "repo", "description"]);
        let branches = self.list(&path, "branches").await?;
        let names = branches.iter().filter_map(|branch| branch["name"].as_str());
        let commits = names.map(|name| (name.to_owned(), commit_of(name).into()));
        seed["branches"] = Value::Object(commits.collect());
        Ok(seed)
    }

    async fn pipeline(&self, program: &str, pipeline: &Value) -> Result<Value, CommandError> {
        let path = format!("{program}/pipeline/{}/variables", id_of(pipeline)?);
        let mut seed = pick(pipeline, &["id", "name", "trigger"]);
        let phases = pipeline["phases"].as_array().into_iter().flatten();
        seed["phases"] = phases.map(phase).collect();
        // Secrets have no values here.
        let mut variables = self.list(&path, "variables").await?;
        variables.retain(|variable| variable["type"] != "secretString");
        let variables = variables.iter();
        seed["variables"] =
            variables.map(|it| pick(it, &["name", "value", "type", "service"])).collect();
        Ok(seed)
    }

    /// Returns the items of a list, of all its pages.
    async fn list(&self, path: &str, name: &str) -> Result<Vec<Value>, CommandError> {
        let mut items = Vec::new();
        let mut page = Some(path.to_owned());
        while let Some(path) = page {
            let mut answer = self.get(&path).await?;
            let found = answer.pointer_mut(&format!("/_embedded/{name}")).map(Value::take);
            let Some(Value::Array(mut found)) = found else {
                let text = format!("{}{path}: the answer has no list of {name}", self.url);
                return Err(CommandError::Import(text));
            };
            items.append(&mut found);
            let next = answer.pointer("/_links/next/href").and_then(Value::as_str);
            // A page that links to itself would be read forever.
            page = next.filter(|next| *next != path).map(str::to_owned);
        }
        Ok(items)
    }

    async fn get(&self, path: &str) -> Result<Value, CommandError> {
        // Links are paths, as everywhere in this API.
        let url = format!("{}{path}", self.url);
        let request = self.http.get(&url).bearer_auth(&self.token);
        let request = request.header("x-api-key", &self.api_key);
        read_json(request.header("x-gw-ims-org-id", &self.organisation), &url).await
    }
}

fn phase(phase: &Value) -> Value {
    let fields = ["id", "type", "name", "repositoryId", "branch", "environmentId"];
    let mut seed = pick(phase, &fields);
    // The steps of the other phases are always the same.
    if phase["type"] == "DEPLOY" {
        let steps = phase["steps"].as_array().into_iter().flatten();
        seed["steps"] = steps.map(|step| pick(step, &["id", "name", "options"])).collect();
    }
    seed
}

fn id_of(item: &Value) -> Result<&str, CommandError> {
    let missing = || CommandError::Import(format!("an item without an id: {item}"));
    item["id"].as_str().ok_or_else(missing)
}

/// Returns these fields of an object, as far as it has them.
fn pick(object: &Value, fields: &[&str]) -> Value {
    let present = fields.iter().filter_map(|field| {
        let value = object.get(*field).filter(|value| !value.is_null())?;
        Some(((*field).to_owned(), value.clone()))
    });
    Value::Object(present.collect())
}

/// Returns a commit for a branch: the API does not tell the real one.
fn commit_of(branch: &str) -> String {
    let mut commit = format!("{:x}", Sha256::digest(branch));
    commit.truncate(40);
    commit
}
