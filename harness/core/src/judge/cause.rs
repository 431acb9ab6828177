//! What caused a finding, and how well that is proven.
//!
//! The kernel's own answer comes first: an access vector that lost permissions between baseline and
//! failure explains a silent denial that no log shows. A cause is `supported` only when the loss fits
//! the symptom; a loss that is merely there is `suspected`.

use std::collections::BTreeSet;

use super::{
    View,
    cells::{CellResult, describe},
};
use crate::{
    evidence::{
        fingerprint::Fingerprint,
        vector_diff::{VectorChange, diff},
    },
    id::{HostName, SuiteName},
    observation::HttpPhase,
    outcome::{Outcome, SymptomKind},
    state::State,
    suite::CheckKind,
    verdict::{Cause, CauseKind, DeniedAccess, Proof},
};

/// Permissions that a watched domain lost.
pub(super) struct Lost {
    /// The first state that shows it.
    pub(super) state: State,
    /// What was lost.
    pub(super) denial: DeniedAccess,
    /// The events of the two tables.
    pub(super) evidence: Vec<u64>,
}

/// The cause of a group of failed checks of one suite on one host, and the events it rests on.
pub(super) fn of_group(
    view: &View<'_>,
    host: &HostName,
    suite: &SuiteName,
    results: &[&CellResult],
) -> (Cause, BTreeSet<u64>) {
    let kinds: Vec<SymptomKind> = results.iter().filter_map(|r| kind(view, r)).collect();
    let domains = domains_of(view, suite);
    let loud = first_denial(view, host, results, domains);
    let logged = !kinds.is_empty() && kinds.iter().all(|k| *k == SymptomKind::Denials);
    let hidden = |l: &Felt| !logged && (loud.is_none() || l.lost.denial.silenced);
    if let Some(felt) = felt_loss(view, results, losses(view, host, Some(domains)), hidden) {
        let cause = of_access(&felt.lost.denial, felt.proof, felt.kind);
        return (cause, felt.lost.evidence.into_iter().collect());
    }
    if let Some((seq, fingerprint)) = loud {
        return (of_fingerprint(&fingerprint, &kinds), BTreeSet::from([seq]));
    }
    if kinds.contains(&SymptomKind::ServiceState) {
        return (service_down(view, results), BTreeSet::new());
    }
    (unknown(), BTreeSet::new())
}

/// A loss of access that failures of a group may come of.
struct Felt {
    lost: Lost,
    proof: Proof,
    /// The symptom that it shows as, or the first that there is.
    kind: Option<SymptomKind>,
}

/// Of the losses that may be told of, the first that shows as one of the symptoms; else the first that
/// may have to do with them.
fn felt_loss(
    view: &View<'_>,
    results: &[&CellResult],
    losses: Vec<Lost>,
    may: impl Fn(&Felt) -> bool,
) -> Option<Felt> {
    let felt = losses
        .into_iter()
        .filter_map(|lost| felt(view, results, lost));
    let mut felt: Vec<Felt> = felt.filter(may).collect();
    let supported = felt.iter().position(|f| f.proof == Proof::Supported);
    (!felt.is_empty()).then(|| felt.swap_remove(supported.unwrap_or(0)))
}

/// What a loss has to do with failures: nothing with those of earlier states, nor with those that were
/// there at the baseline.
fn felt(view: &View<'_>, results: &[&CellResult], lost: Lost) -> Option<Felt> {
    let late = |r: &CellResult| r.cell.state >= lost.state && is_new(view, r);
    let after: Vec<&CellResult> = results.iter().copied().filter(|r| late(r)).collect();
    let kinds: Vec<_> = after.iter().filter_map(|r| kind(view, r)).collect();
    let shown = kinds.iter().find(|k| explains(&lost.denial, **k));
    let whole = after.len() == results.len();
    let proof = match shown {
        Some(_) if whole => Proof::Supported,
        Some(_) | None => Proof::Suspected,
    };
    let kind = shown.or(kinds.first()).copied();
    (!after.is_empty()).then_some(Felt { lost, proof, kind })
}

/// Whether a check did not fail at the baseline already.
fn is_new(view: &View<'_>, result: &CellResult) -> bool {
    !view.before(result).is_some_and(CellResult::failed)
}

