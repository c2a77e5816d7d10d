//! What was measured, for people.

use std::error::Error;
use std::fmt::Write as _;

/// One line of the report.
struct Figure {
    name: String,
    value: String,
    target: &'static str,
}

/// Everything that was measured.
#[derive(Default)]
pub struct Figures(Vec<Figure>);

impl Figures {
    /// Notes and prints a figure.
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<String>, target: &'static str) {
        let figure = Figure { name: name.into(), value: value.into(), target };
        println!("{}: {}", figure.name, figure.value);
        self.0.push(figure);
    }

    /// Writes docs/performance.md.
    pub fn write(&self) -> Result<(), Box<dyn Error>> {
        let cores = std::thread::available_parallelism()?;
        let processor = std::fs::read_to_string("/proc/cpuinfo")?;
        let processor = processor
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .map_or("unknown", |model| model.trim_start_matches([' ', '\t', ':']));
        let mut text = format!(
            "# Performance\n\nMeasured by `cargo bench --bench load` on {cores} cores ({processor}), with the \
             load generator and other work beside the emulator. Rates are medians of five rounds; \
             what is compared was measured in turns in one run.\n\n\
             | What | Measured | Target |\n|---|---|---|\n"
        );
        for Figure { name, value, target } in &self.0 {
            writeln!(text, "| {name} | {value} | {target} |")?;
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/performance.md");
        std::fs::write(path, text)?;
        println!("written to docs/performance.md");
        Ok(())
    }
}
