//! Seeds: the tenants, programs and pipelines that an emulator begins with, as people write them.

mod build;
mod document;
mod further;
mod locate;
mod pipeline;
pub mod scenario;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::domain::client::Client;
use crate::domain::id::{ExecutionId, PipelineKey, TenantId};
use crate::domain::program::{Program, Tenant};
use crate::domain::time::Timestamp;
use crate::domain::variable::{Change as VariableChange, Owner};
use crate::domain::webhook::NewWebhook;
use crate::store::definitions::scenarios::StoredScenario;
use document::SeedDocument;
pub use document::{EnvironmentDocument, KpisDocument, PipelineDocument, WebhookDocument};
use locate::Locations;

/// The seed that is loaded when none is named.
const DEMO: &str = include_str!("demo.yaml");

/// When programs and pipelines of a seed are created, before that is known.
const NOT_YET: Timestamp = Timestamp::EPOCH;

/// The name of the shape of a whole document.
pub const SHAPE: &str = "Seed";

/// Everything that a seed document defines, checked as a whole.
#[derive(Clone, Debug)]
pub struct Seed {
    /// Tenants.
    pub tenants: Vec<Tenant>,
    /// Technical accounts.
    pub clients: Vec<Client>,
    /// Programs with environments, repositories and pipelines.
    pub programs: Vec<Program>,
    /// Variables of pipelines and environments, with their values in clear.
    pub variables: Vec<(Owner, Vec<VariableChange>)>,
    /// Scenarios of pipelines.
    pub scenarios: Vec<(PipelineKey, StoredScenario)>,
    /// Subscriptions.
    pub webhooks: Vec<NewWebhook>,
    /// The identifier of the first execution.
    pub next_execution_id: ExecutionId,
}

/// Where a seed comes from. The demo is only read when it is needed.
#[derive(Clone, Debug)]
pub enum Origin {
    /// The program itself.
    Demo,
    /// A document that has been read.
    Document(Box<Seed>),
}

impl Origin {
    /// The seed.
    #[must_use]
    pub fn seed(&self) -> Seed {
        match self {
            Self::Demo => demo(),
            Self::Document(seed) => Seed::clone(seed),
        }
    }
}

impl From<Seed> for Origin {
    fn from(seed: Seed) -> Self {
        Self::Document(Box::new(seed))
    }
}

/// One mistake in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where in the text, counted from 1, if known.
    pub line: Option<u64>,
    /// Which field, for example `programs[0].pipelines[1].name`; empty for the whole document.
    pub field: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

/// Why a document is refused: every mistake that was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Mistakes(pub Vec<Mistake>);

/// Reads a seed document in YAML or JSON.
pub fn read(text: &str) -> Result<Seed, Mistakes> {
    read_further(text, |_| false)
}

/// Reads a seed document in YAML or JSON that may refer to tenants that are there already.
pub fn read_further(text: &str, is_tenant: impl Fn(TenantId) -> bool) -> Result<Seed, Mistakes> {
    let document = parse(text).map_err(|first| Mistakes(further::mistakes_from(first, text)))?;
    build::build(document, is_tenant).map_err(|Mistakes(mut mistakes)| {
        if let Some(locations) = Locations::of(text) {
            for mistake in &mut mistakes {
                mistake.line = Some(locations.line(&mistake.field));
            }
        }
        Mistakes(mistakes)
    })
}

/// The seed that is loaded when none is named.
///
/// # Panics
///
/// If the document that is part of the program has mistakes, which a test rules out.
#[must_use]
pub fn demo() -> Seed {
    read(DEMO).expect("the demo has no mistakes")
}

/// The shapes of a document and of its parts, by name, as they are described for an API.
#[must_use]
pub fn shapes() -> Vec<(String, RefOr<Schema>)> {
    let mut shapes = vec![(SHAPE.to_owned(), SeedDocument::schema())];
    SeedDocument::schemas(&mut shapes);
    shapes
}

