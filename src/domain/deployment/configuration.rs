//! The configuration files of a dispatcher.

use std::collections::BTreeSet;

/// The files that no deployment changes, relative to the web server's folder, sorted.
///
/// Source: Adobe's documentation of read-only files on managed-services dispatchers.
pub const IMMUTABLE_FILES: [&str; 45] = [
    "conf.d/000_init_ootb_vars.conf",
    "conf.d/001_init_ams_vars.conf",
    "conf.d/available_vhosts/000_unhealthy_author.vhost",
    "conf.d/available_vhosts/000_unhealthy_publish.vhost",
    "conf.d/available_vhosts/aem_author.vhost",
    "conf.d/available_vhosts/aem_flush.vhost",
    "conf.d/available_vhosts/aem_flush_author.vhost",
    "conf.d/available_vhosts/aem_health.vhost",
    "conf.d/available_vhosts/aem_publish.vhost",
    "conf.d/available_vhosts/ams_lc.vhost",
    "conf.d/dispatcher_vhost.conf",
    "conf.d/logformat.conf",
    "conf.d/mimetypes3d.conf",
    "conf.d/remoteip.conf",
    "conf.d/rewrites/base_rewrite.rules",
    "conf.d/rewrites/xforwarded_forcessl_rewrite.rules",
    "conf.d/security.conf",
    "conf.d/variables/ootb.vars",
    "conf.d/whitelists/000_base_whitelist.rules",
    "conf.dispatcher.d/available_farms/000_ams_catchall_farm.any",
    "conf.dispatcher.d/available_farms/001_ams_author_flush_farm.any",
    "conf.dispatcher.d/available_farms/001_ams_publish_flush_farm.any",
    "conf.dispatcher.d/available_farms/002_ams_author_farm.any",
    "conf.dispatcher.d/available_farms/002_ams_lc_farm.any",
    "conf.dispatcher.d/available_farms/002_ams_publish_farm.any",
    "conf.dispatcher.d/cache/ams_author_cache.any",
    "conf.dispatcher.d/cache/ams_author_invalidate_allowed.any",
    "conf.dispatcher.d/cache/ams_publish_cache.any",
    "conf.dispatcher.d/cache/ams_publish_invalidate_allowed.any",
    "conf.dispatcher.d/clientheaders/ams_author_clientheaders.any",
    "conf.dispatcher.d/clientheaders/ams_common_clientheaders.any",
    "conf.dispatcher.d/clientheaders/ams_lc_clientheaders.any",
    "conf.dispatcher.d/clientheaders/ams_publish_clientheaders.any",
    "conf.dispatcher.d/dispatcher.any",
    "conf.dispatcher.d/filters/ams_author_filters.any",
    "conf.dispatcher.d/filters/ams_lc_filters.any",
    "conf.dispatcher.d/filters/ams_publish_filters.any",
    "conf.dispatcher.d/renders/ams_author_renders.any",
    "conf.dispatcher.d/renders/ams_lc_renders.any",
    "conf.dispatcher.d/renders/ams_publish_renders.any",
    "conf.dispatcher.d/vhosts/ams_author_vhosts.any",
    "conf.dispatcher.d/vhosts/ams_lc_vhosts.any",
    "conf.dispatcher.d/vhosts/ams_publish_vhosts.any",
    "conf.modules.d/02-dispatcher.conf",
    "conf/httpd.conf",
];

/// The folders that a dispatcher package has at least one file in.
pub(super) const REQUIRED_FOLDERS: [&str; 2] =
    ["conf.d/enabled_vhosts/", "conf.dispatcher.d/enabled_farms/"];

/// Files of a new dispatcher that a deployment replaces.
pub(super) const REPLACEABLE_FILES: [&str; 3] =
    ["conf/magic", "conf.d/enabled_vhosts/aem_publish.vhost", "conf.d/variables/ams_default.vars"];

/// Returns the files that a dispatcher package must contain and that are not among these. What the
/// immutable files of a package hold is ignored, but they must be there.
pub(super) fn missing_files(files: &BTreeSet<&str>) -> impl Iterator<Item = &'static str> {
    IMMUTABLE_FILES.into_iter().filter(|path| !files.contains(path))
}

/// Returns whether no deployment changes the file.
pub(super) fn is_immutable(path: &str) -> bool {
    IMMUTABLE_FILES.binary_search(&path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn immutable_files_are_found() {
        assert!(IMMUTABLE_FILES.is_sorted());
        assert!(IMMUTABLE_FILES.into_iter().all(is_immutable));
        assert!(!REPLACEABLE_FILES.into_iter().any(is_immutable));
    }
}
