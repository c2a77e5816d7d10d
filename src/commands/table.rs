//! What runs, as a table.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use crate::control::status::{LastExecution, LastStep, PipelineOverview, StatusView};
use crate::domain::environment::EnvironmentType;
use crate::domain::execution::status::StepStatus;
use crate::domain::time::Timestamp;
use crate::log::terminal::{colour, styled, to_the_second};

/// How many characters the bar of a running step has.
const BAR: u64 = 24;

/// Returns the table at a time of the emulator's clock.
pub(super) fn render(status: &StatusView, now: &str, colours: bool) -> String {
    let mut text = format!("{}  clock rate {}\n", to_the_second(now), status.rate);
    for program in &status.programs {
        line(&mut text, &format!("\n{} (program {})", program.name, program.id));
        for pipeline in &program.pipelines {
            add_pipeline(&mut text, pipeline, now, colours);
        }
    }
    if status.programs.is_empty() {
        line(&mut text, "There are no programs.");
    }
    text
}

fn line(text: &mut String, content: &str) {
    text.push_str(content.trim_end());
    text.push('\n');
}

fn add_pipeline(text: &mut String, pipeline: &PipelineOverview, now: &str, colours: bool) {
    let PipelineOverview { id, name, execution } = pipeline;
    let Some(execution) = execution else {
        line(text, &format!("  {name} (pipeline {id}): not executed yet"));
        return;
    };
    let LastExecution { id: number, status, trigger, mode, .. } = execution;
    line(
        text,
        &format!("  {name} (pipeline {id}): execution {number} {status}, {trigger}, {mode}"),
    );
    for step in &execution.steps {
        let environment = step.environment_type.map_or("", EnvironmentType::as_str);
        let name = format!("{} {environment}", step.action);
        let status = format!("{:<12}", step.status.as_str());
        let status = if colours { styled(style_of(step.status), &status) } else { status };
        let progress = progress(step, execution.due_at.as_deref(), now);
        line(text, &format!("    {status} {name:<30} {progress}"));
    }
}

/// Returns how far a step has come: its time, a bar while it runs, until when it waits.
fn progress(step: &LastStep, due_at: Option<&str>, now: &str) -> String {
    let until = || {
        due_at
            .map_or("until somebody answers".into(), |due| format!("until {}", to_the_second(due)))
    };
    match (step.status, &step.started_at, &step.finished_at) {
        (StepStatus::Waiting, ..) => format!("waits {}", until()),
        (StepStatus::Running, Some(started_at), _) => {
            let done = due_at.and_then(|due| thousandths(started_at, due, now)).unwrap_or(0);
            let mut bar = String::new();
            for place in 0..BAR {
                bar.push(if place * 1000 < done * BAR { '#' } else { '-' });
            }
            format!("[{bar}] {:>3} %, {}", done / 10, until())
        }
        (_, Some(started_at), Some(finished_at)) => {
            let mut text = to_the_second(finished_at);
            if let Some(took) = duration(started_at, finished_at) {
                // Writing to a string can't fail.
                let _ = write!(text, ", after {took}");
            }
            text
        }
        _ => String::new(),
    }
}

fn thousandths(from: &str, to: &str, now: &str) -> Option<u64> {
    let millis = |text: &str| Timestamp::parse(text).ok().map(Timestamp::as_millis);
    let (from, to, now) = (millis(from)?, millis(to)?, millis(now)?);
    let (done, whole) = (now.saturating_sub(from), to.saturating_sub(from));
    if whole <= 0 {
        return Some(1000);
    }
    u64::try_from(done.clamp(0, whole).saturating_mul(1000) / whole).ok()
}

fn duration(from: &str, to: &str) -> Option<String> {
    let millis = |text: &str| Timestamp::parse(text).ok().map(Timestamp::as_millis);
    let seconds = millis(to)?.saturating_sub(millis(from)?) / 1000;
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let (days, hours) = (hours / 24, hours % 24);
    Some(match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {seconds} s"),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    })
}

fn style_of(status: StepStatus) -> Style {
    match status {
        StepStatus::NotStarted => Style::new().dimmed(),
        StepStatus::Running => colour(AnsiColor::Cyan),
        StepStatus::Waiting => colour(AnsiColor::Yellow),
        StepStatus::Finished => colour(AnsiColor::Green),
        StepStatus::Failed | StepStatus::Error | StepStatus::Cancelled => colour(AnsiColor::Red),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn steps_show_how_far_they_have_come() {
        let at = |time: &str| format!("2026-03-05T{time}.000+0000");
        let step = |action: &str, status: &str| json!({"action": action, "status": status});
        let mut steps =
            [step("build", "FINISHED"), step("deploy", "RUNNING"), step("approval", "NOT_STARTED")];
        steps[0]["startedAt"] = at("10:00:00").into();
        steps[0]["finishedAt"] = at("10:08:05").into();
        steps[1]["startedAt"] = at("10:08:05").into();
        steps[1]["environmentType"] = "stage".into();
        let execution = json!({"id": "9", "status": "RUNNING", "trigger": "MANUAL", "mode": "NORMAL",
            "createdAt": at("10:00:00"), "dueAt": at("10:08:25"), "steps": steps});
        let pipelines = json!([{"id": "1", "name": "Production", "execution": execution},
            {"id": "2", "name": "Dev"}]);
        let status: StatusView = serde_json::from_value(json!({"now": at("10:08:10"), "rate": 1.0,
            "programs": [{"id": "4", "name": "Shop", "pipelines": pipelines}]}))
        .unwrap();
        let expected = "2026-03-05 10:08:10  clock rate 1\n\n\
            Shop (program 4)\n  \
            Production (pipeline 1): execution 9 RUNNING, MANUAL, NORMAL\n    \
            FINISHED     build                          2026-03-05 10:08:05, after 8 min 5 s\n    \
            RUNNING      deploy stage                   [######------------------]  25 %, \
            until 2026-03-05 10:08:25\n    \
            NOT_STARTED  approval\n  \
            Dev (pipeline 2): not executed yet\n";
        assert_eq!(render(&status, &status.now, false), expected);
    }
}
