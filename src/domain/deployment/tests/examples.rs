//! Examples, exact to the command.

use serde_json::json;

use crate::domain::environment::EnvironmentType::{Dev, Prod, Stage};

use super::super::{
    Command, CommandKind, Configuration, InstanceKind, environment_urls, in_dependency_order,
};
use super::*;

/// `1.2 install-client-packages author1 core-2.1.0.zip`: stage, id, and what is done.
fn show(command: &Command) -> String {
    let Command { id, kind, instance, subject, stage } = command;
    let instance = instance.trim_end_matches("uswest2");
    let subject = subject.as_deref().unwrap_or_default();
    format!("{stage}.{id} {} {instance} {subject}", kind.as_str()).trim_end().to_owned()
}

fn shown_plan(case: &Case) -> Vec<String> {
    plan(&case.order()).iter().map(show).collect()
}

fn shown_recovery(run: &Run) -> Vec<String> {
    run.performed.iter().filter(|one| one.is_recovery).map(|one| show(&one.command)).collect()
}

fn fail(command: CommandKind, instance: Option<&str>) -> Failure {
    let message = Some("because".into());
    Failure { command, instance: instance.map(Into::into), subject: None, message }
}

fn configurations(run: &Run) -> Vec<Configuration> {
    run.instances.iter().filter_map(|state| state.configuration).collect()
}

#[test]
fn a_small_dev_environment_that_skips_the_load_balancer() {
    let mut case = Case::new(Dev, 1, 1);
    case.options.skip_detaching_dispatchers = Some(true);
    case.options.dispatcher_cache_flush_paths = Some(vec!["/content/a".into(), "/b".into()]);
    assert_eq!(
        shown_plan(&case),
        [
            "0.1 install-client-packages author1 core-2.1.0.zip",
            "0.2 install-client-packages publish1 core-2.1.0.zip",
            "0.3 perform-backup dispatcher1",
            "1.4 install-client-packages author1 ui.apps-2.1.0.zip",
            "1.5 install-client-packages publish1 ui.apps-2.1.0.zip",
            "1.6 clean-dispatcher-configuration dispatcher1",
            "2.7 extract-dispatcher-package dispatcher1 dispatcher-2.1.0.zip",
            "3.8 test-dispatcher-configuration dispatcher1",
            "4.9 reload-dispatcher dispatcher1",
            "5.10 flush-dispatcher-cache dispatcher1 /content/a",
            "5.11 flush-dispatcher-cache dispatcher1 /b",
        ]
    );
    let run = case.perform(&[]);
    assert_eq!(run.outcome, Ok(()));
    assert_eq!(run.instances[0].installed, ["core-2.1.0.zip", "ui.apps-2.1.0.zip"]);
    assert_eq!(run.instances[2].installed, ["dispatcher-2.1.0.zip"]);
}

#[test]
fn production_with_two_pairs_is_rolling_whatever_is_skipped_elsewhere() {
    let mut case = Case::new(Prod, 1, 2);
    case.topology.cold_standby = true;
    case.packages = vec![package("all", &[])];
    case.options.skip_detaching_dispatchers = Some(true);
    case.options.dispatcher_cache_invalidation_paths = Some(vec!["/content".into()]);
    assert_eq!(
        shown_plan(&case),
        [
            "0.1 install-client-packages author1 all-2.1.0.zip",
            "1.2 manage-elb-links-detach dispatcher1",
            "2.3 install-client-packages publish1 all-2.1.0.zip",
            "2.4 perform-backup dispatcher1",
            "3.5 clean-dispatcher-configuration dispatcher1",
            "4.6 extract-dispatcher-package dispatcher1 dispatcher-2.1.0.zip",
            "5.7 test-dispatcher-configuration dispatcher1",
            "6.8 reload-dispatcher dispatcher1",
            "7.9 invalidate-dispatcher-cache dispatcher1 /content",
            "8.10 flush-dispatcher-cache dispatcher1 /",
            "9.11 manage-elb-links-attach dispatcher1",
            "10.12 manage-elb-links-detach dispatcher2",
            "11.13 install-client-packages publish2 all-2.1.0.zip",
            "11.14 perform-backup dispatcher2",
            "12.15 clean-dispatcher-configuration dispatcher2",
            "13.16 extract-dispatcher-package dispatcher2 dispatcher-2.1.0.zip",
            "14.17 test-dispatcher-configuration dispatcher2",
            "15.18 reload-dispatcher dispatcher2",
            "16.19 invalidate-dispatcher-cache dispatcher2 /content",
            "17.20 flush-dispatcher-cache dispatcher2 /",
            "18.21 manage-elb-links-attach dispatcher2",
        ]
    );
}

