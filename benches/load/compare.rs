//! Two servers under the same load, in turns.

use std::error::Error;

use crate::client::{Load, load, request};
use crate::figures::Figures;
use crate::rounds::{ROUND, ROUNDS, median, milliseconds};

/// How many connections send requests at once.
const CONNECTIONS: usize = 32;

/// A `GET` that a server answers.
#[derive(Clone, Copy)]
pub struct Get<'a> {
    pub address: &'a str,
    pub path: &'a str,
}

impl Get<'_> {
    async fn load(self) -> Result<Load, Box<dyn Error>> {
        let requests = vec![request("GET", self.path, ""); CONNECTIONS];
        load(self.address, requests, 200, ROUND).await
    }
}

/// What two servers got done, round by round.
pub struct Compared {
    first: Vec<Load>,
    second: Vec<Load>,
}

/// Loads two servers in turns, so that what else the machine does meets both.
pub async fn in_turns(first: Get<'_>, second: Get<'_>) -> Result<Compared, Box<dyn Error>> {
    let mut compared = Compared { first: Vec::new(), second: Vec::new() };
    for _ in 0..ROUNDS {
        compared.first.push(first.load().await?);
        compared.second.push(second.load().await?);
    }
    Ok(compared)
}

impl Compared {
    /// Adds the rates of both, and the first's as a share of the second's.
    pub fn add_to(&self, figures: &mut Figures, names: [&str; 2], target: &'static str) {
        let rounds = self.first.iter().zip(&self.second);
        let ratios = rounds.map(|(first, second)| first.per_second / second.per_second).collect();
        let ratio = median(ratios).unwrap_or(0.0);
        figures.add(names[0], format!("{}, ratio {ratio:.2}", describe(&self.first)), target);
        figures.add(names[1], describe(&self.second), "");
    }
}

fn describe(loads: &[Load]) -> String {
    let rate = median(loads.iter().map(|load| load.per_second).collect()).unwrap_or(0.0);
    let p50 = median(loads.iter().map(|load| load.p50).collect()).unwrap_or_default();
    let p99 = median(loads.iter().map(|load| load.p99).collect()).unwrap_or_default();
    format!("{rate:.0}/s, p50 {:.2} ms, p99 {:.2} ms", milliseconds(p50), milliseconds(p99))
}
