//! What the fuzz targets do with their input: each reads it as the emulator would read it from
//! outside, and panics if something does not hold. `tests/it/corpus.rs` runs the kept inputs through
//! the same functions.

mod app;

use std::io::Cursor;
use std::sync::LazyLock;

use cloudmanager_emulator::access::access_token::AccessClaims;
use cloudmanager_emulator::access::file_token::FileTokens;
use cloudmanager_emulator::content::artifact::{Reading, is_artifact_path};
use cloudmanager_emulator::domain::build::ContentKind;
use cloudmanager_emulator::domain::scenario_document::ScenarioDocument;
use cloudmanager_emulator::domain::time::{Duration, Timestamp};
use cloudmanager_emulator::engine::RsaKey;
use cloudmanager_emulator::http::secrets::{REDACTED, names_a_secret};
use cloudmanager_emulator::seed::{self, Seed};
use cloudmanager_emulator::traffic::redact;
use serde_json::Value;

pub use app::{body, header, path, query};

/// What a target does with its input.
type Read = fn(&[u8]);

/// The targets by name.
pub const TARGETS: [(&str, Read); 10] = [
    ("artifact", artifact),
    ("body", body),
    ("header", header),
    ("path", path),
    ("query", query),
    ("redaction", redaction),
    ("scenario", scenario),
    ("seed", seed),
    ("time", time),
    ("token", token),
];

/// A zip file is read, or refused with a reason. No path of what is read leads out of it.
pub fn artifact(data: &[u8]) {
    match Reading::of(Cursor::new(data)) {
        Ok(Reading { content, .. }) => {
            assert_eq!(content.size, data.len() as u64);
            if let ContentKind::Dispatcher(files) = content.kind {
                assert!(files.iter().all(|path| is_artifact_path(path)));
            }
        }
        Err(refusal) => assert!(!refusal.to_string().is_empty()),
    }
}

/// A seed document is read, or every mistake in it is told in a text.
pub fn seed(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match seed::read(text) {
        Ok(Seed { programs, .. }) => {
            assert!(programs.iter().all(|program| !program.name.is_empty()));
        }
        Err(mistakes) => assert!(!mistakes.to_string().is_empty()),
    }
}

/// A scenario is read for a pipeline of the demo. What is read says the same when it is written.
pub fn scenario(data: &[u8]) {
    let Ok(document) = serde_json::from_slice::<ScenarioDocument>(data) else { return };
    let written = serde_json::to_vec(&document).unwrap();
    assert!(serde_json::from_slice::<ScenarioDocument>(&written).unwrap() == document);
    let demo = seed::demo();
    let program = &demo.programs[0];
    for pipeline in program.pipelines.values() {
        if let Err(mistakes) = document.read(program, pipeline) {
            assert!(!mistakes.0.is_empty());
        }
    }
}

/// An instant or a length of time is what it was after it has been written.
pub fn time(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(instant) = Timestamp::parse(text) {
        assert_eq!(Timestamp::parse(&instant.to_string()), Ok(instant));
    }
    if let Ok(duration) = Duration::parse(text) {
        assert!(duration >= Duration::ZERO);
        assert_eq!(Duration::parse(&duration.to_string()), Ok(duration));
    }
}

/// No token is believed that was not made with the key.
pub fn token(data: &[u8]) {
    static KEY: LazyLock<RsaKey> = LazyLock::new(|| RsaKey::generate().unwrap());
    let Ok(text) = std::str::from_utf8(data) else { return };
    assert_eq!(FileTokens::new(b"a key that no input knows").read(text), None);
    assert!(AccessClaims::read(text, Some(&KEY)).is_err());
}

/// No value of a field that is named as a secret is left in what is kept of a body or a query.
pub fn redaction(data: &[u8]) {
    for path in ["/api/program/4", "/api/program/4/pipeline/1/variables"] {
        for accepted in [true, false] {
            let kept = redact::body(path, accepted, data);
            if let Some(kept) = kept.filter(|kept| kept.is_json) {
                assert_no_secrets(&serde_json::from_str(&kept.text).unwrap());
            }
        }
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let kept = redact::query(text);
    assert_eq!(redact::query(&kept), kept, "nothing is left to be taken out");
}

fn assert_no_secrets(value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(assert_no_secrets),
        Value::Object(fields) => {
            for (name, value) in fields {
                let is_hidden = value == REDACTED || value == "" || value.is_null();
                assert!(is_hidden || !names_a_secret(name), "{name} is kept");
                assert_no_secrets(value);
            }
        }
        _ => {}
    }
}
