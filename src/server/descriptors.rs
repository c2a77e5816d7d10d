//! How many connections may be open at once.

/// How many descriptors are kept for everything else: the database, temporary files, deliveries.
const RESERVE: u64 = 128;

/// Raises the limit of open files as far as it goes; as many connections as leave the reserve, or
/// half of what there is if that is less. A command of `exec` has been started before, with the old
/// limit: some programs fail with descriptors above 1023.
pub(super) fn most_connections() -> usize {
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
        tracing::warn!("the limit of open files can't be raised: {error}");
        2 * RESERVE
    });
    usize::try_from(limit - RESERVE.min(limit / 2)).unwrap_or(usize::MAX)
}
