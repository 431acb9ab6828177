//! What a patch set would do to every host of a plan, by the record of those who were asked.

use serde::Serialize;

use super::{HeldBack, Manager, Preview, Row, TwinDifference, differences, requested, unmet};
use crate::{
    event::Event,
    exit::{self, ExitCode},
    id::HostName,
    inventory::Role,
    ledger::{HostLedger, Ledger, Trouble},
    plan::{Plan, PlannedHost},
    reading::Reading,
    state::State,
    transaction::{AdvisoryHere, left_out},
    undo::Mark,
};

/// What the patch set would do to one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostPlan {
    /// The host.
    pub host: HostName,
    /// Upstream or rebuild.
    pub role: Option<Role>,
    /// What went wrong between us and it.
    pub troubles: Vec<String>,
    /// What the mark of a dirty host says, where it carries one: it is not patched until that is cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// Its package manager.
    pub manager: Option<Manager>,
    /// The transaction; missing where the host does not say, with the reason.
    pub rows: Reading<Vec<Row>>,
    /// The advisories that are asked for, and the host's ids of them.
    pub advisories: Vec<AdvisoryHere>,
    /// What is asked for, is not installed now, and would not come.
    pub wanted: Vec<String>,
    /// What advisories hold newer and the patch set leaves out.
    pub left_out: Vec<String>,
    /// What stays as it is; none where that was not asked.
    pub held: Option<Reading<Vec<HeldBack>>>,
    /// Its upstream twin, where one is known.
    pub twin: Option<HostName>,
    /// Where the twin's transaction differs; none where one of the two is not known.
    pub differences: Option<Vec<TwinDifference>>,
}

impl HostPlan {
    /// Whether the host said everything that was asked, and all that the patch set asks for would be there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let held = self.held.as_ref().is_none_or(|h| h.known().is_some());
        self.troubles.is_empty() && self.rows.known().is_some() && self.wanted.is_empty() && held
    }
}

/// What is known of every host, in the order of the plan.
#[must_use]
pub fn survey(plan: &Plan, events: &[Event]) -> Vec<HostPlan> {
    let ledger = Ledger::fold(events);
    let rows = |name: &HostName| rows(ledger.hosts.get(name));
    let of_host = |host: &PlannedHost| {
        let ledger = ledger.hosts.get(&host.name);
        let own = rows(&host.name);
        let theirs = host.twin.as_ref().map(&rows);
        let theirs = theirs.as_ref().and_then(Reading::known);
        let differences = own
            .known()
            .zip(theirs)
            .map(|(own, theirs)| differences(own, theirs));
        let preview = ledger.and_then(|l| l.preview.as_deref());
        HostPlan {
            host: host.name.clone(),
            role: host.role,
            troubles: ledger.map(troubles).unwrap_or_default(),
            mark: ledger.and_then(|l| l.undo.met()).map(Mark::told),
            manager: preview.map(|p| p.manager),
            advisories: preview.map(|p| p.advisories.clone()).unwrap_or_default(),
            wanted: wanted(plan, ledger, preview),
            left_out: without(plan, ledger, preview),
            held: preview.and_then(|p| p.held.clone()),
            twin: host.twin.clone(),
            rows: own,
            differences,
        }
    };
    plan.hosts.iter().map(of_host).collect()
}

fn troubles(ledger: &HostLedger) -> Vec<String> {
    ledger.troubles.iter().map(|t| t.value.text()).collect()
}

fn rows(ledger: Option<&HostLedger>) -> Reading<Vec<Row>> {
    let planned = ledger.and_then(|l| l.planned.as_ref());
    match planned.map(|p| &p.value) {
        None => Reading::missing("the host was not asked"),
        Some(Reading::Missing { why }) => Reading::missing(why),
        Some(Reading::Known(_)) => match ledger.and_then(|l| l.preview.as_ref()) {
            Some(preview) => Reading::Known(preview.rows.clone()),
            None => Reading::missing("an earlier version wrote the record"),
        },
    }
}

/// What is asked for and would not be there, by the packages that the host has now and those that come.
fn wanted(plan: &Plan, ledger: Option<&HostLedger>, preview: Option<&Preview>) -> Vec<String> {
    let set = plan.patch.as_ref();
    let asked = set.and_then(|set| Some((set, requested(set, preview)?)));
    let installed = ledger.and_then(|l| l.packages(State::Baseline));
    let (Some((set, asked)), Some(installed)) = (asked, installed) else {
        return Vec::new();
    };
    let rows = preview.map(|p| p.rows.as_slice()).unwrap_or_default();
    let brought = rows.iter().filter(|r| r.action.brings());
    let brought = brought.map(|r| r.package.assumed());
    let there: Vec<_> = installed.iter().cloned().chain(brought).collect();
    let absent = unmet(&asked, &there);
    absent.into_iter().map(|r| r.text(set)).collect()
}

fn without(plan: &Plan, ledger: Option<&HostLedger>, preview: Option<&Preview>) -> Vec<String> {
    let installed = ledger.and_then(|l| l.packages(State::Baseline));
    let all = plan.patch.as_ref().zip(preview).zip(installed);
    all.map(|((set, preview), installed)| left_out(set, preview, installed))
        .unwrap_or_default()
}

/// What a run that only asked ends with: that every host said what it would do, or the worst of what kept
/// one from it.
#[must_use]
pub fn survey_exit(plan: &Plan, events: &[Event]) -> ExitCode {
    let ledger = Ledger::fold(events);
    let mut codes = vec![exit::OPEN];
    codes.extend(
        ledger
            .interrupted
            .as_ref()
            .map(|s| exit::of_signal(&s.value)),
    );
    let troubles = ledger.hosts.values().flat_map(|h| &h.troubles);
    codes.extend(troubles.map(|t| match t.value {
        Trouble::Security(_) => exit::SECURITY,
        Trouble::Locked(_) => exit::LOCKED,
        Trouble::Dirty(_) => exit::DIRTY,
        Trouble::Bug(_) => exit::BUG,
        Trouble::Unreachable(_) | Trouble::Lost(_) => exit::UNDECIDED,
    }));
    if !survey(plan, events).iter().all(HostPlan::is_whole) {
        codes.push(exit::UNDECIDED);
    }
    if plan.hosts.is_empty() {
        codes.push(exit::NOTHING_RAN);
    }
    exit::strongest(&codes).unwrap_or(exit::BUG)
}
