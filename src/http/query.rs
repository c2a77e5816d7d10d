//! Query strings.

use super::problem::Problem;
use crate::domain::invalid::{InvalidField, InvalidFields, unknown};
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;

/// The query parameters of a request by name.
pub struct QueryParameters(Vec<(String, String)>);

impl QueryParameters {
    /// Returns the first value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// Returns the values of a parameter that can be given several times.
    pub fn get_all<'q>(&'q self, name: &str) -> impl Iterator<Item = &'q str> {
        let of_name = self.0.iter().filter(move |(key, _)| key == name);
        of_name.map(|(_, value)| value.as_str())
    }

    /// Returns what is wrong with parameters that have other names than these; messages list only
    /// the `known` ones.
    fn unknown(&self, known: &[&str], unlisted: &[&str]) -> InvalidFields {
        let is_known = |name: &str| known.contains(&name) || unlisted.contains(&name);
        let fields = self
            .0
            .iter()
            .filter(|(name, _)| !is_known(name))
            .map(|(name, value)| {
                let message = unknown("parameter", name, known);
                InvalidField::new(name, message).with_value(value.as_str())
            })
            .collect();
        InvalidFields(fields)
    }
}

/// Reads query parameters one by one, and remembers what is wrong with them.
pub struct QueryReader<'q> {
    query: &'q QueryParameters,
    wrong: InvalidFields,
}

impl<'q> QueryReader<'q> {
    /// Begins to read; there are no parameters but the `known` ones.
    #[must_use]
    pub fn new(query: &'q QueryParameters, known: &[&str]) -> Self {
        Self::with_unlisted(query, known, &[])
    }

    /// Begins to read; there are further parameters, which messages about unknown ones don't list.
    #[must_use]
    pub fn with_unlisted(query: &'q QueryParameters, known: &[&str], unlisted: &[&str]) -> Self {
        let mut reader = Self { query, wrong: query.unknown(known, unlisted) };
        for name in known.iter().chain(unlisted) {
            if let Some(second) = query.get_all(name).nth(1) {
                reader.note(name, "is given more than once".into(), Some(second));
            }
        }
        reader
    }

    /// Returns the value of a parameter, if it is present and `parse` accepts it.
    pub fn read<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&'q str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.query.get(name)?;
        parse(text).map_err(|message| self.note(name, message, Some(text))).ok()
    }

    /// Returns the value of a parameter that must be there; where it is absent, `parse` gets an
    /// empty text and says what is expected.
    pub fn read_required<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&'q str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.query.get(name);
        let read = parse(text.unwrap_or_default());
        read.map_err(|message| self.note(name, message, text)).ok()
    }

    fn note(&mut self, name: &str, message: String, sent: Option<&str>) {
        let field = InvalidField::new(name, message);
        self.wrong.0.push(match sent {
            Some(sent) => field.with_value(sent),
            None => field,
        });
    }

    /// Ends reading: 400 if anything was wrong.
    pub fn finish(self) -> Result<(), Problem> {
        if self.wrong.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.wrong)) }
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
