//! Everything that can go missing from a record, piece by piece.

use std::{collections::BTreeMap, time::Duration};

use patchgate_core::{
    allow::AllowEntry,
    event::{Event, PatchEnd, What},
    evidence::{
        access::VectorTable,
        capture::{Reading, WindowCapture, WindowEdge},
    },
    facts::Facts,
    observation::Observation,
    plan::Plan,
    reboot::{Advice, RebootEnd, RebootSigns},
    soak::Stretch,
    state::State,
    suite::CheckKind,
    transaction::Preview,
    undo::UndoEnd,
};

/// A record with something missing.
pub struct Weakened {
    /// What was done to it.
    pub how: String,
    /// The events that are left.
    pub events: Vec<Event>,
    /// Whether what is missing is evidence: without it the gate may not open.
    pub evidence: bool,
}

/// Every record that comes of a record by taking away one event, or one piece of one, and every
/// record cut off early. What is left is numbered anew, so that only what it says counts.
#[must_use]
pub fn weakened(events: &[Event]) -> Vec<Weakened> {
    let mut all = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let name = format!("event {} ({})", event.seq, name(&event.what));
        let evidence = is_evidence(&event.what);
        let with = |how: &str, what: Option<What>, evidence| Weakened {
            how: format!("{how} {name}"),
            events: replaced(events, at, what),
            evidence,
        };
        all.push(with("without", None, evidence));
        all.push(with("blank", Some(What::Unknown), true));
        let pieces = pieces(&event.what)
            .into_iter()
            .filter(|_| !is_moot(events, event));
        all.extend(pieces.map(|(how, what)| with(how, Some(what), true)));
        let fewer = fewer_answers(events, event).into_iter();
        all.extend(fewer.map(|what| with("an answer less in", Some(what), true)));
        all.push(Weakened {
            how: format!("cut off before {name}"),
            events: events[..at].to_vec(),
            evidence: true,
        });
    }
    all
}

/// Whether an event's pieces say nothing that does not follow from what came after: what spoke for or against
/// a reboot that was made.
fn is_moot(events: &[Event], event: &Event) -> bool {
    let rebooted = |e: &Event| e.host == event.host && matches!(e.what, What::RebootStarted { .. });
    matches!(event.what, What::RebootConsidered { .. }) && events.iter().any(rebooted)
}

/// Every plan that comes of a plan by taking an entry of an allow-list away, or by letting it expire
/// long before the run.
#[must_use]
pub fn disallowed(plan: &Plan) -> Vec<(String, Plan)> {
    let mut all = Vec::new();
    for (suite, check, entry) in entries(plan) {
        let with = |change: &dyn Fn(&mut Vec<AllowEntry>)| {
            let mut plan = plan.clone();
            if let CheckKind::Denials(denials) = &mut plan.suites[suite].checks[check].kind
                && let Some(list) = &mut denials.allow
            {
                change(&mut list.entries);
            }
            plan
        };
        let long_ago = jiff::civil::date(2000, 1, 1);
        let (gone, expired) = (
            with(&|e| drop(e.remove(entry))),
            with(&|e| e[entry].expires = long_ago),
        );
        all.push((format!("without entry {entry} of suite {suite}"), gone));
        all.push((
            format!("with entry {entry} of suite {suite} expired"),
            expired,
        ));
    }
    all
}

/// Suite, check and place of every entry of the allow-lists.
fn entries(plan: &Plan) -> Vec<(usize, usize, usize)> {
    let mut all = Vec::new();
    for (s, suite) in plan.suites.iter().enumerate() {
        for (c, check) in suite.checks.iter().enumerate() {
            if let CheckKind::Denials(denials) = &check.kind {
                let entries = denials.allow.iter().flat_map(|list| &list.entries);
                all.extend((0..entries.count()).map(|entry| (s, c, entry)));
            }
        }
    }
    all
}

