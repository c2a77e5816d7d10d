//! Variables of pipelines and environments, and the rules by which they are changed.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::Deserialize;
use utoipa::ToSchema;

use super::id::{EnvironmentId, PipelineKey, ProgramId};
use super::invalid::{InvalidField, InvalidFields, Place, one_of};
use super::text::{NAME, problem_with_length};
use super::word::words;

/// The most variables that a pipeline or an environment has.
pub const MOST: usize = 200;

/// The longest value of a variable that is no secret, in characters.
const LONGEST_STRING: usize = 2048;

/// The longest value of a secret, in characters.
const LONGEST_SECRET: usize = 500;

/// The services for which a variable of an environment can be set.
const SERVICES: [&str; 3] = ["author", "publish", "preview"];

/// Whose variables they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A pipeline's, seen by its builds.
    Pipeline(PipelineKey),
    /// An environment's, seen by its instances.
    Environment(ProgramId, EnvironmentId),
}

impl Owner {
    /// Returns the program that the owner belongs to.
    #[must_use]
    pub fn program_id(self) -> ProgramId {
        match self {
            Self::Pipeline(key) => key.program_id,
            Self::Environment(program_id, _) => program_id,
        }
    }
}

words! {
    /// The type of a variable.
    #[derive(Default)]
    pub enum VariableType {
        /// A visible value.
        #[default]
        String = "string",
        /// A secret, encrypted at rest and never returned.
        SecretString = "secretString",
    }
}

/// A variable as it can be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Name; together with the service it identifies the variable.
    pub name: String,
    /// The service that it is for; none for all.
    pub service: Option<String>,
    /// The value; none for a secret.
    pub value: Option<String>,
}

impl Variable {
    /// Returns whether its value is a secret.
    #[must_use]
    pub fn variable_type(&self) -> VariableType {
        if self.value.is_some() { VariableType::String } else { VariableType::SecretString }
    }

    fn is(&self, name: &str, service: Option<&str>) -> bool {
        self.name == name && self.service.as_deref() == service
    }
}

/// The change of one variable.
#[derive(Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VariableUpdate)]
pub struct VariableUpdate {
    /// Name.
    pub name: String,
    /// The new value; missing or empty deletes the variable.
    pub value: Option<String>,
    /// Whether it is a secret; if missing, the type does not change, and is `string` for a new
    /// variable.
    #[serde(rename = "type")]
    pub variable_type: Option<VariableType>,
    /// The service; all if missing.
    #[schema(max_length = 255)]
    pub service: Option<String>,
}

/// How variables change.
#[derive(Clone, PartialEq, Eq)]
pub enum VariableChange {
    /// The variable has this value from now on.
    Set {
        /// The variable, as it can be shown.
        variable: Variable,
        /// Its value in clear.
        value: String,
    },
    /// The variable is gone.
    Delete {
        /// Name.
        name: String,
        /// Service.
        service: Option<String>,
    },
}

impl fmt::Debug for VariableChange {
    /// Without the value, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set { variable, value: _ } => f.debug_tuple("Set").field(variable).finish(),
            Self::Delete { name, service } => {
                f.debug_tuple("Delete").field(name).field(service).finish()
            }
        }
    }
}

/// Returns the changes that updates ask for, or everything that is wrong with them; its fields are
/// named as `[0].name`, or not at all for the whole list.
///
/// Source: the limits in Cloud Manager's API description.
pub fn changes(
    owner: Owner,
    current: &[Variable],
    updates: Vec<VariableUpdate>,
) -> Result<Vec<VariableChange>, InvalidFields> {
    InvalidFields::collect(|place| Some(check(owner, current, updates, place)))
}

/// Like [`changes`], at a place in a larger document. Wrong updates are reported.
pub fn check(
    owner: Owner,
    current: &[Variable],
    updates: Vec<VariableUpdate>,
    place: &mut Place<'_>,
) -> Vec<VariableChange> {
    let mut changes = Vec::new();
    let mut seen = HashSet::new();
    let mut count = current.len();
    for (index, update) in updates.into_iter().enumerate() {
        let mut place = place.at(&format!("[{index}]"));
        let mut wrong = |field: &str, message: String, value: &str| {
            place.report(InvalidField::new(field, message).with_value(value));
        };
        let VariableUpdate { name, value, variable_type, service } = update;
        let service = service.filter(|service| !service.is_empty());
        if !is_name(&name) {
            let message = "must match [a-zA-Z_][a-zA-Z_0-9]* and have 2 to 100 characters";
            wrong("name", message.into(), &name);
        }
        if let (Owner::Environment(..), Some(service)) = (owner, &service)
            && !SERVICES.contains(&service.as_str())
        {
            wrong("service", one_of(service, &SERVICES), service);
        } else if let Some(problem) = problem_with_length(service.as_deref().unwrap_or("-"), &NAME)
        {
            wrong("service", problem, service.as_deref().unwrap_or_default());
        }
        if !seen.insert((name.clone(), service.clone())) {
            wrong("name", "is listed twice".into(), &name);
        }
        let existing = current.iter().find(|variable| variable.is(&name, service.as_deref()));
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            count -= usize::from(existing.is_some());
            changes.push(VariableChange::Delete { name, service });
            continue;
        };
        let was = existing.map(Variable::variable_type);
        let variable_type = variable_type.or(was).unwrap_or_default();
        if was.is_some_and(|was| was != variable_type) {
            let message = "the type of a variable can't be changed; delete the variable first";
            wrong("type", message.into(), variable_type.as_str());
        }
        let (longest, shown) = match variable_type {
            VariableType::String => (LONGEST_STRING, Some(value.clone())),
            VariableType::SecretString => (LONGEST_SECRET, None),
        };
        if value.chars().count() > longest {
            let shown = shown.as_deref().unwrap_or("****");
            wrong("value", format!("must not be longer than {longest} characters"), shown);
        }
        count += usize::from(existing.is_none());
        let variable = Variable { name, service, value: shown };
        changes.push(VariableChange::Set { variable, value });
    }
    if count > MOST {
        let message = format!("there can't be more than {MOST} variables");
        place.report(InvalidField::new("", message).with_value(count));
    }
    changes
}

fn is_name(name: &str) -> bool {
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    begins
        && (2..=100).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Variables as they are after changes, by name and service.
#[must_use]
pub fn changed(current: &[Variable], changes: &[VariableChange]) -> Vec<Variable> {
    let identity = |variable: &Variable| (variable.name.clone(), variable.service.clone());
    let known = current.iter().map(|variable| (identity(variable), variable.clone()));
    let mut variables: BTreeMap<_, _> = known.collect();
    for change in changes {
        match change {
            VariableChange::Set { variable, value: _ } => {
                variables.insert(identity(variable), variable.clone());
            }
            VariableChange::Delete { name, service } => {
                variables.remove(&(name.clone(), service.clone()));
            }
        }
    }
    variables.into_values().collect()
}
