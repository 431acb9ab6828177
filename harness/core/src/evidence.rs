//! Temporary shape of the evidence module, replaced by the real one.
#![expect(missing_docs, reason = "temporary")]
use std::fmt;

use serde::{Deserialize, Serialize};
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowCapture {}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectations {}
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VectorTable {}
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint {
    pub source_type: String,
    pub target_type: String,
    pub class: String,
    pub perms: Vec<String>,
}
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.source_type, self.class)
    }
}
pub struct Decision {}
pub struct Counted {
    pub fingerprint: Fingerprint,
    pub count: u64,
}
#[derive(Clone)]
pub enum Gap {
    NotCollected,
}
impl Gap {
    pub fn name(&self) -> &'static str {
        "not-collected"
    }
}
impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing was collected")
    }
}
pub struct Coverage {}
impl Coverage {
    pub fn gaps(&self) -> &[Gap] {
        &[]
    }
}
pub struct WindowEvidence {
    pub decisions: Vec<Decision>,
    pub coverage: Coverage,
}
pub fn examine(_: &WindowCapture, _: &Expectations) -> WindowEvidence {
    WindowEvidence {
        decisions: vec![],
        coverage: Coverage {},
    }
}
pub fn fingerprints(_: &[Decision]) -> Vec<Counted> {
    vec![]
}
pub fn statement(_: &WindowEvidence) -> String {
    String::new()
}
pub struct VectorChange {
    pub source_type: String,
    pub target_type: String,
    pub class: String,
    pub lost: Vec<String>,
    pub silenced: Vec<String>,
}
pub fn diff(_: &VectorTable, _: &VectorTable) -> Vec<VectorChange> {
    vec![]
}
