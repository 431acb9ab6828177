//! A record made by hand: one host in three states, in which everything is well until a test says
//! otherwise.
//!
//! Scenarios drive the real runner over scripted hosts; this is for what the judgement makes of evidence,
//! whichever way it came about.

mod experiment;
pub mod known;
mod parts;
mod window;

use std::{collections::BTreeMap, time::Duration};

use patchgate_core::{
    diagnosis::{DiagnosisStep, Found},
    event::{EVENT_VERSION, Event, PatchEnd, RestartEnd, What},
    evidence::{
        access::{Query, VectorTable},
        capture::WindowCapture,
        vectors::parse_vectors,
        window::Expectations,
    },
    facts::Facts,
    id::{CheckId, HostName},
    judge::{self, Judgement},
    observation::Observation,
    plan::Plan,
    reading::Reading,
    reboot::{Advice, RebootEnd, RebootSigns},
    snapshot::Snapshot,
    state::State,
    suite::CheckKind,
    undo::{UndoEnd, UndoHow},
    verdict::{Cause, Finding},
};

pub use self::{experiment::Trial, parts::*};
use crate::{Scenario, script::HostScript, vectors};

/// The host of every night.
pub const HOST: &str = "centos-web";

/// A night.
#[derive(Clone)]
pub struct Night {
    /// The manifest.
    pub plan: Plan,
    /// What each state holds.
    pub seen: BTreeMap<State, Seen>,
    /// How the host was lost in the end.
    pub lost: Option<String>,
}

/// What a state holds.
#[derive(Clone)]
pub struct Seen {
    /// The facts.
    pub facts: Facts,
    /// The access vectors.
    pub vectors: Reading<VectorTable>,
    /// The snapshot; none is taken where there is none.
    pub snapshot: Option<Snapshot>,
    /// What each check saw.
    pub saw: BTreeMap<CheckId, Observation>,
    /// Records of the audit log, from `type=` on, without their stamps: `AVC avc:  denied …`.
    pub log: Vec<String>,
    /// What is wrong with the capture of the window.
    pub spoilt: Option<fn(&mut WindowCapture)>,
    /// The steps of the diagnosis.
    pub steps: Vec<Found>,
    /// The experiment.
    pub trial: Option<Trial>,
}

impl Night {
    /// A quiet night with the two suites that patchgate brings, and a policy update.
    #[must_use]
    pub fn quiet() -> Self {
        let rebuild = HostScript {
            inventory: "patchgate_role: rebuild",
            ..HostScript::rebuild()
        };
        Self::of(&Scenario::new("night", [rebuild]))
    }

    /// A quiet night with these suites, and no patch where there is none.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        let plan = scenario.plan();
        let states = plan.states.iter();
        let seen = states.map(|s| (*s, Seen::quiet(&plan, *s))).collect();
        Self {
            plan,
            seen,
            lost: None,
        }
    }

    /// Something is so from a state on.
    #[must_use]
    pub fn from(mut self, state: State, change: impl Fn(&mut Seen)) -> Self {
        for (_, seen) in self.seen.iter_mut().filter(|(s, _)| **s >= state) {
            change(seen);
        }
        self
    }

    /// Something is so in one state.
    #[must_use]
    pub fn at(mut self, state: State, change: impl Fn(&mut Seen)) -> Self {
        self.seen.get_mut(&state).into_iter().for_each(change);
        self
    }

    /// The record.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        let mut book = Book::new(self);
        for (state, seen) in &self.seen {
            book.state(*state, seen);
        }
        book.end(self.lost.clone());
        book.events
    }

    /// The judgement.
    #[must_use]
    pub fn judged(&self) -> Judgement {
        judge::judge(&self.plan, &self.events())
    }

    /// The first finding of a suite.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn finding(&self, suite: &str) -> Finding {
        finding(&self.judged(), suite).expect("the suite has a finding")
    }

    /// Its cause.
    ///
    /// # Panics
    /// When there is no finding.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.finding("httpd").cause
    }
}

/// The first finding of a suite, of a class that tells of a failure.
#[must_use]
pub fn finding(judgement: &Judgement, suite: &str) -> Option<Finding> {
    let ours = |f: &&Finding| f.suite.as_ref().is_some_and(|s| s.as_str() == suite);
    judgement.verdict.findings.iter().find(ours).cloned()
}

/// Writes the events.
struct Book {
    plan: Plan,
    host: HostName,
    events: Vec<Event>,
}

