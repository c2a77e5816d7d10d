//! The stored form of an execution's step states: compact JSON. Times are offsets from the
//! creation: they are shorter, and copies of an execution at another time have the same text.

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::domain::execution::End;
use crate::domain::execution::answer::Answer;
use crate::domain::execution::step::{Scheduled, StepState};
use crate::domain::time::Timestamp;

/// A step that has begun. Steps that have not are left out.
#[derive(Serialize, Deserialize)]
enum StepRow {
    /// Started, until, resumed.
    #[serde(rename = "r")]
    Running(i64, i64, Option<i64>),
    /// Started, since, scheduled.
    #[serde(rename = "w")]
    Waiting(i64, i64, Option<ScheduledRow>),
    /// How, started, ended, resumed, answer, timed out.
    #[serde(rename = "e")]
    Ended(End, i64, i64, Option<i64>, Option<AnswerRow>, bool),
}

/// At, as written, given at.
#[derive(Serialize, Deserialize)]
struct ScheduledRow(i64, String, i64);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum AnswerRow {
    Override(bool),
    Approve(bool),
    Immediate,
    Schedule(i64, String),
    Start(bool),
    Resume(bool),
    Cancel,
}

/// Writes the step states of an execution created at `created_at`.
pub(super) fn write(created_at: Timestamp, steps: &[StepState]) -> Result<String, StoreError> {
    let offset = |at: &Timestamp| at.as_millis() - created_at.as_millis();
    let rows: Vec<StepRow> = steps
        .iter()
        .filter_map(|step| match step {
            StepState::NotStarted => None,
            StepState::Running { started_at, until, resumed_at } => Some(StepRow::Running(
                offset(started_at),
                offset(until),
                resumed_at.as_ref().map(offset),
            )),
            StepState::Waiting { started_at, since, scheduled } => Some(StepRow::Waiting(
                offset(started_at),
                offset(since),
                scheduled.as_ref().map(|Scheduled { at, text, given_at }| {
                    ScheduledRow(offset(at), text.clone(), offset(given_at))
                }),
            )),
            StepState::Ended { end, started_at, at, resumed_at, answer, timed_out } => {
                Some(StepRow::Ended(
                    *end,
                    offset(started_at),
                    offset(at),
                    resumed_at.as_ref().map(offset),
                    answer.as_ref().map(|answer| match answer {
                        Answer::Override(value) => AnswerRow::Override(*value),
                        Answer::Approve(value) => AnswerRow::Approve(*value),
                        Answer::Immediate => AnswerRow::Immediate,
                        Answer::Schedule { at, text } => {
                            AnswerRow::Schedule(offset(at), text.clone())
                        }
                        Answer::Start(value) => AnswerRow::Start(*value),
                        Answer::Resume(value) => AnswerRow::Resume(*value),
                        Answer::Cancel => AnswerRow::Cancel,
                    }),
                    *timed_out,
                ))
            }
        })
        .collect();
    serde_json::to_string(&rows).map_err(StoreError::unreadable)
}

/// Reads the states of the `count` steps of an execution created at `created_at`.
pub(super) fn read(
    created_at: Timestamp,
    timeline: &str,
    count: usize,
) -> Result<Vec<StepState>, StoreError> {
    let time = |offset: i64| Timestamp::from_millis(created_at.as_millis().saturating_add(offset));
    let rows: Vec<StepRow> = serde_json::from_str(timeline).map_err(StoreError::unreadable)?;
    let mut steps: Vec<StepState> = rows
        .into_iter()
        .map(|row| match row {
            StepRow::Running(started, until, resumed) => StepState::Running {
                started_at: time(started),
                until: time(until),
                resumed_at: resumed.map(time),
            },
            StepRow::Waiting(started, since, scheduled) => StepState::Waiting {
                started_at: time(started),
                since: time(since),
                scheduled: scheduled.map(|ScheduledRow(at, text, given)| Scheduled {
                    at: time(at),
                    text,
                    given_at: time(given),
                }),
            },
            StepRow::Ended(end, started, at, resumed, answer, timed_out) => StepState::Ended {
                end,
                started_at: time(started),
                at: time(at),
                resumed_at: resumed.map(time),
                answer: answer.map(|answer| match answer {
                    AnswerRow::Override(value) => Answer::Override(value),
                    AnswerRow::Approve(value) => Answer::Approve(value),
                    AnswerRow::Immediate => Answer::Immediate,
                    AnswerRow::Schedule(at, text) => Answer::Schedule { at: time(at), text },
                    AnswerRow::Start(value) => Answer::Start(value),
                    AnswerRow::Resume(value) => Answer::Resume(value),
                    AnswerRow::Cancel => Answer::Cancel,
                }),
                timed_out,
            },
        })
        .collect();
    if steps.len() > count {
        return Err(StoreError::unreadable("a timeline has more steps than its plan"));
    }
    steps.resize(count, StepState::NotStarted);
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let at = Timestamp::from_millis;
        let ended = |answer| StepState::Ended {
            end: End::Cancelled,
            started_at: at(1000),
            at: at(5000),
            resumed_at: Some(at(3000)),
            answer: Some(answer),
            timed_out: true,
        };
        let schedule = Scheduled { at: at(9000), text: "soon".into(), given_at: at(7000) };
        let steps = vec![
            ended(Answer::Override(true)),
            ended(Answer::Approve(false)),
            ended(Answer::Immediate),
            ended(schedule.answer()),
            ended(Answer::Start(true)),
            ended(Answer::Resume(false)),
            ended(Answer::Cancel),
            StepState::Waiting { started_at: at(1000), since: at(2000), scheduled: Some(schedule) },
            StepState::Running { started_at: at(1000), until: at(2000), resumed_at: None },
            StepState::NotStarted,
            StepState::NotStarted,
        ];
        let written = write(at(500), &steps).unwrap();
        assert_eq!(read(at(500), &written, steps.len()).unwrap(), steps);
        assert!(read(at(500), &written, 3).is_err());
        assert!(read(at(500), "[1]", 3).is_err());
    }

    #[test]
    fn a_finished_step_takes_few_bytes() {
        let step = StepState::Ended {
            end: End::Finished,
            started_at: Timestamp::from_millis(1_700_000_000_000),
            at: Timestamp::from_millis(1_700_002_700_000),
            resumed_at: None,
            answer: None,
            timed_out: false,
        };
        let written = write(Timestamp::from_millis(1_700_000_000_000), &[step]).unwrap();
        assert_eq!(written, r#"[{"e":["FINISHED",0,2700000,null,null,false]}]"#);
    }
}
