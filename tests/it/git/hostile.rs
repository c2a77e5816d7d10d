//! What goes wrong, by chance or on purpose: paths, hooks, large pushes, pushes that are cut off.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::{Forge, REPOSITORY, WERETAIL, Work, push_request, try_git};

/// Sends bytes as they are; the answer, up to the end of the connection.
fn exchange(forge: &Forge, request: &[u8]) -> String {
    let mut stream = connect(forge);
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn connect(forge: &Forge) -> TcpStream {
    let address = forge.running.url.strip_prefix("http://").unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    stream
}

/// All paths below a directory.
fn all_below(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    let below =
        paths.flat_map(|path| [vec![path.display().to_string()], all_below(&path)].concat());
    below.collect()
}

#[tokio::test]
async fn paths_lead_only_to_repositories_of_the_api() {
    let forge = Forge::new();
    let work = forge.work("work", "main");
    work.run(&["push", "--quiet", &forge.url(WERETAIL), "main"]);
    for path in [
        "/git/weretail/../weretail/info/refs",
        "/git/weretail/%2e%2e/info/refs",
        "/git/weretail/..%2fweretail/info/refs",
        "/git/weretail/..%5cweretail/info/refs",
        "/git/weretail/4-1.git/info/refs",
        "/git/weretail/.git/info/refs",
        "/git/weretail/weretail.git/info/refs",
        "/git/weretail/weretail%00/info/refs",
        "/git/weretail/Weretail/info/refs",
        "/git/WERETAIL/weretail/info/refs",
        "/git/weretail/--upload-pack=touch%20x/info/refs",
        "/git/weretail//weretail/info/refs",
        "/git/%ff/weretail/info/refs",
        "/git/weretail/weretail/HEAD",
        "/git/weretail/weretail/config",
        "/git/weretail/weretail/objects/info/packs",
        "/git/weretail/weretail/info/../info/refs",
    ] {
        let request = format!(
            "GET {path}?service=git-upload-pack HTTP/1.1\r\nhost: 127.0.0.1\r\n\
             connection: close\r\n\r\n"
        );
        let answer = exchange(&forge, request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
}

#[tokio::test]
async fn hooks_and_settings_of_a_repository_run_nothing() {
    let forge = Forge::new();
    let work = forge.work("work", "main");
    let url = forge.url(WERETAIL);
    work.run(&["push", "--quiet", &url, "main"]);
    let bare = forge.bare("4-1.git");
    let ran = forge.directory.path().join("ran");
    let script = format!("#!/bin/sh\ntouch {}\n", ran.display());
    std::fs::create_dir_all(bare.join("hooks")).unwrap();
    for hook in ["pre-receive", "update", "post-receive", "post-update", "reference-transaction"] {
        let path = bare.join("hooks").join(hook);
        std::fs::write(&path, &script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    work.commit("second");
    work.run(&["push", "--quiet", &url, "main"]);
    assert_eq!(forge.clone(&url, "clone").head(), work.head());
    assert!(!ran.exists());
}

#[tokio::test]
async fn forced_pushes_tags_deletions_and_shallow_clones_work() {
    let forge = Forge::new();
    let work = forge.work("work", "main");
    let url = forge.url(WERETAIL);
    let first = work.head();
    work.commit("second");
    work.run(&["tag", "-a", "v1", "-m", "annotated"]);
    work.run(&["push", "--quiet", &url, "main", "v1"]);
    let tagged = work.head();

    work.run(&["reset", "--quiet", "--hard", &first]);
    let other = work.commit("other");
    let said = work.fails(&["push", &url, "main"]);
    assert!(said.contains("rejected"), "{said}");
    work.run(&["push", "--quiet", "--force", &url, "main"]);
    assert_eq!(work.run(&["ls-remote", &url, "refs/heads/main"])[..40], other);
    assert_eq!(work.run(&["ls-remote", &url, "refs/tags/v1^{}"])[..40], tagged);
    assert_eq!(forge.branches(REPOSITORY).await, ["main"], "a tag is no branch");

    let directory = forge.directory.path();
    let shallow = Work(directory.join("shallow"));
    super::git(directory, &["clone", "--quiet", "--depth=1", &url, "shallow"]);
    assert_eq!(shallow.run(&["rev-list", "--count", "HEAD"]), "1");
    shallow.run(&["fetch", "--quiet", "--unshallow"]);
    assert_eq!(shallow.run(&["rev-list", "--count", "HEAD"]), "2");
    super::git(directory, &["clone", "--quiet", "--filter=blob:none", &url, "partial"]);
    let partial = Work(directory.join("partial"));
    assert_eq!(partial.head(), other);
    let pushed = shallow.commit("from a shallow clone");
    shallow.run(&["push", "--quiet", "origin", "main"]);
    assert_eq!(work.run(&["ls-remote", &url, "refs/heads/main"])[..40], pushed);

    work.run(&["push", "--quiet", &url, ":v1", ":main"]);
    assert_eq!(work.run(&["ls-remote", &url]), "");
    assert_eq!(forge.branches(REPOSITORY).await, Vec::<String>::new());
}

#[tokio::test]
async fn of_two_pushes_at_once_to_a_branch_one_succeeds() {
    let forge = Forge::new();
    let url = forge.url(WERETAIL);
    let works: Vec<_> = (0..4)
        .map(|number| {
            let work = forge.work(&format!("work-{number}"), "main");
            work.commit(&format!("change {number}"));
            work
        })
        .collect();
    let succeeded: Vec<_> = std::thread::scope(|scope| {
        let push = |number: usize, work: &Work| {
            let own = try_git(&work.0, &["push", &url, &format!("main:own-{number}")]);
            assert!(own.status.success(), "{}", String::from_utf8_lossy(&own.stderr));
            try_git(&work.0, &["push", &url, "main"]).status.success().then(|| work.head())
        };
        let pushes = works.iter().enumerate();
        let pushes: Vec<_> =
            pushes.map(|(number, work)| scope.spawn(move || push(number, work))).collect();
        pushes.into_iter().filter_map(|push| push.join().unwrap()).collect()
    });
    assert_eq!(succeeded.len(), 1);
    assert_eq!(works[0].run(&["ls-remote", &url, "refs/heads/main"])[..40], succeeded[0]);
    let expected = ["main", "own-0", "own-1", "own-2", "own-3"];
    assert_eq!(forge.branches(REPOSITORY).await, expected);
}

/// How much memory a process has had at most, in KiB.
fn most_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_large_push_and_its_clone_take_little_memory() {
    let forge = Forge::new();
    let work = forge.work("work", "main");
    let url = forge.url(WERETAIL);
    work.run(&["push", "--quiet", &url, "main"]);
    let before = most_memory(forge.running.id());
    let bytes: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(64 << 20).collect();
    std::fs::write(work.0.join("large"), bytes).unwrap();
    work.commit("large");
    work.run(&["push", "--quiet", &url, "main"]);
    assert_eq!(forge.clone(&url, "clone").head(), work.head());
    let grown = most_memory(forge.running.id()) - before;
    assert!(grown < 16 * 1024, "{grown} KiB");
}

#[tokio::test]
async fn a_push_that_is_cut_off_leaves_nothing() {
    let forge = Forge::new();
    let work = forge.work("work", "main");
    work.run(&["push", "--quiet", &forge.url(WERETAIL), "main"]);
    let before = all_below(&forge.bare("4-1.git"));
    let (push, _) = push_request("half");
    let head = format!(
        "POST /{WERETAIL}/git-receive-pack HTTP/1.1\r\nhost: 127.0.0.1\r\n\
         content-type: application/x-git-receive-pack-request\r\ncontent-length: {}\r\n\r\n",
        push.len()
    );
    let mut stream = connect(&forge);
    stream.write_all(&[head.as_bytes(), &push[..push.len() - 30]].concat()).unwrap();
    drop(stream);
    // The stop waits for what git still does.
    let forge = forge.restarted(&[]);
    assert_eq!(forge.branches(REPOSITORY).await, ["main"]);
    assert_eq!(all_below(&forge.bare("4-1.git")), before);
}

#[tokio::test]
async fn a_start_removes_what_killed_pushes_have_left_and_nothing_else() {
    let forge = Forge::new();
    let work = forge.work("work", "main");
    work.run(&["push", "--quiet", &forge.url(WERETAIL), "main"]);
    let bare = forge.bare("4-1.git");
    let before = all_below(&bare);
    let root = forge.directory.path().join("cloudmanager.db.git");
    for left in [
        root.join("99/4-1.git/objects"),
        root.join("1/new-abc/objects"),
        bare.join("objects/tmp_objdir-incoming-x/pack"),
    ] {
        std::fs::create_dir_all(left).unwrap();
    }
    std::fs::write(bare.join("refs/heads/main.lock"), "").unwrap();
    std::fs::write(bare.join("packed-refs.lock"), "").unwrap();
    // A bare repository of the user's may have the name of the emulator's directory.
    std::fs::create_dir_all(root.join("objects/info")).unwrap();
    std::fs::write(root.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    let forge = forge.restarted(&[]);
    assert_eq!(all_below(&bare), before);
    let mut names: Vec<_> =
        std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["1", "HEAD", "objects"]);
    assert!(!root.join("1/new-abc").exists());
    work.commit("second");
    work.run(&["push", "--quiet", &forge.url(WERETAIL), "main"]);
}
