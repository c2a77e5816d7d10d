//! Mixed load for a long time: memory and open descriptors must stay within bounds.

use std::error::Error;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::client::{Connection, request};
use crate::emulator::{Running, seed};
use crate::figures::Figures;
use crate::measure::{Done, run_to_production, send};
use crate::rounds::median;

/// How many callers there are at a time, each with a pipeline of its own.
const CALLERS: usize = 8;

/// How long it takes if nothing is said, in minutes.
const USUAL: u64 = 5;

/// How often memory and descriptors are looked at.
const PERIOD: Duration = Duration::from_secs(1);

/// The most memory, in MB, and the most of it that may be added after the first fifth of the time.
const LARGEST_MEMORY: f64 = 300.0;
const LARGEST_GROWTH: f64 = 0.25;

/// The most open descriptors: for each caller some connections, and what the database needs.
const MOST_DESCRIPTORS: usize = 100;

/// Memory in MB and open descriptors at one moment.
type Sample = (f64, usize);

/// Loads an emulator for some minutes.
pub async fn soak(figures: &mut Figures, minutes: Option<&str>) -> Done {
    let minutes = minutes.map_or(Ok(USUAL), str::parse)?;
    let time = Duration::from_secs(minutes * 60);
    let directory = TempDir::new()?;
    std::fs::write(directory.path().join("seed.json"), seed(CALLERS, true))?;
    let options = ["--pace", "immediate", "--seed", "seed.json"];
    let emulator = Running::emulator(directory.path(), &options)?;
    let begin = Instant::now();
    let mut callers = JoinSet::new();
    for number in 1..=CALLERS {
        let address = emulator.address.clone();
        callers.spawn(async move {
            let mut rounds = 0_u64;
            while begin.elapsed() < time {
                act(&address, number).await.map_err(|error| error.to_string())?;
                rounds += 1;
            }
            Ok::<_, String>(rounds)
        });
    }
    let samples = watch(&emulator, begin, time).await?;
    let mut rounds = 0;
    while let Some(done) = callers.join_next().await {
        rounds += done??;
    }
    check(figures, &samples, rounds)
}

/// An execution from its start to its end, and what its readers ask for meanwhile.
async fn act(address: &str, number: usize) -> Done {
    let pipeline = format!("/api/program/4/pipeline/{number}");
    run_to_production(address, &pipeline).await?;
    let variable =
        r#"[{"name":"SOAK","value":"x"},{"name":"SECRET","value":"y","type":"secretString"}]"#;
    for (method, path, body, status) in [
        ("PATCH", format!("{pipeline}/variables"), variable, 204),
        ("GET", format!("{pipeline}/executions?limit=20"), "", 200),
        ("GET", "/api/program/4/pipelines".to_owned(), "", 200),
        ("POST", "/_emulator/clock/advance".to_owned(), r#"{"by":"PT1S"}"#, 200),
        ("GET", "/_emulator/requests".to_owned(), "", 200),
        ("GET", "/api/program/4/nothing".to_owned(), "", 404),
        ("PATCH", format!("{pipeline}/variables"), "{", 400),
    ] {
        let answer = send(address, method, &path, body).await?;
        if answer.status != status {
            return Err(format!("{method} {path}: {}", answer.status).into());
        }
    }
    // Somebody begins to follow, or to ask, and leaves.
    let mut gone = Connection::open(address).await.map_err(|error| error.to_string())?;
    gone.begin(&request("GET", "/_emulator/events", "")).await?;
    let wait = format!("{}/execution/1/wait?for=ENDED", pipeline.replace("/api", "/_emulator"));
    let mut gone = Connection::open(address).await.map_err(|error| error.to_string())?;
    gone.begin(&request("GET", &wait, "")).await?;
    Ok(())
}

async fn watch(
    emulator: &Running,
    begin: Instant,
    time: Duration,
) -> Result<Vec<Sample>, Box<dyn Error>> {
    let mut ticks = interval(PERIOD);
    let mut samples = Vec::new();
    while begin.elapsed() < time {
        ticks.tick().await;
        samples.push((emulator.memory()?, emulator.descriptors()?));
    }
    Ok(samples)
}

/// The bounds hold; by how much, the figures tell.
fn check(figures: &mut Figures, samples: &[Sample], rounds: u64) -> Done {
    let fifth = samples.len() / 5;
    let memory = |samples: &[Sample]| median(samples.iter().map(|(memory, _)| *memory).collect());
    let early = memory(&samples[fifth..2 * fifth]).ok_or("too short")?;
    let late = memory(&samples[samples.len() - fifth..]).ok_or("too short")?;
    let most = samples.iter().map(|(memory, _)| *memory).fold(0.0, f64::max);
    let descriptors = samples.iter().map(|(_, descriptors)| *descriptors).max().unwrap_or(0);
    figures.add("Executions to production", rounds.to_string(), "");
    let text = format!("{early:.1} MB early, {late:.1} MB late, {most:.1} MB at most");
    figures.add("Resident memory under mixed load", text, "≤ 300 MB, a quarter more at most");
    figures.add("Open descriptors, at most", descriptors.to_string(), "≤ 100");
    let is_bounded = most <= LARGEST_MEMORY
        && late <= early * (1.0 + LARGEST_GROWTH)
        && descriptors <= MOST_DESCRIPTORS;
    if is_bounded {
        Ok(())
    } else {
        Err("memory or descriptors are not within their bounds".into())
    }
}
