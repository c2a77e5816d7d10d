//! Answers, and what tests read from them.

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

const REL: &str = "http://ns.adobe.com/adobecloud/rel/";

/// An answer, read to its end and checked against the description.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The sentences or messages of a problem, joined.
    pub fn errors(&self) -> String {
        match &self.json()["errors"] {
            Value::Array(sentences) => {
                sentences.iter().map(|s| s.as_str().unwrap()).collect::<Vec<_>>().join(" ")
            }
            Value::Object(fields) => fields
                .values()
                .map(|field| {
                    let text = |name: &str| field[name].as_str().unwrap_or_default().to_owned();
                    format!("{}: {}", text("field"), text("message"))
                })
                .collect::<Vec<_>>()
                .join("; "),
            other => panic!("no errors: {other}"),
        }
    }
}

/// An execution as the API shows it.
pub struct Execution(pub Value);

impl Execution {
    pub fn status(&self) -> &str {
        self.0["status"].as_str().unwrap()
    }

    pub fn steps(&self) -> &Vec<Value> {
        self.0["_embedded"]["stepStates"].as_array().unwrap()
    }

    /// The actions of the steps, deployments and approvals with their environment.
    pub fn actions(&self) -> Vec<String> {
        self.steps().iter().map(name).collect()
    }

    /// `action:STATUS` of each step that has begun.
    pub fn progress(&self) -> Vec<String> {
        let begun = self.steps().iter().filter(|step| step["status"] != "NOT_STARTED");
        begun.map(|step| format!("{}:{}", name(step), step["status"].as_str().unwrap())).collect()
    }

    /// The step with a name as in [`Execution::actions`].
    pub fn step(&self, wanted: &str) -> &Value {
        self.steps()
            .iter()
            .find(|step| name(step) == wanted)
            .unwrap_or_else(|| panic!("no step {wanted}: {:?}", self.actions()))
    }

    pub fn link(&self, wanted: &str, rel: &str) -> Option<String> {
        link(self.step(wanted), rel)
    }
}

fn name(step: &Value) -> String {
    let action = step["action"].as_str().unwrap();
    match (action, step["environmentType"].as_str()) {
        ("deploy" | "approval", Some(environment)) => format!("{environment} {action}"),
        _ => action.to_owned(),
    }
}

/// The href of a link, whose rel is given without the common prefix.
pub fn link(resource: &Value, rel: &str) -> Option<String> {
    let links = &resource["_links"];
    let link = links.get(rel).or_else(|| links.get(format!("{REL}{rel}")))?;
    Some(link["href"].as_str().unwrap().to_owned())
}

/// The rels of a resource, without the common prefix, in order.
pub fn rels(resource: &Value) -> Vec<String> {
    let links = resource["_links"].as_object().unwrap();
    links.keys().map(|rel| rel.trim_start_matches(REL).to_owned()).collect()
}
