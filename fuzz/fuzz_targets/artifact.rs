#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cloudmanager_emulator_fuzz::artifact(data));
