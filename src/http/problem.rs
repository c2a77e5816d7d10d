//! Errors as `application/problem+json`, as clients of Cloud Manager expect them.

use std::collections::BTreeMap;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::invalid::InvalidField;
use crate::store::{StoreError, Trouble, with_causes};

/// The type of most errors.
const ERROR: &str = "http://ns.adobe.com/adobecloud/error";

/// The type of errors that name fields.
const VALIDATION: &str = "http://ns.adobe.com/adobecloud/validation-exception";

/// The longest value that is sent back, in characters.
const LONGEST_VALUE: usize = 200;

/// An error of the API.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The status of the response.
    #[serde(serialize_with = "status_as_number")]
    #[schema(value_type = u16)]
    pub status: StatusCode,
    /// The type of the error.
    #[serde(rename = "type")]
    pub problem_type: &'static str,
    /// A short summary.
    pub title: String,
    /// What is wrong: sentences, or invalid fields by name.
    pub errors: Errors,
    /// Missing parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing_params: Vec<MissingParameter>,
    /// Invalid parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub invalid_params: Vec<InvalidParameter>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Errors {
    /// Sentences.
    Sentences(Vec<String>),
    /// Invalid fields by name.
    Fields(BTreeMap<String, FieldError>),
}

/// An invalid field.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldError {
    /// Its name.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
    /// The value that was sent; an empty string if there was none.
    pub invalid_value: Value,
}

/// A missing parameter.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MissingParameter {
    /// Its name.
    pub name: String,
    /// Its type: `string`, as parameters are sent as text.
    #[serde(rename = "type")]
    pub parameter_type: &'static str,
}

/// An invalid parameter.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct InvalidParameter {
    /// Its name.
    pub name: String,
    /// Why its value is invalid.
    pub reason: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn status_as_number<S: serde::Serializer>(
    status: &StatusCode,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// Returns an error with one sentence on what is wrong and what to do.
    #[must_use]
    pub fn new(status: StatusCode, title: &str, error: impl Into<String>) -> Self {
        Self {
            status,
            problem_type: ERROR,
            title: title.into(),
            errors: Errors::Sentences(vec![error.into()]),
            missing_params: Vec::new(),
            invalid_params: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// Returns a 404: `what`, which the path names, does not exist.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found", format!("{what} does not exist."))
    }

    /// 400 with one sentence on what is wrong and what to do.
    #[must_use]
    pub fn bad_request(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Bad request", error)
    }

    /// 503: the emulator stops, with one sentence on what that means here.
    #[must_use]
    pub fn stopping(error: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Shutting down", error)
    }

    /// 400: fields or parameters that are wrong.
    #[must_use]
    pub fn invalid(fields: impl IntoIterator<Item = InvalidField>) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "Validation failed", "");
        problem.problem_type = VALIDATION;
        let mut errors = BTreeMap::new();
        for InvalidField { field, message, invalid_value, line } in fields {
            let message = match line {
                Some(line) if field.is_empty() => format!("line {line}: {message}"),
                _ => message,
            };
            match &invalid_value {
                None => problem
                    .missing_params
                    .push(MissingParameter { name: field.clone(), parameter_type: "string" }),
                Some(_) => problem
                    .invalid_params
                    .push(InvalidParameter { name: field.clone(), reason: message.clone() }),
            }
            let invalid_value = invalid_value.map_or(Value::String(String::new()), shorten);
            errors
                .entry(field.clone())
                .and_modify(|error: &mut FieldError| {
                    error.message = format!("{}; {message}", error.message);
                })
                .or_insert(FieldError { field, message, invalid_value });
        }
        problem.errors = Errors::Fields(errors);
        problem
    }

    /// 400: a parameter or a field that is wrong.
    #[must_use]
    pub fn invalid_parameter(name: &str, message: impl Into<String>, value: &str) -> Self {
        Self::invalid([InvalidField::new(name, message).with_value(value)])
    }

    /// 500; the cause is logged here, once, and not told to the caller.
    #[must_use]
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal error",
            "The emulator failed; its log says why.",
        )
    }

    /// Returns the same error with one more header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// Returns an error as a sentence.
fn sentence(error: &StoreError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}

/// Returns the value itself if it is small, otherwise the beginning of its text.
fn shorten(value: Value) -> Value {
    let text = match &value {
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => value.to_string(),
        Value::Null | Value::Bool(_) | Value::Number(_) => return value,
    };
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => Value::String(format!("{}…", &text[..end])),
        None => Value::String(text),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, content_type, body).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

impl From<StoreError> for Problem {
    /// 507 if there is no room left on the disk, 503 if the database can't be used for now or what
    /// was asked for can't be read, otherwise 500.
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Closed) {
            return Self::stopping("The emulator is shutting down.");
        }
        if matches!(error, StoreError::ZipFile { .. }) {
            return Self::new(
                StatusCode::CONFLICT,
                "Conflict",
                format!("Nothing was changed: {error}."),
            );
        }
        if matches!(error, StoreError::Git(_)) {
            tracing::warn!("a request failed: {error}");
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, "Git unavailable", sentence(&error));
        }
        if let StoreError::Unreadable(what) = &error {
            let told = format!(
                "The database holds a row that can't be read: {what}. Delete what it belongs to, \
                 or reset the emulator."
            );
            tracing::error!(error = what, "a request failed");
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, "Database damaged", told);
        }
        let trouble = error.trouble();
        let reason = match &error {
            StoreError::Unavailable(reason) => reason.clone(),
            error => with_causes(error),
        };
        let problem = Self::internal(&error);
        match trouble {
            None => problem,
            Some(Trouble::NoRoom) => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "Disk full",
                "The disk with the database is full.",
            ),
            Some(Trouble::Unavailable | Trouble::Malformed) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Database unavailable",
                format!("The database can't be read or written now: {reason}."),
            ),
        }
    }
}
