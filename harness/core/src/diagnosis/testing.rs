//! A plan of one host and what is known of it, for the tests of the decisions.

use std::time::Duration;

use super::{DiagnosisStep, Found, UnitFound};
use crate::{
    event::{EVENT_VERSION, Event, What},
    facts::{Facts, SelinuxFacts},
    id::{CheckId, HostName, RunId},
    ledger::Ledger,
    observation::{
        CommandEnd, CommandSeen, HttpAnswer, HttpEnd, HttpFailure, HttpPhase, HttpSeen,
        Observation, ServiceSeen,
    },
    patchset,
    plan::{PLAN_VERSION, Plan, PlannedHost, id_of},
    policy::Policy,
    reading::Reading,
    state::State,
    suite::{self, Suite},
};

const SUITE: &str = "suite: web\n\
    domains: [httpd_t]\n\
    rests_on:\n\
    \x20 units: [httpd]\n\
    \x20 paths: [/var/www/html]\n\
    \x20 certificates: [/etc/pki/c.crt]\n\
    \x20 error_logs: [/var/log/httpd/error_log]\n\
    \x20 config_tests: [httpd -t]\n\
    checks:\n\
    \x20 - id: page\n\
    \x20   http: { url: \"http://{{ host }}/\", body: { contains: works } }\n\
    \x20 - id: other\n\
    \x20   http: { url: \"http://{{ host }}/other\" }\n\
    \x20 - id: control\n\
    \x20   vantage: localhost\n\
    \x20   http: { url: \"http://localhost/other\" }\n\
    \x20 - id: runs\n\
    \x20   service: { unit: httpd, enabled: true }\n\
    \x20 - id: rests\n\
    \x20   service: { unit: telnet, active: false }\n\
    \x20 - id: says\n\
    \x20   command: { run: cat /etc/motd, stdout: { contains: works } }\n\
    \x20 - id: mode\n\
    \x20   selinux: { mode: enforcing }\n\
    \x20 - id: denials\n\
    \x20   denials: { domains: [httpd_t] }\n";

/// One host's way through a run.
pub(super) struct Night {
    pub(super) plan: Plan,
    events: Vec<Event>,
}

impl Night {
    /// A lab host that enforces, in a run with a patch.
    pub(super) fn new() -> Self {
        let suite = suite::parse(SUITE, "suite.yaml").unwrap();
        let patch = "patch_set: n\nselect: { updates: all }\nservices: { restart: [httpd] }\n";
        let host = PlannedHost {
            snapshot: None,
            name: host(),
            address: "192.0.2.2".into(),
            role: None,
            twin: None,
            lab: true,
        };
        let mut night = Self {
            plan: Plan {
                experiments: true,
                preview: false,
                v: PLAN_VERSION,
                run: RunId::new("n").unwrap(),
                patch: Some(patchset::parse(patch, "patch.yaml").unwrap()),
                policy: Policy::strict(vec![suite.name.clone()]),
                suites: vec![suite],
                hosts: vec![host],
                states: vec![State::Baseline, State::Patched, State::Restarted],
                cells: Vec::new(),
                soak: None,
                waves: None,
            },
            events: Vec::new(),
        };
        night.lay();
        night.with(State::Patched, mode("Enforcing"))
    }

    /// The same without a patch.
    pub(super) fn check_only() -> Self {
        let mut night = Self::new();
        (night.plan.patch, night.plan.states) = (None, vec![State::Baseline]);
        night.lay();
        night.with(State::Baseline, mode("Enforcing"))
    }

    /// Another form of the plan; every cell is laid anew.
    pub(super) fn plan(mut self, change: impl FnOnce(&mut Plan)) -> Self {
        change(&mut self.plan);
        self.lay();
        self
    }

    fn lay(&mut self) {
        let cells = self.plan.states.iter().flat_map(|state| {
            let of = |suite: &Suite| {
                let cell = |c: &suite::Check| crate::plan::Cell {
                    host: host(),
                    state: *state,
                    check: id_of(suite, &c.name),
                    vantage: c.vantage,
                };
                suite.checks.iter().map(cell).collect::<Vec<_>>()
            };
            self.plan.suites.iter().flat_map(of).collect::<Vec<_>>()
        });
        self.plan.cells = cells.collect();
    }

