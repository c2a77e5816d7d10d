//! Query strings.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde_json::Value;

use super::problem::Problem;
use crate::domain::execution::answer::InvalidField;

/// The query parameters of a request by name.
pub struct QueryParameters(Vec<(String, String)>);

impl QueryParameters {
    /// The first value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// The values of a parameter that can be given several times.
    pub fn get_all<'q>(&'q self, name: &str) -> impl Iterator<Item = &'q str> {
        let of_name = self.0.iter().filter(move |(key, _)| key == name);
        of_name.map(|(_, value)| value.as_str())
    }

    /// What is wrong with parameters that have other names than these.
    #[must_use]
    pub fn unknown(&self, known: &[&str]) -> Vec<InvalidField> {
        self.0
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_str()))
            .map(|(name, value)| InvalidField {
                field: name.clone(),
                message: format!("is unknown; there are {}", known.join(", ")),
                invalid_value: Some(Value::String(value.clone())),
            })
            .collect()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for QueryParameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(pairs)| Self(pairs))
            .map_err(|_| Problem::bad_request("The query string can't be read."))
    }
}
