//! Seeds: the tenants, programs and pipelines that an emulator starts with, and their documents.

mod build;
mod document;
mod fields;
mod further;
mod outputs;
mod pipeline;
pub mod scenario;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::domain::client::Client;
use crate::domain::id::{ExecutionId, PipelineKey, TenantId};
use crate::domain::invalid::{InvalidField, InvalidFields, Place};
use crate::domain::program::{Program, Tenant};
use crate::domain::scenario_document::ScenarioDocument;
use crate::domain::time::Timestamp;
use crate::domain::variable::{Owner, VariableChange};
use crate::domain::webhook::NewWebhook;
use crate::input::Document;
use build::Parts;
use document::SeedDocument;
pub use document::{EnvironmentDocument, KpisDocument, PipelineDocument, WebhookDocument};
use outputs::ZipFiles;
pub use outputs::{LARGEST_ARTIFACT, ZipFile};

/// The seed that is loaded when none is named.
const DEMO: &str = include_str!("demo.yaml");

/// The creation time in a seed until it is loaded; [`Seed::created_at`] sets the real one.
const NOT_YET: Timestamp = Timestamp::EPOCH;

/// The schema name of a whole document.
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
    pub scenarios: Vec<(PipelineKey, ScenarioDocument)>,
    /// Subscriptions.
    pub webhooks: Vec<NewWebhook>,
    /// The zip files that builds leave.
    pub files: Vec<ZipFile>,
    /// The identifier of the first execution.
    pub next_execution_id: ExecutionId,
}

/// Where a seed comes from. The demo is parsed only when it is needed: a database that is filled
/// does not need it.
#[derive(Clone, Debug)]
pub enum Origin {
    /// The program itself.
    Demo,
    /// A document that has been read.
    Document(Box<Seed>),
}

impl Origin {
    /// Returns the seed.
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

/// Reads a seed in YAML or JSON. A document without any field is refused.
pub fn read(text: &str) -> Result<Seed, InvalidFields> {
    let document = Document::from_yaml(text)?;
    check_filled(&document)?;
    read_document(document, |_| false, ZipFiles::Refused)
}

/// Reads the file of a seed, which may name zip files relative to its directory.
pub fn read_beside(text: &str, directory: &Path) -> Result<Seed, InvalidFields> {
    let document = Document::from_yaml(text)?;
    check_filled(&document)?;
    read_document(document, |_| false, ZipFiles::Beside(directory.to_owned(), Vec::new()))
}

/// Reads a seed document in YAML or JSON that may refer to existing tenants.
pub fn read_further(
    text: &str,
    is_tenant: impl Fn(TenantId) -> bool,
) -> Result<Seed, InvalidFields> {
    read_document(Document::from_yaml(text)?, is_tenant, ZipFiles::Refused)
}

/// Refuses the file of a seed without any field: it is taken for a mistake.
fn check_filled(document: &Document) -> Result<(), InvalidFields> {
    if document.is_empty() {
        let message = "the seed is empty; `tenants: []` stands for an emulator without any data";
        return Err(InvalidField::new("", message).into());
    }
    Ok(())
}

fn read_document(
    document: Document<'_>,
    is_tenant: impl Fn(TenantId) -> bool,
    zips: ZipFiles,
) -> Result<Seed, InvalidFields> {
    match document.read() {
        Ok(seed) => with_lines(&document, |place| Some(build::build(seed, is_tenant, zips, place))),
        Err(first) => Err(further::collect_all(first, document)),
    }
}

/// Reads a structure from a document in YAML or JSON, and checks it with `check`.
fn read_alone<D: DeserializeOwned, T>(
    text: &str,
    check: impl FnOnce(D, &mut Place<'_>) -> Option<T>,
) -> Result<T, InvalidFields> {
    let document = Document::from_yaml(text)?;
    with_lines(&document, |place| match document.read() {
        Ok(read) => check(read, place),
        Err(field) => {
            place.report(field);
            None
        }
    })
}

/// Returns what `check` makes of a document, or every wrong field with its line.
fn with_lines<T>(
    document: &Document<'_>,
    check: impl FnOnce(&mut Place<'_>) -> Option<T>,
) -> Result<T, InvalidFields> {
    InvalidFields::collect(check).map_err(|InvalidFields(mut fields)| {
        for field in &mut fields {
            field.line = document.line_of(&field.field);
        }
        InvalidFields(fields)
    })
}

/// Returns the seed that is loaded when none is named.
///
/// # Panics
///
/// If the document that is part of the program has mistakes, which a test rules out.
#[must_use]
pub fn demo() -> Seed {
    read(DEMO).expect("the demo has no mistakes")
}

/// Returns the shapes of a document and of its parts, by name, as they are described for an API.
#[must_use]
pub fn shapes() -> Vec<(String, RefOr<Schema>)> {
    let mut shapes = vec![(SHAPE.to_owned(), SeedDocument::schema())];
    SeedDocument::schemas(&mut shapes);
    shapes
}

/// Reads a pipeline of a program, written as in a seed. Returns a seed that defines only it.
pub fn read_pipeline(text: &str, program: &Program) -> Result<Seed, InvalidFields> {
    read_alone(text, |document: PipelineDocument, place| {
        let add = |parts: &mut Parts, program: &mut Program| {
            parts.add_pipeline(place, program, &document);
        };
        Some(build::build_part(program, add))
    })
}

/// Reads an environment of a program, written as in a seed. Returns a seed that defines only it.
pub fn read_environment(text: &str, program: &Program) -> Result<Seed, InvalidFields> {
    read_alone(text, |document: EnvironmentDocument, place| {
        let add = |parts: &mut Parts, program: &mut Program| {
            parts.add_environment(place, program, &document);
        };
        Some(build::build_part(program, add))
    })
}

/// Reads a subscription of an existing tenant, written as in a seed.
pub fn read_webhook(
    text: &str,
    is_tenant: impl Fn(TenantId) -> bool,
) -> Result<NewWebhook, InvalidFields> {
    read_alone(text, |document: WebhookDocument, place| {
        let tenant_id = fields::read_tenant_id(place, &document.tenant_id, is_tenant);
        build::build_webhook(place, document, tenant_id)
    })
}

impl Seed {
    /// Returns the seed that defines nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            tenants: Vec::new(),
            clients: Vec::new(),
            programs: Vec::new(),
            variables: Vec::new(),
            scenarios: Vec::new(),
            webhooks: Vec::new(),
            files: Vec::new(),
            next_execution_id: ExecutionId::new(1),
        }
    }

    /// Returns the same with programs and pipelines created at `now`.
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
