use std::io::Read;

use flate2::read::GzDecoder;
use proptest::prelude::*;

use super::*;

const DAY: i64 = MINUTES_OF_A_DAY * MINUTE;

fn log_of(option: LogOption, day: &str, now: Timestamp) -> DayLog {
    let day = day.parse().unwrap();
    DayLog::new(ProgramId::new(5), EnvironmentId::new(7), option, day, now)
}

fn log_at(option: LogOption, now: &str) -> DayLog {
    log_of(option, "2026-11-23", Timestamp::parse(now).unwrap())
}

fn whole(log: &DayLog) -> String {
    String::from_utf8(log.read(0, u64::MAX, usize::MAX)).unwrap()
}

/// Returns the first time of day in a line, in seconds.
fn second_in(line: &str) -> i64 {
    let number = |text: &str| text.parse::<i64>().ok();
    let found = line.split(['[', ' ', '.', '"']).find_map(|word| {
        let parts: Vec<_> = word.split(':').collect();
        let [.., hour, minute, second] = parts[..] else { return None };
        Some(number(hour)? * 3600 + number(minute)? * 60 + number(second)?)
    });
    found.unwrap()
}

#[test]
fn every_minute_has_one_to_three_lines_in_the_order_of_time() {
    for option in LogOption::ALL {
        let text = whole(&log_at(option, "2026-11-24T12:00:00Z"));
        let seconds: Vec<_> = text.lines().map(second_in).collect();
        assert!(seconds.is_sorted(), "{option:?}");
        for minute in 0..MINUTES_OF_A_DAY {
            let lines = seconds.iter().filter(|second| **second / 60 == minute).count();
            assert!((1..=3).contains(&lines), "{option:?}, minute {minute}: {lines} lines");
        }
    }
}

#[test]
fn lines_have_the_form_of_their_log() {
    for (service, name, form) in [
        ("author", "aemerror", "23.11.2026 00:00:"),
        ("publish", "aemerror", "23.11.2026 00:00:"),
        ("author", "aemaccess", "203.0.113."),
        ("author", "aemrequest", "23/Nov/2026:00:00:"),
        ("dispatcher", "aemdispatcher", "[Mon Nov 23 00:00:"),
        ("dispatcher", "httpderror", "[Mon Nov 23 00:00:"),
        ("dispatcher", "httpdaccess", "203.0.113."),
    ] {
        let option = LogOption::find(service, name).unwrap();
        let text = whole(&log_at(option, "2026-11-23T00:00:59.999Z"));
        assert!(text.starts_with(form), "{text}");
        assert!(text.ends_with('\n'), "{text}");
        assert!(text.contains("00:00:"), "{text}");
    }
}

#[test]
fn only_offered_logs_are_found() {
    for option in LogOption::ALL {
        let LogOption { service, name } = option;
        assert_eq!(LogOption::find(service.as_str(), name.as_str()), Some(option));
    }
    assert_eq!(LogOption::find("dispatcher", "aemerror"), None);
    assert_eq!(LogOption::find("author", "AemError"), None);
}

#[test]
fn logs_differ_by_program_environment_service_and_day() {
    let option = LogOption::ALL[0];
    let day = "2026-11-23".parse().unwrap();
    let log = |program, environment, option, day| {
        let (program, environment) = (ProgramId::new(program), EnvironmentId::new(environment));
        whole(&DayLog::new(program, environment, option, day, Timestamp::MAX))
    };
    let own = log(5, 7, option, day);
    assert_eq!(own, log(5, 7, option, day));
    assert_ne!(own, log(6, 7, option, day));
    assert_ne!(own, log(5, 8, option, day));
    assert_ne!(own, log(5, 7, LogOption::ALL[3], day));
    let other = log(5, 7, option, "2026-11-22".parse().unwrap());
    assert_ne!(own, other.replace("22.11.2026", "23.11.2026"));
}

