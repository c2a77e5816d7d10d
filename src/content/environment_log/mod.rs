//! The logs of an environment, one for each service and day. They are computed from their names and
//! the time; nothing is stored. Over time a log only grows: clients read it in parts.

mod day;
mod line;
mod option;
mod texts;

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::domain::id::{EnvironmentId, ProgramId};
use crate::domain::noise::Noise;
use crate::domain::time::{Duration, Timestamp};

pub use day::{Day, InvalidDay};
use line::{LineOrigin, LineWriter};
pub use option::{LogName, LogOption, Service};

const MINUTE: i64 = Duration::from_mins(1).as_millis();
const MINUTES_OF_A_DAY: i64 = 24 * 60;

/// The log of a day as it stands at some instant.
#[derive(Clone, Debug)]
pub struct DayLog {
    name: LogName,
    writer: LineWriter,
    /// Of the log on this day.
    noise: Noise,
    /// When in each minute, in milliseconds, the first line is written: on all days the same, so
    /// that no two of these lines are more than a minute apart.
    beat: i64,
    /// Lines up to this millisecond of the day exist already; negative before the day.
    until: i64,
}

impl DayLog {
    /// Returns the log of a day as it stands at `now`: empty before the day, complete after it.
    #[must_use]
    pub fn new(
        program_id: ProgramId,
        environment_id: EnvironmentId,
        option: LogOption,
        day: Day,
        now: Timestamp,
    ) -> Self {
        let LogOption { service, name } = option;
        let program = program_id.to_string();
        let environment = environment_id.to_string();
        let words = [&program, &environment, service.as_str(), name.as_str()];
        let log = Noise::of(&words);
        Self {
            name,
            writer: LineWriter::new(service, name, day.starts_at()),
            noise: log.about(day.starts_at().as_millis().cast_unsigned()),
            beat: log.below(0, 20_000).cast_signed(),
            until: now.as_millis() - day.starts_at().as_millis(),
        }
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.lines().map(|line| line.len() as u64).sum()
    }

    /// Returns whether nothing has been logged.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines().next().is_none()
    }

    /// Returns the bytes from `start` up to `end`, at most `max` of them; empty past the end of the
    /// log.
    #[must_use]
    pub fn read(&self, start: u64, end: u64, max: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut line_start = 0_u64;
        for line in self.lines() {
            let at = start.saturating_add(bytes.len() as u64);
            if at >= end || bytes.len() >= max {
                break;
            }
            let line = line.as_bytes();
            let line_end = line_start.saturating_add(line.len() as u64);
            if at < line_end {
                let offset = usize::try_from(at - line_start).unwrap_or(line.len());
                let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(max - bytes.len());
                bytes.extend(line.iter().skip(offset).take(wanted));
            }
            line_start = line_end;
        }
        bytes
    }

    /// Returns the whole log as a gzip file. The same log gives the same bytes.
    pub fn gzip(&self) -> io::Result<Vec<u8>> {
        // The encoder's default header names neither a time nor a file.
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        for line in self.lines() {
            encoder.write_all(line.as_bytes())?;
        }
        encoder.finish()
    }

    /// Returns the lines so far, with their line ends, one at a time.
    fn lines(&self) -> impl Iterator<Item = String> {
        (0..MINUTES_OF_A_DAY)
            .flat_map(|minute| self.entries(minute))
            .take_while(|entry| entry.at <= self.until)
            .map(|entry| self.writer.write(&entry))
    }

    /// Returns the one to three lines of a minute, by their time.
    fn entries(&self, minute: i64) -> impl Iterator<Item = LineOrigin> + use<> {
        let noise = self.noise.about(minute.cast_unsigned());
        let (beat, first) = (self.beat, minute * MINUTE + self.beat);
        let (count, reach) = match self.name {
            // A request and its answer, within a second.
            LogName::AemRequest => (2, 1000),
            _ => (1 + noise.below(0, 3).cast_signed(), MINUTE - beat),
        };
        // The rest of the minute is divided among the lines, so that they are in order.
        let part = reach / count;
        let mut last = first;
        (0..count).map(move |position| {
            let place = position.cast_unsigned();
            let delay = noise.below(1 + place, part.cast_unsigned()).cast_signed();
            let at = if position == 0 { first } else { first + position * part + delay };
            let since_last = at - last;
            last = at;
            LineOrigin { at, noise: noise.about(place), position, since_last }
        })
    }
}

#[cfg(test)]
mod tests;
