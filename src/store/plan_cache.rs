//! Plans in memory, bounded in bytes.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::domain::execution::plan::Plan;

/// How many plans are expected in memory.
const EXPECTED: usize = 1024;

/// How many bytes of plans are kept in memory, as they are stored.
const CAPACITY: u64 = 32 * 1024 * 1024;

/// What a plan takes beside its text, in bytes, about.
const OVERHEAD: u64 = 200;

/// Plans by their number.
pub(super) type PlanCache = Cache<i64, CachedPlan, ByLength>;

/// A plan in memory.
#[derive(Clone)]
pub(super) struct CachedPlan {
    pub plan: Arc<Plan>,
    /// The length of the plan as it is stored, in bytes.
    pub length: usize,
}

#[derive(Clone)]
pub(super) struct ByLength;

impl Weighter<i64, CachedPlan> for ByLength {
    fn weight(&self, _: &i64, cached: &CachedPlan) -> u64 {
        OVERHEAD + cached.length as u64
    }
}

/// An empty cache.
pub(super) fn plan_cache() -> PlanCache {
    Cache::with_weighter(EXPECTED, CAPACITY, ByLength)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_in_memory_are_bounded_in_bytes() {
        let cache = plan_cache();
        let body = r#"{"kind": "CodeQuality", "important_failures": "ASK", "cancelling": 1000,
            "kpis": {"response_time": 3.0, "page_views_per_minute": 100.0}, "steps": [],
            "code": {"repository": "r", "branch": "main", "commit": null}}"#;
        let plan = Arc::new(serde_json::from_str::<Plan>(body).unwrap());
        for id in 0..1000 {
            cache.insert(id, CachedPlan { plan: plan.clone(), length: 1024 * 1024 });
        }
        assert!(cache.weight() <= CAPACITY, "{}", cache.weight());
        assert!(!cache.is_empty());
    }
}
