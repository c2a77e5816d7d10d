//! The dispatcher configuration of a build: the full set of files, as Managed Services expect it.

use super::archive::Files;

/// Returns the files of the configuration of a site.
pub(super) fn files(site: &str, commit: &str, version: &str) -> Files {
    let filled = |text: &str| {
        text.replace("{site}", site).replace("{commit}", commit).replace("{version}", version)
    };
    FILES.iter().map(|(path, text)| ((*path).to_owned(), filled(text))).collect()
}

/// Returns the paths of all files, relative to the web server's folder.
pub fn dispatcher_paths() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(path, _)| *path)
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
