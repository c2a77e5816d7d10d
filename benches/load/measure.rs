//! The measurements.

use std::error::Error;
use std::io::Write;
use std::process::Command;
use std::time::Instant;

use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _};
use tempfile::{NamedTempFile, TempDir};

use crate::client::{Answer, Connection, load, request};
use crate::compare::{Get, in_turns};
use crate::emulator::{Running, seed as seed_text};
use crate::figures::Figures;
use crate::reference;
use crate::rounds::{ROUND, ROUNDS, median, milliseconds};

/// Whether a measurement could be made.
pub type Done = Result<(), Box<dyn Error>>;

const GO_LIVE: &str = r#"{"approved":true}"#;

pub async fn send(
    address: &str,
    method: &str,
    path: &str,
    body: &str,
) -> Result<Answer, Box<dyn Error>> {
    let mut connection = Connection::open(address).await.map_err(|error| error.to_string())?;
    let answer = connection.send(&request(method, path, body)).await;
    Ok(answer.map_err(|error| error.to_string())?)
}

/// The path to approve at, from the current execution of a pipeline.
async fn go_live(address: &str, pipeline: &str) -> Result<String, Box<dyn Error>> {
    let current = send(address, "GET", &format!("{pipeline}/execution"), "").await?;
    let text = String::from_utf8(current.body)?;
    let is_path = |part: &&str| part.starts_with("/api/") && part.ends_with("/advance");
    let link = text.split('"').find(is_path);
    Ok(link.ok_or("nothing waits")?.to_owned())
}

/// From the start of the process to the first answered request or the running command, and memory
/// when idle.
pub async fn process_start(figures: &mut Figures) -> Done {
    let mut fresh = Vec::new();
    let mut existing = Vec::new();
    let mut idle = Vec::new();
    for _ in 0..11 {
        let directory = TempDir::new()?;
        for times in [&mut fresh, &mut existing] {
            let begin = Instant::now();
            let running = Running::emulator(directory.path(), &[])?;
            send(&running.address, "GET", "/_emulator/health", "").await?;
            times.push(milliseconds(begin.elapsed()));
            idle.push(running.memory()?);
            running.stop()?;
        }
    }
    let (fresh, existing) = (median(fresh).unwrap_or(0.0), median(existing).unwrap_or(0.0));
    figures.add("Start to first answer, new database", format!("{fresh:.1} ms"), "≤ 60 ms");
    figures.add("Start to first answer, existing database", format!("{existing:.1} ms"), "≤ 40 ms");
    let idle = median(idle).unwrap_or(0.0);
    figures.add("Resident memory, idle", format!("{idle:.1} MB"), "≤ 15 MB");

    let mut commands = Vec::new();
    for _ in 0..11 {
        let begin = Instant::now();
        let running = Running::command(&["echo", "running"])?;
        commands.push(milliseconds(begin.elapsed()));
        running.wait()?;
    }
    let command = median(commands).unwrap_or(0.0);
    figures.add("exec: start to the child running", format!("{command:.1} ms"), "< 100 ms");
    Ok(())
}

/// Reads of finished production runs, each beside a route that answers the same bytes: one by
/// itself, in a list of its own, and twenty of them on a page.
pub async fn reading(figures: &mut Figures) -> Done {
    let directory = TempDir::new()?;
    let emulator = Running::emulator(directory.path(), &["--pace", "immediate"])?;
    let pipeline = "/api/program/4/pipeline/1";
    run_to_production(&emulator.address, pipeline).await?;
    let path = format!("{pipeline}/execution/953671");
    let names = ["GET execution, 10 steps, 32 connections", SAME_BYTES];
    read(figures, &emulator, &path, names, "≥ 10,000/s, ratio ≥ 0.7").await?;

    let path = format!("{pipeline}/executions");
    let names = ["GET executions, a list of one", SAME_BYTES];
    read(figures, &emulator, &path, names, "ratio ≥ 0.5").await?;

    for _ in 1..25 {
        run_to_production(&emulator.address, pipeline).await?;
    }
    let names = ["GET executions, a page of twenty", SAME_BYTES];
    read(figures, &emulator, &path, names, "ratio ≥ 0.5").await
}

const SAME_BYTES: &str = "the same bytes from a bare axum route";

