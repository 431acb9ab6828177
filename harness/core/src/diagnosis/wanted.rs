//! Which steps a failure wants: chosen by its symptom, cheapest first.

use std::collections::BTreeSet;

use super::{
    DiagnosisStep, Found, Step,
    control::{Asked, own_control, remote},
    failure::{Failure, failures, is_to_run, unit},
};
use crate::{
    id::{CheckId, HostName, SuiteName},
    ledger::{Ledger, StateLedger},
    observation::HttpPhase,
    outcome::SymptomKind,
    plan::Plan,
    state::State,
    suite::Suite,
};

/// What is wanted to be known of the failed checks of one suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The suite.
    pub suite: SuiteName,
    /// Its failed checks, in the order of the suite.
    pub about: Vec<CheckId>,
    /// The steps, cheapest first.
    pub steps: Vec<Step>,
}

/// A kind of step; the order is that of the ladder, by what the steps cost on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rung {
    Unit,
    Listeners,
    ErrorLog,
    Journal,
    Control,
    ConfigTest,
    Labels,
    Owners,
}

/// What to look at on a host in a judged state, suite by suite; nothing where nothing failed that did not
/// fail at the baseline.
#[must_use]
pub fn wanted(plan: &Plan, ledger: &Ledger, host: &HostName, state: State) -> Vec<Wanted> {
    let failures = failures(plan, ledger, host, state);
    let known = ledger.state(host, state);
    let of = |suite: &Suite| {
        let ours = failures.iter().filter(|f| f.suite.name == suite.name);
        of_suite(known, suite, &ours.collect::<Vec<_>>())
    };
    plan.suites.iter().filter_map(of).collect()
}

fn of_suite(known: Option<&StateLedger>, suite: &Suite, failed: &[&Failure<'_>]) -> Option<Wanted> {
    let rungs: BTreeSet<Rung> = failed.iter().flat_map(|f| rungs(f)).copied().collect();
    let steps: Vec<Step> = rungs
        .into_iter()
        .filter(|r| *r != Rung::Labels || may_have_labels(known))
        .flat_map(|r| steps(r, known, suite, failed))
        .collect();
    let about: Vec<_> = failed.iter().map(|f| f.id.clone()).collect();
    let wanted = !steps.is_empty() && n_taken(known, &about) < steps.len();
    wanted.then(|| Wanted {
        suite: suite.name.clone(),
        about,
        steps,
    })
}

/// How many findings there are about these checks: each step leaves one at least, so that a ladder that an
/// interruption broke off is climbed again, and no other.
fn n_taken(known: Option<&StateLedger>, about: &[CheckId]) -> usize {
    let steps = known.map_or(&[][..], |s| s.diagnosis.as_slice());
    let ours = |d: &DiagnosisStep| d.about == about && !matches!(d.found, Found::Experiment { .. });
    steps.iter().filter(|d| ours(&d.value)).count()
}

/// What a failure wants.
fn rungs(failure: &Failure<'_>) -> &'static [Rung] {
    use Rung::{ErrorLog, Journal, Labels, Owners, Unit};
    match failure.symptom {
        SymptomKind::Http(phase) => of_phase(phase),
        SymptomKind::HttpStatus => of_status(failure.status()),
        SymptomKind::HttpBody => &[ErrorLog, Rung::Control],
        SymptomKind::CommandExit | SymptomKind::CommandOutput | SymptomKind::CommandDeadline => {
            &[Unit, ErrorLog, Journal, Labels]
        }
        SymptomKind::ServiceState if unit(failure.check).is_some_and(|(_, runs)| !runs) => &[Unit],
        SymptomKind::ServiceState => START,
        SymptomKind::ServiceEnabled => &[Unit, Owners],
        SymptomKind::Denials => &[Labels],
        // The facts and the snapshot hold all that there is to know.
        SymptomKind::SelinuxMode | SymptomKind::SelinuxBoolean => &[],
    }
}

/// For a service that did not start, or does not listen.
const START: &[Rung] = &[
    Rung::Unit,
    Rung::Listeners,
    Rung::ErrorLog,
    Rung::Journal,
    Rung::Control,
    Rung::ConfigTest,
    Rung::Owners,
];

fn of_phase(phase: HttpPhase) -> &'static [Rung] {
    use Rung::{Control, ErrorLog, Journal, Listeners, Owners, Unit};
    match phase {
        // The host was never asked.
        HttpPhase::Dns => &[],
        HttpPhase::Refused => START,
        // Packets are lost on the way, or by the packet filter, which the snapshot holds.
        HttpPhase::ConnectTimeout | HttpPhase::Unreachable => &[Listeners, Control],
        HttpPhase::Reset | HttpPhase::NoData | HttpPhase::FirstByteTimeout | HttpPhase::Body => {
            &[Unit, Listeners, ErrorLog, Journal, Control, Owners]
        }
        // The service is there, and its configuration is in force.
        HttpPhase::Tls => &[Unit, ErrorLog, Control, Owners],
        HttpPhase::Protocol => &[Listeners, ErrorLog, Control],
        HttpPhase::BodyTooLong | HttpPhase::Redirect => &[ErrorLog, Control],
    }
}

fn of_status(status: Option<u16>) -> &'static [Rung] {
    use Rung::{Control, ErrorLog, Journal, Labels, Listeners, Owners, Unit};
    match status {
        Some(403 | 404) => &[ErrorLog, Control, Labels, Owners],
        Some(500..) => &[Unit, Listeners, ErrorLog, Journal, Control, Labels, Owners],
        Some(_) | None => &[ErrorLog, Control],
    }
}

