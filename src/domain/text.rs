//! How long texts may be that are stored: nothing else bounds what a definition takes in memory.

use std::ops::RangeInclusive;

use super::invalid::Place;

/// Display names of programs and their parts, in characters.
pub const TITLE: RangeInclusive<usize> = 1..=64;

/// Other names and identifiers, in characters.
pub const NAME: RangeInclusive<usize> = 1..=255;

/// Descriptions and URLs, in characters.
pub const DESCRIPTION: RangeInclusive<usize> = 0..=2048;

/// Certificates, in characters.
pub const CERTIFICATE: RangeInclusive<usize> = 0..=65_536;

/// Returns what is wrong with the length of a text, or `None` if nothing is.
#[must_use]
pub fn problem_with_length(text: &str, lengths: &RangeInclusive<usize>) -> Option<String> {
    if lengths.contains(&text.chars().count()) {
        return None;
    }
    let (least, most) = (lengths.start(), lengths.end());
    Some(if *least == 0 {
        format!("must have at most {most} characters")
    } else {
        format!("must have {least} to {most} characters")
    })
}

/// Returns what is wrong with the name of a branch, a tag or a commit, or `None` if nothing is.
#[must_use]
pub fn problem_with_ref(text: &str) -> Option<String> {
    let is_plain = NAME.contains(&text.chars().count()) && !text.contains(char::is_control);
    let (least, most) = (NAME.start(), NAME.end());
    (!is_plain).then(|| format!("must have {least} to {most} characters and no control characters"))
}

impl Place<'_> {
    /// Reports a text that is too short or too long.
    pub fn check_length(&mut self, field: &str, text: &str, lengths: &RangeInclusive<usize>) {
        if let Some(problem) = problem_with_length(text, lengths) {
            self.wrong(field, problem);
        }
    }
}
