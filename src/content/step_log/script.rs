//! What scripts are made of: the lines of a step's work, each with its part of the work.

/// A line, and when it is written: at that thousandth of the step's work.
pub(super) type ScriptLine = (i64, String);

/// The names of what is executed, which no execution keeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Names<'a> {
    /// The program's.
    pub program: &'a str,
    /// The pipeline's.
    pub pipeline: &'a str,
}
