//! The limit of open connections.

/// How many file descriptors are reserved for everything else: database, temporary files,
/// deliveries.
const RESERVE: u64 = 128;

/// Raises the limit of open files as far as possible. Returns how many connections leave the
/// reserve, or half of the limit if that is more. A command of `exec` was started before this and
/// keeps the old limit: programs that use `select` fail with descriptors above 1023.
pub(super) fn most_connections() -> usize {
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_else(|error| {
        tracing::warn!("the limit of open files can't be raised: {error}");
        2 * RESERVE
    });
    usize::try_from(limit - RESERVE.min(limit / 2)).unwrap_or(usize::MAX)
}
