//! Webhooks: who is told of events.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::Control;
use super::seed::read_document;
use crate::domain::invalid::InvalidField;
use crate::domain::webhook::{self, NewWebhook, Webhook};
use crate::engine::wait::WaitError;
use crate::engine::webhooks::SubscribeError;
use crate::extract::NamedWebhook;
use crate::http::problem::Problem;
use crate::http::query::{QueryParameters, QueryReader};
use crate::seed::{self, WebhookDocument};

/// Subscriptions, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookList {
    webhooks: Vec<WebhookView>,
}

/// A subscription; its secret is not shown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Webhook)]
pub struct WebhookView {
    id: String,
    tenant_id: String,
    client_id: String,
    url: String,
    events: Vec<&'static str>,
}

impl WebhookView {
    fn new(Webhook { id, subscription }: &Webhook) -> Self {
        let NewWebhook { tenant_id, client_id, client_secret: _, url, events } = subscription;
        Self {
            id: id.to_string(),
            tenant_id: tenant_id.to_string(),
            client_id: client_id.clone(),
            url: webhook::without_password(url),
            events: webhook::names(events),
        }
    }
}

/// Lists the subscriptions.
#[utoipa::path(get, path = "/_emulator/webhooks", operation_id = "getWebhooks", tag = "Emulator",
    responses((status = 200, description = "The subscriptions", body = WebhookList)))]
pub async fn get_webhooks(State(control): State<Control>) -> Json<WebhookList> {
    let catalog = control.engine.catalog();
    Json(WebhookList { webhooks: catalog.webhooks().map(WebhookView::new).collect() })
}

/// Creates a webhook subscription, described as in a seed document. By default its URL must answer
/// a challenge first.
#[utoipa::path(post, path = "/_emulator/webhooks", operation_id = "postWebhook", tag = "Emulator",
    params(("challenge" = Option<bool>, Query,
        description = "Whether to verify the address: it must answer `GET …?challenge=…` with the \
            value of `challenge`; true if absent")),
    request_body = WebhookDocument,
    responses((status = 201, description = "The subscription was created", body = WebhookView),
        (status = 409, description = "The subscriber already has a subscription with this URL",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The emulator is shutting down", body = Problem,
            content_type = "application/problem+json")))]
pub async fn post_webhook(
    State(control): State<Control>,
    query: QueryParameters,
    body: Bytes,
) -> Result<(StatusCode, Json<WebhookView>), Problem> {
    let mut reader = QueryReader::new(&query, &["challenge"]);
    let challenge =
        reader.read("challenge", |text| text.parse().map_err(|_| "must be true or false".into()));
    reader.finish()?;
    let catalog = control.engine.catalog();
    let known = catalog.clone();
    let subscription = read_document(body, move |text| {
        seed::read_webhook(text, |tenant| known.find_tenant(tenant).is_some())
    });
    let subscription = subscription.await?;
    if let Some(known) = catalog.find_same_webhook(&subscription) {
        return Err(SubscribeError::AlreadyThere(known.id).into());
    }
    if challenge.unwrap_or(true) {
        challenge_subscriber(&control, &subscription).await?;
    }
    let webhook = control.engine.subscribe(subscription).await?;
    Ok((StatusCode::CREATED, Json(WebhookView::new(&webhook))))
}

/// Verifies the address of a subscription with a challenge.
async fn challenge_subscriber(control: &Control, subscription: &NewWebhook) -> Result<(), Problem> {
    let answered = tokio::select! {
        answered = control.deliverer.sender().challenge(subscription) => answered,
        () = control.engine.wait_for_stop() => return Err(WaitError::Stopping.into()),
    };
    answered.map_err(|reason| unanswered(&reason, &subscription.url))
}

fn unanswered(reason: &str, url: &str) -> Problem {
    let message = format!(
        "must answer GET with the value of the query parameter challenge, but {reason}; \
         ?challenge=false skips the challenge"
    );
    let url = webhook::without_password(url);
    Problem::invalid([InvalidField::new("url", message).with_value(url)])
}

impl From<SubscribeError> for Problem {
    fn from(error: SubscribeError) -> Self {
        match error {
            SubscribeError::AlreadyThere(_) => Self::new(
                StatusCode::CONFLICT,
                "Conflict",
                format!("Nothing was added: {error}; delete that one first."),
            ),
            SubscribeError::NoSuchTenant => Self::not_found("The tenant"),
            SubscribeError::Store(error) => error.into(),
        }
    }
}

/// Deletes all subscriptions and their deliveries.
#[utoipa::path(delete, path = "/_emulator/webhooks", operation_id = "deleteWebhooks",
    tag = "Emulator", responses((status = 204, description = "All subscriptions were deleted")))]
pub async fn delete_webhooks(State(control): State<Control>) -> Result<StatusCode, Problem> {
    control.engine.unsubscribe(None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a subscription and its deliveries.
#[utoipa::path(delete, path = "/_emulator/webhooks/{webhookId}", operation_id = "deleteWebhook",
    tag = "Emulator", params(NamedWebhook),
    responses((status = 204, description = "The subscription was deleted")))]
pub async fn delete_webhook(
    State(control): State<Control>,
    NamedWebhook(webhook): NamedWebhook,
) -> Result<StatusCode, Problem> {
    if control.engine.unsubscribe(Some(webhook)).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("The webhook"))
    }
}
