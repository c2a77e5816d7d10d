//! The open issues that a code scan found.

use std::fmt::Write;

use crate::domain::noise::Noise;

use super::{ArtifactFile, ArtifactType};

/// As many issues as a file lists, however many there are; Sonar lists no more either.
pub const MOST_ISSUES: u64 = 10_000;

/// A rule and what is said where it is broken.
struct ScanRule {
    key: &'static str,
    severity: &'static str,
    issue_type: &'static str,
    message: &'static str,
}

const fn rule(
    key: &'static str,
    severity: &'static str,
    issue_type: &'static str,
    message: &'static str,
) -> ScanRule {
    ScanRule { key, severity, issue_type, message }
}

const RULES: &[ScanRule] = &[
    rule("java:S1192", "MINOR", "CODE_SMELL", "Define a constant instead of repeating this text."),
    rule("java:S1135", "INFO", "CODE_SMELL", "Complete the task associated to this TODO comment."),
    rule("java:S2259", "MAJOR", "BUG", "A null pointer could be dereferenced here."),
    rule("java:S3776", "CRITICAL", "CODE_SMELL", "Refactor this method, it is too complex."),
    rule("java:S2068", "BLOCKER", "VULNERABILITY", "Remove this hard-coded password."),
    rule(
        "CQRules:CQBP-71",
        "MAJOR",
        "CODE_SMELL",
        "Paths that start with /libs or /apps should not be hard-coded, use the search path.",
    ),
    rule(
        "CQRules:CQBP-72",
        "CRITICAL",
        "BUG",
        "This ResourceResolver is never closed; close it in a finally block.",
    ),
    rule(
        "CQRules:ConnectionTimeoutMechanism",
        "CRITICAL",
        "BUG",
        "Set a timeout for connecting, and one for reading.",
    ),
];

const CLASSES: &[&str] = &[
    "models/Navigation",
    "models/Teaser",
    "schedulers/PriceImport",
    "servlets/SearchServlet",
    "services/impl/SearchServiceImpl",
    "workflow/ThumbnailProcess",
];

/// As many issues as asked for, as CSV; other seeds give other issues.
#[must_use]
pub fn issues(count: u64, seed: &str) -> ArtifactFile {
    let noise = Noise::of(&[seed, "issues"]);
    let mut text = "rule,severity,type,file,line,message\n".to_owned();
    for position in 0..count.min(MOST_ISSUES) {
        let noise = noise.about(position);
        let (Some(rule), Some(class)) = (noise.pick(0, RULES), noise.pick(1, CLASSES)) else {
            continue;
        };
        let ScanRule { key, severity, issue_type, message } = rule;
        let line = 1 + noise.below(2, 400);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{key},{severity},{issue_type},core/src/main/java/com/example/core/{class}.java,\
             {line},\"{message}\""
        );
    }
    let file = "code-quality-issues.csv".to_owned();
    ArtifactFile::new(ArtifactType::ScanIssues, file, text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(count: u64, seed: &str) -> String {
        String::from_utf8(issues(count, seed).content).unwrap()
    }

    #[test]
    fn there_is_a_row_for_each_issue() {
        for count in [0, 1, 3, 250] {
            let text = text(count, "c0ffee");
            let mut lines = text.lines();
            assert_eq!(lines.next(), Some("rule,severity,type,file,line,message"));
            assert_eq!(lines.clone().count() as u64, count);
            assert!(lines.all(|line| line.ends_with(".\"")), "{text}");
        }
        assert_eq!(text(u64::MAX, "c0ffee").lines().count() as u64, 1 + MOST_ISSUES);
    }

    #[test]
    fn the_same_seed_gives_the_same_issues() {
        assert_eq!(text(20, "c0ffee"), text(20, "c0ffee"));
        assert_ne!(text(20, "c0ffee"), text(20, "decaf"));
        assert!(text(21, "c0ffee").starts_with(&text(20, "c0ffee")));
    }

    #[test]
    fn texts_need_no_escape() {
        for ScanRule { key, message, .. } in RULES {
            assert!(!key.contains([',', '"']) && !message.contains('"'));
        }
    }
}
