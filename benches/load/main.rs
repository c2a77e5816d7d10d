//! The load benchmark: `cargo bench`. It drives the real program, with the load generator beside
//! it, and writes docs/performance.md. `cargo bench --bench load -- reading` measures one part
//! alone and writes nothing. `cargo bench --bench load -- soak 5` loads it for five minutes, and fails
//! if memory or descriptors grow; nothing else does that.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

mod client;
mod compare;
mod emulator;
mod figures;
mod measure;
mod reference;
mod rounds;
mod soak;
mod streams;

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
    let mut given = arguments[1..].iter().filter(|argument| !argument.starts_with('-'));
    let only = given.next();
    let wanted = |part: &str| only.is_none_or(|only| only == part);
    let mut figures = Figures::default();
    runtime.block_on(async {
        if wanted("process_start") {
            measure::process_start(&mut figures).await?;
        }
        if wanted("reading") {
            measure::reading(&mut figures).await?;
        }
        if wanted("starting") {
            measure::starting(&mut figures).await?;
        }
        if wanted("moving_the_clock") {
            measure::moving_the_clock(&mut figures).await?;
        }
        if wanted("idle_streams") {
            streams::idle_streams(&mut figures).await?;
        }
        if wanted("bytes") {
            measure::bytes(&mut figures).await?;
        }
        if wanted("paging") {
            measure::paging(&mut figures).await?;
        }
        if only.is_some_and(|only| only == "soak") {
            soak::soak(&mut figures, given.next().map(String::as_str)).await?;
        }
        Ok::<(), Box<dyn Error>>(())
    })?;
    if only.is_some() { Ok(()) } else { figures.write() }
}
