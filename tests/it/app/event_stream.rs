//! The stream of changes, as a subscriber reads it.

use axum::body::Body;
use http_body_util::BodyExt;
use serde_json::Value;

/// The stream of what changes.
pub struct EventStream {
    body: Body,
    received: String,
}

/// One event of it.
#[derive(Debug)]
pub struct StreamedEvent {
    pub id: String,
    pub event: String,
    pub data: Value,
}

impl EventStream {
    pub fn new(body: Body) -> Self {
        Self { body, received: String::new() }
    }

    /// The fields of the next block that is no comment; none at the end.
    async fn block(&mut self) -> Option<Vec<(String, String)>> {
        loop {
            if let Some(end) = self.received.find("\n\n") {
                let block: String = self.received.drain(..end + 2).collect();
                let lines = block.trim_end().lines().filter(|line| !line.starts_with(':'));
                let fields = lines.map(|line| line.split_once(": ").expect("a field"));
                let fields: Vec<_> =
                    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                if !fields.is_empty() {
                    return Some(fields);
                }
                continue;
            }
            let data = self.body.frame().await?.unwrap().into_data().unwrap();
            self.received.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// The id with which the stream begins.
    pub async fn begin(&mut self) -> String {
        match self.block().await.unwrap().as_slice() {
            [(name, id)] if name == "id" => id.clone(),
            other => panic!("not the beginning: {other:?}"),
        }
    }

    /// The next event; none at the end.
    pub async fn next(&mut self) -> Option<StreamedEvent> {
        let fields = self.block().await?;
        let field = |wanted: &str| {
            let mut fields = fields.iter().filter(|(name, _)| name == wanted);
            fields.next().map(|(_, value)| value.clone()).expect(wanted)
        };
        let data = serde_json::from_str(&field("data")).unwrap();
        Some(StreamedEvent { id: field("id"), event: field("event"), data })
    }

    /// The next events, each as its type and what it names, up to the first of a type.
    pub async fn until(&mut self, last: &str) -> Vec<String> {
        let mut events = Vec::new();
        loop {
            let StreamedEvent { event, data, .. } = self.next().await.expect("an event");
            let names = data.as_object().unwrap().values();
            let names = names.map(|name| name.to_string().replace('"', ""));
            events.push([event.clone()].into_iter().chain(names).collect::<Vec<_>>().join(" "));
            if event == last {
                return events;
            }
        }
    }
}