/// What is told twice, or in another order, numbered anew.
#[must_use]
pub fn disordered(events: &[Event]) -> Vec<Weakened> {
    let mut all = Vec::new();
    for at in 1..events.len() {
        let (mut swapped, mut twice) = (events.to_vec(), events.to_vec());
        swapped.swap(at - 1, at);
        twice.insert(at, events[at].clone());
        for (how, events) in [("swapped", swapped), ("twice", twice)] {
            all.push(Weakened {
                how: format!("{how} event {}", at + 1),
                events: numbered(events),
                evidence: false,
            });
        }
    }
    all
}

/// Whether the gate rests on an event. The rest is there for people and for the record's own integrity,
/// which is the chain's business: who answered, what was saved, what explains a finding.
fn is_evidence(what: &What) -> bool {
    match what {
        What::VectorsRead { vectors } => vectors.known().is_some_and(|t| !t.vectors.is_empty()),
        // For whoever resumes the run; the window and the answers speak for themselves.
        What::StateEntered { .. } | What::StateLeft { .. } | What::HostStopped {} => false,
        What::HostConnected { .. }
        | What::DirtyMark { .. }
        | What::ArtifactSaved { .. }
        | What::SnapshotTaken { .. }
        | What::Diagnosed { .. }
        | What::Unknown => false,
        What::HostUnreachable { .. }
        | What::SecurityStopped { .. }
        | What::HostLocked { .. }
        | What::HostDirty { .. }
        | What::UndoStarted { .. }
        | What::UndoEnded { .. }
        | What::HostLost { .. }
        | What::BrokeDown { .. }
        | What::FactsCollected { .. }
        | What::CheckFinished { .. }
        | What::WindowCaptured { .. }
        | What::PatchPlanned { .. }
        | What::PatchStarted { .. }
        | What::PatchFinished { .. }
        | What::ServicesRestarted { .. }
        | What::SoakBegun { .. }
        | What::SoakResumed { .. }
        | What::SoakProbed { .. }
        | What::SoakEnded { .. }
        | What::RebootConsidered { .. }
        | What::RebootStarted { .. }
        | What::RebootEnded { .. }
        | What::HostFinished { .. }
        | What::WaveBegun { .. }
        | What::WaveStopped { .. }
        | What::RunStarted { .. }
        | What::RunResumed { .. }
        | What::HostResumed { .. }
        | What::RunInterrupted { .. }
        | What::RunFinished {} => true,
    }
}

/// The pieces of an event that the gate rests on, each taken away.
fn pieces(what: &What) -> Vec<(&'static str, What)> {
    match what {
        What::FactsCollected { facts } => of_facts(facts),
        What::CheckFinished { check, attempt, .. } => vec![(
            "errored",
            What::CheckFinished {
                check: check.clone(),
                attempt: *attempt,
                saw: Observation::Errored { why: gone() },
            },
        )],
        What::WindowCaptured { capture, expected } => of_capture(capture)
            .into_iter()
            .map(|(how, capture)| {
                let (capture, expected) = (Box::new(capture), *expected);
                (how, What::WindowCaptured { capture, expected })
            })
            .collect(),
        What::PatchPlanned { packages, preview } => of_plan(packages, preview.as_deref()),
        What::PatchFinished { .. } => other_ends(),
        What::ServicesRestarted { .. } => {
            let units = BTreeMap::new();
            vec![("no unit in", What::ServicesRestarted { units })]
        }
        What::RebootConsidered { signs } => of_signs(signs),
        What::RebootEnded { elapsed, .. } => of_reboot(*elapsed),
        What::UndoEnded { elapsed, .. } => of_undo(*elapsed),
        What::VectorsRead { vectors } => vectors.known().map(of_vectors).unwrap_or_default(),
        What::SoakProbed { stretch } => of_stretch(stretch.clone()),
        What::RunStarted { .. }
        | What::RunResumed { .. }
        | What::HostResumed { .. }
        | What::StateEntered { .. }
        | What::StateLeft { .. }
        | What::HostStopped {}
        | What::HostConnected { .. }
        | What::SoakBegun { .. }
        | What::SoakResumed { .. }
        | What::SoakEnded { .. }
        | What::HostUnreachable { .. }
        | What::SecurityStopped { .. }
        | What::HostLocked { .. }
        | What::HostDirty { .. }
        | What::DirtyMark { .. }
        | What::UndoStarted { .. }
        | What::HostLost { .. }
        | What::BrokeDown { .. }
        | What::PatchStarted { .. }
        | What::RebootStarted { .. }
        | What::SnapshotTaken { .. }
        | What::Diagnosed { .. }
        | What::ArtifactSaved { .. }
        | What::HostFinished { .. }
        | What::WaveBegun { .. }
        | What::WaveStopped { .. }
        | What::RunInterrupted { .. }
        | What::RunFinished {}
        | What::Unknown => Vec::new(),
    }
}

