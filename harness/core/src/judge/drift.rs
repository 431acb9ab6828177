//! SELinux enforces less than before the patch, now or from the next boot on.
//!
//! Every check may pass on such a host; what it passes proves nothing for production, where the same
//! update would leave hosts that are not protected.

use std::collections::BTreeSet;

use super::{View, cause, findings::plain};
use crate::{
    evidence::{access::VectorTable, context::Context},
    id::HostName,
    plan::PlannedHost,
    policy::Forbidden,
    snapshot::policy::PolicySnapshot,
    state::State,
    suite::selinux::Mode,
    verdict::{Cause, CauseKind, Class, Finding, Missing, Proof, Undecided},
};

/// One finding for each host that enforces less, with everything that became weaker.
pub(super) fn find(view: &View<'_>) -> Vec<Finding> {
    let hosts = view.plan.hosts.iter();
    hosts.filter_map(|host| of_host(view, host)).collect()
}

/// Something that became weaker, as of a state.
struct Drift {
    state: State,
    /// `SELinux is Permissive`.
    what: String,
    evidence: [u64; 2],
}

fn of_host(view: &View<'_>, host: &PlannedHost) -> Option<Finding> {
    let rules = [mode, configured, domains];
    let drifts: Vec<Drift> = rules
        .iter()
        .filter_map(|rule| first(view, &host.name, *rule))
        .collect();
    let symptoms: Vec<String> = drifts
        .iter()
        .map(|d| format!("{}: {}", d.state, d.what))
        .collect();
    if symptoms.is_empty() {
        return None;
    }
    let evidence: BTreeSet<u64> = drifts.iter().flat_map(|d| d.evidence).collect();
    let what: Vec<&str> = drifts.iter().map(|d| d.what.as_str()).collect();
    let explanation = format!(
        "Before the patch SELinux enforced; since then {}: whatever passes now proves nothing for production.",
        what.join(", ")
    );
    let cause = Cause {
        look: Some(
            "getenforce; cat /etc/selinux/config /proc/cmdline; semodule -l | grep permissive_"
                .to_owned(),
        ),
        ..cause::plain(
            CauseKind::SelinuxMode,
            Proof::Supported,
            explanation,
            evidence.clone(),
        )
    };
    let evidence = evidence.into_iter().collect();
    Some(plain(
        Class::ModeDrift,
        &host.name,
        symptoms.join("; "),
        cause,
        evidence,
    ))
}

