//! What streams of events cost that have nothing to tell.

use std::error::Error;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::client::{Connection, load, request};
use crate::emulator::{Running, seed};
use crate::figures::Figures;
use crate::measure::{Done, send};
use crate::rounds::{ROUND, ROUNDS, median};

const STREAMS: usize = 200;

/// How many executions the clock is moved over.
const EXECUTIONS: usize = 10_000;

/// Readers of streams; they end when dropped.
type Readers = JoinSet<()>;

/// Opens streams of a program in which nothing happens, and reads whatever they tell.
async fn open_streams(address: &str) -> Result<Readers, Box<dyn Error>> {
    let mut readers = JoinSet::new();
    for _ in 0..STREAMS {
        let mut stream = TcpStream::connect(address).await?;
        let get = request("GET", "/_emulator/events?program=5&types=execution", "");
        stream.write_all(&get).await?;
        let mut buffer = vec![0; 4096];
        // Once the head is there, the stream follows what changes.
        if stream.read(&mut buffer).await? == 0 {
            return Err("the stream is refused".into());
        }
        readers.spawn(async move { while stream.read(&mut buffer).await.is_ok_and(|n| n > 0) {} });
    }
    Ok(readers)
}

/// Starts a second, to the end of each execution.
async fn starts(emulator: &Running) -> Result<f64, Box<dyn Error>> {
    let put = |id| request("PUT", &format!("/api/program/4/pipeline/{id}/execution"), "");
    Ok(load(&emulator.address, (1..=64).map(put).collect(), 201, ROUND).await?.per_second)
}

/// Transitions a second while the clock moves over executions just started.
async fn transitions(with_streams: bool) -> Result<f64, Box<dyn Error>> {
    let directory = TempDir::new()?;
    std::fs::write(directory.path().join("seed.json"), seed(EXECUTIONS, true))?;
    let emulator = Running::emulator(directory.path(), &["--seed", "seed.json"])?;
    let mut connection =
        Connection::open(&emulator.address).await.map_err(|error| error.to_string())?;
    for id in 1..=EXECUTIONS {
        let put = request("PUT", &format!("/api/program/4/pipeline/{id}/execution"), "");
        connection.send(&put).await.map_err(|error| error.to_string())?;
    }
    let _readers = if with_streams { Some(open_streams(&emulator.address).await?) } else { None };
    let begin = Instant::now();
    let path = "/_emulator/clock/advance";
    let moved = send(&emulator.address, "POST", path, r#"{"by":"PT1M"}"#).await?;
    let seconds = begin.elapsed().as_secs_f64();
    let moved: Value = serde_json::from_slice(&moved.body)?;
    Ok(moved["transitions"].as_f64().ok_or("no transitions")? / seconds)
}

/// Starts and transitions with idle streams beside those without any, in turns.
pub async fn idle_streams(figures: &mut Figures) -> Done {
    let mut emulators = Vec::new();
    let mut directories = Vec::new();
    for _ in 0..2 {
        let directory = TempDir::new()?;
        std::fs::write(directory.path().join("seed.json"), seed(64, false))?;
        let options = ["--pace", "immediate", "--seed", "seed.json"];
        emulators.push(Running::emulator(directory.path(), &options)?);
        directories.push(directory);
    }
    let [without, with] = emulators.as_slice() else { return Err("no emulators".into()) };
    let readers = open_streams(&with.address).await?;
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let bare = starts(without).await?;
        ratios.push(starts(with).await? / bare);
    }
    drop(readers);
    add(figures, "Starts with 200 idle streams of events, as a share of those without", ratios);

    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let bare = transitions(false).await?;
        ratios.push(transitions(true).await? / bare);
    }
    add(figures, "Transitions with 200 idle streams of events, likewise", ratios);
    Ok(())
}

fn add(figures: &mut Figures, name: &'static str, ratios: Vec<f64>) {
    let ratio = median(ratios).unwrap_or(0.0);
    figures.add(name, format!("{ratio:.2}"), "≥ 0.95");
}
