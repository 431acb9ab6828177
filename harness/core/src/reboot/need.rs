//! Whether the record shows that a host needs a reboot.

use super::{Advice, Kernel, Reboot, RebootSigns, kernel};
use crate::{
    ledger::HostLedger,
    package::{self, PackageChange},
    patchset::PatchSet,
    state::State,
    transaction::Manager,
};

/// The packages of which only a reboot puts a new version to use: the list of `needs-restarting -r` in
/// dnf-plugins-core 4.10, with the kernels of other kinds. The advice itself goes by what provides these names.
const CORE: [&str; 16] = [
    "dbus",
    "dbus-broker",
    "dbus-daemon",
    "glibc",
    "kernel",
    "kernel-64k",
    "kernel-64k-core",
    "kernel-core",
    "kernel-rt",
    "kernel-rt-core",
    "kernel-uek",
    "kernel-uek-core",
    "linux-firmware",
    "microcode_ctl",
    "systemd",
    "upstart",
];

/// What yum-utils has in its list beside those.
const CORE_OF_YUM: [&str; 3] = ["gnutls", "openssl-libs", "udev"];

/// Whether a host needs a reboot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// It does.
    Needed {
        /// What shows it.
        why: String,
    },
    /// It does not.
    NotNeeded {
        /// What shows it.
        why: String,
    },
    /// Nobody can say.
    Unknown {
        /// Why not.
        why: String,
    },
}

/// Whether a host needs a reboot, by what the patch set wants and what the record holds; `None` where the
/// host never came to this question.
///
/// One sign that it does is enough: a core package of this transaction, the host's own advice, a core package
/// that was installed since the host booted, and, where the advice cannot be had, a running kernel that is not
/// the newest. That it does not takes a whole answer: the advice, or the install times.
#[must_use]
pub fn need(set: &PatchSet, host: &HostLedger) -> Option<Need> {
    let signs = &host.reboot.signs.as_ref()?.value;
    match set.reboot {
        Reboot::Never => None,
        Reboot::Always => Some(Need::Needed {
            why: "the patch set says `reboot: always`".to_owned(),
        }),
        Reboot::WhenNeeded => Some(match needed(host, signs) {
            Some(why) => Need::Needed { why },
            None => not_needed(signs),
        }),
    }
}

fn needed(host: &HostLedger, signs: &RebootSigns) -> Option<String> {
    let changed = core_changes(host);
    if !changed.is_empty() {
        return Some(format!("the transaction changed {}", changed.join(", ")));
    }
    if let Ok(Advice::Needed { packages }) = signs.advice.get() {
        let named = match packages.as_slice() {
            [] => String::new(),
            all => format!(" for {}", all.join(", ")),
        };
        return Some(format!("needs-restarting asks for one{named}"));
    }
    if let Some(packages) = signs.since_boot.known().filter(|p| !p.is_empty()) {
        let all = packages.join(", ");
        return Some(format!("installed since the host booted: {all}"));
    }
    signs.advice.why().and_then(|_| old_kernel(host))
}

/// That the running kernel is not the newest, in the last state that was looked at.
fn old_kernel(host: &HostLedger) -> Option<String> {
    let facts = [State::Restarted, State::Patched].into_iter();
    let facts = facts
        .filter_map(|s| host.states.get(&s)?.facts.as_ref())
        .next()?;
    let (running, packages) = (facts.value.kernel.known()?, facts.value.packages.known()?);
    match kernel(running, packages) {
        Kernel::Older { newest } => {
            Some(format!("kernel {running} runs, and {newest} is installed"))
        }
        Kernel::Newest | Kernel::Unknown => None,
    }
}

fn not_needed(signs: &RebootSigns) -> Need {
    match (signs.advice.get(), signs.since_boot.get()) {
        (Ok(_), _) => Need::NotNeeded {
            why: "needs-restarting asks for none, and no core package was changed".to_owned(),
        },
        (Err(_), Ok(_)) => Need::NotNeeded {
            why: "no core package was installed since the host booted".to_owned(),
        },
        (Err(advice), Err(times)) => Need::Unknown {
            why: format!("needs-restarting: {advice}; rpm's install times: {times}"),
        },
    }
}

/// The core packages that came or changed between the baseline and the last state before the reboot, by name.
#[must_use]
pub fn core_changes(host: &HostLedger) -> Vec<String> {
    let after = [State::Restarted, State::Patched].into_iter();
    let after = after.filter_map(|s| host.packages(s)).next();
    let Some((before, after)) = host.packages(State::Baseline).zip(after) else {
        return Vec::new();
    };
    let core = core_packages(host);
    let is_core = |name: &str| core.contains(&name);
    let changes = package::difference(before, after).into_iter();
    let came = changes.filter_map(|c: PackageChange| Some(c.after()?.name.clone()));
    let mut names: Vec<String> = came.filter(|n| is_core(n)).collect();
    names.dedup();
    names
}

/// The names of the core packages of a host, by its package manager's list.
#[must_use]
pub fn core_packages(host: &HostLedger) -> Vec<&'static str> {
    let of_yum = match host.preview.as_ref().map(|p| p.manager) {
        Some(Manager::Yum) => &CORE_OF_YUM[..],
        Some(Manager::Dnf4 | Manager::Dnf5) | None => &[],
    };
    CORE.iter().chain(of_yum).copied().collect()
}
