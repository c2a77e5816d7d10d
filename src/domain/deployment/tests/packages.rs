//! What packages need, and which of them a scenario means.

use crate::domain::environment::EnvironmentType::{Dev, Prod};

use super::super::{CommandKind, PresentPackage, met_by_aem, needed_from, package_problems};
use super::*;

fn installed(name: &str, version: &str) -> PresentPackage {
    PresentPackage { group: "com.acme".into(), name: name.into(), version: version.into() }
}

fn problems(packages: &[Package]) -> Vec<String> {
    package_problems(packages, &[])
}

#[test]
fn dependencies_are_met_by_the_build_by_the_instances_or_by_aem() {
    let packages = [
        package("a", &["weretail:b:[2.1,3)", "day/cq60/product:cq-ui", "com.acme:base:[1.0,2)"]),
        package("b", &[]),
    ];
    let missing = "a-2.1.0.zip depends on com.acme:base:[1.0,2), which is neither in the build nor \
                   on the instances";
    assert_eq!(problems(&packages), [missing]);
    assert_eq!(package_problems(&packages, &[installed("base", "2.0")]), [missing]);
    let found = vec![installed("base", "1.5"), installed("other", "1.5")];
    assert_eq!(package_problems(&packages, &found), [""; 0]);
    let base = [installed("base", "1.5")];
    assert_eq!(needed_from(&packages, &[found.clone(), found.clone()]), base);
    let other = vec![installed("base", "1.6")];
    assert_eq!(needed_from(&packages, &[found.clone(), other]).len(), 2, "one on each instance");
    let outdated = vec![installed("base", "2.0")];
    assert!(needed_from(&packages, &[found, outdated]).is_empty(), "one instance lacks it");
    let by_aem: Vec<_> =
        met_by_aem(&packages).iter().map(|(file, it)| format!("{file} {it}")).collect();
    assert_eq!(by_aem, ["a-2.1.0.zip day/cq60/product:cq-ui"]);
    let wrong_version = [package("a", &["weretail:b:[3,4)"]), package("b", &[])];
    assert_eq!(problems(&wrong_version).len(), 1);
}

#[test]
fn a_cycle_names_its_packages_and_no_others() {
    let packages = [
        package("a", &["b"]),
        package("b", &["c", "free"]),
        package("c", &["a"]),
        package("free", &[]),
        package("needs-the-cycle", &["a"]),
    ];
    let problem = "these packages depend on each other: a-2.1.0.zip, b-2.1.0.zip, c-2.1.0.zip";
    assert_eq!(problems(&packages), [problem]);
    assert_eq!(problems(&[package("itself", &["itself"])]), [""; 0]);
}

#[test]
fn a_package_is_there_once() {
    let other = Package { version: "2.2.0".into(), ..package("a", &[]) };
    let elsewhere =
        Package { group: "com.acme".into(), file: "elsewhere.zip".into(), ..package("a", &[]) };
    assert_eq!(problems(&[package("a", &[]), elsewhere]), [""; 0]);
    let same_file = Package { group: "com.acme".into(), ..package("a", &[]) };
    let found = problems(&[package("a", &[]), same_file]);
    assert_eq!(found, [format!("the build has more than one artifact {}", package("a", &[]).file)]);
    let problem = "the build has more than one package weretail:a";
    assert_eq!(problems(&[package("a", &[]), other]), [problem]);
}

#[test]
fn many_packages_are_ordered_quickly() {
    let name = |number: usize| format!("p{number}");
    let all: Vec<Package> = (0..1000)
        .map(|number| {
            let needs: Vec<_> = (number + 1..1000).step_by(97).map(name).collect();
            package(&name(number), &needs.iter().map(String::as_str).collect::<Vec<_>>())
        })
        .collect();
    let ordered = super::super::in_dependency_order(&all);
    let last = ordered.first().map(|package| package.name.as_str());
    assert_eq!((ordered.len(), last), (1000, Some("p999")));
    assert_eq!(problems(&all), [""; 0]);
}