/// Reads a pipeline of a program, as it is written in a seed; the seed defines it alone.
pub fn read_pipeline(text: &str, program: &Program) -> Result<Seed, Mistakes> {
    let document = parse(text).map_err(|mistake| Mistakes(vec![mistake]))?;
    build::build_part(program, |parts, place, program| {
        parts.add_pipeline(place, program, &document);
    })
}

/// Reads an environment of a program, as it is written in a seed; the seed defines it alone.
pub fn read_environment(text: &str, program: &Program) -> Result<Seed, Mistakes> {
    let document = parse(text).map_err(|mistake| Mistakes(vec![mistake]))?;
    build::build_part(program, |parts, place, program| {
        parts.add_environment(place, program, &document);
    })
}

/// Reads a subscription, as it is written in a seed, of a tenant that is there.
pub fn read_webhook(
    text: &str,
    is_tenant: impl Fn(TenantId) -> bool,
) -> Result<NewWebhook, Mistakes> {
    let document: WebhookDocument = parse(text).map_err(|mistake| Mistakes(vec![mistake]))?;
    build::build_alone(|place| {
        let tenant_id = place.tenant_id(&document.tenant_id, is_tenant);
        build::build_webhook(place, document, tenant_id)
    })
}

impl Seed {
    /// The seed that defines nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            tenants: Vec::new(),
            clients: Vec::new(),
            programs: Vec::new(),
            variables: Vec::new(),
            scenarios: Vec::new(),
            webhooks: Vec::new(),
            next_execution_id: ExecutionId::new(1),
        }
    }

    /// The same, with programs and pipelines created at `now`.
    #[must_use]
    pub fn created_at(mut self, now: Timestamp) -> Self {
        for program in &mut self.programs {
            program.created_at = now;
            program.updated_at = now;
            for pipeline in program.pipelines.values_mut() {
                let pipeline = Arc::make_mut(pipeline);
                pipeline.created_at = now;
                pipeline.updated_at = now;
            }
        }
        self
    }
}

/// How documents are read: as large as they are. What aliases make of them stays limited.
fn reading() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_total_scalar_bytes: usize::MAX,
        },
    }
}

/// Reads the shape of a document, or its first mistake.
fn parse<D: DeserializeOwned>(text: &str) -> Result<D, Mistake> {
    let mut field = String::new();
    serde_saphyr::with_deserializer_from_str_with_options(text, reading(), |deserializer| {
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            field = match error.path().to_string() {
                unknown if unknown == "." || unknown == "?" => String::new(),
                path => path.trim_end_matches(".?").to_owned(),
            };
            error.into_inner()
        })
    })
    .map_err(|error: serde_saphyr::Error| {
        let location = error.location();
        let mut message = error.without_snippet().to_string();
        if let Some(location) = location {
            // The position is told once, as the line.
            let position = format!(" at line {}, column {}", location.line(), location.column());
            message.truncate(message.trim_end_matches(&position).len());
        }
        // What the library advises is about its own options.
        let message = message.split(", set DuplicateKeyPolicy").next().unwrap_or_default();
        let line = location.map(|location| location.line());
        if let Some(missing) = message.strip_prefix("missing field `") {
            let missing = missing.trim_end_matches('`');
            let field = match field.as_str() {
                "" => missing.to_owned(),
                place => format!("{place}.{missing}"),
            };
            return Mistake { line, field, message: "is missing".into() };
        }
        Mistake { line, field, message: in_plain_words(message).to_owned() }
    })
}

/// What a document says, whatever its shape; none if it can't be read at all.
#[must_use]
pub fn as_json(text: &str) -> Option<Value> {
    serde_saphyr::from_str_with_options(text, reading()).ok()
}

/// What the library says, in the words of those who write documents.
fn in_plain_words(message: &str) -> &str {
    match message {
        several if several.contains("from_str_multiple") => "must be a single document",
        "expected sequence start" => "must be a list",
        "expected mapping start" => "must be an object with fields",
        "expected string scalar" => "must be a text",
        "invalid boolean" => "must be true or false",
        "invalid floating point" => "must be a number",
        "invalid i64" | "invalid u32" | "invalid u64" | "invalid u8" => {
            "must be a whole number within its limits"
        }
        message => message,
    }
}