/// The kind of a failure; none for a unit that runs against expectation, which no loss explains.
fn kind(view: &View<'_>, result: &CellResult) -> Option<SymptomKind> {
    let Outcome::Failed { symptom } = &result.outcome else {
        return None;
    };
    let check = view.plan.check(&result.cell.check).map(|(_, c)| &c.kind);
    let runs = symptom.kind == SymptomKind::ServiceState
        && matches!(check, Some(CheckKind::Service(want)) if !want.active);
    (!runs).then_some(symptom.kind)
}

fn domains_of<'a>(view: &'a View<'_>, suite: &SuiteName) -> &'a [String] {
    let suite = view.plan.suites.iter().find(|s| s.name == *suite);
    suite.map_or(&[], |s| s.domains.as_slice())
}

/// The weightiest loss of access between the baseline and the later states.
pub(super) fn lost_access(view: &View<'_>, host: &HostName) -> Option<Lost> {
    losses(view, host, None).into_iter().next()
}

/// All losses of access, each in the first state that shows it: silenced before audited, sockets before
/// the rest. Of some domains only, where these are given.
pub(super) fn losses(view: &View<'_>, host: &HostName, domains: Option<&[String]>) -> Vec<Lost> {
    let watched = |c: &VectorChange| domains.is_none_or(|d| d.contains(&c.source_type));
    let table = |state| {
        let at = view.ledger.state(host, state)?.vectors.as_ref()?;
        Some((at.seq, at.value.known()?))
    };
    let Some((before_seq, before)) = table(State::Baseline) else {
        return Vec::new();
    };
    let mut losses: Vec<Lost> = Vec::new();
    for state in view.plan.judged_states() {
        let Some((seq, after)) = table(*state) else {
            continue;
        };
        let mut changes = diff(before, after).changes;
        changes.retain(|c| !c.lost.is_empty() && !c.permissive && watched(c));
        changes.sort_by_key(|c| (c.silenced.is_empty(), !c.class.contains("socket")));
        for denial in changes.into_iter().map(access) {
            if !losses.iter().any(|l| l.denial == denial) {
                let (state, evidence) = (*state, vec![before_seq, seq]);
                losses.push(Lost {
                    state,
                    denial,
                    evidence,
                });
            }
        }
    }
    losses
}

/// What was lost; of a loss that is partly silenced, the silenced part.
fn access(change: VectorChange) -> DeniedAccess {
    let silenced = !change.silenced.is_empty();
    let mut perms = if silenced {
        change.silenced
    } else {
        change.lost
    };
    perms.sort();
    DeniedAccess {
        source: change.source_type,
        target: change.target_type,
        class: change.class,
        perms,
        silenced,
    }
}

fn first_denial(
    view: &View<'_>,
    host: &HostName,
    results: &[&CellResult],
    domains: &[String],
) -> Option<(u64, Fingerprint)> {
    if domains.is_empty() {
        return None;
    }
    let new = results.iter().filter(|r| is_new(view, r));
    let states: BTreeSet<State> = new.map(|r| r.cell.state).collect();
    states.into_iter().find_map(|state| {
        let (seq, _) = view.windows.get(host, state)?;
        let here = results.iter().filter(|r| r.cell.state == state);
        let checks: Vec<_> = here.map(|r| &r.cell.check).collect();
        let windows = &view.windows;
        let denials = windows.new_denials_near(host, state, domains, &checks);
        denials
            .into_iter()
            .next()
            .map(|(fingerprint, _)| (*seq, fingerprint))
    })
}