#[test]
#[allow(clippy::disallowed_methods, reason = "it is about real time")]
fn many_dependencies_are_checked_quickly() {
    let needs: Vec<_> = (0..1000).map(|number| format!("day/x:other{number}")).collect();
    let needs: Vec<_> = needs.iter().map(String::as_str).collect();
    let all: Vec<_> = (0..500).map(|number| package(&format!("p{number}"), &needs)).collect();
    let begin = std::time::Instant::now();
    assert_eq!(problems(&all), [""; 0]);
    // Comparing each dependency with each package takes tens of seconds.
    let took = begin.elapsed();
    assert!(took < std::time::Duration::from_secs(8), "{took:?}");
}

#[test]
fn a_scenario_names_the_package_that_fails() {
    let case = Case::new(Dev, 1, 1);
    for subject in ["ui.apps", "weretail:ui.apps", "ui.apps-2.1.0.zip"] {
        let failure = Failure {
            command: CommandKind::InstallClientPackages,
            instance: Some("publish1uswest2".into()),
            subject: Some(subject.into()),
            message: None,
        };
        assert_eq!(failure.validate(&case.order()), Ok(()), "{subject}");
        let run = case.perform(&[failure]);
        let failed: Vec<_> = run.performed.iter().filter(|one| one.result.is_err()).collect();
        let [failed] = failed[..] else { panic!("{failed:?}") };
        assert_eq!(failed.command.subject.as_deref(), Some("ui.apps-2.1.0.zip"));
        assert_eq!(failed.command.instance, "publish1uswest2");
    }
    let wrong = Failure {
        command: CommandKind::InstallClientPackages,
        instance: None,
        subject: Some("ui.content".into()),
        message: None,
    };
    assert_eq!(
        wrong.validate(&case.order()),
        Err("install-client-packages is not performed with ui.content, but with \
             core-2.1.0.zip, ui.apps-2.1.0.zip"
            .into())
    );
    let none = Failure { command: CommandKind::ReloadDispatcher, ..wrong };
    assert_eq!(
        none.validate(&case.order()),
        Err("reload-dispatcher is not performed with ui.content, but with nothing".into())
    );
}

#[test]
fn a_scenario_names_the_path_that_fails() {
    let mut case = Case::new(Prod, 1, 1);
    case.options.dispatcher_cache_flush_paths =
        Some(vec!["/content/a".into(), "/content/b".into()]);
    let fails = |subject: &str| Failure {
        command: CommandKind::FlushDispatcherCache,
        instance: None,
        subject: Some(subject.into()),
        message: None,
    };
    let run = case.perform(&[fails("/content/b")]);
    assert!(run.outcome.unwrap_err().starts_with("flush-dispatcher-cache failed"));
    assert!(fails("/content").validate(&case.order()).is_err());
}

#[test]
fn the_full_file_set_is_named_file_by_file() {
    assert_eq!(full_dispatcher_package().problem(), None);
    let ignored: Vec<_> = full_dispatcher_package().ignored_files().map(str::to_owned).collect();
    assert_eq!(ignored.len(), IMMUTABLE_FILES.len() + 1, "security.conf is there twice");
    let problem = dispatcher_package(&OWN).problem().unwrap();
    for path in IMMUTABLE_FILES.iter().filter(|path| **path != "conf.d/security.conf") {
        assert!(problem.contains(path), "{path}");
    }
    for path in ["security.conf", "enabled_vhosts", "enabled_farms"] {
        assert!(!problem.contains(path), "{path}");
    }
    // A folder alone is not filled.
    let folders = ["conf.d/enabled_vhosts/", "conf.dispatcher.d/enabled_farms/"];
    let entries: Vec<_> = IMMUTABLE_FILES.into_iter().chain(folders).collect();
    assert_eq!(
        dispatcher_package(&entries).problem().as_deref(),
        Some(
            "dispatcher-2.1.0.zip does not contain the full file set, so nothing was deleted; \
              missing: a file in conf.d/enabled_vhosts/, a file in conf.dispatcher.d/enabled_farms/"
        )
    );
}