#[test]
fn a_day_is_complete_at_its_last_millisecond_and_the_next_begins_after_it() {
    for option in LogOption::ALL {
        let last = whole(&log_at(option, "2026-11-23T23:59:59.999Z"));
        assert_eq!(last, whole(&log_at(option, "2026-11-24T00:00:00.000Z")));
        assert_eq!(last, whole(&log_of(option, "2026-11-23", Timestamp::MAX)));
        assert_eq!(second_in(last.lines().last().unwrap()) / 60, MINUTES_OF_A_DAY - 1);

        let tomorrow = |now| log_of(option, "2026-11-24", Timestamp::parse(now).unwrap());
        assert!(tomorrow("2026-11-23T23:59:59.999Z").is_empty());
        assert!(whole(&tomorrow("2026-11-24T00:00:00.000Z")).lines().count() <= 1);
        assert!(!tomorrow("2026-11-24T00:00:59.999Z").is_empty());
    }
}

#[test]
fn a_line_appears_at_its_own_millisecond() {
    let option = LogOption::find("author", "aemerror").unwrap();
    let text = whole(&log_at(option, "2026-11-23T12:00:00Z"));
    let line = text.lines().last().unwrap();
    let time = Timestamp::parse(&format!("2026-11-23T{}Z", &line[11..23])).unwrap();
    assert_eq!(whole(&log_of(option, "2026-11-23", time)), text);
    let before = whole(&log_of(option, "2026-11-23", Timestamp::from_millis(time.as_millis() - 1)));
    assert_eq!(before, text[..text.len() - line.len() - 1]);
}

#[test]
fn gzip_names_no_time_and_gives_the_same_bytes() {
    let log = log_at(LogOption::ALL[0], "2026-11-23T02:41:07Z");
    let bytes = log.gzip().unwrap();
    assert_eq!(bytes, log.gzip().unwrap());
    assert_eq!(bytes[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
}

prop_compose! {
    fn any_option()(position in 0..LogOption::ALL.len()) -> LogOption {
        LogOption::ALL[position]
    }
}

prop_compose! {
    /// From an hour before the day to an hour after it.
    fn any_now()(millis in -3_600_000..DAY + 3_600_000) -> Timestamp {
        let day: Day = "2026-11-23".parse().unwrap();
        Timestamp::from_millis(day.starts_at().as_millis() + millis)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_log_only_grows(option in any_option(), one in any_now(), other in any_now()) {
        let earlier = whole(&log_of(option, "2026-11-23", one.min(other)));
        let later = whole(&log_of(option, "2026-11-23", one.max(other)));
        prop_assert!(later.starts_with(&earlier));
    }

    #[test]
    fn a_minute_never_passes_without_a_line(option in any_option(), now in any_now()) {
        let length = |day: Day, now| {
            DayLog::new(ProgramId::new(5), EnvironmentId::new(7), option, day, now).len()
        };
        let later = now + Duration::from_mins(1);
        let (day, next) = (Day::of(now), Day::of(later));
        prop_assert!(length(day, later) > length(day, now) || length(next, later) > length(next, now));
    }

    #[test]
    fn pieces_make_the_whole(
        option in any_option(), now in any_now(), piece in 1_000_u64..10_000, max in 1_000_usize..10_000,
    ) {
        let log = log_of(option, "2026-11-23", now);
        let text = whole(&log).into_bytes();
        prop_assert_eq!(log.len(), text.len() as u64);
        prop_assert_eq!(log.is_empty(), text.is_empty());
        let start = log.len().saturating_sub(piece * 2 + 1);
        let mut read = Vec::new();
        while start + (read.len() as u64) < log.len() {
            let at = start + read.len() as u64;
            let bytes = log.read(at, at + piece, max);
            prop_assert!(!bytes.is_empty());
            prop_assert!(bytes.len() <= max && bytes.len() as u64 <= piece);
            read.extend(bytes);
        }
        let from = usize::try_from(start).unwrap();
        prop_assert_eq!(&text[from..], &read[..]);
        prop_assert!(log.read(log.len(), u64::MAX, usize::MAX).is_empty());
        prop_assert!(log.read(u64::MAX, u64::MAX, usize::MAX).is_empty());
        prop_assert!(log.read(9, 3, usize::MAX).is_empty());
    }

    #[test]
    fn gunzipping_gives_the_log(option in any_option(), now in any_now()) {
        let log = log_of(option, "2026-11-23", now);
        let mut text = String::new();
        GzDecoder::new(&log.gzip().unwrap()[..]).read_to_string(&mut text).unwrap();
        prop_assert_eq!(text, whole(&log));
    }
}