impl Book {
    fn new(night: &Night) -> Self {
        let mut book = Self {
            plan: night.plan.clone(),
            host: night.plan.hosts[0].name.clone(),
            events: Vec::new(),
        };
        let started = What::RunStarted {
            run: night.plan.run.clone(),
            version: "0.0.0-night".to_owned(),
            plan_sha256: "0".repeat(64),
            targets_sha256: None,
        };
        book.push(None, None, started);
        let connected = What::HostConnected {
            address: "192.0.2.2:22".to_owned(),
            host_key: "SHA256:one".to_owned(),
            elapsed: Duration::from_millis(20),
        };
        let host = book.host.clone();
        book.push(Some(host), None, connected);
        book
    }

    fn push(&mut self, host: Option<HostName>, state: Option<State>, what: What) {
        let begin: jiff::Timestamp = "2013-02-22T03:04:05Z".parse().expect("it is a time");
        let seq = self.events.len() as u64 + 1;
        let second = i64::try_from(seq).expect("a night has few events");
        self.events.push(Event {
            v: EVENT_VERSION,
            seq,
            at: begin + jiff::SignedDuration::from_secs(second),
            host,
            state,
            what,
        });
    }

    fn tell(&mut self, state: State, what: What) {
        let host = self.host.clone();
        self.push(Some(host), Some(state), what);
    }

    fn state(&mut self, state: State, seen: &Seen) {
        match state {
            State::Baseline => {}
            State::Patched => self.patch(seen),
            State::Restarted => self.restart(),
            State::Rebooted => self.reboot(),
            State::Undone => self.undo(),
        }
        let facts = Box::new(seen.facts.clone());
        self.tell(state, What::FactsCollected { facts });
        let vectors = seen.vectors.clone();
        self.tell(state, What::VectorsRead { vectors });
        if let Some(snapshot) = seen.snapshot.clone() {
            let snapshot = Box::new(snapshot);
            self.tell(state, What::SnapshotTaken { snapshot });
        }
        for (check, saw) in seen.saw.clone() {
            let attempt = 1;
            self.tell(
                state,
                What::CheckFinished {
                    check,
                    attempt,
                    saw,
                },
            );
        }
        let mut capture = window::capture(&format!("w-{state}"), &seen.log);
        seen.spoilt
            .into_iter()
            .for_each(|spoil| spoil(&mut capture));
        let capture = Box::new(capture);
        let expected = Expectations {
            policy_load: [State::Patched, State::Undone].contains(&state),
            mode_change: false,
            reboot: state == State::Rebooted,
        };
        self.tell(state, What::WindowCaptured { capture, expected });
        let trial = seen.trial.iter().flat_map(Trial::steps);
        for found in seen.steps.iter().cloned().chain(trial) {
            let about = seen.failed(&self.plan);
            let elapsed = Duration::from_millis(40);
            let diagnosis = Box::new(DiagnosisStep {
                about,
                found,
                elapsed,
            });
            self.tell(state, What::Diagnosed { diagnosis });
        }
    }

    fn patch(&mut self, seen: &Seen) {
        let packages = seen.facts.packages.known().map_or_else(Vec::new, |all| {
            all.iter().map(ToString::to_string).collect()
        });
        let packages = Reading::Known(packages);
        self.tell(
            State::Patched,
            What::PatchPlanned {
                packages,
                preview: None,
            },
        );
        let job = self.plan.run.to_string();
        self.tell(
            State::Patched,
            What::PatchStarted {
                job,
                script: String::new(),
            },
        );
        let finished = What::PatchFinished {
            end: PatchEnd::Exited(0),
            transaction: Some("7".to_owned()),
            output: "Complete!".to_owned(),
        };
        self.tell(State::Patched, finished);
    }

    fn restart(&mut self) {
        let end = RestartEnd {
            exit: Some(0),
            stderr: String::new(),
        };
        let units = BTreeMap::from([("httpd".to_owned(), end)]);
        self.tell(State::Restarted, What::ServicesRestarted { units });
    }

    fn reboot(&mut self) {
        let boot = |n: u8| format!("a6dcd5f0-95ce-4306-8705-00000000000{n}");
        let signs = Box::new(RebootSigns {
            boot_id: Reading::Known(boot(1)),
            machine_id: Reading::missing("EL6 has none"),
            advice: Reading::Known(Advice::Needed {
                packages: vec!["glibc".to_owned()],
            }),
            since_boot: Reading::Known(vec!["glibc".to_owned()]),
        });
        self.tell(State::Rebooted, What::RebootConsidered { signs });
        let boot_id = boot(1);
        self.tell(State::Rebooted, What::RebootStarted { boot_id });
        let end = RebootEnd::CameBack {
            boots: vec![boot(2)],
            settled: Reading::Known("running".to_owned()),
        };
        let elapsed = Duration::from_secs(54);
        self.tell(State::Rebooted, What::RebootEnded { end, elapsed });
    }

