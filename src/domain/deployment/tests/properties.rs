//! Properties of random deployments with random failures.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::super::instance::Instances;
use super::super::{CommandKind, Configuration, Dependency, InstanceKind};
use super::*;

pub(super) fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 500,
        failure_persistence: None,
        max_shrink_iters: 1_000,
        ..ProptestConfig::default()
    }
}

/// Up to five packages in any order, whose dependencies have no cycle.
fn packages() -> impl Strategy<Value = Vec<Package>> {
    let order =
        (0..=5_usize).prop_flat_map(|count| Just((0..count).collect::<Vec<_>>()).prop_shuffle());
    (order, vec(any::<bool>(), 25)).prop_map(|(order, depends)| {
        let name = |number: usize| format!("p{number}");
        let dependencies = |number: usize| {
            (0..number).filter(|other| depends[number * 5 + other]).map(name).collect::<Vec<_>>()
        };
        order
            .into_iter()
            .map(|number| {
                let mut depends_on = dependencies(number);
                depends_on.push("unknown".into());
                let depends_on = depends_on.iter().map(|it| it.parse().unwrap()).collect();
                Package { depends_on, ..package(&name(number), &[]) }
            })
            .collect()
    })
}

fn a_dispatcher_package() -> impl Strategy<Value = Option<DispatcherPackage>> {
    prop_oneof![
        4 => Just(Some(full_dispatcher_package())),
        2 => Just(None),
        1 => Just(Some(dispatcher_package(&OWN[..2]))),
    ]
}

fn options() -> impl Strategy<Value = StepOptions> {
    let paths = || proptest::option::of(vec("/[a-z]{1,3}", 0..3));
    (proptest::option::of(any::<bool>()), paths(), paths()).prop_map(|(skip, invalidate, flush)| {
        StepOptions {
            skip_detaching_dispatchers: skip,
            dispatcher_cache_invalidation_paths: invalidate,
            dispatcher_cache_flush_paths: flush,
            ..StepOptions::default()
        }
    })
}

fn environment_type() -> impl Strategy<Value = EnvironmentType> {
    prop_oneof![
        1 => Just(EnvironmentType::Dev),
        1 => Just(EnvironmentType::Stage),
        2 => Just(EnvironmentType::Prod),
    ]
}

prop_compose! {
    fn case()(
        environment_type in environment_type(),
        authors in 1..=3_u32,
        pairs in 1..=5_u32,
        cold_standby in any::<bool>(),
        packages in packages(),
        dispatcher_package in a_dispatcher_package(),
        options in options(),
    ) -> Case {
        let topology = Topology { authors, pairs, cold_standby };
        Case { environment_type, topology, packages, dispatcher_package, options }
    }
}

/// Returns a deployment and up to three failures of planned commands.
pub(super) fn failing_case() -> impl Strategy<Value = (Case, Vec<Failure>)> {
    (case(), vec((any::<Index>(), any::<bool>(), any::<bool>()), 0..=3)).prop_map(
        |(case, choices)| {
            let plan = plan(&case.order());
            let failures = choices.iter().filter(|_| !plan.is_empty()).map(|(at, named, told)| {
                let command = at.get(&plan);
                Failure {
                    command: command.kind,
                    instance: named.then(|| command.instance.clone()),
                    subject: named.then(|| command.subject.clone()).flatten(),
                    message: told.then(|| "because".into()),
                }
            });
            let failures = failures.collect();
            (case, failures)
        },
    )
}

