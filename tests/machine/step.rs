//! The steps of a production pipeline that has every step.

use cloudmanager_emulator::domain::environment::EnvironmentType;
use cloudmanager_emulator::domain::pipeline::Action;

use crate::setup::Place;

/// A step by its place in a production pipeline with every step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Validate,
    Build,
    CodeQuality,
    DeployStage,
    ApprovalStage,
    SecurityTest,
    LoadTest,
    AssetsTest,
    ReportPerformanceTest,
    ContentAudit,
    ApprovalProd,
    Schedule,
    Managed,
    DeployProd,
}

use Step::{
    ApprovalProd, ApprovalStage, AssetsTest, Build, CodeQuality, ContentAudit, DeployProd,
    DeployStage, LoadTest, Managed, ReportPerformanceTest, Schedule, SecurityTest, Validate,
};

pub const ALL: [Step; 14] = [
    Validate,
    Build,
    CodeQuality,
    DeployStage,
    ApprovalStage,
    SecurityTest,
    LoadTest,
    AssetsTest,
    ReportPerformanceTest,
    ContentAudit,
    ApprovalProd,
    Schedule,
    Managed,
    DeployProd,
];

pub const ALL_BUT_THE_LAST: &[Step] = ALL.split_at(13).0;

/// The steps that do more than wait for a person.
pub const WORKING_STEPS: [Step; 10] = [
    Validate,
    Build,
    CodeQuality,
    DeployStage,
    SecurityTest,
    LoadTest,
    AssetsTest,
    ReportPerformanceTest,
    ContentAudit,
    DeployProd,
];

pub const ALL_WORK_BUT_THE_LAST: &[Step] = WORKING_STEPS.split_at(9).0;

impl Step {
    pub fn position(self) -> usize {
        self as usize
    }

    /// The step whose cancellation is looked at: this one or the next that can be cancelled, or
    /// the build if that would come too late.
    pub fn stopped_nearby(self) -> Self {
        [Build, SecurityTest, LoadTest, AssetsTest, ReportPerformanceTest]
            .into_iter()
            .find(|stopped| *stopped >= self)
            .unwrap_or(Build)
    }

    pub fn place(self) -> Place {
        let environment = match self {
            Validate | Build | CodeQuality => None,
            ApprovalProd | Schedule | Managed | DeployProd => Some(EnvironmentType::Prod),
            _ => Some(EnvironmentType::Stage),
        };
        let action = match self {
            Validate => Action::Validate,
            Build => Action::Build,
            CodeQuality => Action::CodeQuality,
            DeployStage | DeployProd => Action::Deploy,
            ApprovalStage | ApprovalProd => Action::Approval,
            SecurityTest => Action::SecurityTest,
            LoadTest => Action::LoadTest,
            AssetsTest => Action::AssetsTest,
            ReportPerformanceTest => Action::ReportPerformanceTest,
            ContentAudit => Action::ContentAudit,
            Schedule => Action::Schedule,
            Managed => Action::Managed,
        };
        (action, environment)
    }
}
