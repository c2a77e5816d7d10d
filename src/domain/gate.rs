//! Quality gates: their metrics, severities and the three-tier decision.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::pipeline::{Action, ImportantFailures, PipelineKind};
use super::program::Kpis;

/// The severity of a metric, which decides what its failure leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Fails the step at once.
    Critical,
    /// Asks, fails or continues, as the pipeline says.
    Important,
    /// Has no effect.
    Informational,
}

/// How the actual value is compared with the expected one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Comparator {
    /// Greater than.
    Gt,
    /// Greater than or equal to.
    Gte,
    /// Less than.
    Lt,
    /// Less than or equal to.
    Lte,
    /// Equal to.
    Eq,
    /// Not equal to.
    Neq,
}

/// A gate: a set of metrics that decides whether an execution goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Decides at the end of `codeQuality`.
    CodeQuality,
    /// Decides at the end of `securityTest`.
    Security,
    /// Decides at the end of `reportPerformanceTest`.
    Performance,
}

/// The expected value of a metric; its variant is also the type of the actual value.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// A rating from A, the best, to E.
    Rating(&'static str),
    /// A number.
    Number(&'static str),
    /// `true` or `false`.
    Flag,
    /// A number: the program's response time target.
    ResponseTime,
    /// A number: the program's page view target.
    PageViews,
}

/// One line of the table of metrics.
struct MetricRule {
    kpi: &'static str,
    severity: Severity,
    comparator: Comparator,
    expected: Expected,
    /// The actual value by default, one that passes in almost every rule. Empty where it follows
    /// from the program's targets.
    usual: &'static str,
}

const fn rule(
    kpi: &'static str,
    severity: Severity,
    comparator: Comparator,
    expected: Expected,
    usual: &'static str,
) -> MetricRule {
    MetricRule { kpi, severity, comparator, expected, usual }
}

const fn flag(kpi: &'static str, severity: Severity) -> MetricRule {
    rule(kpi, severity, Comparator::Eq, Expected::Flag, "true")
}

use Comparator::{Gte, Lt, Lte};
use Expected::{Number, PageViews, Rating, ResponseTime};
use Severity::{Critical, Important, Informational};

/// Source: Cloud Manager's documentation of code quality testing.
const CODE_QUALITY: &[MetricRule] = &[
    rule("security_rating", Critical, Gte, Rating("B"), "A"),
    rule("security_rating", Important, Comparator::Eq, Rating("A"), "A"),
    rule("reliability_rating", Important, Gte, Rating("C"), "A"),
    rule("sqale_rating", Important, Comparator::Eq, Rating("A"), "A"),
    rule("coverage", Important, Gte, Number("50"), "72.4"),
    rule("skipped_tests", Informational, Lte, Number("1"), "0"),
    rule("open_issues", Informational, Comparator::Eq, Number("0"), "3"),
    rule("duplicated_lines_density", Informational, Lte, Number("1"), "0.4"),
    rule("cloud_service_compatibility", Informational, Comparator::Eq, Number("0"), "0"),
];

/// Source: Cloud Manager's documentation of security testing.
const SECURITY: &[MetricRule] = &[
    flag("deserialization_firewall_attach_api_readiness", Critical),
    flag("deserialization_firewall_functional", Critical),
    flag("deserialization_firewall_loaded", Critical),
    flag("authorizable_node_name_generation", Critical),
    flag("default_login_accounts", Critical),
    flag("sling_get_servlet", Critical),
    flag("sling_java_script_handler", Critical),
    flag("sling_jsp_script_handler", Critical),
    flag("ssl_configuration", Critical),
    flag("user_profile_default_access", Critical),
    flag("sling_referrer_filter", Important),
    flag("cq_html_library_manager_config", Important),
    flag("crxde_support", Important),
    flag("davex_health_check", Important),
    flag("example_content_packages", Important),
    flag("wcm_filter_configuration", Important),
    flag("webdav_health_check", Important),
    flag("web_server_configuration", Important),
    flag("replication_and_transport_users", Informational),
];

/// Source: Cloud Manager's documentation of performance testing.
const PERFORMANCE: &[MetricRule] = &[
    rule("error_rate", Critical, Lt, Number("2"), "0.1"),
    rule("cpu_utilization_rate", Critical, Lt, Number("80"), "37"),
    rule("disk_io_wait_time", Critical, Lt, Number("50"), "4"),
    rule("response_time", Important, Lt, ResponseTime, ""),
    rule("peak_resp_time", Important, Lt, Number("18"), "6.2"),
    rule("views_per_minute", Important, Gte, PageViews, ""),
    rule("disk_bandwidth_util", Important, Lt, Number("90"), "21"),
    rule("network_bandwidth_util", Important, Lt, Number("90"), "18"),
    rule("requests_per_minute", Informational, Lt, Number("6000"), "840"),
];

/// A metric with its actual value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// What was measured.
    pub kpi: &'static str,
    /// What its failure leads to.
    pub severity: Severity,
    /// How the values are compared.
    pub comparator: Comparator,
    /// What is required.
    pub expected: String,
    /// What was measured, as text.
    pub actual: String,
    /// Whether the requirement is met.
    pub passed: bool,
}

