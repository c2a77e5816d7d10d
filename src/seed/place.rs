//! Places in a document, and what is wrong there.

use std::str::FromStr;

use super::{Mistake, Mistakes};
use crate::domain::id::{InvalidId, TenantId};

/// A place in a document, at which mistakes are reported.
pub(super) struct Place<'m> {
    mistakes: &'m mut Vec<Mistake>,
    path: String,
}

impl<'m> Place<'m> {
    /// The whole document.
    pub(super) fn whole(mistakes: &'m mut Vec<Mistake>) -> Self {
        Place { mistakes, path: String::new() }
    }

    /// A place inside this one.
    pub(super) fn at(&mut self, field: &str) -> Place<'_> {
        let path = self.path_of(field);
        Place { mistakes: &mut *self.mistakes, path }
    }

    fn path_of(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }

    /// Reports what is wrong with a field.
    pub(super) fn wrong(&mut self, field: &str, message: impl Into<String>) {
        let field = self.path_of(field);
        self.mistakes.push(Mistake { line: None, field, message: message.into() });
    }

    /// Reads an identifier.
    pub(super) fn id<T: FromStr<Err = InvalidId>>(&mut self, field: &str, text: &str) -> Option<T> {
        text.parse().map_err(|error: InvalidId| self.wrong(field, error.to_string())).ok()
    }

    /// Reads the identifier of a tenant that is there.
    pub(super) fn tenant_id(
        &mut self,
        text: &str,
        is_tenant: impl Fn(TenantId) -> bool,
    ) -> Option<TenantId> {
        let id = self.id("tenantId", text);
        if id.is_some_and(|id| !is_tenant(id)) {
            self.wrong("tenantId", format!("there is no tenant {text}"));
        }
        id
    }

    /// Checks a display name of at most 64 characters.
    pub(super) fn name(&mut self, field: &str, text: &str) {
        if !(1..=64).contains(&text.chars().count()) {
            self.wrong(field, "must have 1 to 64 characters");
        }
    }
}

/// Builds something that is a document of its own.
pub(super) fn build_alone<T>(
    read: impl FnOnce(&mut Place<'_>) -> Option<T>,
) -> Result<T, Mistakes> {
    let mut mistakes = Vec::new();
    match read(&mut Place::whole(&mut mistakes)) {
        Some(built) if mistakes.is_empty() => Ok(built),
        _ => Err(Mistakes(mistakes)),
    }
}
