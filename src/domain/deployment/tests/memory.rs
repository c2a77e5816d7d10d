//! What environments remember.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::memory::{
    Deployer, EnvironmentMemory, FileOrigin, InstanceAction, InstanceChange,
};
use super::super::{Configuration, IMMUTABLE_FILES, InstanceKind};
use super::properties::{config, failing_case};
use super::*;
use crate::domain::id::ExecutionId;
use crate::domain::time::Timestamp;

const TOPOLOGY: Topology = Topology { authors: 1, pairs: 2, cold_standby: true };

/// Returns what a run changes if it is one of that execution, begins at `start` and takes a second
/// for each thousandth divided by `pace`.
fn changes(case: &Case, run: &Run, id: i64, start: i64, pace: i64) -> Vec<InstanceChange> {
    let execution = ExecutionId::new(id);
    let deployer = Deployer { execution, built_by: execution };
    let at = |thousandth: i64| Timestamp::from_millis(start + thousandth / pace);
    let completed = run.at(1000).completed;
    let changes = completed
        .iter()
        .filter_map(|(one, thousandth)| deployer.change(&case.order(), one, at(*thousandth)));
    let mut changes: Vec<_> = changes.collect();
    let dispatchers = run.instances.iter().filter(|one| one.kind == InstanceKind::Dispatcher);
    changes.extend(dispatchers.map(|state| InstanceChange {
        at: at(1000),
        execution,
        instance: state.instance.clone(),
        action: InstanceAction::DropBackup,
    }));
    changes
}

/// Returns the memory after an earlier deployment, which brought a file that no other one has.
fn memory_before(case: &Case) -> EnvironmentMemory {
    let earlier = Case {
        dispatcher_package: Some(dispatcher_package(
            &[&OWN[..], &IMMUTABLE_FILES, &["conf.d/orphan.conf"]].concat(),
        )),
        ..case.clone()
    };
    let mut memory = EnvironmentMemory::default();
    memory.apply(changes(&earlier, &earlier.perform(&[]), 1, 0, 1));
    memory
}

fn files(memory: &EnvironmentMemory, topology: Topology, name: &str) -> Vec<(String, String)> {
    let instances = memory.instances(topology);
    let (_, _, instance) = instances.iter().find(|(known, ..)| known == name).unwrap();
    let files = instance.dispatcher.as_ref().unwrap().files.list();
    files.into_iter().map(|(path, origin)| (path.to_owned(), format!("{origin:?}"))).collect()
}

/// Moves a memory through its stored form.
fn stored(memory: &EnvironmentMemory) -> EnvironmentMemory {
    let text = serde_json::to_string(memory).unwrap();
    let mut read: EnvironmentMemory = serde_json::from_str(&text).unwrap();
    assert_eq!(read.find_fault(), None);
    read.until = memory.until;
    read
}

#[test]
fn a_new_environment_is_as_provisioned() {
    let instances = EnvironmentMemory::default().instances(TOPOLOGY);
    let names: Vec<_> = instances.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "author1uswest2",
            "publish1uswest2",
            "publish2uswest2",
            "dispatcher1uswest2",
            "dispatcher2uswest2"
        ]
    );
    for (_, kind, instance) in &instances {
        assert_eq!(instance.installed(), []);
        assert_eq!(instance.dispatcher.is_some(), *kind == InstanceKind::Dispatcher);
    }
    let dispatcher = instances[3].2.dispatcher.as_ref().unwrap();
    assert!(dispatcher.attached);
    let files = dispatcher.files.list();
    let is =
        |wanted: FileOrigin<'static>| files.iter().filter(move |(_, it)| *it == wanted).count();
    assert_eq!(is(FileOrigin::Baseline), IMMUTABLE_FILES.len());
    assert_eq!(is(FileOrigin::Provisioning), 3);
}

#[test]
fn a_later_deployment_replaces_packages_and_leaves_others() {
    let first = Case::new(EnvironmentType::Dev, 1, 1);
    let second = Case {
        packages: vec![Package { version: "3.0.0".into(), ..package("core", &[]) }],
        ..first.clone()
    };
    let mut memory = EnvironmentMemory::default();
    memory.apply(changes(&first, &first.perform(&[]), 1, 0, 1));
    memory.apply(changes(&second, &second.perform(&[]), 2, 5000, 1));
    let instances = memory.instances(first.topology);
    let shown: Vec<_> = instances[0]
        .2
        .installed()
        .iter()
        .map(|one| (one.name.as_str(), one.version.as_str(), one.execution.number()))
        .collect();
    assert_eq!(shown, [("core", "3.0.0", 2), ("ui.apps", "2.1.0", 1)]);
    let counts: Vec<_> = memory.installed(TOPOLOGY).iter().map(Vec::len).collect();
    assert_eq!(counts, [2, 2, 0], "the author, the publish instance, and one without packages");
}