impl Metric {
    /// Returns whether this is a failure that a person can override.
    #[must_use]
    pub fn is_important_failure(&self) -> bool {
        !self.passed && self.severity == Important
    }
}

/// What a gate decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Pass,
    /// Go on, important failures counting as overridden.
    Override,
    /// Wait for somebody to override or reject.
    Wait,
    /// Stop.
    Fail,
}

impl Gate {
    /// Returns the gate that decides at the end of a step, if it has one.
    #[must_use]
    pub fn of(action: Action) -> Option<Self> {
        match action {
            Action::CodeQuality => Some(Self::CodeQuality),
            Action::SecurityTest => Some(Self::Security),
            Action::ReportPerformanceTest => Some(Self::Performance),
            _ => None,
        }
    }

    fn rules(self) -> &'static [MetricRule] {
        match self {
            Self::CodeQuality => CODE_QUALITY,
            Self::Security => SECURITY,
            Self::Performance => PERFORMANCE,
        }
    }

    /// Returns whether the gate has a metric of this name.
    #[must_use]
    pub fn has_kpi(self, kpi: &str) -> bool {
        self.rules().iter().any(|rule| rule.kpi == kpi)
    }

    /// Returns why `value` can't be the actual value of a metric of this gate, or `None` if it can.
    #[must_use]
    pub fn problem_with(self, kpi: &str, value: &str) -> Option<String> {
        let Some(rule) = self.rules().iter().find(|rule| rule.kpi == kpi) else {
            return Some(format!("the gate has no metric {kpi}"));
        };
        match rule.expected {
            Rating(_) if !matches!(value, "A" | "B" | "C" | "D" | "E") => {
                Some(format!("{kpi} must be a rating from A to E"))
            }
            Expected::Flag if !matches!(value, "true" | "false") => {
                Some(format!("{kpi} must be true or false"))
            }
            Number(_) | ResponseTime | PageViews
                if !value.parse::<f64>().is_ok_and(f64::is_finite) =>
            {
                Some(format!("{kpi} must be a number"))
            }
            _ => None,
        }
    }

    /// Returns all metrics of the gate, with default values where `actual` has none.
    #[must_use]
    pub fn evaluate(self, kpis: Kpis, actual: &BTreeMap<String, String>) -> Vec<Metric> {
        self.rules()
            .iter()
            .map(|rule| {
                let (expected, usual) = match rule.expected {
                    Rating(text) | Number(text) => (text.to_owned(), rule.usual.to_owned()),
                    Expected::Flag => ("true".to_owned(), rule.usual.to_owned()),
                    // Half of the target, and half more than the target: so these pass by default,
                    // whatever the targets of the program are.
                    ResponseTime => {
                        (kpis.response_time.to_string(), (kpis.response_time * 0.5).to_string())
                    }
                    PageViews => (
                        kpis.page_views_per_minute.to_string(),
                        (kpis.page_views_per_minute * 1.5).to_string(),
                    ),
                };
                let actual = actual.get(rule.kpi).cloned().unwrap_or(usual);
                Metric {
                    kpi: rule.kpi,
                    severity: rule.severity,
                    comparator: rule.comparator,
                    passed: passes(rule, &actual, &expected),
                    expected,
                    actual,
                }
            })
            .collect()
    }
}

/// Returns whether a metric passes. Ratings are compared by quality, numbers by value, flags by
/// text.
fn passes(rule: &MetricRule, actual: &str, expected: &str) -> bool {
    let order = match rule.expected {
        // A is the best rating, so the order of the letters is reversed.
        Rating(_) => Some(expected.cmp(actual)),
        Expected::Flag => Some(actual.cmp(expected)),
        Number(_) | ResponseTime | PageViews => {
            match (actual.parse::<f64>(), expected.parse::<f64>()) {
                (Ok(actual), Ok(expected)) => actual.partial_cmp(&expected),
                _ => None,
            }
        }
    };
    order.is_some_and(|order| match rule.comparator {
        Comparator::Gt => order.is_gt(),
        Gte => order.is_ge(),
        Lt => order.is_lt(),
        Lte => order.is_le(),
        Comparator::Eq => order.is_eq(),
        Comparator::Neq => order.is_ne(),
    })
}

