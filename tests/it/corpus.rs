//! The inputs that fuzzing has kept are read again, without the fuzzer.

#[path = "../../fuzz/src/lib.rs"]
mod fuzz;

use std::path::Path;

/// Runs every kept input of a target; how many there were.
fn replay(target: &str, read: fn(&[u8])) -> usize {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = std::fs::read_dir(&directory).unwrap_or_else(|_| panic!("{target} has no corpus"));
    let inputs: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    for input in &inputs {
        let data = std::fs::read(input).unwrap();
        let read = std::panic::catch_unwind(|| read(&data));
        assert!(read.is_ok(), "{}", input.display());
    }
    inputs.len()
}

#[test]
fn every_input_that_fuzzing_has_kept_is_read() {
    for (target, read) in fuzz::TARGETS {
        assert!(replay(target, read) > 0, "{target} has no corpus");
    }
}