/// Without SELinux no label is wrong.
fn may_have_labels(known: Option<&StateLedger>) -> bool {
    let selinux = known
        .and_then(|s| s.facts.as_ref())
        .and_then(|f| f.value.selinux.known());
    selinux.is_none_or(|s| s.mode != "Disabled")
}

/// The steps of a kind for a suite.
fn steps(
    rung: Rung,
    known: Option<&StateLedger>,
    suite: &Suite,
    failed: &[&Failure<'_>],
) -> Vec<Step> {
    let rests_on = &suite.rests_on;
    let each = |of: &[String], step: fn(String) -> Step| of.iter().cloned().map(step).collect();
    match rung {
        Rung::Unit => each(&units(suite, failed), |unit| Step::Unit { unit }),
        Rung::Listeners => vec![Step::Listeners],
        Rung::ErrorLog => each(&rests_on.error_logs, |path| Step::ErrorLog { path }),
        Rung::Journal => each(&units(suite, failed), |unit| Step::Journal { unit }),
        Rung::Control => controls(known, suite, failed),
        Rung::ConfigTest => each(&rests_on.config_tests, |command| Step::ConfigTest {
            command,
        }),
        Rung::Labels if rests_on.paths.is_empty() => Vec::new(),
        Rung::Labels => vec![Step::Labels {
            paths: rests_on.paths.clone(),
        }],
        Rung::Owners => owners(suite, units(suite, failed)),
    }
}

/// The units that a suite wants to run, and those of its failed checks, each once.
fn units(suite: &Suite, failed: &[&Failure<'_>]) -> Vec<String> {
    let of_failed = failed.iter().filter_map(|f| unit(f.check));
    let of_failed: Vec<String> = of_failed.map(|(unit, _)| unit.to_owned()).collect();
    let mut units: Vec<String> = Vec::new();
    for unit in suite.units() {
        let looked_at = is_to_run(suite, &unit) || of_failed.contains(&unit);
        if looked_at && !units.contains(&unit) {
            units.push(unit);
        }
    }
    units
}

fn owners(suite: &Suite, units: Vec<String>) -> Vec<Step> {
    let rests_on = &suite.rests_on;
    let logs = rests_on.error_logs.clone();
    let paths = [rests_on.certificates.as_slice(), &rests_on.paths].concat();
    if units.is_empty() && logs.is_empty() && paths.is_empty() {
        return Vec::new();
    }
    vec![Step::Owners { units, logs, paths }]
}

/// The request of each failed check of a remote client, once for each that differs, unless the suite's own
/// control was made.
fn controls(known: Option<&StateLedger>, suite: &Suite, failed: &[&Failure<'_>]) -> Vec<Step> {
    let mut asked: Vec<Asked<'_>> = Vec::new();
    let mut steps = Vec::new();
    for failure in failed {
        let Some(request) = remote(failure.check) else {
            continue;
        };
        if own_control(known, suite, failure.check).is_none() && !asked.contains(&request) {
            asked.push(request);
            steps.push(Step::Control {
                check: failure.id.clone(),
            });
        }
    }
    steps
}

#[cfg(test)]
mod tests;
