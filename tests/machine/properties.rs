//! Random executions that go random ways, 5,000 in all.

use cloudmanager_emulator::domain::execution::machine::{self, Effects};
use cloudmanager_emulator::domain::execution::status::StepStatus;
use cloudmanager_emulator::domain::pipeline::Action;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::duel::{Duel, at};
use crate::setup::Setup;
use crate::strategies::{Move, length_of_time, moves, setup};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 1_000,
        ..ProptestConfig::default()
    }
}

fn play(setup: &Setup, moves: &[Move]) -> Duel {
    let mut duel = Duel::start(setup);
    for next in moves {
        next.make(&mut duel);
    }
    duel
}

proptest! {
    #![proptest_config(config(3_500))]

    /// Every comparison and invariant is checked after each move; see `Duel`.
    #[test]
    fn the_machine_does_what_the_rules_say(setup in setup(), moves in moves()) {
        play(&setup, &moves);
    }
}

proptest! {
    #![proptest_config(config(750))]

    #[test]
    fn time_is_additive(
        setup in setup(),
        moves in moves(),
        lengths in vec(length_of_time(), 0..12),
    ) {
        let duel = play(&setup, &moves);
        let (mut once, mut often) = (duel.execution.clone(), duel.execution);
        let (mut at_once, mut bit_by_bit) = (Effects::default(), Effects::default());
        let mut now = duel.now;
        for length in lengths {
            now += length;
            machine::run_until(&mut often, at(now), &mut bit_by_bit);
        }
        machine::run_until(&mut once, at(now), &mut at_once);
        prop_assert_eq!(once, often);
        prop_assert_eq!(at_once, bit_by_bit);
    }

    #[test]
    fn terminates(setup in setup(), moves in moves()) {
        let mut duel = play(&setup, &moves);
        // A step is due at most four times: it begins, it begins to wait, its time comes, it is
        // stopped. After the last one comes the end.
        for _ in 0..=4 * duel.model.step_count() {
            let Some(due) = duel.model.due_at() else { break };
            duel.pass_until(due);
        }
        let current = duel.model.current();
        let state = &duel.execution.steps[current];
        let is_paused = duel.execution.plan.steps[current].action == Action::Deploy
            && state.status() == StepStatus::Waiting;
        prop_assert!(duel.execution.finished_at().is_some() != is_paused);
    }
}