#[test]
fn without_a_dispatcher_package_the_dispatchers_are_only_detached_and_emptied() {
    let mut case = Case::new(Stage, 1, 2);
    case.packages = vec![package("all", &[])];
    case.dispatcher_package = None;
    case.options.dispatcher_cache_flush_paths = Some(vec!["/".into()]);
    case.options.dispatcher_cache_invalidation_paths = Some(Vec::new());
    assert_eq!(
        shown_plan(&case),
        [
            "0.1 manage-elb-links-detach dispatcher1",
            "0.2 manage-elb-links-detach dispatcher2",
            "1.3 install-client-packages author1 all-2.1.0.zip",
            "1.4 install-client-packages publish1 all-2.1.0.zip",
            "1.5 install-client-packages publish2 all-2.1.0.zip",
            "2.6 flush-dispatcher-cache dispatcher1 /",
            "2.7 flush-dispatcher-cache dispatcher2 /",
            "3.8 manage-elb-links-attach dispatcher1",
            "3.9 manage-elb-links-attach dispatcher2",
        ]
    );
}

#[test]
fn a_failed_configuration_test_restores_the_backup() {
    let case = Case::new(Prod, 1, 2);
    let run = case.perform(&[fail(CommandKind::TestDispatcherConfiguration, None)]);
    assert_eq!(
        run.outcome,
        Err("test-dispatcher-configuration failed on dispatcher1uswest2: because".into())
    );
    assert_eq!(
        shown_recovery(&run),
        [
            "7.23 restore-backup dispatcher1",
            "8.24 reload-dispatcher dispatcher1",
            "9.25 manage-elb-links-attach dispatcher1",
        ]
    );
    assert_eq!(configurations(&run), [Configuration::Restored, Configuration::Unchanged]);
}

#[test]
fn a_configuration_is_restored_unless_its_own_test_passed() {
    let case = Case::new(Dev, 1, 2);
    for (command, stage) in
        [(CommandKind::CleanDispatcherConfiguration, 3), (CommandKind::ExtractDispatcherPackage, 4)]
    {
        let run = case.perform(&[fail(command, Some("dispatcher2uswest2"))]);
        let recovery = shown_recovery(&run);
        assert_eq!(recovery[0], format!("{stage}.21 restore-backup dispatcher1"));
        assert_eq!(recovery[1], format!("{stage}.22 restore-backup dispatcher2"));
        assert_eq!(configurations(&run), [Configuration::Restored; 2]);
    }
    let test = CommandKind::TestDispatcherConfiguration;
    let run = case.perform(&[fail(test, Some("dispatcher2uswest2"))]);
    assert_eq!(
        shown_recovery(&run),
        [
            "5.21 restore-backup dispatcher2",
            "6.22 reload-dispatcher dispatcher1",
            "6.23 reload-dispatcher dispatcher2",
            "7.24 manage-elb-links-attach dispatcher1",
            "7.25 manage-elb-links-attach dispatcher2",
        ]
    );
    assert_eq!(configurations(&run), [Configuration::Deployed, Configuration::Restored]);
    let run = case.perform(&[fail(CommandKind::ReloadDispatcher, None)]);
    assert_eq!(configurations(&run), [Configuration::Restored, Configuration::Deployed]);
    let run = case.perform(&[fail(CommandKind::PerformBackup, None)]);
    assert_eq!(configurations(&run), [Configuration::Unchanged; 2]);
}

