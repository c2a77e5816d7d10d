//! Fields that several kinds of documents have.

use std::str::FromStr;

use crate::domain::id::{InvalidId, TenantId};
use crate::domain::invalid::Place;

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

/// Checks a display name of at most 64 characters.
pub(super) fn check_name(place: &mut Place<'_>, field: &str, text: &str) {
    if !(1..=64).contains(&text.chars().count()) {
        place.wrong(field, "must have 1 to 64 characters");
    }
}
