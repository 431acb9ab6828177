//! The positive control: a harmless denial that is provoked at both ends of a window and must be seen.
//!
//! A process asks the kernel for another context (a write to its own `/proc/self/attr/current`). The
//! policies of Enterprise Linux let no login do that; the kernel refuses, changes nothing, and logs an
//! AVC. Before it is tried the kernel is asked (`selinuxfs/access`) whether it will refuse it, and
//! whether it will log that: only such a denial can be missed.

use serde::{Deserialize, Serialize};

use super::denial::{AvcVerdict, Decider, Decision};

/// How the control went at one end of a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "control", rename_all = "kebab-case")]
pub enum Control {
    /// An access was refused that the policy wants logged: it must be in the log.
    Refused(ForcedDenial),
    /// No denial could be provoked on this host, so nothing was tried.
    Impossible {
        /// The reason: permissive, no selinuxfs, allowed, or hidden by a dontaudit rule.
        why: String,
    },
}

/// The denial that was provoked, with what nobody else's denial has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForcedDenial {
    /// The process that asked.
    pub pid: u32,
    /// The name that it gave itself for it, with a part of the run's nonce; none where the kernel
    /// lets no process do that.
    pub comm: Option<String>,
    /// Its context.
    pub source: String,
    /// The context that it asked for.
    pub target: String,
    /// The permission, `dyntransition` or `setcurrent` of the class `process`.
    pub permission: String,
}

impl ForcedDenial {
    /// Whether a decision is this denial: by everything that is known of it, and nothing less.
    #[must_use]
    pub fn is(&self, decision: &Decision) -> bool {
        decision.pid == Some(self.pid)
            && (self.comm.is_none() || decision.comm == self.comm)
            && self.asks_for_the_same(decision)
    }

    /// Whether a decision is such a denial of another process that gave itself the same name: a control of
    /// the same window, provoked for a controller that did not hear of it.
    #[must_use]
    pub fn is_like(&self, decision: &Decision) -> bool {
        self.comm.is_some() && decision.comm == self.comm && self.asks_for_the_same(decision)
    }

    fn asks_for_the_same(&self, decision: &Decision) -> bool {
        let context = |context: &Option<super::context::Context>, wanted: &str| {
            context.as_ref().is_some_and(|c| c.to_string() == wanted)
        };
        decision.verdict == AvcVerdict::Denied
            && decision.decider == Decider::Kernel
            && decision.class.as_deref() == Some("process")
            && decision.permissions == [self.permission.as_str()]
            && context(&decision.source, &self.source)
            && context(&decision.target, &self.target)
    }
}
