//! The program starts while calls fail.

use tempfile::TempDir;

use super::{ALL, EIO, Failure, Faults, Which, check_integrity};
use crate::process::{Running, start};

#[tokio::test]
async fn a_start_fails_or_succeeds_and_loses_nothing() {
    let faults = Faults::new();
    // A process that was killed has left a write-ahead log.
    let left = TempDir::new().unwrap();
    start(left.path(), &[]).kill();
    let mut call = 1;
    loop {
        let directory = TempDir::new().unwrap();
        for file in std::fs::read_dir(left.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), directory.path().join(file.file_name())).unwrap();
        }
        faults.arm(Failure { which: Which::Only(call), error: EIO, kinds: ALL });
        let running = Running::spawn(&mut faults.program(directory.path())).ready_or_over();
        let struck = faults.have_struck();
        faults.disarm();
        match running {
            Ok(running) => running.kill(),
            Err(status) => assert_eq!(status.code(), Some(2)),
        }
        check_integrity(directory.path()).await;
        if !struck {
            break;
        }
        call += 1;
    }
    assert!(call > 20, "{call}");
}