    fn undo(&mut self) {
        let how = UndoHow::Rollback {
            job: format!("{}.undo", self.plan.run),
            transaction: "7".to_owned(),
        };
        self.tell(State::Undone, What::UndoStarted { how });
        let ended = What::UndoEnded {
            end: UndoEnd::RolledBack,
            output: "Complete!".to_owned(),
            elapsed: Duration::from_secs(30),
        };
        self.tell(State::Undone, ended);
        let end = RestartEnd {
            exit: Some(0),
            stderr: String::new(),
        };
        let units = BTreeMap::from([("httpd".to_owned(), end)]);
        self.tell(State::Undone, What::ServicesRestarted { units });
    }

    fn end(&mut self, lost: Option<String>) {
        let host = self.host.clone();
        let what = match lost {
            Some(why) => What::HostLost {
                doing: "closing the window".to_owned(),
                why,
            },
            None => What::HostFinished { dirty: None },
        };
        self.push(Some(host), None, what);
        self.push(None, None, What::RunFinished {});
    }
}

impl Seen {
    fn quiet(plan: &Plan, state: State) -> Self {
        let saw = plan.suites.iter().flat_map(|suite| {
            let checks = suite.checks.iter();
            checks.map(|check| {
                (
                    patchgate_core::plan::id_of(suite, &check.name),
                    well(&check.kind),
                )
            })
        });
        Self {
            facts: parts::facts(![State::Baseline, State::Undone].contains(&state)),
            vectors: Reading::Known(own_sockets(vectors::Policy::GOOD)),
            snapshot: Some(parts::snapshot()),
            saw: saw.collect(),
            log: Vec::new(),
            spoilt: None,
            steps: Vec::new(),
            trial: None,
        }
    }

    /// A check sees this.
    ///
    /// # Panics
    /// When there is no such check.
    pub fn sees(&mut self, check: &str, saw: Observation) {
        let id = self.id(check);
        self.saw.insert(id, saw);
    }

    /// Both the remote clients and the host itself see this of the page.
    pub fn page(&mut self, saw: &Observation) {
        self.sees("root-page", saw.clone());
        self.sees("root-page-local", saw.clone());
    }

    /// The policy of February 2013 is in force: the kernel answers so.
    pub fn february(&mut self) {
        self.vectors = Reading::Known(own_sockets(vectors::Policy::FEBRUARY));
    }

    fn id(&self, check: &str) -> CheckId {
        let mut ids = self.saw.keys();
        let found = ids.find(|id| id.check.as_str() == check);
        found.expect("the suites have the check").clone()
    }

    /// The checks that a diagnosis is about: those of the suite httpd that answered otherwise than well.
    fn failed(&self, plan: &Plan) -> Vec<CheckId> {
        let failed = self.saw.iter().filter(|(id, saw)| {
            let check = plan.check(id).map(|(_, check)| well(&check.kind));
            id.suite.as_str() == "httpd" && check.as_ref() != Some(*saw)
        });
        let failed: Vec<CheckId> = failed.map(|(id, _)| id.clone()).collect();
        if failed.is_empty() {
            let all = self.saw.keys().filter(|id| id.suite.as_str() == "httpd");
            return all.take(1).cloned().collect();
        }
        failed
    }
}

/// What a check sees when all is well.
fn well(kind: &CheckKind) -> Observation {
    match kind {
        CheckKind::Http(http) => status(http.status),
        CheckKind::Command(_) => command(0, ""),
        CheckKind::Service(_) => unit("active", "success"),
        CheckKind::Selinux(_) => selinux("Enforcing"),
        CheckKind::Denials(_) => Observation::Window,
    }
}

/// The kernel's answers for httpd's own TCP sockets.
fn own_sockets(policy: vectors::Policy) -> VectorTable {
    let own = Query::new(HTTPD_CONTEXT, HTTPD_CONTEXT, "tcp_socket").expect("they are contexts");
    let page = Query::new(
        HTTPD_CONTEXT,
        "system_u:object_r:httpd_sys_content_t:s0",
        "file",
    );
    let queries = [own, page.expect("they are contexts")];
    parse_vectors(&vectors::answer(policy, &queries, &[])).table
}
