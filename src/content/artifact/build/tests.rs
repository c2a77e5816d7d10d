//! What builds make.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use proptest::prelude::*;
use zip::ZipArchive;

use super::*;

const VERSION: &str = "2026.1123.24149.0000953671";

/// The positions of the files of a build of the demo.
const APPS: usize = 0;
const CONTENT: usize = 1;
const DISPATCHER: usize = 2;

fn build(commit: &str) -> Build<'static> {
    Build::new("we-retail", commit, VERSION, None)
}

fn package(build: &Build<'_>, position: usize) -> ContentPackage {
    match &build.files()[position].role {
        Role::Package(package) => package.clone(),
        role => panic!("{role:?}"),
    }
}

fn artifacts(build: &Build<'_>) -> Vec<Artifact> {
    build.files().iter().map(|file| build.artifact(file).unwrap()).collect()
}

fn unzip(build: &Build<'_>, position: usize) -> BTreeMap<String, String> {
    let content = build.generate(&build.files()[position]).unwrap().content;
    let mut archive = ZipArchive::new(Cursor::new(content)).unwrap();
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
        build("c0ffee").files().into_iter().map(|file| file.file).collect::<Vec<_>>(),
        [
            "we-retail.ui.apps-2026.1123.24149.0000953671.zip",
            "we-retail.ui.content-2026.1123.24149.0000953671.zip",
            "we-retail.dispatcher.ams-2026.1123.24149.0000953671.zip",
        ]
    );
}

#[test]
fn the_pages_need_the_code() {
    let build = build("c0ffee");
    let (apps, content) = (package(&build, APPS), package(&build, CONTENT));
    assert_eq!(apps.coordinates(), format!("we-retail:we-retail.ui.apps:{VERSION}"));
    assert!(apps.depends_on.is_empty());
    assert_eq!(content.depends_on, [apps.coordinates()]);
    let types: Vec<_> = artifacts(&build).iter().map(|it| it.artifact_type).collect();
    let package = ArtifactType::ContentPackage;
    assert_eq!(types, [package, package, ArtifactType::DispatcherConfiguration]);
}

#[test]
fn packages_hold_what_a_package_manager_asks_for() {
    let build = build("c0ffee");
    for (output, package_type, root) in
        [(APPS, "application", "/apps/we-retail"), (CONTENT, "content", "/content/we-retail")]
    {
        let files = unzip(&build, output);
        let package = package(&build, output);
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
    let files = unzip(&build("c0ffee"), DISPATCHER);
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
    let files = unzip(&build("c0ffee"), DISPATCHER);
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
    let md5 = |commit| artifacts(&build(commit)).into_iter().map(|it| it.md5).collect::<Vec<_>>();
    assert_eq!(md5("c0ffee"), md5("c0ffee"));
    let (one, other) = (md5("c0ffee"), md5("decaf"));
    assert!(one.iter().zip(&other).all(|(one, other)| one != other));
}

#[test]
fn bytes_never_change_between_releases() {
    let artifacts = artifacts(&build("c0ffee"));
    let md5: Vec<_> = artifacts.iter().map(|artifact| artifact.md5.as_str()).collect();
    assert_eq!(
        md5,
        [
            "9d271c932e23c1be6e39216113ea1aa5",
            "7a83114320bdd706e247dacf2eb626db",
            "07ff4a10028992760610e2c2208189fc"
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_names_give_archives_that_open(
        repository in any::<String>(), commit in any::<String>(), version in any::<String>(),
    ) {
        let build = Build::new(&repository, &commit, &version, None);
        for (position, file) in build.files().iter().enumerate() {
            prop_assert!(!file.file.contains(['/', '\\', '"', '<', '&']));
            prop_assert!(unzip(&build, position).len() > 4);
        }
    }
}
