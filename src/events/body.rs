//! What subscribers receive.
//!
//! Source: Cloud Manager's definition of its events; `recipient_client_id` is Adobe I/O Events'.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::delivery::Notice;
use crate::domain::event::EventKind;
use crate::domain::id::StepKey;
use crate::http::api_path::ApiPath;

/// The form of the times in events, which is not that of the API.
const TIME: &str = "%Y-%m-%dT%H:%M:%S.%3fZ";

/// What a subscriber receives.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventBody<'a> {
    /// Identifies the event, the same in each attempt.
    event_id: &'a str,
    event: EventView<'a>,
    /// The subscriber.
    recipient_client_id: &'a str,
}

/// What happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
struct EventView<'a> {
    #[serde(rename = "@id")]
    id: String,
    #[serde(rename = "@type")]
    event_type: &'static str,
    /// The type of the object.
    #[serde(rename = "xdmEventEnvelope:objectType")]
    object_type: &'static str,
    /// When it happened.
    #[serde(rename = "activitystreams:published")]
    published: String,
    #[serde(rename = "activitystreams:to")]
    to: Organisation<'a>,
    /// Who started the execution; only in events about a started execution, and absent if a commit
    /// started it.
    #[serde(rename = "activitystreams:actor", skip_serializing_if = "Option::is_none")]
    actor: Option<Actor<'a>>,
    #[serde(rename = "activitystreams:object")]
    object: EventObject,
}

/// The organisation of the event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventOrganisation)]
struct Organisation<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(rename = "xdmImsOrg:id")]
    id: &'a str,
}

/// The user who caused the event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventActor)]
struct Actor<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(rename = "xdmImsUser:id")]
    id: &'a str,
}

/// The object that the event is about.
#[derive(Debug, Serialize, ToSchema)]
struct EventObject {
    /// The absolute address of the execution or step state.
    #[serde(rename = "@id")]
    id: String,
    #[serde(rename = "@type")]
    object_type: &'static str,
}

/// Returns the last word of an event's type.
fn event_type(kind: EventKind) -> &'static str {
    match kind {
        EventKind::ExecutionStarted | EventKind::StepStarted => {
            "https://ns.adobe.com/experience/cloudmanager/event/started"
        }
        EventKind::StepWaiting => "https://ns.adobe.com/experience/cloudmanager/event/waiting",
        EventKind::StepEnded | EventKind::ExecutionEnded => {
            "https://ns.adobe.com/experience/cloudmanager/event/ended"
        }
    }
}

impl<'a> EventBody<'a> {
    /// Returns the request body for `notice`. URLs in it begin with `base_url`.
    #[must_use]
    pub fn new(
        notice: &'a Notice,
        organisation: &'a str,
        client_id: &'a str,
        base_url: &str,
    ) -> Self {
        let Notice { event_id, kind, published_at, pipeline, execution_id, step, user } = notice;
        let (object_type, path) = match *step {
            None => (
                "https://ns.adobe.com/experience/cloudmanager/pipeline-execution",
                ApiPath::Execution(*pipeline, *execution_id),
            ),
            Some((phase_id, step_id)) => (
                "https://ns.adobe.com/experience/cloudmanager/execution-step-state",
                ApiPath::Step(StepKey {
                    pipeline: *pipeline,
                    execution_id: *execution_id,
                    phase_id,
                    step_id,
                }),
            ),
        };
        let actor = user.as_deref().filter(|_| *kind == EventKind::ExecutionStarted);
        let event = EventView {
            id: format!("urn:oeid:cloudmanager:{event_id}"),
            event_type: event_type(*kind),
            object_type,
            published: published_at.strftime(TIME),
            to: Organisation { kind: "xdmImsOrg", id: organisation },
            actor: actor.map(|id| Actor { kind: "xdmImsUser", id }),
            object: EventObject { id: format!("{base_url}{path}"), object_type },
        };
        Self { event_id, event, recipient_client_id: client_id }
    }
}
