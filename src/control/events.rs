//! What changes, as it changes: a stream of server-sent events.

use std::convert::Infallible;
use std::time::Duration as RealDuration;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::Control;
use crate::engine::changes::{Change, ChangeFilter, ChangeType, FeedUpdate, Follower, Position};
use crate::http::problem::Problem;
use crate::http::query::{QueryParameters, QueryReader};

/// How long a stream is silent at most, in real time.
const SILENCE: RealDuration = RealDuration::from_secs(15);

/// The query parameters that choose events.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what `WantedEvents` reads")]
pub struct EventParameters {
    /// Only events about this program; events about no program are sent, too.
    program: Option<String>,
    /// Only events of these types, separated by commas; all if absent. `reset` and `missed` are
    /// always sent.
    #[param(style = Form, explode = false)]
    types: Option<Vec<ChangeType>>,
}

/// Which events are wanted.
pub struct WantedEvents {
    filter: ChangeFilter,
    after: Option<Position>,
}

impl<S: Send + Sync> FromRequestParts<S> for WantedEvents {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = QueryParameters::from_request_parts(parts, state).await?;
        let mut reader = QueryReader::new(&query, &["program", "types"]);
        let program = reader.read("program", |text| {
            text.parse().map_err(|_| "must be the identifier of a program".into())
        });
        let types = reader.read("types", read_types);
        reader.finish()?;
        let last = parts.headers.get("last-event-id");
        // An id that can't be read is one that was never given.
        let after = last.map(|id| id.to_str().ok().and_then(read_id).unwrap_or_default());
        Ok(Self { filter: ChangeFilter { program, types }, after })
    }
}

fn read_types(text: &str) -> Result<Vec<ChangeType>, String> {
    text.split(',').map(str::parse).collect::<Result<_, _>>().map_err(|_| {
        let names = ChangeType::NAMES.join(", ");
        format!("must be one or more of {names}, separated by commas")
    })
}

fn id(Position { start, number }: Position) -> String {
    format!("{start}-{number}")
}

fn read_id(id: &str) -> Option<Position> {
    let (start, number) = id.split_once('-')?;
    Some(Position { start: start.parse().ok()?, number: number.parse().ok()? })
}

/// What to read again after a change.
fn names_in(change: &Change) -> Value {
    match change {
        Change::Execution(pipeline, execution) => json!({
            "programId": pipeline.program_id.to_string(),
            "pipelineId": pipeline.pipeline_id.to_string(),
            "executionId": execution.to_string(),
        }),
        Change::Pipeline(pipeline) => json!({
            "programId": pipeline.program_id.to_string(),
            "pipelineId": pipeline.pipeline_id.to_string(),
        }),
        Change::Program(program) => json!({"programId": program.to_string()}),
        Change::Environment(program, environment) => json!({
            "programId": program.to_string(),
            "environmentId": environment.to_string(),
        }),
        Change::Webhook(webhook) | Change::Deliveries(webhook) => {
            json!({"webhookId": webhook.to_string()})
        }
        Change::Request(number, _) => json!({"number": number}),
        Change::Clock | Change::ManyInProgram(_) | Change::Everything => json!({}),
    }
}

fn events(update: FeedUpdate) -> Vec<Event> {
    match update {
        FeedUpdate::Missed(position) => vec![event(position, "missed", &json!({}))],
        FeedUpdate::Changes(changes) => changes
            .iter()
            .map(|(position, change)| {
                event(*position, change.change_type().as_str(), &names_in(change))
            })
            .collect(),
    }
}

fn event(position: Position, name: &str, data: &Value) -> Event {
    Event::default().id(id(position)).event(name).data(data.to_string())
}

/// Streams changes as server-sent events.
///
/// Each event names the resource to read again. A stored change of an execution is one event, even
/// if it changes several steps. The stream begins with the id of the last event so far. The event
/// `missed` means that events were lost and anything may have changed: too much has happened since
/// `Last-Event-ID`, the emulator was restarted, or the caller reads too slowly. A comment is sent
/// after 15 s without an event.
#[utoipa::path(get, path = "/_emulator/events", operation_id = "getEvents", tag = "Emulator",
    params(EventParameters,
        ("Last-Event-ID" = Option<String>, Header,
            description = "The id of the last event received; the stream continues after it")),
    responses((status = 200, description = "Events whose data is a JSON object", body = String,
        content_type = "text/event-stream")))]
pub async fn get_events(State(control): State<Control>, wanted: WantedEvents) -> Response {
    let WantedEvents { filter, after } = wanted;
    let follower = control.engine.follow(filter, after);
    let begin = Event::default().id(id(follower.position()));
    let begin = stream::iter(after.is_none().then_some(begin));
    let stop = async move { control.engine.wait_for_stop().await };
    let events = begin.chain(follow(follower)).take_until(stop);
    Sse::new(events.map(Ok::<_, Infallible>))
        .keep_alive(KeepAlive::new().interval(SILENCE))
        .into_response()
}

fn follow(follower: Follower) -> impl Stream<Item = Event> {
    let updates = stream::unfold(follower, async |mut follower| {
        let update = follower.next().await;
        Some((stream::iter(events(update)), follower))
    });
    updates.flatten()
}