/// Starts a production pipeline and lets it go live, which is when its execution is finished.
pub async fn run_to_production(address: &str, pipeline: &str) -> Done {
    send(address, "PUT", &format!("{pipeline}/execution"), "").await?;
    let advance = go_live(address, pipeline).await?;
    send(address, "PUT", &advance, GO_LIVE).await?;
    let last = send(address, "GET", &format!("{pipeline}/executions?limit=1"), "").await?;
    let shown: Value = serde_json::from_slice(&last.body)?;
    match shown["_embedded"]["executions"][0]["status"].as_str() {
        Some("FINISHED") => Ok(()),
        _ => Err(format!("not finished: {shown}").into()),
    }
}

/// Reads what an emulator has at a path, beside a route that answers the same bytes.
async fn read(
    figures: &mut Figures,
    emulator: &Running,
    path: &str,
    names: [&str; 2],
    target: &'static str,
) -> Done {
    let answer = send(&emulator.address, "GET", path, "").await?;
    let mut file = NamedTempFile::new()?;
    file.write_all(&answer.body)?;
    let mut command = Command::new(std::env::current_exe()?);
    let bare = Running::start(command.arg(reference::MODE).arg(file.path()))?;
    let emulated = Get { address: &emulator.address, path };
    let compared = in_turns(emulated, Get { address: &bare.address, path: "/" }).await?;
    compared.add_to(figures, names, target);
    Ok(())
}