#[test]
fn a_command_for_one_path_or_package_can_fail_alone() {
    let mut case = Case::new(Stage, 1, 2);
    case.options.dispatcher_cache_flush_paths = Some(vec!["/a".into(), "/b".into()]);
    let about = |command, subject: &str| Failure {
        subject: Some(subject.into()),
        ..fail(command, Some("dispatcher2uswest2"))
    };
    let run = case.perform(&[about(CommandKind::FlushDispatcherCache, "/b")]);
    let flushes: Vec<_> = run
        .performed
        .iter()
        .filter(|one| one.command.kind == CommandKind::FlushDispatcherCache)
        .map(|one| (one.command.subject.as_deref().unwrap(), one.result.is_ok()))
        .collect();
    assert_eq!(flushes, [("/a", true), ("/a", true), ("/b", true), ("/b", false)]);
    for subject in ["ui.apps", "ui.apps-2.1.0.zip"] {
        let install = CommandKind::InstallClientPackages;
        let failure = Failure { instance: None, ..about(install, subject) };
        let run = case.perform(&[failure]);
        assert_eq!(run.instances[0].installed, ["core-2.1.0.zip"]);
    }
    assert_eq!(
        about(CommandKind::FlushDispatcherCache, "/c").validate(&case.order()),
        Err("flush-dispatcher-cache is not performed with /c, but with /a, /b".into())
    );
    assert_eq!(
        about(CommandKind::PerformBackup, "/c").validate(&case.order()),
        Err("perform-backup is not performed with /c, but with nothing".into())
    );
}

#[test]
fn an_incomplete_dispatcher_package_fails_before_anything_is_deleted() {
    let mut case = Case::new(Dev, 1, 1);
    let entries = OWN.into_iter().chain(IMMUTABLE_FILES);
    let left_out = |path: &&str| !path.contains("enabled_vhosts") && *path != "conf/httpd.conf";
    let entries: Vec<_> = entries.filter(left_out).collect();
    case.dispatcher_package = Some(dispatcher_package(&entries));
    let run = case.perform(&[]);
    assert_eq!(
        run.outcome,
        Err("clean-dispatcher-configuration failed on dispatcher1uswest2: dispatcher-2.1.0.zip \
             does not contain the full file set, so nothing was deleted; missing: conf/httpd.conf, \
             a file in conf.d/enabled_vhosts/"
            .into())
    );
    assert_eq!(shown_recovery(&run), ["3.12 manage-elb-links-attach dispatcher1"]);
    assert_eq!(configurations(&run), [Configuration::Unchanged]);
}

#[test]
fn a_failed_attach_fails_the_deployment_and_is_done_again() {
    let case = Case::new(Stage, 1, 2);
    let attach = CommandKind::ManageElbLinksAttach;
    let run = case.perform(&[fail(attach, Some("dispatcher2uswest2"))]);
    assert!(run.outcome.is_err());
    assert_eq!(shown_recovery(&run), ["7.21 manage-elb-links-attach dispatcher2"]);

    // Also when it is the recovery that attaches first.
    let install = fail(CommandKind::InstallClientPackages, None);
    let run = case.perform(&[fail(attach, None), install]);
    assert_eq!(
        shown_recovery(&run),
        [
            "2.21 manage-elb-links-attach dispatcher1",
            "2.22 manage-elb-links-attach dispatcher2",
            "3.23 manage-elb-links-attach dispatcher1",
        ]
    );
}

#[test]
fn a_dispatcher_that_can_not_be_detached_stays_attached() {
    let case = Case::new(Stage, 1, 2);
    let run = case.perform(&[fail(CommandKind::ManageElbLinksDetach, None)]);
    assert!(run.outcome.is_err());
    assert_eq!(shown_recovery(&run), ["1.21 manage-elb-links-attach dispatcher2"]);
}

