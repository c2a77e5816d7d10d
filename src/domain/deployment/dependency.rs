//! Dependencies between packages, in the notation of `FileVault`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A package that another needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Its group, or `None` for any group.
    group: Option<String>,
    name: String,
    range: VersionRange,
    /// As it was written.
    text: String,
}

/// The groups of Adobe's own packages.
const PRODUCT_GROUPS: [&str; 2] = ["day", "adobe"];

/// How the groups of Adobe's own packages begin, as Java packages.
const PRODUCT_PREFIXES: [&str; 2] = ["com.adobe", "com.day"];

impl Dependency {
    /// Returns the name of the package.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether a package is what is needed.
    #[must_use]
    pub fn is_met_by(&self, group: &str, name: &str, version: &str) -> bool {
        self.name == name
            && self.group.as_ref().is_none_or(|wanted| wanted == group)
            && self.range.contains(version)
    }

    /// Returns whether it is a package that comes with AEM.
    #[must_use]
    pub fn is_part_of_aem(&self) -> bool {
        let group = self.group.as_deref().unwrap_or_default();
        let first = group.split('/').next().unwrap_or_default();
        let is_prefix = |prefix: &str| {
            group
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '/']))
        };
        PRODUCT_GROUPS.contains(&first) || PRODUCT_PREFIXES.iter().any(|prefix| is_prefix(prefix))
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Dependency {
    type Err = String;

    /// Reads `name`, `group:name`, `group:name:range`, or the older `group/name`.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').map(str::trim).collect();
        let (group, name, range) = match parts[..] {
            [path] => match path.rsplit_once('/') {
                Some((group, name)) => (Some(group), name, ""),
                None => (None, path, ""),
            },
            [group, name] => (Some(group), name, ""),
            [group, name, range] => (Some(group), name, range),
            _ => return Err("must be name, group:name or group:name:range".into()),
        };
        if name.is_empty() {
            return Err("must name a package".into());
        }
        Ok(Self {
            group: group.map(str::to_owned),
            name: name.to_owned(),
            range: range.parse()?,
            text: text.trim().to_owned(),
        })
    }
}

/// Splits a list of dependencies at its commas, except for those inside ranges.
#[must_use]
pub fn split_dependencies(list: &str) -> Vec<String> {
    let mut in_range = false;
    let separates = |char: char| {
        match char {
            '[' | '(' => in_range = true,
            ']' | ')' => in_range = false,
            _ => {}
        }
        char == ',' && !in_range
    };
    let parts = list.split(separates).map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// A range of versions: `1.0` is that version or a later one, `[1.0,2.0)` excludes 2.0, and an
/// empty bound is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct VersionRange {
    /// The lowest version, and whether it is in the range itself.
    low: Option<(String, bool)>,
    /// The highest version, and whether it is in the range itself.
    high: Option<(String, bool)>,
}

impl VersionRange {
    fn contains(&self, version: &str) -> bool {
        let is_above =
            self.low.as_ref().is_none_or(|(low, included)| match compare_versions(version, low) {
                Ordering::Greater => true,
                Ordering::Equal => *included,
                Ordering::Less => false,
            });
        let is_below = self.high.as_ref().is_none_or(|(high, included)| {
            match compare_versions(version, high) {
                Ordering::Less => true,
                Ordering::Equal => *included,
                Ordering::Greater => false,
            }
        });
        is_above && is_below
    }
}

impl FromStr for VersionRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bound = |text: &str, included| {
            let text = text.trim();
            (!text.is_empty()).then(|| (text.to_owned(), included))
        };
        let Some((low, high)) = text.split_once(',') else {
            // A single version in brackets is exactly that version.
            if let Some(exact) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                return Ok(Self { low: bound(exact, true), high: bound(exact, true) });
            }
            if text.contains(['[', ']', '(', ')']) {
                return Err(format!("{text} is no range of versions"));
            }
            return Ok(Self { low: bound(text, true), high: None });
        };
        let wrong = || format!("{text} is no range of versions, such as [1.0,2.0)");
        let (is_low, low) = match low.chars().next() {
            Some('[') => (true, &low[1..]),
            Some('(') => (false, &low[1..]),
            _ => return Err(wrong()),
        };
        let (is_high, high) = match high.chars().last() {
            Some(']') => (true, &high[..high.len() - 1]),
            Some(')') => (false, &high[..high.len() - 1]),
            _ => return Err(wrong()),
        };
        if [low, high].iter().any(|bound| bound.contains(['[', ']', '(', ')', ','])) {
            return Err(wrong());
        }
        Ok(Self { low: bound(low, is_low), high: bound(high, is_high) })
    }
}