fn of_stretch(mut stretch: Stretch) -> Vec<(&'static str, What)> {
    stretch.begun_ms.pop();
    stretch.took_ms.pop();
    vec![("a probe less in", What::SoakProbed { stretch })]
}

fn other_ends() -> Vec<(&'static str, What)> {
    let end = |end| What::PatchFinished {
        end,
        transaction: None,
        output: String::new(),
    };
    let ends = [PatchEnd::Lost, PatchEnd::StillRunning];
    ends.map(|e| ("another end in", end(e))).to_vec()
}

/// None of the signs that no reboot is needed; those that one is are as good as the reboot that followed.
fn of_signs(signs: &RebootSigns) -> Vec<(&'static str, What)> {
    let calm = signs.advice == Reading::Known(Advice::NotNeeded)
        && signs.since_boot == Reading::Known(Vec::new());
    let signs = Box::new(RebootSigns {
        advice: Reading::missing(gone()),
        since_boot: Reading::missing(gone()),
        ..signs.clone()
    });
    let event = What::RebootConsidered { signs };
    calm.then_some(("no signs in", event)).into_iter().collect()
}

/// Every other end of a reboot.
fn of_reboot(elapsed: Duration) -> Vec<(&'static str, What)> {
    let ends = [
        RebootEnd::Stayed { why: gone() },
        RebootEnd::Refused { why: gone() },
        RebootEnd::NotBack {
            why: gone(),
            answered: None,
        },
        RebootEnd::CameBack {
            boots: Vec::new(),
            settled: Reading::missing(gone()),
        },
    ];
    ends.map(|end| ("another end in", What::RebootEnded { end, elapsed }))
        .to_vec()
}

/// Every other end of an undo.
fn of_undo(elapsed: Duration) -> Vec<(&'static str, What)> {
    let ends = [
        UndoEnd::Failed { why: gone() },
        UndoEnd::Refused { why: gone() },
        UndoEnd::StillRunning,
        UndoEnd::RolledBack,
    ];
    let event = |end| What::UndoEnded {
        end,
        output: String::new(),
        elapsed,
    };
    ends.map(|end| ("another end in", event(end))).to_vec()
}

/// No plan, and none of what the host told beyond it.
fn of_plan(
    packages: &Reading<Vec<String>>,
    preview: Option<&Preview>,
) -> Vec<(&'static str, What)> {
    let event = |packages, preview| What::PatchPlanned { packages, preview };
    let kept = preview.cloned().map(Box::new);
    let mut all = vec![("no plan in", event(Reading::missing(gone()), kept))];
    if preview.is_some_and(|p| !p.at_least.is_empty() || !p.advisories.is_empty()) {
        all.push(("no preview in", event(packages.clone(), None)));
    }
    all
}

fn gone() -> String {
    "taken away".to_owned()
}

/// A table without answers, and none at all.
fn of_vectors(table: &VectorTable) -> Vec<(&'static str, What)> {
    if table.vectors.is_empty() {
        return Vec::new();
    }
    let event = |vectors| What::VectorsRead { vectors };
    let empty = VectorTable {
        vectors: BTreeMap::new(),
        ..table.clone()
    };
    vec![
        ("no answers in", event(Reading::Known(empty))),
        ("no table in", event(Reading::missing(gone()))),
    ]
}