#[test]
fn other_commands_of_the_failed_stage_are_completed() {
    let case = Case::new(Dev, 2, 1);
    let install = CommandKind::InstallClientPackages;
    let run = case.perform(&[
        fail(install, Some("author2uswest2")),
        Failure { command: install, instance: None, subject: None, message: None },
    ]);
    let installed: Vec<_> = run.instances.iter().map(|state| state.installed.len()).collect();
    assert_eq!(installed, [0, 0, 1, 0]);
    assert_eq!(
        run.outcome,
        Err("install-client-packages failed on author1uswest2: Package Manager reported an \
             error; install-client-packages failed on author2uswest2: because"
            .into())
    );
}

#[test]
fn failures_name_commands_of_the_plan() {
    let mut case = Case::new(Dev, 1, 1);
    let problem = |case: &Case, command, instance| fail(command, instance).validate(&case.order());
    assert_eq!(problem(&case, CommandKind::ReloadDispatcher, None), Ok(()));
    assert_eq!(
        problem(&case, CommandKind::InstallClientPackages, Some("dispatcher1uswest2")),
        Err("install-client-packages is not performed on dispatcher1uswest2; \
             it is performed on author1uswest2, publish1uswest2"
            .into())
    );
    assert!(problem(&case, CommandKind::RestoreBackup, None).is_err());
    case.dispatcher_package = None;
    assert_eq!(
        problem(&case, CommandKind::ReloadDispatcher, None),
        Err("the deployment has no command reload-dispatcher; it has manage-elb-links-detach, \
             install-client-packages, manage-elb-links-attach"
            .into())
    );
}

#[test]
fn cycles_and_unknown_dependencies_do_no_harm() {
    let packages = [
        package("a", &["b"]),
        package("b", &["a", "b"]),
        package("c", &["nowhere", "d"]),
        package("d", &[]),
    ];
    let names: Vec<_> = in_dependency_order(&packages).iter().map(|one| &one.name).collect();
    assert_eq!(names, ["d", "c", "a", "b"]);
}

#[test]
fn the_current_command_is_the_first_of_its_stage() {
    let mut case = Case::new(Dev, 1, 1);
    case.packages = vec![package("all", &[])];
    case.dispatcher_package = None;
    let run = case.perform(&[]);
    let progress = |at| {
        let progress = run.at(at);
        (progress.completed.len(), progress.current_id())
    };
    assert_eq!(progress(-1), (0, Some(1)));
    assert_eq!(progress(0), (0, Some(1)));
    assert_eq!(progress(83), (0, Some(1)));
    assert_eq!(progress(84), (1, Some(2)));
    assert_eq!(progress(916), (1, Some(2)));
    assert_eq!(progress(917), (3, Some(4)));
    assert_eq!(progress(1000), (4, Some(4)));
    assert!(run.at(1000).current.is_none());
}

#[test]
fn nothing_to_do_is_a_success() {
    let mut case = Case::new(Dev, 1, 1);
    case.packages = Vec::new();
    case.dispatcher_package = None;
    case.options.skip_detaching_dispatchers = Some(true);
    let run = case.perform(&[fail(CommandKind::PerformBackup, None)]);
    assert_eq!((run.outcome.is_ok(), run.at(500).current_id()), (true, None));
}

#[test]
fn the_names_are_the_same_in_serde() {
    let mut case = Case::new(Prod, 1, 1);
    case.options.dispatcher_cache_invalidation_paths = Some(vec!["/".into()]);
    case.options.dispatcher_cache_flush_paths = Some(vec!["/".into()]);
    for command in plan(&case.order()) {
        assert_eq!(json!(command.kind), json!(command.kind.as_str()));
    }
    let failure: Failure = serde_json::from_value(json!({ "command": "restore-backup" })).unwrap();
    assert_eq!(failure.command, CommandKind::RestoreBackup);
    assert!(serde_json::from_value::<Failure>(json!({ "command": "sleep" })).is_err());
}

#[test]
fn an_environment_has_a_publish_and_an_author_address() {
    assert_eq!(
        environment_urls("We.Retail prod"),
        [
            (InstanceKind::Publish, "https://we-retail-prod-publish.example.adobecqms.net".into()),
            (InstanceKind::Author, "https://we-retail-prod-author.example.adobecqms.net".into()),
        ]
    );
}
