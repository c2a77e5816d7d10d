//! The description of every operation, made from the code that answers them.

use axum::http::StatusCode;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, OpenApi, PathItem, Ref, RefOr, Required,
    ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use crate::api::gateway::GatewayError;
use crate::http::problem::Problem;
use crate::{api, control};

const DESCRIPTION: &str = "A local stand-in for Adobe Cloud Manager's REST API. Operations under \
    /api are Cloud Manager's own, with their official identifiers; those under /_emulator control \
    the emulator.";

/// The whole description.
#[must_use]
pub fn document() -> OpenApi {
    let mut document = api::router().into_openapi();
    document.merge(api::files_router().into_openapi());
    document.merge(control::router().into_openapi());
    document.info = InfoBuilder::new()
        .title("Cloud Manager emulator")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .build();
    document.tags = Some(
        [
            ("Programs", "Programs"),
            ("Tenants", "Tenants"),
            ("Pipelines", "Pipelines"),
            ("Pipeline Execution", "Start, watch, advance and cancel executions"),
            ("Files", "Files that the API redirects to"),
            ("Emulator", "Control of the emulator"),
        ]
        .map(|(name, text)| TagBuilder::new().name(name).description(Some(text)).build())
        .to_vec(),
    );
    let mut schemas = vec![
        (Problem::name().into_owned(), Problem::schema()),
        (GatewayError::name().into_owned(), GatewayError::schema()),
    ];
    Problem::schemas(&mut schemas);
    let mut components = document.components.take().unwrap_or_default();
    components.schemas.extend(schemas);
    document.components = Some(ComponentsBuilder::from(components).build());
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            describe_what_holds_for_all(path, operation);
        }
    }
    document
}

/// The description as it is checked in.
#[must_use]
pub fn yaml() -> String {
    // Serialising a description that was built in memory can't fail.
    serde_saphyr::to_string(&document()).unwrap_or_default()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete]
        .into_iter()
        .filter_map(Option::as_mut)
}

/// Adds the headers that every call needs and the errors that every call may be answered with.
fn describe_what_holds_for_all(path: &str, operation: &mut Operation) {
    let problem = |status: StatusCode, text: &str| {
        (status, text.to_owned(), "application/problem+json", Problem::name())
    };
    let mut errors = vec![
        problem(StatusCode::BAD_REQUEST, "The request does not fit"),
        problem(StatusCode::NOT_FOUND, "Something that the request names does not exist"),
        problem(StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large"),
        problem(StatusCode::INTERNAL_SERVER_ERROR, "The emulator failed"),
    ];
    if path.starts_with("/_emulator") {
        errors.push(problem(StatusCode::FORBIDDEN, "The Host is not allowed"));
    } else {
        errors.push(problem(StatusCode::REQUEST_TIMEOUT, "The request body did not come in time"));
        errors.push(problem(StatusCode::SERVICE_UNAVAILABLE, "The answer was not ready in time"));
    }
    if path.starts_with("/api") {
        let gateway = "application/json";
        let name = GatewayError::name();
        errors.push((StatusCode::UNAUTHORIZED, "Missing or bad token".into(), gateway, name));
        let parameters = operation.parameters.get_or_insert_default();
        parameters.extend([
            header_parameter("x-gw-ims-org-id", "The IMS organisation"),
            header_parameter("x-api-key", "The IMS client"),
            header_parameter("Authorization", "Bearer, and an access token"),
        ]);
    }
    for (status, description, content_type, schema) in errors {
        let mut response = ResponseBuilder::new().description(description);
        response =
            response.content(content_type, Content::new(Some(Ref::from_schema_name(schema))));
        operation
            .responses
            .responses
            .entry(status.as_str().to_owned())
            .or_insert_with(|| response.build().into());
    }
    if !path.starts_with("/_emulator") {
        // Two kinds of refusals: by the gateway, and for a foreign host.
        let forbidden = ResponseBuilder::new()
            .description("Bad api key, unknown organisation, or a Host that is not allowed")
            .content(
                "application/json",
                Content::new(Some(Ref::from_schema_name(GatewayError::name()))),
            )
            .content(
                "application/problem+json",
                Content::new(Some(Ref::from_schema_name(Problem::name()))),
            );
        let forbidden = forbidden.build();
        operation.responses.responses.insert("403".into(), forbidden.into());
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            let mut header = Header::new(ObjectBuilder::new().schema_type(Type::String));
            header.description = Some("The caller's, if it sent a sane one".into());
            response.headers.insert("x-request-id".into(), header.into());
        }
    }
}

fn header_parameter(name: &str, description: &str) -> RefOr<Parameter> {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
        .into()
}