    /// Something happens.
    pub(super) fn with(mut self, state: State, what: What) -> Self {
        let seq = self.events.len() as u64 + 1;
        self.events.push(Event {
            v: EVENT_VERSION,
            seq,
            at: jiff::Timestamp::UNIX_EPOCH,
            host: Some(host()),
            state: Some(state),
            what,
        });
        self
    }

    /// A check sees something.
    pub(super) fn saw(self, state: State, check: &str, saw: Observation) -> Self {
        let check = id(check);
        let attempt = 1;
        self.with(
            state,
            What::CheckFinished {
                check,
                attempt,
                saw,
            },
        )
    }

    /// A step about a check finds something.
    pub(super) fn found(self, state: State, about: &str, found: Found) -> Self {
        let diagnosis = Box::new(DiagnosisStep {
            about: vec![id(about)],
            found,
            elapsed: Duration::from_millis(5),
        });
        self.with(state, What::Diagnosed { diagnosis })
    }

    pub(super) fn ledger(&self) -> Ledger {
        Ledger::fold(&self.events)
    }
}

pub(super) fn host() -> HostName {
    HostName::new("web").unwrap()
}

pub(super) fn id(check: &str) -> CheckId {
    CheckId::try_from(format!("web/{check}")).unwrap()
}

/// The facts, with SELinux in a mode.
pub(super) fn mode(word: &str) -> What {
    let unread = || Reading::missing("not asked");
    let facts = Facts {
        os: Reading::missing("not asked"),
        kernel: unread(),
        boot_id: unread(),
        uid: Reading::missing("not asked"),
        selinux: Reading::Known(SelinuxFacts {
            mode: word.to_owned(),
            config_mode: None,
            policy: None,
            policy_version: None,
            policy_sha256: None,
        }),
        packages: Reading::missing("not asked"),
    };
    What::FactsCollected {
        facts: Box::new(facts),
    }
}

pub(super) fn seen(end: HttpEnd) -> HttpSeen {
    HttpSeen {
        peer: None,
        elapsed: Duration::from_millis(1),
        end,
    }
}

pub(super) fn failed(phase: HttpPhase) -> Observation {
    let failure = HttpFailure {
        phase,
        detail: String::new(),
        bytes: 0,
    };
    Observation::Http(seen(HttpEnd::Failed(failure)))
}

pub(super) fn page(status: u16) -> HttpEnd {
    HttpEnd::Answered(HttpAnswer {
        status,
        server: None,
        location: None,
        bytes: 3,
        sha256: None,
        contained: Vec::new(),
    })
}

pub(super) fn answered(status: u16) -> Observation {
    Observation::Http(seen(page(status)))
}

pub(super) fn unit_is(active: &str, enabled: &str) -> Observation {
    Observation::Service(ServiceSeen {
        active: active.to_owned(),
        sub: None,
        enabled: Some(enabled.to_owned()),
        result: None,
        main_pid: None,
        context: None,
    })
}

pub(super) fn exited(status: u8) -> Observation {
    Observation::Command(CommandSeen {
        end: CommandEnd::Exited(status),
        stdout: String::new(),
        stderr: String::new(),
        dropped: 0,
        elapsed: Duration::from_millis(1),
    })
}

/// httpd as the service manager tells of it.
pub(super) fn unit_found(active: &str, result: &str) -> Found {
    named_unit("httpd", active, result)
}

/// A unit as the service manager tells of it.
pub(super) fn named_unit(unit: &str, active: &str, result: &str) -> Found {
    Found::Unit(UnitFound {
        unit: unit.to_owned(),
        active: active.to_owned(),
        sub: None,
        result: Some(result.to_owned()),
        main_exit: None,
        restarts: None,
        fragment: None,
        context: None,
    })
}
