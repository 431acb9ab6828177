//! Whether a host is to be rebooted after its patch, and what became of it.
//!
//! The host is asked for signs; whether they make a reboot necessary is said here, of the record, so that
//! whoever reads it later comes to the same.

mod advice;
mod kernel;
mod need;

use serde::{Deserialize, Serialize};

pub use self::{
    advice::{Advice, read_advice},
    kernel::{Kernel, is_kernel, kernel},
    need::{Need, core_changes, core_packages, need},
};
use crate::{id::HostName, reading::Reading};

/// When hosts are rebooted after the patch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reboot {
    /// Never: there is no `rebooted` state.
    #[default]
    Never,
    /// Where the host needs it; see [`need()`].
    WhenNeeded,
    /// Each host, needed or not.
    Always,
}

impl Reboot {
    /// The word in a patch set.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::WhenNeeded => "when-needed",
            Self::Always => "always",
        }
    }
}

/// What a host says of itself before a reboot is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebootSigns {
    /// `/proc/sys/kernel/random/boot_id`: the boot that is to end.
    pub boot_id: Reading<String>,
    /// `/etc/machine-id`, which EL6 has not: whoever comes back must have the same.
    pub machine_id: Reading<String>,
    /// What `needs-restarting -r` says.
    pub advice: Reading<Advice>,
    /// The core packages that were installed after the host had booted, by rpm's install times and the
    /// kernel's `btime`: what `needs-restarting -r` goes by as well.
    pub since_boot: Reading<Vec<String>>,
}

/// How a reboot ended that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RebootEnd {
    /// The host is back in another boot.
    CameBack {
        /// The ids of all boots that were met since, in order: more than one if it booted again by itself.
        boots: Vec<String>,
        /// What its service manager said when it was taken for ready: `running`, `degraded` …; missing
        /// where it had not started everything by the deadline.
        settled: Reading<String>,
    },
    /// It was asked, and is in the boot of before by the deadline.
    Stayed {
        /// What was seen of it last.
        why: String,
    },
    /// It did not take the order, for certain.
    Refused {
        /// Why.
        why: String,
    },
    /// It is not to be had by the deadline.
    NotBack {
        /// Why, at the last try.
        why: String,
        /// Another host that could be had at that moment: then it is neither the network nor us.
        answered: Option<HostName>,
    },
}

#[cfg(test)]
mod tests;
