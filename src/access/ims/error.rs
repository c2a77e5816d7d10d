//! Refusals in the form of IMS.

use std::borrow::Cow;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::store::StoreError;

/// Why no token was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImsError {
    #[serde(skip)]
    status: StatusCode,
    /// The error code.
    error: &'static str,
    /// What is wrong.
    error_description: Cow<'static, str>,
}

impl ImsError {
    pub(super) fn new(error: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, error_description: description.into() }
    }

    pub(super) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(super) fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_request", description)
    }
}

/// Why IMS does not do what was asked.
pub enum ImsFailure {
    /// The request is refused.
    Refused(ImsError),
    /// The database failed.
    Store(StoreError),
}

impl From<ImsError> for ImsFailure {
    fn from(refusal: ImsError) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for ImsFailure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for ImsFailure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refusal) => refusal.into_response(),
            Self::Store(error) => Problem::from(error).into_response(),
        }
    }
}

impl IntoResponse for ImsError {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}
