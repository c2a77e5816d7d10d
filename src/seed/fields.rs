//! Fields that several kinds of documents have.

use std::str::FromStr;

use crate::domain::id::{InvalidId, TenantId};
use crate::domain::invalid::Place;
use crate::domain::text::{DESCRIPTION, problem_with_ref};

/// Reads an identifier.
pub(super) fn read_id<T: FromStr<Err = InvalidId>>(
    place: &mut Place<'_>,
    field: &str,
    text: &str,
) -> Option<T> {
    text.parse().map_err(|error: InvalidId| place.wrong(field, error.to_string())).ok()
}

/// Reads the identifier of a tenant that is there.
pub(super) fn read_tenant_id(
    place: &mut Place<'_>,
    text: &str,
    is_tenant: impl Fn(TenantId) -> bool,
) -> Option<TenantId> {
    let id = read_id(place, "tenantId", text);
    if id.is_some_and(|id| !is_tenant(id)) {
        place.wrong("tenantId", format!("the tenant {text} does not exist"));
    }
    id
}

/// Checks the description of something, if it has one.
pub(super) fn check_description(place: &mut Place<'_>, text: Option<&str>) {
    place.check_length("description", text.unwrap_or_default(), &DESCRIPTION);
}

/// Checks the name of a branch, a tag or a commit.
pub(super) fn check_ref(place: &mut Place<'_>, field: &str, text: &str) {
    if let Some(problem) = problem_with_ref(text) {
        place.wrong(field, problem);
    }
}
