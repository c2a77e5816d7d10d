//! The description of every operation, made from the code that answers them.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, Content, InfoBuilder, OpenApi, PathItem, Ref, RefOr, Required, Response,
    ResponseBuilder,
};

use crate::access::gateway::GatewayError;
use crate::access::ims;
use crate::http::operations::{IS_DESCRIBED, is_official};
use crate::http::problem::Problem;
use crate::traffic::X_EMULATOR_FAULT;
use crate::{api, control, embedded, git_server};

const DESCRIPTION: &str = "A local emulator of Adobe Cloud Manager's REST API. Operations under /api \
    are Cloud Manager's own, with their official operation ids; those under /_emulator control the \
    emulator. Every response has x-request-id: the one from the request if it is valid, otherwise \
    a new one.";

/// The whole description, its parts in the usual order.
#[derive(Serialize)]
struct Description {
    openapi: Value,
    info: Value,
    tags: Value,
    paths: Value,
    components: Value,
}

/// Returns the description of this version of the emulator, openapi.yaml.
#[must_use]
pub fn yaml() -> String {
    if IS_DESCRIBED {
        // Serialising a description that was built in memory can't fail.
        serde_saphyr::to_string(&document()).unwrap_or_default()
    } else {
        embedded::openapi_yaml()
    }
}

fn document() -> Description {
    let mut document = api::describe();
    document.merge(ims::describe());
    document.merge(git_server::describe());
    document.merge(control::describe());
    document.info = InfoBuilder::new()
        .title("Cloud Manager emulator")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .build();
    document.tags = Some(
        [
            ("Programs", "Programs"),
            ("Tenants", "Tenants"),
            ("Environments", "Environments and their logs"),
            ("Repositories", "Repositories and their branches"),
            ("Variables", "Variables of pipelines and environments"),
            ("Pipelines", "Pipelines"),
            ("Pipeline Execution", "Start, watch, advance and cancel executions"),
            ("Files", "Files that the API redirects to"),
            ("IMS", "Access tokens for clients"),
            ("Git", "Clone, fetch and push by `git`"),
            ("Emulator", "Control of the emulator"),
        ]
        .map(|(name, text)| TagBuilder::new().name(name).description(Some(text)).build())
        .to_vec(),
    );
    add_shared_components(document.components.get_or_insert_default());
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            describe_what_holds_for_all(path, operation);
        }
    }
    in_order(&document)
}

fn in_order(document: &OpenApi) -> Description {
    let mut parts = match serde_json::to_value(document) {
        Ok(Value::Object(parts)) => parts,
        _ => Map::new(),
    };
    let mut take = |name| {
        let mut part = parts.remove(name).unwrap_or_default();
        leave_out_null(&mut part);
        part
    };
    Description {
        openapi: take("openapi"),
        info: take("info"),
        tags: take("tags"),
        paths: take("paths"),
        components: take("components"),
    }
}

/// What is absent is left out and never null, so null is no value of an optional field.
pub(crate) fn leave_out_null(value: &mut Value) {
    if let Value::Object(object) = value {
        if let Some(Value::Array(types)) = object.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                object.insert("type".into(), only);
            }
        }
        if let Some(Value::Array(choices)) = object.get_mut("oneOf") {
            choices.retain(|choice| choice.get("type") != Some(&Value::from("null")));
            if let [Value::Object(only)] = choices.as_slice() {
                let only = only.clone();
                object.remove("oneOf");
                object.extend(only);
            }
        }
        object.retain(|name, value| name != "default" || !value.is_null());
    }
    match value {
        Value::Object(object) => object.values_mut().for_each(leave_out_null),
        Value::Array(items) => items.iter_mut().for_each(leave_out_null),
        _ => {}
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete]
        .into_iter()
        .filter_map(Option::as_mut)
}

/// The names of what callers of the API show.
const TOKEN: &str = "token";
const API_KEY: &str = "apiKey";

const NO_SCOPES: [&str; 0] = [];

/// Errors that operations have in common: name, status, description.
const PROBLEMS: [(&str, &str, &str); 7] = [
    ("BadRequest", "400", "The request is invalid; the response says why"),
    (
        "NotFound",
        "404",
        "Something in the path does not exist, or the operation is not possible now",
    ),
    ("RequestTimeout", "408", "The request body did not arrive in time"),
    ("PayloadTooLarge", "413", "The request body is too large"),
    ("InternalServerError", "500", "The emulator failed; its log says why"),
    (
        "ServiceUnavailable",
        "503",
        "The response was not ready in time, the emulator is shutting down, or its database can't be read or written",
    ),
    ("InsufficientStorage", "507", "The disk of the emulator is full"),
];