/// Whether losing this access shows as this symptom.
fn explains(denial: &DeniedAccess, kind: SymptomKind) -> bool {
    let lost = |perms: &[&str]| denial.perms.iter().any(|p| perms.contains(&p.as_str()));
    let socket = denial.class.ends_with("socket");
    let tcp = denial.class == "tcp_socket";
    match kind {
        SymptomKind::Http(phase) => match phase {
            HttpPhase::FirstByteTimeout | HttpPhase::NoData | HttpPhase::Reset => {
                tcp && lost(&["accept", "read", "write", "getattr", "setopt"])
            }
            HttpPhase::Refused => {
                tcp && lost(&["listen", "bind", "create", "name_bind", "node_bind"])
            }
            HttpPhase::Body => tcp && lost(&["write", "read"]),
            HttpPhase::Dns
            | HttpPhase::ConnectTimeout
            | HttpPhase::Unreachable
            | HttpPhase::Tls
            | HttpPhase::BodyTooLong
            | HttpPhase::Protocol
            | HttpPhase::Redirect => false,
        },
        SymptomKind::HttpStatus | SymptomKind::HttpBody => {
            !socket && lost(&["read", "open", "getattr", "search", "map", "execute"])
        }
        SymptomKind::ServiceState => socket && lost(&["listen", "bind", "create", "name_bind"]),
        // What is silenced is in no log.
        SymptomKind::Denials => !denial.silenced,
        SymptomKind::CommandExit
        | SymptomKind::CommandOutput
        | SymptomKind::CommandDeadline
        | SymptomKind::ServiceEnabled
        | SymptomKind::SelinuxMode
        | SymptomKind::SelinuxBoolean => false,
    }
}

/// The cause that a loss of access is.
pub(super) fn of_access(denial: &DeniedAccess, proof: Proof, kind: Option<SymptomKind>) -> Cause {
    let DeniedAccess {
        source,
        target,
        class,
        perms,
        silenced,
    } = denial;
    let perms = perms.join(" ");
    let hidden = if *silenced {
        "; a dontaudit rule keeps these denials out of every log"
    } else {
        ""
    };
    let effect = if kind.is_some_and(|k| explains(denial, k)) {
        " That is what the clients see."
    } else {
        ""
    };
    Cause {
        kind: if *silenced {
            CauseKind::SelinuxSilentDenial
        } else {
            CauseKind::SelinuxDenial
        },
        proof,
        explanation: format!(
            "SELinux no longer lets {source} {{ {perms} }} on {class} of {target}: the kernel's \
             access vector allowed it at the baseline and denies it now{hidden}.{effect}"
        ),
        look: Some(format!(
            "sesearch -A --dontaudit -s {source} -t {target} -c {class}"
        )),
        denial: Some(denial.clone()),
    }
}

fn of_fingerprint(fingerprint: &Fingerprint, kinds: &[SymptomKind]) -> Cause {
    let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
    let denial = DeniedAccess {
        source: word(&fingerprint.source_type),
        target: word(&fingerprint.target_type),
        class: word(&fingerprint.class),
        perms: fingerprint.permissions.clone(),
        silenced: false,
    };
    let fits = kinds.iter().any(|k| explains(&denial, *k));
    let proof = if fits {
        Proof::Supported
    } else {
        Proof::Suspected
    };
    Cause {
        kind: CauseKind::SelinuxDenial,
        proof,
        explanation: format!(
            "SELinux denied, and logged in the check's window: {}.",
            describe(fingerprint)
        ),
        look: Some(format!(
            "ausearch --input-logs -m AVC,USER_AVC -i -su {}",
            denial.source
        )),
        denial: Some(denial),
    }
}

/// A service that is down explains the failures of the states in which it was seen down, no others.
fn service_down(view: &View<'_>, results: &[&CellResult]) -> Cause {
    let is_down = |r: &&&CellResult| kind(view, r) == Some(SymptomKind::ServiceState);
    let down = results.iter().find(is_down);
    let text = down.and_then(|r| r.outcome.reason()).unwrap_or_default();
    let states = |of: &mut dyn Iterator<Item = &&CellResult>| {
        of.map(|r| r.cell.state).collect::<BTreeSet<State>>()
    };
    let all = states(&mut results.iter());
    let proof = if states(&mut results.iter().filter(is_down)) == all {
        Proof::Supported
    } else {
        Proof::Suspected
    };
    Cause {
        kind: CauseKind::ServiceDown,
        proof,
        explanation: format!("The service does not run: {text}. Why it does not is not known yet."),
        look: Some("systemctl status and journalctl -u of the unit".to_owned()),
        denial: None,
    }
}

fn unknown() -> Cause {
    Cause {
        kind: CauseKind::Unknown,
        proof: Proof::Suspected,
        explanation: "Nothing that was looked at explains it.".to_owned(),
        look: None,
        denial: None,
    }
}