/// Starts, each to the end of its execution, beside transactions of one row.
pub async fn starting(figures: &mut Figures) -> Done {
    let directory = TempDir::new()?;
    std::fs::write(directory.path().join("seed.json"), seed_text(64, false))?;
    let options = ["--pace", "immediate", "--seed", "seed.json"];
    let emulator = Running::emulator(directory.path(), &options)?;
    let mut rows = SqliteConnectOptions::new()
        .filename(directory.path().join("rows.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .connect()
        .await?;
    sqlx::query("CREATE TABLE t (a INTEGER, b TEXT)").execute(&mut rows).await?;
    let mut starts = Vec::new();
    let mut transactions = Vec::new();
    for _ in 0..ROUNDS {
        let puts = (1..=64)
            .map(|id| request("PUT", &format!("/api/program/4/pipeline/{id}/execution"), ""))
            .collect();
        starts.push(load(&emulator.address, puts, 201, ROUND).await?.per_second);
        let begin = Instant::now();
        let mut count = 0.0;
        while begin.elapsed() < ROUND {
            let mut transaction = rows.begin_with("BEGIN IMMEDIATE").await?;
            let insert = sqlx::query("INSERT INTO t VALUES (1, 'one row')");
            insert.execute(&mut *transaction).await?;
            transaction.commit().await?;
            count += 1.0;
        }
        transactions.push(count / begin.elapsed().as_secs_f64());
    }
    let (starts, transactions) =
        (median(starts).unwrap_or(0.0), median(transactions).unwrap_or(0.0));
    let name = "Starts, each to the end of its execution, 64 connections";
    figures.add(name, format!("{starts:.0}/s"), "");
    figures.add("single-row transactions through sqlx", format!("{transactions:.0}/s"), "");
    Ok(())
}

/// The clock is advanced over 10,000 executions just started.
pub async fn moving_the_clock(figures: &mut Figures) -> Done {
    const EXECUTIONS: usize = 10_000;
    let mut rates = Vec::new();
    let mut memory = Vec::new();
    let mut timeouts = Vec::new();
    for _ in 0..ROUNDS {
        let directory = TempDir::new()?;
        std::fs::write(directory.path().join("seed.json"), seed_text(EXECUTIONS, true))?;
        let emulator = Running::emulator(directory.path(), &["--seed", "seed.json"])?;
        let mut connection =
            Connection::open(&emulator.address).await.map_err(|error| error.to_string())?;
        for id in 1..=EXECUTIONS {
            let put = request("PUT", &format!("/api/program/4/pipeline/{id}/execution"), "");
            connection.send(&put).await.map_err(|error| error.to_string())?;
        }
        memory.push(emulator.memory()?);
        let begin = Instant::now();
        let path = "/_emulator/clock/advance";
        let moved = send(&emulator.address, "POST", path, r#"{"by":"PT1M"}"#).await?;
        let seconds = begin.elapsed().as_secs_f64();
        let moved: Value = serde_json::from_slice(&moved.body)?;
        rates.push(moved["transitions"].as_f64().ok_or("no transitions")? / seconds);
        let begin = Instant::now();
        send(&emulator.address, "POST", path, r#"{"by":"P14D"}"#).await?;
        timeouts.push(begin.elapsed().as_secs_f64());
    }
    let rate = median(rates).unwrap_or(0.0);
    let name = "Transitions while the clock moves over 10,000 executions";
    figures.add(name, format!("{rate:.0}/s"), "≥ 60,000/s");
    let timeouts = median(timeouts).unwrap_or(0.0);
    let name = "Advance of 14 days over 10,000 executions that wait for approval";
    figures.add(name, format!("{timeouts:.2} s"), "< 1 s");
    let memory = median(memory).unwrap_or(0.0);
    figures.add("Resident memory, 10,000 running executions", format!("{memory:.1} MB"), "");
    Ok(())
}

/// What a finished production execution takes in the file.
pub async fn bytes(figures: &mut Figures) -> Done {
    const EXECUTIONS: u32 = 2_000;
    let directory = TempDir::new()?;
    let database = directory.path().join("cloudmanager.db");
    let emulator = Running::emulator(directory.path(), &["--pace", "realistic"])?;
    emulator.stop()?;
    let before = std::fs::metadata(&database)?.len();
    let emulator = Running::emulator(directory.path(), &["--pace", "realistic"])?;
    let pipeline = "/api/program/4/pipeline/1";
    for _ in 0..EXECUTIONS {
        send(&emulator.address, "PUT", &format!("{pipeline}/execution"), "").await?;
        send(&emulator.address, "POST", "/_emulator/clock/advance", r#"{"by":"P1D"}"#).await?;
        let advance = go_live(&emulator.address, pipeline).await?;
        send(&emulator.address, "PUT", &advance, GO_LIVE).await?;
        send(&emulator.address, "POST", "/_emulator/clock/advance", r#"{"by":"P1D"}"#).await?;
    }
    emulator.stop()?;
    let after = std::fs::metadata(&database)?.len();
    let each = (after - before) / u64::from(EXECUTIONS);
    figures.add("Database, each finished production execution", format!("{each} bytes"), "≤ 2 kB");
    Ok(())
}

/// The first and the last pages of a long history, and how long a very long one takes to make.
pub async fn paging(figures: &mut Figures) -> Done {
    const EXECUTIONS: usize = 100_000;
    const MANY: usize = 1_000_000;
    let directory = TempDir::new()?;
    let emulator = Running::emulator(directory.path(), &[])?;
    let begin = Instant::now();
    make_history(&emulator.address, 1, MANY).await?;
    let seconds = begin.elapsed().as_secs_f64();
    figures.add("Making 1,000,000 past executions", format!("{seconds:.1} s"), "< 60 s");

    make_history(&emulator.address, 2, EXECUTIONS).await?;
    let mut connection =
        Connection::open(&emulator.address).await.map_err(|error| error.to_string())?;
    let mut times = [Vec::new(), Vec::new()];
    for number in 0..500 {
        // No page is asked for twice: it would come from memory.
        let starts = [number, EXECUTIONS - 20 - number];
        for (start, times) in starts.iter().zip(&mut times) {
            let path = format!("/api/program/4/pipeline/2/executions?start={start}&limit=20");
            let page = request("GET", &path, "");
            let begin = Instant::now();
            connection.send(&page).await.map_err(|error| error.to_string())?;
            times.push(milliseconds(begin.elapsed()));
        }
    }
    let [first, last] = times.map(|times| median(times).unwrap_or(0.0));
    figures.add(
        "First and last pages of 100,000 executions",
        format!("{first:.2} ms and {last:.2} ms, ratio {:.2}", last / first),
        "ratio ≤ 1.5",
    );
    Ok(())
}

async fn make_history(address: &str, pipeline: u32, count: usize) -> Done {
    let path = format!("/_emulator/program/4/pipeline/{pipeline}/history");
    let made = send(address, "POST", &path, &format!(r#"{{"count":{count}}}"#)).await?;
    if made.status == 201 { Ok(()) } else { Err(String::from_utf8(made.body)?.into()) }
}
