//! The state after a reboot: whether a host needed it, whether it came to it, and what it came to.

use std::collections::BTreeSet;

use super::{View, cause, findings::plain};
use crate::{
    id::HostName,
    ledger::{HostLedger, Ledger},
    package::Nevra,
    patchset::PatchSet,
    plan::Plan,
    reboot::{Kernel, Need, Reboot, RebootEnd, core_changes, is_kernel, kernel, need},
    state::State,
    verdict::{Cause, CauseKind, Class, Finding, Proof},
};

/// What shows that a host does not need a state; only a reboot can be not needed.
pub(super) fn not_needed(
    plan: &Plan,
    ledger: &Ledger,
    host: &HostName,
    state: State,
) -> Option<String> {
    let (set, host) = (plan.patch.as_ref()?, ledger.hosts.get(host)?);
    let untouched = host.reboot.started.is_none() && !host.states.contains_key(&state);
    match need(set, host).filter(|_| state == State::Rebooted && untouched)? {
        Need::NotNeeded { why } => Some(format!("no reboot is needed: {why}")),
        Need::Needed { .. } | Need::Unknown { .. } => None,
    }
}

/// Why the host is not in the state after a reboot, or nobody can say that it is; none where it is, and
/// where it need not be or never came so far.
pub(super) fn trouble(plan: &Plan, host: &HostLedger) -> Option<String> {
    let set = plan.patch.as_ref().filter(|s| s.reboot != Reboot::Never)?;
    let reboot = &host.reboot;
    let (started, end) = (reboot.started.as_ref(), reboot.end.as_ref());
    match (need(set, host), started, end.map(|e| &e.value)) {
        (None, None, None) if !host.states.contains_key(&State::Rebooted) => None,
        (None, ..) => Some("whether a reboot was needed is not in the record".to_owned()),
        (Some(Need::NotNeeded { .. }), None, None) => None,
        (Some(Need::Unknown { why }), None, None) => {
            Some(format!("nobody can say whether it needs a reboot: {why}"))
        }
        (Some(_), _, Some(RebootEnd::Refused { why })) => {
            Some(format!("it could not be told to reboot: {why}"))
        }
        (Some(Need::Needed { why }), None, None) => {
            Some(format!("it needs a reboot ({why}), and none was begun"))
        }
        (Some(_), None, Some(_)) => Some("the reboot's begin is not in the record".to_owned()),
        (Some(_), Some(_), None) => Some("the reboot's end is not in the record".to_owned()),
        (Some(_), Some(before), Some(end)) => ended(host, &before.value, end),
    }
}

fn ended(host: &HostLedger, before: &str, end: &RebootEnd) -> Option<String> {
    match end {
        RebootEnd::CameBack { boots, .. } if boots.iter().any(|b| b == before) => {
            Some("the boot that it came back in is the one of before".to_owned())
        }
        RebootEnd::CameBack { boots, .. } if boots.is_empty() => {
            Some("the boot that it came back in is not known".to_owned())
        }
        RebootEnd::CameBack { .. } if checked_boot(host) == Some(before) => {
            Some("it was checked in the boot of before".to_owned())
        }
        RebootEnd::CameBack { .. } => not_the_new_kernel(host),
        RebootEnd::Stayed { why } => Some(format!("it did not reboot by its deadline: {why}")),
        RebootEnd::Refused { why } => Some(format!("it could not be told to reboot: {why}")),
        RebootEnd::NotBack { why, .. } => {
            Some(format!("it did not come back from its reboot: {why}"))
        }
    }
}

/// A kernel that the transaction brought and that is not seen to run has passed no check.
fn not_the_new_kernel(host: &HostLedger) -> Option<String> {
    let (running, packages) = after_reboot(host)?;
    let before = host.packages(State::Baseline).unwrap_or_default();
    let is_new = |p: &&Nevra| is_kernel(&p.name) && !before.contains(p);
    match kernel(running, packages) {
        Kernel::Older { newest } if is_new(&&newest) => Some(format!(
            "the transaction brought {newest}, and kernel {running} runs: nothing has tried it"
        )),
        Kernel::Unknown => packages.iter().find(is_new).map(|new| {
            format!("the transaction brought {new}, and kernel {running} runs, which no package is")
        }),
        Kernel::Older { .. } | Kernel::Newest => None,
    }
}

/// The boots that were met since the order, each once, in order.
fn boots(host: &HostLedger) -> Vec<&str> {
    let state = host.states.get(&State::Rebooted);
    let window = state.and_then(|s| s.window.as_ref());
    let edge = window.and_then(|w| w.value.0.end.known()?.boot_id.known());
    let met = match host.reboot.end.as_ref().map(|e| &e.value) {
        Some(RebootEnd::CameBack { boots, .. }) => boots.as_slice(),
        Some(RebootEnd::Stayed { .. } | RebootEnd::Refused { .. } | RebootEnd::NotBack { .. })
        | None => &[],
    };
    let before = host.reboot.started.as_ref().map(|s| s.value.as_str());
    let mut all: Vec<&str> = Vec::new();
    let met = met.iter().chain(edge).map(String::as_str);
    for boot in met.chain(checked_boot(host)).map(str::trim) {
        if !boot.is_empty() && Some(boot) != before && !all.contains(&boot) {
            all.push(boot);
        }
    }
    all
}

