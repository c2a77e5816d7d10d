//! Fault rules: which calls fail or are delayed, and how.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::WireFault;
use crate::domain::time::{Duration, Timestamp};

/// How many rules there may be. Each call goes through all of them.
pub const MOST_RULES: usize = 1000;

/// The predefined fault injection rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Every 20th call gets a 401 as from the gateway.
    #[serde(rename = "flaky-401")]
    Flaky401,
    /// Every call gets a 503 with `Retry-After: 30`.
    #[serde(rename = "outage-503")]
    Outage503,
    /// The connection is reset in the middle of every file.
    ResetMidLog,
    /// Every call takes two seconds longer.
    Slow,
}

/// How a fault ends a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultAction {
    /// With an error, in place of the operation.
    Status {
        /// Its status.
        status: StatusCode,
        /// After how many seconds the caller is told to try again.
        retry_after: Option<u64>,
    },
    /// With a broken connection, in place of the operation.
    Wire(WireFault),
    /// With a connection that is reset in the middle of the operation's own answer.
    ResetMidBody,
}

/// A rule by which calls fail or are delayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The preset that it was made from.
    pub preset: Option<Preset>,
    /// The operation whose calls it is for, or `None` for all of `/api`.
    pub operation: Option<String>,
    /// How many calls pass first.
    pub after: u64,
    /// Of the calls after those, every n-th is affected; at least 1.
    pub every: u64,
    /// How often the rule is used, or `None` without a limit.
    pub times: Option<u64>,
    /// The delay of a call, in real time.
    pub latency: Option<Duration>,
    /// How it ends a call, or `None` if the call goes on.
    pub action: Option<FaultAction>,
    /// How long the rule is valid, and until when.
    pub life: Option<(Duration, Timestamp)>,
}

/// A rule in the list, with its counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRule {
    /// Its identifier.
    pub id: u64,
    /// The rule.
    pub rule: Rule,
    /// How many calls it counted.
    pub matched: u64,
    /// How often it was used.
    pub used: u64,
}

/// What a rule does to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Injection {
    /// The rule.
    pub rule: u64,
    /// The delay, in real time.
    pub latency: Option<Duration>,
    /// How it ends the call, or `None` if the call goes on.
    pub action: Option<FaultAction>,
}

/// The list of rules is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are {MOST_RULES} rules already; delete some")]
pub struct TooManyRules;

impl Rule {
    fn is_for(&self, operation: Option<&str>, is_api: bool) -> bool {
        match &self.operation {
            None => is_api,
            Some(id) => operation == Some(id),
        }
    }
}

impl ListedRule {
    fn is_over(&self, now: Timestamp) -> bool {
        self.rule.times.is_some_and(|times| self.used >= times)
            || self.rule.life.is_some_and(|(_, until)| now >= until)
    }

    /// Counts a call that the rule is for. Returns whether the rule affects it.
    fn count(&mut self) -> bool {
        self.matched += 1;
        let beyond = self.matched.saturating_sub(self.rule.after);
        beyond > 0 && beyond.is_multiple_of(self.rule.every)
    }
}

/// The rules, in the order in which they were made.
#[derive(Debug, Default)]
pub struct Faults {
    /// Whether there are any rules. Calls read this first, so that they don't take the lock while
    /// there are none.
    any: AtomicBool,
    rules: Mutex<Rules>,
}

#[derive(Debug, Default)]
struct Rules {
    list: Vec<ListedRule>,
    last_id: u64,
}

impl Faults {
    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a rule at the end of the list. If the list is full, expired rules are removed. They are
    /// kept until then, so that users can see their counters.
    pub fn add(&self, rule: Rule, now: Timestamp) -> Result<ListedRule, TooManyRules> {
        let mut rules = self.rules();
        if rules.list.len() >= MOST_RULES {
            rules.list.retain(|listed| !listed.is_over(now));
        }
        if rules.list.len() >= MOST_RULES {
            return Err(TooManyRules);
        }
        rules.last_id += 1;
        let listed = ListedRule { id: rules.last_id, rule, matched: 0, used: 0 };
        rules.list.push(listed.clone());
        self.any.store(true, Ordering::SeqCst);
        Ok(listed)
    }

    /// Returns the rules in order, with the expired ones.
    #[must_use]
    pub fn list(&self) -> Vec<ListedRule> {
        self.rules().list.clone()
    }

    /// Removes a rule. Returns whether there was one.
    pub fn remove(&self, id: u64) -> bool {
        let mut rules = self.rules();
        let before = rules.list.len();
        rules.list.retain(|listed| listed.id != id);
        self.any.store(!rules.list.is_empty(), Ordering::SeqCst);
        rules.list.len() < before
    }

    /// Removes all rules. New rules still get new identifiers.
    pub fn clear(&self) {
        let mut rules = self.rules();
        rules.list.clear();
        self.any.store(false, Ordering::SeqCst);
    }

    /// Returns what to do to a call of `operation`: the first rule in the list that affects it
    /// wins. Later rules count the call all the same, so that "every 20th call" does not depend on
    /// others.
    pub fn choose(
        &self,
        operation: Option<&str>,
        is_api: bool,
        now: Timestamp,
    ) -> Option<Injection> {
        if !self.any.load(Ordering::SeqCst) {
            return None;
        }
        let mut chosen = None;
        for listed in &mut self.rules().list {
            if !listed.rule.is_for(operation, is_api) || listed.is_over(now) {
                continue;
            }
            if listed.count() && chosen.is_none() {
                listed.used += 1;
                let Rule { latency, action, .. } = listed.rule;
                chosen = Some(Injection { rule: listed.id, latency, action });
            }
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(times: Option<u64>) -> Rule {
        let action = Some(FaultAction::Wire(WireFault::EmptyResponse));
        let (preset, operation, latency, life) = (None, None, None, None);
        Rule { preset, operation, after: 0, every: 1, times, latency, action, life }
    }

    #[test]
    fn only_so_many_rules_are_kept_but_those_that_are_over_make_room() {
        let (faults, now) = (Faults::default(), Timestamp::EPOCH);
        faults.add(rule(Some(1)), now).unwrap();
        for _ in 1..MOST_RULES {
            faults.add(rule(None), now).unwrap();
        }
        assert_eq!(faults.add(rule(None), now), Err(TooManyRules));
        assert_eq!(faults.choose(None, true, now).map(|injection| injection.rule), Some(1));
        assert_eq!(faults.add(rule(None), now).map(|listed| listed.id), Ok(1001));
        faults.clear();
        assert_eq!(faults.choose(None, true, now), None);
        assert_eq!(faults.list(), []);
    }
}
