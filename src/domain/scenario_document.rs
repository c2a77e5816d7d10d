//! Scenarios as people write them, which is also how they are stored and shown.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::build_document::BuildDocument;
use super::deployment::Failure;
use super::environment::EnvironmentType;
use super::pipeline::Action;
use super::scenario::Outcome;

/// How the next executions of a pipeline differ from "everything passes".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Scenario)]
pub struct ScenarioDocument {
    /// The number of executions it applies to; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 4_294_967_295_u64, format = Int64)]
    pub times: Option<u32>,
    /// One entry for each step that differs; at most 100, with 256 KiB of messages and log lines in
    /// all.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub steps: Vec<EntryDocument>,
}

/// What happens in the steps with this action.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ScenarioStep)]
pub struct EntryDocument {
    /// The action, for example `codeQuality`.
    #[schema(value_type = Action)]
    pub action: String,
    /// `dev`, `stage` or `prod`; for all environments if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<EnvironmentType>)]
    pub environment_type: Option<String>,
    /// `FINISHED` (if absent), `FAILED`, `ERROR`, or `PAUSED` for a deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Outcome>)]
    pub outcome: Option<String>,
    /// The message of the step if it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The duration of the step, as an ISO-8601 duration; set by the pace if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// Actual values of metrics by kpi; they decide whether the gate passes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, Value>,
    /// Deployment commands of a deploy step that fail; the outcome is `FAILED` if absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    pub failures: Vec<Failure>,
    /// The output of the build, only for a build step; that of the repository if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 1000)]
    pub builds: Option<Vec<BuildDocument>>,
    /// Lines added to the step's log: at most 64 KiB per line and 1 GiB in total.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    pub log: Vec<LogLineDocument>,
}

/// A line added to a log: a string, or an object if the line is repeated.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(untagged, deny_unknown_fields)]
#[schema(as = ScenarioLogLine)]
pub enum LogLineDocument {
    /// Added once.
    Once(String),
    /// Added several times.
    Repeated {
        /// The text of the line.
        line: String,
        /// How many times the line is added, at least once.
        #[schema(minimum = 1)]
        times: u64,
    },
}

impl LogLineDocument {
    /// Returns the text and how many times it is added.
    #[must_use]
    pub fn text_and_times(&self) -> (&str, u64) {
        match self {
            Self::Once(line) => (line, 1),
            Self::Repeated { line, times } => (line, *times),
        }
    }
}

/// A line that is added several times.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeated {
    line: String,
    times: u64,
}

impl<'de> Deserialize<'de> for LogLineDocument {
    /// Reads a string or an object. serde's derived code would also accept arrays.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LineVisitor;

        impl<'de> Visitor<'de> for LineVisitor {
            type Value = LogLineDocument;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or an object with line and times")
            }

            fn visit_str<E>(self, line: &str) -> Result<LogLineDocument, E> {
                Ok(LogLineDocument::Once(line.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LogLineDocument, A::Error> {
                let Repeated { line, times } =
                    Repeated::deserialize(MapAccessDeserializer::new(map))?;
                Ok(LogLineDocument::Repeated { line, times })
            }
        }

        deserializer.deserialize_any(LineVisitor)
    }
}
