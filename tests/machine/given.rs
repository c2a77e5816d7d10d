//! What is special about an execution.

use cloudmanager_emulator::domain::pipeline::{Action, ImportantFailures};
use cloudmanager_emulator::domain::scenario::Outcome;

use crate::seed::Kind;
use crate::setup::{Fate, Problem, Reading, Setup, Severity};
use crate::step::Step;

/// What is special about the work of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    Nothing,
    /// Somebody has to answer.
    Question,
    Outcome(Outcome),
    Problem(Problem),
    /// A metric of the step's gate, and what the pipeline does about important failures.
    Metric(&'static str, &'static str, ImportantFailures),
}

/// Why gates wait.
const QUESTIONS: [Reading; 4] = [
    question(Action::CodeQuality, "coverage", "41.3"),
    question(Action::CodeQuality, "sqale_rating", "B"),
    question(Action::SecurityTest, "crxde_support", "false"),
    question(Action::ReportPerformanceTest, "response_time", "3"),
];

const fn question(gate: Action, kpi: &'static str, value: &'static str) -> Reading {
    Reading { gate, kpi, value, failure: Some(Severity::Important) }
}

impl Given {
    pub fn setup(self, step: Step) -> Setup {
        let (action, environment) = step.place();
        let mut setup = Setup::of(Kind::Production);
        match self {
            Self::Nothing => {}
            Self::Question => {
                let paused = Fate { outcome: Outcome::Paused, duration: None };
                setup
                    .fates
                    .extend((action == Action::Deploy).then_some(((action, environment), paused)));
                setup.readings =
                    QUESTIONS.into_iter().filter(|reading| reading.gate == action).collect();
            }
            Self::Problem(problem) => setup.problem = Some(problem),
            Self::Outcome(outcome) => {
                setup.fates.push(((action, environment), Fate { outcome, duration: None }));
            }
            Self::Metric(kpi, value, important_failures) => {
                setup.readings.push(Reading { gate: action, kpi, value, failure: None });
                setup.important_failures = important_failures;
            }
        }
        setup
    }
}
