//! The invariants of executions. A stored execution is checked before it is used: the file may have
//! been changed by others.

use super::step::StepState;
use super::{End, Execution, Progress};
use crate::domain::time::Timestamp;

impl Execution {
    /// Returns which invariant this execution breaks, or `None` if it breaks none.
    ///
    /// An execution without a fault can be run to its end: the functions of the state machine
    /// neither panic nor loop for ever, and something is due while it runs, unless it waits for a
    /// person.
    #[must_use]
    pub fn find_fault(&self) -> Option<&'static str> {
        if self.plan.steps.is_empty() {
            return Some("its plan has no steps");
        }
        if self.plan.steps.len() != self.steps.len() {
            return Some("its timeline does not fit its plan");
        }
        let begun = self.begun();
        if self.steps.iter().skip(begun.len()).any(|step| *step != StepState::NotStarted) {
            return Some("a step has begun before the one before it");
        }
        let (last, before) = begun.split_last().unzip();
        if before.is_some_and(|before| !before.iter().all(has_finished)) {
            return Some("a step has begun although the one before it has not finished");
        }
        if !self.fits(last) {
            return Some("its status does not fit its timeline");
        }
        (!self.times().is_sorted()).then_some("its times are not in order")
    }

    /// Returns the steps that have begun.
    fn begun(&self) -> &[StepState] {
        let begun = self.steps.iter().take_while(|step| **step != StepState::NotStarted).count();
        &self.steps[..begun]
    }

    /// Returns whether the last step that has begun fits the progress of the execution.
    fn fits(&self, last: Option<&StepState>) -> bool {
        let last_end = match last {
            Some(StepState::Ended { end, .. }) => Some(*end),
            _ => None,
        };
        let pauses = !self.plan.pause_before(self.begun().len()).is_zero()
            && (last.is_none() || last_end == Some(End::Finished));
        match self.progress {
            Progress::NotStarted => last.is_none(),
            Progress::Running => pauses || last.is_some() && last_end.is_none(),
            Progress::Cancelling { .. } => last_end == Some(End::Cancelled),
            // Its program may have been deleted before it began, or in a pause.
            Progress::Ended { end: End::Cancelled, .. } if pauses || last.is_none() => true,
            Progress::Ended { end: End::Finished, .. } => self.steps.iter().all(has_finished),
            Progress::Ended { end, .. } => last_end == Some(end),
        }
    }

    /// Returns its times; in a sound execution they are in ascending order.
    fn times(&self) -> Vec<Timestamp> {
        let mut times = vec![self.created_at];
        for step in self.begun() {
            match step {
                StepState::NotStarted => {}
                StepState::Running { started_at, until, resumed_at } => {
                    times.push(*started_at);
                    times.extend(*resumed_at);
                    times.push(*until);
                }
                StepState::Waiting { started_at, since, scheduled } => {
                    times.extend([*started_at, *since]);
                    times.extend(scheduled.as_ref().map(|scheduled| scheduled.at));
                }
                StepState::Ended { started_at, resumed_at, at, .. } => {
                    times.push(*started_at);
                    times.extend(*resumed_at);
                    times.push(*at);
                }
            }
        }
        match self.progress {
            Progress::NotStarted | Progress::Running => {}
            Progress::Cancelling { since, until } => times.extend([since, until]),
            Progress::Ended { at, .. } => times.push(at),
        }
        times
    }
}

fn has_finished(step: &StepState) -> bool {
    matches!(step, StepState::Ended { end: End::Finished, .. })
}
