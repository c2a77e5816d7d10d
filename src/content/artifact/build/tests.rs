//! What builds make.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use proptest::prelude::*;
use zip::ZipArchive;

use super::*;

const VERSION: &str = "2026.1123.24149.0000953671";

fn build(commit: &str) -> Build {
    Build::new("we-retail", commit, VERSION)
}

fn unzip(build: &Build, output: Output) -> BTreeMap<String, String> {
    let file = build.file(output).unwrap();
    let mut archive = ZipArchive::new(Cursor::new(file.content)).unwrap();
    (0..archive.len())
        .map(|position| {
            let mut entry = archive.by_index(position).unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (entry.name().unwrap().into_owned(), text)
        })
        .collect()
}

#[test]
fn files_are_named_by_repository_and_version() {
    assert_eq!(
        build("c0ffee").file_names(),
        [
            "we-retail.ui.apps-2026.1123.24149.0000953671.zip",
            "we-retail.ui.content-2026.1123.24149.0000953671.zip",
            "we-retail.dispatcher.ams-2026.1123.24149.0000953671.zip",
        ]
    );
}

#[test]
fn the_pages_need_the_code() {
    let artifacts = build("c0ffee").artifacts().unwrap();
    let packages: Vec<_> = artifacts.iter().map(|artifact| &artifact.package).collect();
    let [Some(apps), Some(content), None] = packages[..] else { panic!("{packages:?}") };
    assert_eq!(apps.coordinates(), format!("we-retail:we-retail.ui.apps:{VERSION}"));
    assert!(apps.depends_on.is_empty());
    assert_eq!(content.depends_on, [apps.coordinates()]);
    assert_eq!(artifacts[2].artifact_type, ArtifactType::DispatcherConfiguration);
}

#[test]
fn packages_hold_what_a_package_manager_asks_for() {
    let build = build("c0ffee");
    for (output, package_type, root) in [
        (Output::Apps, "application", "/apps/we-retail"),
        (Output::Content, "content", "/content/we-retail"),
    ] {
        let files = unzip(&build, output);
        let package = build.package(output).unwrap();
        let properties = &files["META-INF/vault/properties.xml"];
        let entry = |key: &str, value: &str| {
            let entry = format!("<entry key=\"{key}\">{value}</entry>");
            assert!(properties.contains(&entry), "{entry} in {properties}");
        };
        entry("group", &package.group);
        entry("name", &package.name);
        entry("version", VERSION);
        entry("packageType", package_type);
        entry("dependencies", &package.depends_on.join(","));
        let filter = &files["META-INF/vault/filter.xml"];
        assert!(filter.contains(&format!("<filter root=\"{root}\"/>")), "{filter}");
        assert!(files.contains_key(&format!("jcr_root{root}/.content.xml")));
        let manifest = &files["META-INF/MANIFEST.MF"];
        assert!(manifest.lines().all(|line| line.len() <= 72), "{manifest}");
        let unfolded = manifest.replace("\r\n ", "");
        let id = format!("Content-Package-Id: {}\r\n", package.coordinates());
        assert!(unfolded.contains(&id), "{unfolded}");
        assert!(files.values().any(|text| text.contains("c0ffee")));
    }
}

#[test]
fn the_dispatcher_configuration_is_complete() {
    let files = unzip(&build("c0ffee"), Output::Dispatcher);
    for path in [
        "conf/httpd.conf",
        "conf.d/dispatcher_vhost.conf",
        "conf.d/available_vhosts/aem_publish.vhost",
        "conf.d/enabled_vhosts/aem_publish.vhost",
        "conf.d/rewrites/base_rewrite.rules",
        "conf.dispatcher.d/dispatcher.any",
        "conf.dispatcher.d/enabled_farms/999_ams_publish_farm.any",
    ] {
        assert!(files.contains_key(path), "{path}");
    }
    let placeholder = ["{site}", "{commit}", "{version}"];
    assert!(!files.values().any(|text| placeholder.iter().any(|name| text.contains(name))));
    assert!(files["conf.d/variables/ams_default.vars"].contains("commit c0ffee"));
}

#[test]
fn every_included_file_is_there() {
    let files = unzip(&build("c0ffee"), Output::Dispatcher);
    let included = files.values().flat_map(|text| text.lines()).filter_map(|line| {
        let line = line.trim();
        let path = line.strip_prefix("Include ").or_else(|| line.strip_prefix("$include "))?;
        Some(path.trim_matches('"').trim_start_matches("/etc/httpd/").to_owned())
    });
    let mut count = 0;
    for path in included {
        let (start, end) = path.split_once('*').unwrap_or((&path, ""));
        let found = files.keys().any(|file| file.starts_with(start) && file.ends_with(end));
        assert!(found, "{path}");
        count += 1;
    }
    assert!(count > 20);
}

#[test]
fn the_same_commit_gives_the_same_bytes_and_another_one_others() {
    for output in Output::ALL {
        let file = build("c0ffee").file(output).unwrap();
        assert_eq!(file, build("c0ffee").file(output).unwrap());
        assert_ne!(file.artifact.md5, build("decaf").file(output).unwrap().artifact.md5);
    }
}

#[test]
fn bytes_never_change_between_releases() {
    let artifacts = build("c0ffee").artifacts().unwrap();
    let md5: Vec<_> = artifacts.iter().map(|artifact| artifact.md5.as_str()).collect();
    assert_eq!(
        md5,
        [
            "9d271c932e23c1be6e39216113ea1aa5",
            "7a83114320bdd706e247dacf2eb626db",
            "6234805ffde15cad167dfb56a1d32b33"
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_names_give_archives_that_open(
        repository in any::<String>(), commit in any::<String>(), version in any::<String>(),
    ) {
        let build = Build::new(&repository, &commit, &version);
        for output in Output::ALL {
            prop_assert!(!build.file_name(output).contains(['/', '\\', '"', '<', '&']));
            prop_assert!(unzip(&build, output).len() > 4);
        }
    }
}