/// Returns the instances after each command of a run, the state before the first one included.
fn moments<'a>(order: &Order<'a>, run: &Run) -> Vec<Instances<'a>> {
    let mut moments = vec![Instances::before(order)];
    for performed in &run.performed {
        let mut instances = moments[moments.len() - 1].clone();
        instances.apply(&performed.command, performed.result.is_ok());
        moments.push(instances);
    }
    moments
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn production_has_at_most_one_dispatcher_detached((case, failures) in failing_case()) {
        let most = moments(&case.order(), &case.perform(&failures))
            .iter()
            .map(|instances| instances.detached().len())
            .max();
        if case.environment_type == EnvironmentType::Prod {
            prop_assert!(most <= Some(1));
        } else if case.options.skip_detaching_dispatchers == Some(true) {
            prop_assert_eq!(most, Some(0));
        }
    }

    #[test]
    fn an_instance_of_production_changes_only_while_it_is_detached(
        (case, failures) in failing_case(),
    ) {
        let case = Case { environment_type: EnvironmentType::Prod, ..case };
        let run = case.perform(&failures);
        for (performed, before) in run.performed.iter().zip(moments(&case.order(), &run)) {
            let instance = &performed.command.instance;
            let changes = performed.command.kind != CommandKind::ManageElbLinksDetach;
            if changes && !instance.starts_with("author") {
                let dispatcher = instance.replace("publish", "dispatcher");
                prop_assert_eq!(before.detached(), [dispatcher]);
            }
        }
    }

    #[test]
    fn every_dispatcher_ends_in_the_load_balancer((case, failures) in failing_case()) {
        for state in case.perform(&failures).instances {
            let is_dispatcher = state.kind == InstanceKind::Dispatcher;
            prop_assert_eq!(state.attached, is_dispatcher.then_some(true));
        }
    }

    #[test]
    fn success_brings_every_package_to_every_instance_once(case in case()) {
        let run = case.perform(&[]);
        prop_assume!(run.outcome.is_ok());
        let mut files: Vec<_> = case.packages.iter().map(|one| one.file.clone()).collect();
        files.sort();
        let dispatcher_files: Vec<_> =
            case.dispatcher_package.iter().map(|one| one.file.clone()).collect();
        for state in run.instances {
            let mut installed = state.installed;
            installed.sort();
            let is_dispatcher = state.kind == InstanceKind::Dispatcher;
            prop_assert_eq!(&installed, if is_dispatcher { &dispatcher_files } else { &files });
        }
    }

    #[test]
    fn dependencies_are_installed_first((case, failures) in failing_case()) {
        let by_file: BTreeMap<_, _> = case.packages.iter().map(|one| (&one.file, one)).collect();
        let names: BTreeSet<_> = case.packages.iter().map(|one| one.name.as_str()).collect();
        for state in case.perform(&failures).instances {
            if state.kind == InstanceKind::Dispatcher {
                continue;
            }
            let mut there = BTreeSet::new();
            for file in &state.installed {
                let package = by_file[file];
                let needed = package.depends_on.iter().map(Dependency::name);
                for name in needed.filter(|name| names.contains(name)) {
                    prop_assert!(there.contains(name), "{name} before {file}");
                }
                there.insert(package.name.as_str());
            }
        }
    }

    #[test]
    fn a_configuration_is_the_new_one_if_it_was_put_into_service((case, failures) in failing_case()) {
        let run = case.perform(&failures);
        let moments = moments(&case.order(), &run);
        let last = &moments[moments.len() - 1];
        prop_assert!(last.unsettled().is_empty());
        prop_assert_eq!(last.clone().into_states(), run.instances);
    }

    #[test]
    fn each_dispatcher_is_judged_for_itself((case, failures) in failing_case()) {
        let run = case.perform(&failures);
        for state in run.instances.iter().filter(|one| one.kind == InstanceKind::Dispatcher) {
            let results = |kind| {
                let planned = run.performed.iter().filter(move |one| {
                    one.command.kind == kind
                        && one.command.instance == state.instance
                        && !one.is_recovery
                });
                planned.map(|one| one.result.is_ok())
            };
            let passed = results(CommandKind::TestDispatcherConfiguration).any(|ok| ok);
            let reload_failed = results(CommandKind::ReloadDispatcher).any(|ok| !ok);
            let is_new = state.configuration == Some(Configuration::Deployed);
            prop_assert_eq!(is_new, passed && !reload_failed);
        }
    }

    #[test]
    fn a_deployment_fails_exactly_if_something_in_it_fails((case, failures) in failing_case()) {
        let run = case.perform(&failures);
        let is_incomplete =
            case.dispatcher_package.as_ref().is_some_and(|one| one.problem().is_some());
        prop_assert_eq!(run.outcome.is_ok(), failures.is_empty() && !is_incomplete);
        let failed_as_planned =
            run.performed.iter().any(|one| !one.is_recovery && one.result.is_err());
        prop_assert_eq!(run.outcome.is_err(), failed_as_planned);
        for failure in failures {
            prop_assert_eq!(failure.validate(&case.order()), Ok(()));
        }
    }

    #[test]
    fn what_is_performed_is_the_beginning_of_the_plan_and_recovery(
        (case, failures) in failing_case(),
    ) {
        let plan = plan(&case.order());
        let run = case.perform(&failures);
        let (recovery, planned): (Vec<_>, Vec<_>) =
            run.performed.iter().partition(|one| one.is_recovery);
        prop_assert!(run.performed.is_sorted_by_key(|one| (one.is_recovery, one.command.stage)));
        let planned: Vec<_> = planned.into_iter().map(|one| one.command.clone()).collect();
        prop_assert!(plan.starts_with(&planned));
        // A stage is never left in its middle.
        let (last, next) = (planned.last(), plan.get(planned.len()));
        prop_assert!(next.is_none_or(|next| last.is_some_and(|last| last.stage < next.stage)));
        prop_assert!(run.outcome.is_err() || (recovery.is_empty() && planned == plan));
        let ids: Vec<_> = recovery.iter().map(|one| one.command.id as usize).collect();
        prop_assert_eq!(ids, (plan.len() + 1..=plan.len() + recovery.len()).collect::<Vec<_>>());
    }

    #[test]
    fn progress_is_monotone_and_complete((case, failures) in failing_case()) {
        let run = case.perform(&failures);
        prop_assert_eq!(run.at(0).completed.len(), 0);
        prop_assert_eq!(run.at(0).current, run.performed.first());
        let mut before = 0;
        for thousandths in (0..1000).step_by(9).chain([1000]) {
            let progress = run.at(thousandths);
            let count = progress.completed.len();
            prop_assert!(count >= before);
            before = count;
            prop_assert_eq!(progress.current, run.performed.get(count));
            for (place, (performed, at)) in progress.completed.into_iter().enumerate() {
                prop_assert_eq!(performed, &run.performed[place]);
                prop_assert!((1..=thousandths).contains(&at));
            }
        }
        prop_assert_eq!(before, run.performed.len());
        prop_assert_eq!(run.at(999).current.is_none(), run.performed.is_empty());
        let last = run.performed.last().map(|one| one.command.id);
        prop_assert_eq!(run.at(1000).current_id(), last);
    }
}