/// A table of a later state, each time without one of the answers that the baseline has. The gate rests on
/// no other: what has no counterpart shows no loss.
fn fewer_answers(events: &[Event], event: &Event) -> Vec<What> {
    let before = events
        .iter()
        .filter(|e| e.host == event.host && e.state == Some(State::Baseline));
    let mut before = before.filter_map(|e| table_of(&e.what));
    let later = event.state != Some(State::Baseline);
    let Some((table, before)) = table_of(&event.what).filter(|_| later).zip(before.next()) else {
        return Vec::new();
    };
    let without = |query| {
        let mut table = table.clone();
        table.vectors.remove(query);
        let vectors = Reading::Known(table);
        What::VectorsRead { vectors }
    };
    let compared = table.vectors.keys();
    let compared = compared.filter(|q| before.vectors.contains_key(*q));
    compared.map(without).collect()
}

fn table_of(what: &What) -> Option<&VectorTable> {
    if let What::VectorsRead { vectors } = what {
        return vectors.known();
    }
    None
}

fn of_facts(facts: &Facts) -> Vec<(&'static str, What)> {
    let event = |change: fn(&mut Facts)| {
        let mut facts = Box::new(facts.clone());
        change(&mut facts);
        What::FactsCollected { facts }
    };
    vec![
        (
            "no packages in",
            event(|f| f.packages = Reading::missing(gone())),
        ),
        (
            "no mode in",
            event(|f| f.selinux = Reading::missing(gone())),
        ),
    ]
}

type Change = fn(&mut WindowEdge);

fn of_capture(capture: &WindowCapture) -> Vec<(&'static str, WindowCapture)> {
    let with = |change: &dyn Fn(&mut WindowCapture)| {
        let mut capture = capture.clone();
        change(&mut capture);
        capture
    };
    let mut all = vec![
        ("no begin in", with(&|c| c.begin = Reading::missing(gone()))),
        ("no end in", with(&|c| c.end = Reading::missing(gone()))),
        (
            "no SELinux in",
            with(&|c| c.selinux = Reading::missing(gone())),
        ),
        ("no log in", with(&|c| c.log.text.clear())),
        ("a cut log in", with(&|c| c.log.truncated_bytes = 1)),
        ("a later log in", with(&|c| c.log.reached_begin = false)),
    ];
    let edge: [(&'static str, Change); 8] = [
        ("no boot in", |e| e.boot_id = Reading::missing(gone())),
        ("no status in", |e| {
            e.audit_status = Reading::missing(gone());
        }),
        ("no rules in", |e| e.audit_rules = Reading::missing(gone())),
        ("no marker in", |e| e.marker = Reading::missing(gone())),
        ("no kernel log in", |e| {
            e.kernel_suppressions = Reading::missing(gone());
        }),
        ("no mode in", |e| e.mode = Reading::missing(gone())),
        ("no uptime in", |e| {
            e.marked = Some(Reading::missing(gone()));
        }),
        ("no control in", |e| {
            e.control = Some(Reading::missing(gone()));
        }),
    ];
    for (how, change) in edge {
        for side in 0..2 {
            let changed = with(&|c| {
                let edge = if side == 0 { &mut c.begin } else { &mut c.end };
                if let Reading::Known(edge) = edge {
                    change(edge);
                }
            });
            all.push((how, changed));
        }
    }
    all
}

fn replaced(events: &[Event], at: usize, what: Option<What>) -> Vec<Event> {
    let mut events = events.to_vec();
    match what {
        Some(what) => events[at].what = what,
        None => {
            events.remove(at);
        }
    }
    numbered(events)
}

fn numbered(mut events: Vec<Event>) -> Vec<Event> {
    for (event, seq) in events.iter_mut().zip(1..) {
        event.seq = seq;
    }
    events
}

fn name(what: &What) -> String {
    let json = serde_json::to_value(what).unwrap_or_default();
    json["kind"].as_str().unwrap_or("unknown").to_owned()
}
