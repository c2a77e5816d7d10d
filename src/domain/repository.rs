//! Git repositories, as far as pipelines see them.

use std::collections::BTreeMap;

use super::build::Output;
use super::id::RepositoryId;

/// The prefix by which a tag is named wherever a branch is accepted.
pub const TAG_PREFIX: &str = "refs/tags/";

/// The branch if none is given.
///
/// Source: Cloud Manager's API description.
pub const DEFAULT_BRANCH: &str = "master";

/// A git repository of a program, as far as pipelines see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Identifier.
    pub id: RepositoryId,
    /// Name.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// The head commit of each branch by its name, and of each tag by its full name `refs/tags/…`.
    pub heads: BTreeMap<String, String>,
    /// Whether somebody has pushed to it: then its heads are those in git.
    pub in_git: bool,
    /// What a build of it leaves, or `None` for the demo's three files.
    pub outputs: Option<Vec<Output>>,
}

impl Repository {
    /// Returns the commit that a branch name or a full tag name stands for now.
    #[must_use]
    pub fn find_commit(&self, branch: &str) -> Option<&str> {
        self.heads.get(branch).map(String::as_str)
    }
}
