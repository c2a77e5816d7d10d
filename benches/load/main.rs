//! The load benchmark: `cargo bench`. It drives the real program, with the load generator beside
//! it, and writes docs/performance.md.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

mod client;
mod emulator;
mod figures;
mod measure;
mod reference;

use std::error::Error;

use figures::Figures;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Runtime::new()?;
    if let [_, mode, file] = arguments.as_slice()
        && mode == reference::MODE
    {
        return runtime.block_on(reference::serve(file));
    }
    let mut figures = Figures::default();
    runtime.block_on(async {
        measure::process_start(&mut figures).await?;
        measure::reading(&mut figures).await?;
        measure::starting(&mut figures).await?;
        measure::moving_the_clock(&mut figures).await?;
        measure::bytes(&mut figures).await?;
        measure::paging(&mut figures).await
    })?;
    figures.write()
}
