//! Messages about unknown names, with a suggestion.

/// The most names that are listed.
const MAX_LISTED_NAMES: usize = 15;

/// How similar a name must be to be suggested, from 0 to 1.
const MIN_SIMILARITY: f64 = 0.7;

/// Says that a name is not known; `kind` says what it is the name of, for example `field`.
#[must_use]
pub fn unknown(kind: &str, name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("is not a known {kind}; did you mean {near}?"),
        None if known.is_empty() || known.len() > MAX_LISTED_NAMES => {
            format!("is not a known {kind}")
        }
        None => format!("is not a known {kind}; known {kind}s: {}", known.join(", ")),
    }
}

/// Says which words are allowed.
#[must_use]
pub fn one_of(word: &str, allowed: &[&str]) -> String {
    match (nearest(word, allowed), allowed) {
        (_, [only]) => format!("must be {only}"),
        (Some(near), _) if allowed.len() > MAX_LISTED_NAMES => {
            format!("is not known; did you mean {near}?")
        }
        (Some(near), _) => format!("must be one of {}; did you mean {near}?", allowed.join(", ")),
        (None, _) => format!("must be one of {}", allowed.join(", ")),
    }
}

/// Returns the name that was probably meant.
fn nearest<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    // A long text is no misspelt name, and comparing takes time that grows with the length.
    let plain = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    let name = Some(plain(name)).filter(|name| (1..=100).contains(&name.len()))?;
    let likeness = |known: &str| strsim::normalized_damerau_levenshtein(&name, &plain(known));
    let rated = known.iter().map(|known| (likeness(known), *known));
    let best = rated.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 >= MIN_SIMILARITY).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_were_mistyped_are_recognised() {
        let known = ["emergencyMode", "kpis"];
        for name in ["emergencymode", "emergency_mode", "emergencyMod", "emergencyMdoe"] {
            let message = "is not a known field; did you mean emergencyMode?";
            assert_eq!(unknown("field", name, &known), message);
        }
        for name in ["", "mode", &"emergencyMode".repeat(1000)] {
            let message = "is not a known field; known fields: emergencyMode, kpis";
            assert_eq!(unknown("field", name, &known), message);
        }
        assert_eq!(unknown("field", "x", &[]), "is not a known field");
    }

    #[test]
    fn allowed_words_are_listed() {
        assert_eq!(one_of("qa", &["dev", "stage"]), "must be one of dev, stage");
        assert_eq!(
            one_of("STAGE", &["dev", "stage"]),
            "must be one of dev, stage; did you mean stage?"
        );
        assert_eq!(one_of("", &["demo"]), "must be demo");
    }
}