#[test]
fn the_size_does_not_depend_on_the_number_of_deployments() {
    let mut case = Case::new(EnvironmentType::Prod, 1, 2);
    case.options.dispatcher_cache_flush_paths = Some(vec!["/a".into(), "/b".into()]);
    let run = case.perform(&[]);
    let mut memory = EnvironmentMemory::default();
    let mut sizes = Vec::new();
    for id in 1000..1100 {
        memory.apply(changes(&case, &run, id, id * 2000, 1));
        sizes.push(serde_json::to_string(&memory).unwrap().len());
    }
    assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
}

#[test]
fn a_memory_that_contradicts_itself_has_a_fault() {
    let package = |name: &str| {
        format!(
            r#"{{"group":"g","name":"{name}","version":"1","file":"f","execution":1,"builtBy":1,"installedAt":0}}"#
        )
    };
    let (a, b) = (package("a"), package("b"));
    let files = r#"[{"paths":["x"]}]"#;
    for (instance, is_sound) in [
        (format!(r#"{{"packages":[{a},{b}]}}"#), true),
        (format!(r#"{{"packages":[{b},{a}]}}"#), false),
        (format!(r#"{{"packages":[{a},{a}]}}"#), false),
        (format!(r#"{{"dispatcher":{{"attached":true,"files":{files}}}}}"#), true),
        (r#"{"dispatcher":{"attached":true,"files":[{"paths":[]}]}}"#.into(), false),
        (
            r#"{"dispatcher":{"attached":true,"files":[{"paths":["conf/httpd.conf"]}]}}"#.into(),
            false,
        ),
        (
            r#"{"dispatcher":{"attached":true,"files":[{"paths":["x"]},{"paths":["x"]}]}}"#.into(),
            false,
        ),
        (
            format!(r#"{{"packages":[{a}],"dispatcher":{{"attached":true,"files":{files}}}}}"#),
            false,
        ),
    ] {
        let text = format!(r#"{{"i":{instance}}}"#);
        let memory: EnvironmentMemory = serde_json::from_str(&text).unwrap();
        assert_eq!(memory.find_fault().is_none(), is_sound, "{text}");
    }
}

/// A deployment of one of several executions: what it is, when it begins, how fast it goes.
fn deployments() -> impl Strategy<Value = Vec<(Case, Vec<Failure>, i64, i64)>> {
    // Few different times: many changes happen at the same instant.
    let one = (failing_case(), 0..40_i64, prop_oneof![Just(20_i64), Just(100), Just(1001)]);
    let one = one.prop_map(|((case, failures), start, pace)| {
        let case = Case { topology: TOPOLOGY, ..case };
        let order = case.order();
        let plan = plan(&order);
        let failures = failures.into_iter().filter(|it| it.find_command(&order, &plan).is_some());
        (case.clone(), failures.collect(), start, pace)
    });
    vec(one, 1..5)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_configuration_is_the_new_one_without_orphans_or_the_old_one(
        (case, failures) in failing_case(),
    ) {
        let run = case.perform(&failures);
        let before = memory_before(&case);
        let mut after = before.clone();
        after.apply(changes(&case, &run, 2, 5000, 1));
        for state in run.instances.iter().filter(|one| one.kind == InstanceKind::Dispatcher) {
            let (old, new) = (
                files(&before, case.topology, &state.instance),
                files(&after, case.topology, &state.instance),
            );
            prop_assert!(IMMUTABLE_FILES.iter().all(|path| new.iter().any(|(it, _)| it == path)));
            if state.configuration == Some(Configuration::Deployed) {
                prop_assert!(new.iter().all(|(path, _)| path != "conf.d/orphan.conf"));
            } else {
                prop_assert_eq!(new, old);
            }
        }
    }

    #[test]
    fn the_order_of_settling_does_not_matter(
        deployments in deployments(),
        mut cuts in vec(0..1100_i64, 0..6),
        reversed in any::<bool>(),
    ) {
        let all: Vec<Vec<InstanceChange>> = (1..)
            .zip(&deployments)
            .map(|(id, (case, failures, start, pace))| {
                changes(case, &case.perform(failures), id, *start, *pace)
            })
            .collect();
        let mut expected = EnvironmentMemory::default();
        let end = Timestamp::from_millis(2000);
        expected.advance(all.concat(), end);
        cuts.sort_unstable();
        let mut memory = EnvironmentMemory::default();
        for cut in cuts.into_iter().map(Timestamp::from_millis).chain([end]) {
            // Each settles on its own: nobody knows more than what has happened until then.
            let known = all.iter().map(|changes| changes.iter().filter(|one| one.at <= cut).cloned());
            let mut known: Vec<Vec<_>> = known.map(Iterator::collect).collect();
            if reversed {
                known.reverse();
            }
            memory.advance(known.concat(), cut);
            memory = stored(&memory);
        }
        prop_assert_eq!(memory, expected);
    }
}
