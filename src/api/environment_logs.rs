//! Logs of environments: which there are, and where.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::files::{Redirect, address, redirect};
use super::hal::Link;
use super::page::QueryParameters;
use super::{Api, BaseUrl};
use crate::access::file_token::FileName;
use crate::content::environment_log::{Day, LogOption};
use crate::domain::id::{EnvironmentId, ProgramId};
use crate::domain::invalid::InvalidField;
use crate::extract::InEnvironment;
use crate::http::api_path::ApiPath;
use crate::http::problem::Problem;

/// How many days logs are kept, beside today.
const DAYS: u32 = 30;

/// Logs of an environment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EnvironmentLogs)]
pub struct EnvironmentLogsView {
    service: Vec<&'static str>,
    name: Vec<&'static str>,
    days: u32,
    #[serde(rename = "_embedded")]
    embedded: EmbeddedDownloads,
    #[serde(rename = "_links")]
    links: EnvironmentLogsLinks,
}

#[derive(Debug, Serialize, ToSchema)]
struct EmbeddedDownloads {
    downloads: Vec<EnvironmentLogView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct EnvironmentLogsLinks {
    #[serde(rename = "self")]
    this: Link,
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/program")]
    program: Link,
}

/// The log of one day.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EnvironmentLog)]
struct EnvironmentLogView {
    service: &'static str,
    name: &'static str,
    date: String,
    program_id: i64,
    environment_id: i64,
    #[serde(rename = "_links")]
    links: EnvironmentLogLinks,
}

#[derive(Debug, Serialize, ToSchema)]
struct EnvironmentLogLinks {
    #[serde(rename = "http://ns.adobe.com/adobecloud/rel/logs/download")]
    download: Link,
    /// The absolute URL of the growing log; only for today's log.
    #[serde(
        rename = "http://ns.adobe.com/adobecloud/rel/logs/tail",
        skip_serializing_if = "Option::is_none"
    )]
    tail: Option<Link>,
}

/// Lists the logs of an environment by day, the newest day of each log first.
#[utoipa::path(get, path = "/api/program/{programId}/environment/{environmentId}/logs",
    operation_id = "getEnvironmentLogs", tag = "Environments", params(InEnvironment,
        ("service" = Option<Vec<String>>, Query, description = "Names of services; all if absent"),
        ("name" = Option<Vec<String>>, Query, description = "Names of logs; all if absent"),
        ("days" = u32, Query, minimum = 1, maximum = 30, description = "The number of days before today, from 1 to 30; today's logs are also listed")),
    responses((status = 200, description = "The logs", body = EnvironmentLogsView)))]
pub async fn get_environment_logs(
    State(api): State<Api>,
    InEnvironment { program, environment }: InEnvironment,
    query: QueryParameters,
    base: BaseUrl,
) -> Result<Json<EnvironmentLogsView>, Problem> {
    let options = read_options(&query)?;
    let days = read_days(&query)?;
    let tail = |option, day| {
        let name = file_name(program.id, environment.id, option, day, false);
        // The URL must have a query: clients append further parameters with `&`, not `?`.
        Link::to(format!("{}?tail=true", address(&api, &base, &name)))
    };
    let (now, environment_id) = (api.engine.now(), environment.id);
    let downloads = options.iter().flat_map(|option| {
        Day::newest_first(now, days + 1).map(|day| {
            let tail = (day == Day::of(now)).then(|| tail(*option, day));
            EnvironmentLogView::new(program.id, environment_id, *option, day, tail)
        })
    });
    let embedded = EmbeddedDownloads { downloads: downloads.collect() };
    Ok(Json(EnvironmentLogsView::new(program.id, environment_id, &options, days, embedded)))
}

impl EnvironmentLogsView {
    fn new(
        program: ProgramId,
        environment: EnvironmentId,
        options: &[LogOption],
        days: u32,
        embedded: EmbeddedDownloads,
    ) -> Self {
        let service = distinct(options.iter().map(|option| option.service.as_str()));
        let name = distinct(options.iter().map(|option| option.name.as_str()));
        let services = service.iter().map(|service| format!("service={service}&"));
        let names = name.iter().map(|name| format!("name={name}&"));
        let chosen: String = services.chain(names).collect();
        let path = ApiPath::EnvironmentLogs(program, environment);
        let links = EnvironmentLogsLinks {
            this: Link::to(format!("{path}?{chosen}days={days}")),
            program: Link::to(ApiPath::Program(program)),
        };
        Self { service, name, days, embedded, links }
    }
}