/// Compares two versions part by part: numbers by value, anything else as text. Of two versions
/// with the same beginning the shorter one is lower, and a snapshot is lower than its release.
fn compare_versions(one: &str, other: &str) -> Ordering {
    let (one, one_is_release) = split_version(one);
    let (other, other_is_release) = split_version(other);
    let differing = one.iter().zip(&other).map(|(one, other)| compare_parts(one, other));
    differing
        .fold(Ordering::Equal, Ordering::then)
        .then(one.len().cmp(&other.len()))
        .then(one_is_release.cmp(&other_is_release))
}

fn split_version(version: &str) -> (Vec<&str>, bool) {
    let release = version.strip_suffix("-SNAPSHOT");
    (release.unwrap_or(version).split(['.', '-']).collect(), release.is_none())
}

fn compare_parts(one: &str, other: &str) -> Ordering {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(one) || !digits(other) {
        return one.cmp(other);
    }
    // By length first: a number may have any number of digits.
    let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_met(dependency: &str, version: &str) -> bool {
        dependency.parse::<Dependency>().unwrap().is_met_by("com.acme", "ui.apps", version)
    }

    #[test]
    fn versions_are_compared_by_their_parts() {
        let ordered =
            ["", "1.0-SNAPSHOT", "1.0", "1.0.1", "1.2", "1.10", "2", "2.0", "2.0.x", "10"];
        for (position, low) in ordered.iter().enumerate() {
            assert_eq!(compare_versions(low, low), Ordering::Equal, "{low}");
            for high in &ordered[position + 1..] {
                assert_eq!(compare_versions(low, high), Ordering::Less, "{low} {high}");
                assert_eq!(compare_versions(high, low), Ordering::Greater, "{low} {high}");
            }
        }
        let long = "9".repeat(100);
        assert_eq!(compare_versions(&long, "8"), Ordering::Greater);
        assert_eq!(compare_versions("01", "1"), Ordering::Equal);
    }

    #[test]
    fn ranges_have_open_closed_and_missing_bounds() {
        for (range, inside, outside) in [
            ("1.0", "1.0 1.5 2", "0.9 1.0-SNAPSHOT"),
            ("[1.0,2.0)", "1.0 1.9.9 2.0-SNAPSHOT", "0.9 2.0 2.1"),
            ("(1.0,2.0]", "1.0.1 2.0", "1.0 2.0.1"),
            ("[1.4.0]", "1.4.0", "1.4.1 1.3"),
            ("[,2.0)", "0 1.9", "2.0"),
            ("[1.0,)", "1.0 99", "0.9"),
            ("(,)", "0 99", ""),
            ("", "0 99", ""),
        ] {
            let dependency = format!("com.acme:ui.apps:{range}");
            for version in inside.split_whitespace() {
                assert!(is_met(&dependency, version), "{range} {version}");
            }
            for version in outside.split_whitespace() {
                assert!(!is_met(&dependency, version), "{range} {version}");
            }
        }
    }

    #[test]
    fn a_dependency_may_leave_out_group_and_range() {
        for text in ["ui.apps", "com.acme:ui.apps", "com.acme/ui.apps", " com.acme : ui.apps "] {
            assert!(is_met(text, "1.0"), "{text}");
        }
        for text in ["ui.content", "com.other:ui.apps", "com.other/ui.apps", ":ui.apps"] {
            assert!(!is_met(text, "1.0"), "{text}");
        }
        for text in
            ["", ":", "a:", "a:b:c:d", "a:b:[1", "a:b:1,2", "a:b:[1,2", "a:b:[[1,2]", "a:b:1)"]
        {
            assert!(text.parse::<Dependency>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_adobes_own_is_known_by_its_group() {
        let is_part = |text: &str| text.parse::<Dependency>().unwrap().is_part_of_aem();
        for text in [
            "day/cq60/product:cq-ui:1",
            "adobe/aem6:x",
            "com.adobe.cq:y",
            "com.adobe:y",
            "com.day.cq:z",
            "day/cq560/social",
        ] {
            assert!(is_part(text), "{text}");
        }
        for text in ["ui.apps", "com.acme:adobe", "daylight:x", "com.adobeish:x", "com.daytona:x"] {
            assert!(!is_part(text), "{text}");
        }
    }

    #[test]
    fn a_list_is_split_outside_of_ranges() {
        assert_eq!(
            split_dependencies("a:b:[1.0,2.0), c:d ,,e:f:(,1]"),
            ["a:b:[1.0,2.0)", "c:d", "e:f:(,1]"]
        );
        assert!(split_dependencies(" , ").is_empty());
    }
}
