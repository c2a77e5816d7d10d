//! The dispatcher configuration of a build: the full set of files, as Managed Services expect it.

use std::collections::BTreeSet;

use super::archive::Files;
use crate::domain::deployment::IMMUTABLE_FILES;

/// Returns the files of the configuration of a site, with some more and without others.
pub(super) fn files(
    site: &str,
    commit: &str,
    version: &str,
    with: &[String],
    without: &[String],
) -> Files {
    let filled = |text: &str| {
        text.replace("{site}", site).replace("{commit}", commit).replace("{version}", version)
    };
    let text_of = |path: String| {
        let known = FILES.iter().find(|(known, _)| *known == path);
        let text = known.map_or_else(|| placeholder(&path), |(_, text)| filled(text));
        (path, text)
    };
    paths(with, without).into_iter().map(text_of).collect()
}

/// Returns the sorted paths of all files, relative to the web server's folder.
pub(super) fn paths(with: &[String], without: &[String]) -> Vec<String> {
    let without: BTreeSet<&str> = without.iter().map(String::as_str).collect();
    let own = dispatcher_paths().into_iter().filter(|path| !without.contains(path));
    let all: BTreeSet<&str> = own.chain(with.iter().map(String::as_str)).collect();
    all.into_iter().map(str::to_owned).collect()
}

/// Returns the paths of the full set of files, sorted.
#[must_use]
pub fn dispatcher_paths() -> BTreeSet<&'static str> {
    FILES.iter().map(|(path, _)| *path).chain(IMMUTABLE_FILES).collect()
}

/// Returns the text of a file that has none of its own.
fn placeholder(path: &str) -> String {
    if IMMUTABLE_FILES.contains(&path) {
        return format!("# {path}: immutable; deployments ignore what this file contains\n");
    }
    format!("# {path}\n")
}

/// Paths in the archive and texts with `{site}`, `{commit}` and `{version}` in them. What is
/// enabled is a copy of what is available: not every client unpacks symbolic links.
const FILES: &[(&str, &str)] = &[
    (
        "conf.d/available_vhosts/aem_author.vhost",
        include_str!("dispatcher/conf.d/available_vhosts/aem_author.vhost"),
    ),
    (
        "conf.d/available_vhosts/aem_flush.vhost",
        include_str!("dispatcher/conf.d/available_vhosts/aem_flush.vhost"),
    ),
    (
        "conf.d/available_vhosts/aem_publish.vhost",
        include_str!("dispatcher/conf.d/available_vhosts/aem_publish.vhost"),
    ),
    ("conf.d/dispatcher_vhost.conf", include_str!("dispatcher/conf.d/dispatcher_vhost.conf")),
    (
        "conf.d/enabled_vhosts/aem_author.vhost",
        include_str!("dispatcher/conf.d/available_vhosts/aem_author.vhost"),
    ),
    (
        "conf.d/enabled_vhosts/aem_flush.vhost",
        include_str!("dispatcher/conf.d/available_vhosts/aem_flush.vhost"),
    ),
    (
        "conf.d/enabled_vhosts/aem_publish.vhost",
        include_str!("dispatcher/conf.d/available_vhosts/aem_publish.vhost"),
    ),
    (
        "conf.d/rewrites/base_rewrite.rules",
        include_str!("dispatcher/conf.d/rewrites/base_rewrite.rules"),
    ),
    (
        "conf.d/rewrites/xforwarded_forcessl_rewrite.rules",
        include_str!("dispatcher/conf.d/rewrites/xforwarded_forcessl_rewrite.rules"),
    ),
    (
        "conf.d/variables/ams_default.vars",
        include_str!("dispatcher/conf.d/variables/ams_default.vars"),
    ),
    (
        "conf.d/whitelists/000_base_whitelist.rules",
        include_str!("dispatcher/conf.d/whitelists/000_base_whitelist.rules"),
    ),
    (
        "conf.dispatcher.d/available_farms/000_ams_author_farm.any",
        include_str!("dispatcher/conf.dispatcher.d/available_farms/000_ams_author_farm.any"),
    ),
    (
        "conf.dispatcher.d/available_farms/999_ams_publish_farm.any",
        include_str!("dispatcher/conf.dispatcher.d/available_farms/999_ams_publish_farm.any"),
    ),
    (
        "conf.dispatcher.d/cache/ams_author_cache.any",
        include_str!("dispatcher/conf.dispatcher.d/cache/ams_author_cache.any"),
    ),
    (
        "conf.dispatcher.d/cache/ams_author_invalidate_allowed.any",
        include_str!("dispatcher/conf.dispatcher.d/cache/ams_author_invalidate_allowed.any"),
    ),
    (
        "conf.dispatcher.d/cache/ams_publish_cache.any",
        include_str!("dispatcher/conf.dispatcher.d/cache/ams_publish_cache.any"),
    ),
    (
        "conf.dispatcher.d/cache/ams_publish_invalidate_allowed.any",
        include_str!("dispatcher/conf.dispatcher.d/cache/ams_publish_invalidate_allowed.any"),
    ),
    (
        "conf.dispatcher.d/clientheaders/ams_author_clientheaders.any",
        include_str!("dispatcher/conf.dispatcher.d/clientheaders/ams_author_clientheaders.any"),
    ),
    (
        "conf.dispatcher.d/clientheaders/ams_publish_clientheaders.any",
        include_str!("dispatcher/conf.dispatcher.d/clientheaders/ams_publish_clientheaders.any"),
    ),
    (
        "conf.dispatcher.d/dispatcher.any",
        include_str!("dispatcher/conf.dispatcher.d/dispatcher.any"),
    ),
    (
        "conf.dispatcher.d/enabled_farms/000_ams_author_farm.any",
        include_str!("dispatcher/conf.dispatcher.d/available_farms/000_ams_author_farm.any"),
    ),
    (
        "conf.dispatcher.d/enabled_farms/999_ams_publish_farm.any",
        include_str!("dispatcher/conf.dispatcher.d/available_farms/999_ams_publish_farm.any"),
    ),
    (
        "conf.dispatcher.d/filters/ams_author_filters.any",
        include_str!("dispatcher/conf.dispatcher.d/filters/ams_author_filters.any"),
    ),
    (
        "conf.dispatcher.d/filters/ams_publish_filters.any",
        include_str!("dispatcher/conf.dispatcher.d/filters/ams_publish_filters.any"),
    ),
    (
        "conf.dispatcher.d/renders/ams_author_renders.any",
        include_str!("dispatcher/conf.dispatcher.d/renders/ams_author_renders.any"),
    ),
    (
        "conf.dispatcher.d/renders/ams_publish_renders.any",
        include_str!("dispatcher/conf.dispatcher.d/renders/ams_publish_renders.any"),
    ),
    (
        "conf.dispatcher.d/vhosts/ams_author_vhosts.any",
        include_str!("dispatcher/conf.dispatcher.d/vhosts/ams_author_vhosts.any"),
    ),
    (
        "conf.dispatcher.d/vhosts/ams_publish_vhosts.any",
        include_str!("dispatcher/conf.dispatcher.d/vhosts/ams_publish_vhosts.any"),
    ),
    ("conf.modules.d/00-base.conf", include_str!("dispatcher/conf.modules.d/00-base.conf")),
    (
        "conf.modules.d/02-dispatcher.conf",
        include_str!("dispatcher/conf.modules.d/02-dispatcher.conf"),
    ),
    ("conf/httpd.conf", include_str!("dispatcher/conf/httpd.conf")),
];