/// What a rule says of a host at the baseline and in a later state.
type Rule = fn(&View<'_>, &HostName, State) -> Option<Drift>;

/// The first state in which it holds.
fn first(view: &View<'_>, host: &HostName, rule: Rule) -> Option<Drift> {
    let later = view.plan.judged_states().iter();
    let later = later.filter(|s| **s != State::Baseline);
    later.filter_map(|s| rule(view, host, *s)).next()
}

/// The mode in force.
fn mode(view: &View<'_>, host: &HostName, state: State) -> Option<Drift> {
    let mode = |state| {
        let facts = view.ledger.state(host, state)?.facts.as_ref()?;
        Some((facts.seq, Mode::parse(&facts.value.selinux.known()?.mode)?))
    };
    let ((before, Mode::Enforcing), (seq, now)) = (mode(State::Baseline)?, mode(state)?) else {
        return None;
    };
    (now != Mode::Enforcing).then(|| Drift {
        state,
        what: format!("SELinux is {}", now.word()),
        evidence: [before, seq],
    })
}

/// The mode of the next boot.
fn configured(view: &View<'_>, host: &HostName, state: State) -> Option<Drift> {
    let mode = |state| {
        let (seq, policy) = policy(view, host, state)?;
        Some((seq, policy.config_mode.known()?.as_str()))
    };
    let ((before, was), (seq, is)) = (mode(State::Baseline)?, mode(state)?);
    // The library that reads the file looks at the begin of the word only.
    let enforces = |word: &str| word.trim().to_lowercase().starts_with("enforcing");
    (enforces(was) && !enforces(is)).then(|| Drift {
        state,
        what: format!("the next boot will have it {is} (/etc/selinux/config)"),
        evidence: [before, seq],
    })
}

/// Domains that are permissive and were not: by the policy store, and by the kernel's own word.
fn domains(view: &View<'_>, host: &HostName, state: State) -> Option<Drift> {
    let by_store = || {
        let ((before, was), (seq, is)) = (
            policy(view, host, State::Baseline)?,
            policy(view, host, state)?,
        );
        let (was, is) = (was.permissive.known()?, is.permissive.known()?);
        Some((is.difference(was).cloned().collect(), [before, seq]))
    };
    let by_kernel = || {
        let ((before, was), (seq, is)) = (
            cause::table(view.ledger, host, State::Baseline)?,
            cause::table(view.ledger, host, state)?,
        );
        let new = permissive(is)
            .difference(&permissive(was))
            .cloned()
            .collect();
        Some((new, [before, seq]))
    };
    let found: [Option<(BTreeSet<String>, [u64; 2])>; 2] = [by_store(), by_kernel()];
    let (names, evidence) = found
        .into_iter()
        .flatten()
        .find(|(names, _)| !names.is_empty())?;
    let names: Vec<String> = names.into_iter().collect();
    Some(Drift {
        state,
        what: format!("{} is permissive", names.join(" and ")),
        evidence,
    })
}

/// Why nobody can say of a host that enforced whether it still does after the next boot, state by state.
pub(super) fn unread(view: &View<'_>, host: &HostName) -> Vec<Undecided> {
    let facts = view.ledger.state(host, State::Baseline);
    let facts = facts.and_then(|s| s.facts.as_ref()?.value.selinux.known());
    let enforced = facts.is_some_and(|f| Mode::parse(&f.mode) == Some(Mode::Enforcing));
    if !enforced || !view.plan.policy.forbid.contains(&Forbidden::ModeDrift) {
        return Vec::new();
    }
    let later = view.plan.judged_states().iter();
    let later = later.filter(|s| **s != State::Baseline);
    let unread = later.filter_map(|state| {
        let why = unread_in(view, host, *state)?;
        Some(Undecided {
            host: Some(host.clone()),
            state: Some(*state),
            what: Missing::Coverage,
            why: format!("mode-unread: whether SELinux goes on enforcing could not be read: {why}"),
        })
    });
    unread.collect()
}

fn unread_in(view: &View<'_>, host: &HostName, state: State) -> Option<String> {
    view.ledger.state(host, state)?;
    let (was, is) = match (read(view, host, State::Baseline), read(view, host, state)) {
        (Ok(was), Ok(is)) => (was, is),
        (Err(why), _) | (Ok(_), Err(why)) => return Some(why),
    };
    let readings = [was.config_mode.get(), is.config_mode.get()];
    if let Some(why) = readings.into_iter().find_map(Result::err) {
        return Some(format!("the configured mode: {why}"));
    }
    let answered = |state| cause::table(view.ledger, host, state).is_some();
    let by_kernel = answered(State::Baseline) && answered(state);
    match (was.permissive.get(), is.permissive.get()) {
        (Ok(_), Ok(_)) => None,
        (Err(_), _) if by_kernel => None,
        (_, Err(why)) | (Err(why), Ok(_)) => Some(format!("the permissive domains: {why}")),
    }
}

fn read<'a>(view: &View<'a>, host: &HostName, state: State) -> Result<&'a PolicySnapshot, String> {
    let snapshot = view
        .ledger
        .state(host, state)
        .and_then(|s| s.snapshot.as_ref());
    let Some(snapshot) = snapshot else {
        return Err(format!("there is no snapshot of {state}"));
    };
    snapshot.value.policy.get().map_err(ToString::to_string)
}

/// The domains of which the kernel says that they are permissive.
fn permissive(table: &VectorTable) -> BTreeSet<String> {
    let vectors = table.vectors.iter().filter(|(_, v)| v.is_permissive());
    vectors
        .filter_map(|(query, _)| Some(Context::parse(query.source())?.type_))
        .collect()
}

fn policy<'a>(view: &View<'a>, host: &HostName, state: State) -> Option<(u64, &'a PolicySnapshot)> {
    let snapshot = view.ledger.state(host, state)?.snapshot.as_ref()?;
    Some((snapshot.seq, snapshot.value.policy.known()?))
}
