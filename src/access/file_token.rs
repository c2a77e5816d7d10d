//! Tokens of files: they name a file, and nobody can guess them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::signer::Signer;
use crate::domain::id::{EnvironmentId, ExecutionId, PipelineId, PipelineKey, ProgramId};
use crate::engine::read::Snapshot;

/// How many bytes of a token are its signature.
const SIGNATURE: usize = 16;

/// Names a step of an execution by its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepName(ProgramId, PipelineId, ExecutionId, usize);

impl StepName {
    /// The step of an execution at a position.
    #[must_use]
    pub fn new(snapshot: &Snapshot, position: usize) -> Self {
        let key = snapshot.execution.pipeline;
        Self(key.program_id, key.pipeline_id, snapshot.execution.id, position)
    }

    /// The pipeline.
    #[must_use]
    pub fn pipeline(self) -> PipelineKey {
        PipelineKey { program_id: self.0, pipeline_id: self.1 }
    }

    /// The execution.
    #[must_use]
    pub fn execution_id(self) -> ExecutionId {
        self.2
    }

    /// The position of the step in the execution.
    #[must_use]
    pub fn position(self) -> usize {
        self.3
    }
}

/// Names a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileName {
    /// A log file of a step.
    #[serde(rename = "l")]
    StepLog {
        /// The step.
        #[serde(rename = "s")]
        step: StepName,
        /// Which of the step's files; none for its log.
        #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
        file: Option<String>,
    },
    /// An artifact of a step.
    #[serde(rename = "a")]
    Artifact {
        /// The step.
        #[serde(rename = "s")]
        step: StepName,
        /// Its number among the step's artifacts.
        #[serde(rename = "n")]
        number: usize,
    },
    /// The log of an environment on a day.
    #[serde(rename = "e")]
    EnvironmentLog {
        /// The program.
        #[serde(rename = "p")]
        program_id: ProgramId,
        /// The environment.
        #[serde(rename = "i")]
        environment_id: EnvironmentId,
        /// The service that writes it.
        #[serde(rename = "s")]
        service: String,
        /// What it is about.
        #[serde(rename = "n")]
        name: String,
        /// The day, as `2026-03-05`.
        #[serde(rename = "d")]
        day: String,
        /// Whether it is compressed.
        #[serde(rename = "z")]
        is_compressed: bool,
    },
}

/// Makes tokens that nobody can guess, and reads them; nothing is stored.
#[derive(Clone)]
pub struct FileTokens(Signer);

impl FileTokens {
    /// With this key.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self(Signer::new(key))
    }

    /// The token of a file.
    #[must_use]
    pub fn sign(&self, name: &FileName) -> String {
        let mut token = serde_json::to_vec(name).unwrap_or_default();
        let signature = self.0.sign(&token);
        token.extend_from_slice(&signature[..SIGNATURE]);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The file of a token; none if it was not made here.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<FileName> {
        let token = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (name, signature) = token.split_last_chunk::<SIGNATURE>()?;
        if !self.0.verify(name, signature) {
            return None;
        }
        serde_json::from_slice(name).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tokens_that_were_made_here_are_read() {
        let tokens = FileTokens::new(b"key");
        let step = StepName(ProgramId::new(4), PipelineId::new(1), ExecutionId::new(953_671), 2);
        for name in [
            FileName::StepLog { step, file: Some("sonarLogFile".into()) },
            FileName::StepLog { step, file: None },
            FileName::Artifact { step, number: 1 },
            FileName::EnvironmentLog {
                program_id: ProgramId::new(4),
                environment_id: EnvironmentId::new(59_252),
                service: "author".into(),
                name: "aemerror".into(),
                day: "2026-03-05".into(),
                is_compressed: true,
            },
        ] {
            let token = tokens.sign(&name);
            assert_eq!(tokens.read(&token), Some(name));
            assert_eq!(FileTokens::new(b"other").read(&token), None);
            for forged in ["", "AAAA", &token[1..], &format!("{token}A"), "%", "🦀"] {
                assert_eq!(tokens.read(forged), None, "{forged}");
            }
        }
    }
}