const PROBLEM_JSON: &str = "application/problem+json";

fn content(schema: &str) -> Content {
    Content::new(Some(Ref::from_schema_name(schema)))
}

fn add_shared_components(components: &mut Components) {
    let mut schemas = Vec::new();
    Problem::schemas(&mut schemas);
    schemas.push((Problem::name().into_owned(), <Problem as utoipa::PartialSchema>::schema()));
    schemas.push((
        GatewayError::name().into_owned(),
        <GatewayError as utoipa::PartialSchema>::schema(),
    ));
    components.schemas.extend(schemas);
    let api_key = ApiKeyValue::with_description("x-api-key", "The IMS client");
    components.add_security_scheme(API_KEY, SecurityScheme::ApiKey(ApiKey::Header(api_key)));
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    let token = token.description(Some("An access token")).build();
    components.add_security_scheme(TOKEN, SecurityScheme::Http(token));
    let mut add = |name: &str, response: Response| {
        components.responses.insert(name.into(), response.into());
    };
    for (name, status, description) in PROBLEMS {
        let mut response = ResponseBuilder::new().description(description);
        if status == "400" {
            // The gateway's answer where the organisation is missing.
            response = response.content("application/json", content(&GatewayError::name()));
        }
        add(name, response.content(PROBLEM_JSON, content(&Problem::name())).build());
    }
    let unauthorized = ResponseBuilder::new().description("Invalid or expired token");
    let gateway_error = content(&GatewayError::name());
    add("Unauthorized", unauthorized.content("application/json", gateway_error.clone()).build());
    let forbidden = ResponseBuilder::new()
        .description("JSON: missing token, missing or invalid api key, unknown organisation, or no role that allows the operation. Problem: a Host that is not allowed, or a change by a web page of another origin")
        .content("application/json", gateway_error)
        .content(PROBLEM_JSON, content(&Problem::name()));
    add("Forbidden", forbidden.build());
    let injected = ResponseBuilder::new()
        .description("An injected fault")
        .content("application/json", content(&GatewayError::name()))
        .content(PROBLEM_JSON, content(&Problem::name()))
        .header(
            X_EMULATOR_FAULT.as_str(),
            HeaderBuilder::new()
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
                .description(Some("The identifier of the fault rule"))
                .build(),
        );
    add("InjectedFault", injected.build());
}

/// Adds the headers that every call needs and the errors that every call may be answered with.
fn describe_what_holds_for_all(path: &str, operation: &mut Operation) {
    let mut errors = vec![("403", "Forbidden")];
    let unlimited = path.starts_with("/_emulator");
    errors.extend(
        PROBLEMS
            .iter()
            .filter(|(_, status, _)| !(unlimited && *status == "408"))
            .map(|(name, status, _)| (*status, *name)),
    );
    if path.starts_with("/api") {
        errors.push(("401", "Unauthorized"));
        let organisation = header_parameter("x-gw-ims-org-id", "The IMS organisation");
        operation.parameters.get_or_insert_default().push(organisation);
        operation.security =
            Some(vec![SecurityRequirement::new(TOKEN, NO_SCOPES).add(API_KEY, NO_SCOPES)]);
    }
    if is_official(path) {
        errors.extend([("4XX", "InjectedFault"), ("5XX", "InjectedFault")]);
    }
    for (status, name) in errors {
        operation
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::Ref(Ref::from_response_name(name)));
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http::operations::Operations;

    #[test]
    fn operations_are_served_as_they_are_described() {
        let mut operations = Operations::default();
        let _ = api::router(&mut operations);
        let _ = ims::router(&mut operations);
        let _ = git_server::router(&mut operations);
        let _ = control::router(&mut operations);
        let served: BTreeSet<_> = operations
            .list()
            .map(|(method, path, id)| (method.as_str().to_lowercase(), path.into(), id.into()))
            .collect();

        let Value::Object(paths) = document().paths else { panic!("no paths") };
        let described = paths.iter().flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(|(method, operation)| {
                let id = operation["operationId"].as_str().unwrap();
                (method.clone(), path.clone(), id.to_owned())
            })
        });
        assert_eq!(served, described.collect());
    }
}