/// Each name once.
fn distinct(names: impl Iterator<Item = &'static str>) -> Vec<&'static str> {
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

impl EnvironmentLogView {
    fn new(
        program: ProgramId,
        environment: EnvironmentId,
        option: LogOption,
        day: Day,
        tail: Option<Link>,
    ) -> Self {
        let (service, name) = (option.service.as_str(), option.name.as_str());
        let path = ApiPath::EnvironmentLog(program, environment);
        let download = format!("{path}?service={service}&name={name}&date={day}");
        Self {
            service,
            name,
            date: day.to_string(),
            program_id: program.number(),
            environment_id: environment.number(),
            links: EnvironmentLogLinks { download: Link::to(download), tail },
        }
    }
}

fn file_name(
    program_id: ProgramId,
    environment_id: EnvironmentId,
    option: LogOption,
    day: Day,
    is_compressed: bool,
) -> FileName {
    FileName::EnvironmentLog {
        program_id,
        environment_id,
        service: option.service.as_str().to_owned(),
        name: option.name.as_str().to_owned(),
        day: day.to_string(),
        is_compressed,
    }
}

/// The logs that are asked for by services and names; all services or names where none is given.
fn read_options(query: &QueryParameters) -> Result<Vec<LogOption>, Problem> {
    let asked = |parameter: &str, wanted: fn(&LogOption) -> &'static str| {
        let values: Vec<_> = query.get_all(parameter).collect();
        for value in &values {
            if !LogOption::ALL.iter().any(|option| wanted(option) == *value) {
                let message = format!("is not a {parameter} of a log");
                return Err(Problem::invalid_parameter(parameter, message, value));
            }
        }
        Ok(move |option: &LogOption| values.is_empty() || values.contains(&wanted(option)))
    };
    let of_service = asked("service", |option| option.service.as_str())?;
    let of_name = asked("name", |option| option.name.as_str())?;
    let options: Vec<_> =
        LogOption::ALL.into_iter().filter(|option| of_service(option) && of_name(option)).collect();
    if options.is_empty() {
        let name = query.get("name").unwrap_or_default();
        let message = "is not a log of the service";
        return Err(Problem::invalid_parameter("name", message, name));
    }
    Ok(options)
}

fn missing(parameter: &str) -> Problem {
    Problem::invalid([InvalidField::new(parameter, "is missing")])
}

fn read_days(query: &QueryParameters) -> Result<u32, Problem> {
    let text = query.get("days").ok_or_else(|| missing("days"))?;
    text.parse().ok().filter(|days| (1..=DAYS).contains(days)).ok_or_else(|| {
        let message = format!("must be a whole number from 1 to {DAYS}");
        Problem::invalid_parameter("days", message, text)
    })
}

/// Returns the URL of the log of one day, a gzip file: as JSON if `Accept` names `application/json`,
/// otherwise as a redirect.
#[utoipa::path(get, path = "/api/program/{programId}/environment/{environmentId}/logs/download",
    operation_id = "downloadLogs", tag = "Environments", params(InEnvironment,
        ("service" = String, Query, description = "The service"),
        ("name" = String, Query, description = "The log"),
        ("date" = String, Query, description = "The day, for example 2026-03-05")),
    responses((status = 200, description = "The URL, if Accept names application/json", body = Redirect),
        (status = 307, description = "The URL, if Accept does not name application/json",
            headers(("location" = String, description = "The URL")))))]
pub async fn download_logs(
    State(api): State<Api>,
    InEnvironment { program, environment }: InEnvironment,
    query: QueryParameters,
    base: BaseUrl,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let given = |parameter| query.get(parameter).ok_or_else(|| missing(parameter));
    let (_, _, date) = (given("service")?, given("name")?, given("date")?);
    let option = read_options(&query)?.into_iter().next().ok_or_else(|| missing("name"))?;
    let kept = Day::newest_first(api.engine.now(), DAYS + 1);
    let day = kept.into_iter().find(|day| day.to_string() == date).ok_or_else(|| {
        let message =
            format!("must be today or one of the {DAYS} days before, for example 2026-03-05");
        Problem::invalid_parameter("date", message, date)
    })?;
    let name = file_name(program.id, environment.id, option, day, true);
    Ok(redirect(&api, &base, &headers, &name))
}
