//! How the program writes for people: colours, and times to the second.

use anstyle::{AnsiColor, Style};

/// Returns the style of a colour.
#[must_use]
pub fn colour(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(colour.into()))
}

/// Returns a text in a style.
#[must_use]
pub fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Returns a time to the second: `2026-11-23 01:15:06`.
#[must_use]
pub fn to_the_second(time: &str) -> String {
    time.get(..19).unwrap_or(time).replace('T', " ")
}