/// Returns what the metrics of a gate decide in a pipeline.
///
/// A critical failure cannot be overridden, so it comes first. In a code-quality-only pipeline
/// nobody can override the last step, so `Ask` means the same as `Fail`.
#[must_use]
pub fn decide(metrics: &[Metric], behaviour: ImportantFailures, kind: PipelineKind) -> Decision {
    if metrics.iter().any(|metric| !metric.passed && metric.severity == Critical) {
        return Decision::Fail;
    }
    if !metrics.iter().any(Metric::is_important_failure) {
        return Decision::Pass;
    }
    match behaviour {
        ImportantFailures::Continue => Decision::Override,
        ImportantFailures::Ask if kind != PipelineKind::CodeQuality => Decision::Wait,
        ImportantFailures::Ask | ImportantFailures::Fail => Decision::Fail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluate(gate: Gate, actual: &[(&str, &str)]) -> Vec<Metric> {
        let actual = actual.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        gate.evaluate(Kpis::default(), &actual)
    }

    fn decision(gate: Gate, actual: &[(&str, &str)]) -> Decision {
        decide(&evaluate(gate, actual), ImportantFailures::Ask, PipelineKind::Production)
    }

    #[test]
    fn usual_values_pass_but_for_one_informational_metric() {
        let failed: Vec<_> = [Gate::CodeQuality, Gate::Security, Gate::Performance]
            .into_iter()
            .flat_map(|gate| evaluate(gate, &[]))
            .filter(|metric| !metric.passed)
            .map(|metric| (metric.kpi, metric.severity))
            .collect();
        assert_eq!(failed, [("open_issues", Informational)]);
    }

    #[test]
    fn usual_values_suit_any_target() {
        let kpis = Kpis { response_time: 0.5, page_views_per_minute: 9000.0 };
        let metrics = Gate::Performance.evaluate(kpis, &BTreeMap::new());
        assert!(metrics.iter().all(|metric| metric.passed));
    }

    #[test]
    fn ratings_compare_by_quality() {
        assert_eq!(decision(Gate::CodeQuality, &[("security_rating", "A")]), Decision::Pass);
        assert_eq!(decision(Gate::CodeQuality, &[("security_rating", "B")]), Decision::Wait);
        assert_eq!(decision(Gate::CodeQuality, &[("security_rating", "C")]), Decision::Fail);
        assert_eq!(decision(Gate::CodeQuality, &[("reliability_rating", "C")]), Decision::Pass);
        assert_eq!(decision(Gate::CodeQuality, &[("reliability_rating", "D")]), Decision::Wait);
    }

    #[test]
    fn limits_are_exact() {
        assert_eq!(decision(Gate::CodeQuality, &[("coverage", "50")]), Decision::Pass);
        assert_eq!(decision(Gate::CodeQuality, &[("coverage", "49.9")]), Decision::Wait);
        assert_eq!(decision(Gate::Performance, &[("response_time", "3")]), Decision::Wait);
        assert_eq!(decision(Gate::Performance, &[("views_per_minute", "100")]), Decision::Pass);
        assert_eq!(decision(Gate::Performance, &[("error_rate", "2")]), Decision::Fail);
        assert_eq!(decision(Gate::Performance, &[("requests_per_minute", "6000")]), Decision::Pass);
    }

    #[test]
    fn every_metric_can_fail_with_the_effect_of_its_severity() {
        for gate in [Gate::CodeQuality, Gate::Security, Gate::Performance] {
            for rule in gate.rules() {
                let worst = match (rule.expected, rule.comparator) {
                    (Rating(_), _) => "E",
                    (Expected::Flag, _) => "false",
                    (_, Gte) => "-1",
                    _ => "1000000",
                };
                let expected = match rule.severity {
                    Critical => Decision::Fail,
                    Important if rule.kpi == "security_rating" => Decision::Fail,
                    Important => Decision::Wait,
                    Informational => Decision::Pass,
                };
                assert_eq!(decision(gate, &[(rule.kpi, worst)]), expected, "{}", rule.kpi);
            }
        }
    }

    #[test]
    fn asking_is_failing_where_nobody_can_override() {
        let metrics = evaluate(Gate::CodeQuality, &[("coverage", "10")]);
        let decide_for = |behaviour| decide(&metrics, behaviour, PipelineKind::CodeQuality);
        assert_eq!(decide_for(ImportantFailures::Ask), Decision::Fail);
        assert_eq!(decide_for(ImportantFailures::Fail), Decision::Fail);
        assert_eq!(decide_for(ImportantFailures::Continue), Decision::Override);
    }

    #[test]
    fn values_of_the_wrong_type_are_named() {
        assert!(Gate::CodeQuality.problem_with("coverage", "high").is_some());
        assert!(Gate::CodeQuality.problem_with("coverage", "NaN").is_some());
        assert!(Gate::CodeQuality.problem_with("sqale_rating", "F").is_some());
        assert!(Gate::CodeQuality.problem_with("error_rate", "1").is_some());
        assert!(Gate::Security.problem_with("crxde_support", "yes").is_some());
        assert!(Gate::Security.problem_with("crxde_support", "false").is_none());
    }
}