/// The boot that the checks were made in.
fn checked_boot(host: &HostLedger) -> Option<&str> {
    let facts = host.states.get(&State::Rebooted)?.facts.as_ref()?;
    facts.value.boot_id.known().map(String::as_str)
}

/// The running kernel and the installed packages after the reboot.
fn after_reboot(host: &HostLedger) -> Option<(&str, &[Nevra])> {
    let facts = &host.states.get(&State::Rebooted)?.facts.as_ref()?.value;
    let (running, packages) = (facts.kernel.known()?, facts.packages.known()?);
    Some((running, packages))
}

/// Hosts that booted more than once, and hosts whose kernel is not the newest.
pub(super) fn find(view: &View<'_>) -> Vec<Finding> {
    let hosts = view.plan.hosts.iter().filter_map(|h| {
        let ledger = view.ledger.hosts.get(&h.name)?;
        ledger.reboot.started.as_ref()?;
        Some((&h.name, ledger))
    });
    hosts
        .flat_map(|(name, host)| [looping(name, host), kernel_of(name, host)])
        .flatten()
        .collect()
}

fn looping(name: &HostName, host: &HostLedger) -> Option<Finding> {
    let boots = boots(host);
    let symptom = format!("{} boots after one order to reboot", boots.len());
    let explanation = "The host was told to reboot once, and booted again by itself.";
    let look = "last -x reboot; journalctl --list-boots; journalctl -b -1 -e";
    let found = || finding(Class::RebootLoop, name, host, symptom, explanation, look);
    (boots.len() > 1).then(found)
}

fn kernel_of(name: &HostName, host: &HostLedger) -> Option<Finding> {
    let (running, packages) = after_reboot(host)?;
    let Kernel::Older { newest } = kernel(running, packages) else {
        return None;
    };
    let symptom = format!("kernel {running} runs, and {newest} is installed");
    let explanation = "The host booted another kernel than the newest that is installed.";
    let look = "grubby --default-kernel; grubby --info=ALL; cat /proc/cmdline";
    Some(finding(
        Class::OtherKernel,
        name,
        host,
        symptom,
        explanation,
        look,
    ))
}

fn finding(
    class: Class,
    name: &HostName,
    host: &HostLedger,
    symptom: String,
    explanation: &str,
    look: &str,
) -> Finding {
    let reboot = &host.reboot;
    let facts = host.states.get(&State::Rebooted);
    let facts = facts.and_then(|s| s.facts.as_ref()).map(|f| f.seq);
    let order = reboot.started.as_ref().map(|s| s.seq);
    let end = reboot.end.as_ref().map(|e| e.seq);
    let events: BTreeSet<u64> = [order, end, facts].into_iter().flatten().collect();
    let cause = Cause {
        look: Some(look.to_owned()),
        ..cause::plain(
            CauseKind::Unknown,
            Proof::Suspected,
            explanation,
            events.clone(),
        )
    };
    plain(class, name, symptom, cause, events.into_iter().collect())
}

/// That a host did not come back from its reboot.
pub(super) fn not_back(host: &HostLedger) -> Option<String> {
    match &host.reboot.end.as_ref()?.value {
        RebootEnd::NotBack { why, .. } => {
            Some(format!("it did not come back from its reboot: {why}"))
        }
        RebootEnd::CameBack { .. } | RebootEnd::Stayed { .. } | RebootEnd::Refused { .. } => None,
    }
}

/// What a host lost in its reboot is lost by, where another host could be had at that moment.
pub(super) fn lost(name: &HostName, host: &HostLedger) -> Option<Finding> {
    let end = &host.reboot.end.as_ref()?.value;
    let RebootEnd::NotBack {
        why,
        answered: Some(control),
    } = end
    else {
        return None;
    };
    let symptom = format!("lost after its reboot: {why}; {control} answered then");
    let explanation = "The host answered before its reboot and did not come back from it.";
    let look = "look at the host's console";
    Some(finding(
        Class::HostLost,
        name,
        host,
        symptom,
        explanation,
        look,
    ))
}

/// What is told of a host's reboot in the summary; what is wrong with it is told elsewhere.
pub(super) fn told(plan: &Plan, host: &HostLedger) -> Option<String> {
    let set = plan.patch.as_ref()?;
    if let (Some(Need::NotNeeded { why }), None) = (need(set, host), &host.reboot.started) {
        return Some(format!("not rebooted: {why}"));
    }
    match (set.reboot, host.reboot.end.as_ref().map(|e| &e.value)) {
        (Reboot::Never, _) => untried(host),
        (_, Some(RebootEnd::CameBack { settled, .. })) => {
            let said = match settled.get() {
                Ok(word) => format!("its service manager says `{word}`"),
                Err(why) => format!("not everything had started: {why}"),
            };
            Some(format!("rebooted{}; {said}", because(set, host)))
        }
        (Reboot::WhenNeeded | Reboot::Always, _) => None,
    }
}

fn because(set: &PatchSet, host: &HostLedger) -> String {
    match need(set, host) {
        Some(Need::Needed { why }) => format!(" ({why})"),
        Some(Need::NotNeeded { .. } | Need::Unknown { .. }) | None => String::new(),
    }
}

/// What only a reboot would put to use, where the patch set makes none.
fn untried(host: &HostLedger) -> Option<String> {
    let changed = core_changes(host);
    (!changed.is_empty()).then(|| {
        format!(
            "not rebooted, as the patch set has it: the new {} is not in use yet, and nothing has tried it",
            changed.join(", ")
        )
    })
}
