//! Runs made by hand for tests: February 2013 on a rebuild and its upstream twin.

use std::time::Duration;

use jiff::Timestamp;
use patchgate_core::{
    event::{EVENT_VERSION, Event, What},
    evidence::fingerprint::{Fingerprint, ObjectKind},
    exit,
    id::{CheckId, CheckName, HostName, RunId, SuiteName},
    inventory::Role,
    judge::{CellResult, Judgement},
    observation::HttpPhase,
    outcome::{Outcome, Symptom, SymptomKind},
    patchset::{PatchSet, Selection, Services},
    plan::{Cell, PLAN_VERSION, Plan, PlannedHost},
    policy::Policy,
    state::State,
    suite::{
        Check, CheckKind, Needs, RestsOn, Suite, Vantage, denials::Denials, http::Http,
        service::Service,
    },
    verdict::{
        Cause, CauseKind, Class, Counts, Decision, DeniedAccess, Fate, Finding, HostSummary,
        Missing, Proof, Seen, SeenDenial, Standing, StateStatement, Suspect, Twin, Undecided,
        VERDICT_VERSION, Verdict,
    },
};

use crate::junit::Times;

pub(crate) const STATES: [State; 3] = [State::Baseline, State::Patched, State::Restarted];

pub(crate) fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

pub(crate) fn check_id(id: &str) -> CheckId {
    CheckId::try_from(id.to_owned()).unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn times() -> Times {
    Times {
        started_at: at("2013-02-22T03:04:05.678Z"),
        version: "0.1.0".into(),
    }
}

fn check(name: &str, title: &str, vantage: Vantage, kind: CheckKind) -> Check {
    Check {
        name: CheckName::new(name).unwrap(),
        title: title.into(),
        vantage,
        deadline: Duration::from_secs(5),
        kind,
    }
}

fn httpd() -> Suite {
    let page = CheckKind::Http(Http {
        url: "http://{{ host }}/patchgate/".into(),
        status: 200,
        contains: vec!["works".into()],
        redirects: 0,
        body_limit: 65536,
        verify_tls: true,
    });
    let unit = CheckKind::Service(Service {
        unit: "httpd".into(),
        active: true,
        enabled: None,
    });
    let denials = CheckKind::Denials(Denials {
        domains: vec!["httpd_t".into()],
        allow: None,
    });
    Suite {
        name: SuiteName::new("httpd").unwrap(),
        title: "Apache answers remote clients while SELinux enforces".into(),
        needs: Needs::default(),
        domains: vec!["httpd_t".into()],
        vectors: Vec::new(),
        rests_on: RestsOn::default(),
        checks: vec![
            check(
                "root-page",
                "A remote client gets the page",
                Vantage::Controller,
                page,
            ),
            check("httpd", "httpd runs", Vantage::Localhost, unit),
            check(
                "no-new-denials",
                "httpd is denied nothing new",
                Vantage::Localhost,
                denials,
            ),
        ],
    }
}

fn planned(name: &str, address: &str, role: Role, twin: Option<&str>) -> PlannedHost {
    PlannedHost {
        snapshot: None,
        name: host(name),
        address: address.into(),
        role: Some(role),
        twin: twin.map(host),
        lab: true,
    }
}

pub(crate) fn plan() -> Plan {
    let hosts = vec![
        planned("lab-upstream", "192.0.2.1", Role::Upstream, None),
        planned(
            "lab-rebuild",
            "192.0.2.2",
            Role::Rebuild,
            Some("lab-upstream"),
        ),
    ];
    let suite = httpd();
    let mut cells = Vec::new();
    for host in &hosts {
        for state in STATES {
            cells.extend(suite.checks.iter().map(|check| Cell {
                host: host.name.clone(),
                state,
                check: check_id(&format!("httpd/{}", check.name)),
                vantage: check.vantage,
            }));
        }
    }
    Plan {
        v: PLAN_VERSION,
        run: RunId::new("20130222-030405-ab12").unwrap(),
        patch: Some(PatchSet {
            name: "2013-02-22".into(),
            select: Selection::AllUpdates,
            exclude: vec![],
            enable_repos: vec![],
            disable_repos: vec![],
            services: Services::Restart(vec!["httpd".into()]),
            deadline_s: 900,
            reboot: patchgate_core::reboot::Reboot::Never,
            reboot_within_s: 600,
            on_failure: patchgate_core::undo::OnFailure::Keep,
        }),
        suites: vec![suite.clone()],
        policy: Policy::strict([suite.name]),
        hosts,
        states: STATES.to_vec(),
        cells,
        experiments: false,
        soak: None,
        waves: None,
        preview: false,
    }
}

fn summary(planned: &PlannedHost, os: &str, package: &str, said: &str) -> HostSummary {
    let statement = |state| StateStatement {
        state,
        statement: said.into(),
        gaps: vec![],
        allowed: 0,
        seen: vec![],
        unlisted: 0,
    };
    HostSummary {
        undo: None,
        dirty: None,
        mark: None,
        host: planned.name.clone(),
        role: planned.role,
        os: Some(os.into()),
        packages: vec![package.into()],
        transaction: Some("42".into()),
        reboot: None,
        patch: None,
        denials: STATES.map(statement).to_vec(),
    }
}

/// A denial that was allowed, by a program of this name.
pub(crate) fn denial(program: &str) -> SeenDenial {
    SeenDenial {
        fingerprint: Fingerprint {
            source_type: Some("httpd_t".into()),
            target_type: Some("user_home_t".into()),
            class: Some("file".into()),
            permissions: vec!["getattr".into(), "read".into()],
            program: Some(program.into()),
            object: Some(ObjectKind::File),
        },
        count: 3,
        enforced: 2,
        permissive: 1,
        standing: vec![Standing::New, Standing::Allowed, Standing::AlsoOnTwin],
    }
}

/// Every check passed at once, with complete coverage.
pub(crate) fn open() -> Judgement {
    let plan = plan();
    let cells: Vec<_> = plan.cells.iter().cloned().map(passed).collect();
    let hosts = vec![
        summary(
            &plan.hosts[0],
            "Red Hat Enterprise Linux 6.4",
            "bash 4.1.2-9.el6 → 4.1.2-14.el6",
            "no denials",
        ),
        summary(
            &plan.hosts[1],
            "CentOS release 6.4 (Final)",
            "selinux-policy-targeted 3.7.19-154.el6 → 3.7.19-155.el6_3.14",
            "no denials",
        ),
    ];
    let checks = Counts {
        planned: cells.len(),
        passed: cells.len(),
        ..Counts::default()
    };
    let verdict = Verdict {
        v: VERDICT_VERSION,
        run: plan.run,
        patch_set: Some("2013-02-22".into()),
        verdict: Decision::Open,
        exit: exit::OPEN.code,
        checks,
        hosts,
        findings: vec![],
        undecided: vec![],
        waived: vec![],
        soak: Vec::new(),
        waves: None,
    };
    Judgement { verdict, cells }
}

fn passed(cell: Cell) -> CellResult {
    let elapsed_ms = (cell.vantage == Vantage::Controller).then_some(31);
    CellResult {
        cell,
        outcome: Outcome::Passed,
        flaky: false,
        events: vec![7],
        elapsed_ms,
    }
}

/// The result of a check, to be changed.
pub(crate) fn cell<'a>(
    judgement: &'a mut Judgement,
    of: &str,
    state: State,
    check: &str,
) -> &'a mut CellResult {
    let wanted = (host(of), state, check_id(check));
    let is_it = |r: &&mut CellResult| {
        (&r.cell.host, r.cell.state, &r.cell.check) == (&wanted.0, wanted.1, &wanted.2)
    };
    judgement.cells.iter_mut().find(is_it).unwrap()
}

pub(crate) fn failed(phase: HttpPhase, text: &str) -> Outcome {
    Outcome::Failed {
        symptom: Symptom {
            kind: SymptomKind::Http(phase),
            text: text.into(),
        },
    }
}

/// February 2013: no data, then refused, nothing in any log, the twin unaffected.
pub(crate) fn february() -> Judgement {
    let mut run = open();
    let seen = [
        (
            State::Patched,
            HttpPhase::FirstByteTimeout,
            "timed out without a byte after 5s",
            5000,
        ),
        (
            State::Restarted,
            HttpPhase::Refused,
            "connection refused after 0.01s",
            10,
        ),
    ];
    let blind = "the kernel suppressed 22683 audit records";
    let mut symptoms = Vec::new();
    for (state, phase, text, ms) in seen {
        let page = cell(&mut run, "lab-rebuild", state, "httpd/root-page");
        page.outcome = failed(phase, text);
        page.events = vec![31, 33];
        page.elapsed_ms = Some(ms);
        let (check, vantage) = (check_id("httpd/root-page"), Vantage::Controller);
        symptoms.push(Seen {
            state,
            check,
            vantage,
            text: text.into(),
        });
        let denials = cell(&mut run, "lab-rebuild", state, "httpd/no-new-denials");
        denials.outcome = Outcome::Blind {
            gaps: vec![blind.into()],
        };
        run.verdict.undecided.push(Undecided {
            host: Some(host("lab-rebuild")),
            state: Some(state),
            what: Missing::Coverage,
            why: format!("suppressed: {blind}"),
        });
    }
    for said in &mut run.verdict.hosts[1].denials[1..] {
        said.statement = format!("none seen, 1 gap: {blind}");
        said.gaps = vec!["suppressed".into()];
    }
    run.verdict.findings = vec![silent_denial(symptoms)];
    run.verdict.verdict = Decision::Closed;
    run.verdict.exit = exit::CLOSED.code;
    run
}

fn silent_denial(symptoms: Vec<Seen>) -> Finding {
    Finding {
        id: "rebuild-only-regression.lab-rebuild.httpd".into(),
        class: Class::RebuildOnlyRegression,
        suite: Some(SuiteName::new("httpd").unwrap()),
        hosts: vec![host("lab-rebuild")],
        checks: vec![check_id("httpd/root-page")],
        symptom: "patched: timed out without a byte after 5s (from the controller); restarted: \
                  connection refused after 0.01s (from the controller)"
            .into(),
        symptoms,
        twin: Some(Twin {
            host: host("lab-upstream"),
            fate: Fate::Unaffected,
        }),
        cause: silent_cause(),
        suspects: vec![Suspect {
            nevra: "selinux-policy-targeted-3.7.19-155.el6_3.14.noarch".into(),
            why: "carries the policy whose access vectors changed".into(),
        }],
        evidence: vec![5, 29, 31, 33],
    }
}

fn silent_cause() -> Cause {
    Cause {
        kind: CauseKind::SelinuxSilentDenial,
        proof: Proof::Supported,
        explanation: "SELinux no longer lets httpd_t { accept listen } on tcp_socket of httpd_t: \
                      the kernel's access vector allowed it at the baseline and denies it now; a \
                      dontaudit rule keeps these denials out of every log. That is what the \
                      clients see."
            .into(),
        look: Some("sesearch -A --dontaudit -s httpd_t -t httpd_t -c tcp_socket".into()),
        denial: Some(DeniedAccess {
            source: "httpd_t".into(),
            target: "httpd_t".into(),
            class: "tcp_socket".into(),
            perms: vec!["accept".into(), "listen".into()],
            silenced: true,
        }),
        evidence: vec![5, 29, 31],
        suggestion: None,
    }
}

/// The rebuild was lost after the patch, and one check of the twin passed only when asked again.
pub(crate) fn undecided() -> Judgement {
    let mut run = open();
    let why = "connection lost: while patching: no answer for 120s";
    for result in &mut run.cells {
        if result.cell.host == host("lab-rebuild") && result.cell.state != State::Baseline {
            result.outcome = Outcome::NotRun { why: why.into() };
            result.events = vec![];
            result.elapsed_ms = None;
        }
    }
    cell(
        &mut run,
        "lab-upstream",
        State::Restarted,
        "httpd/root-page",
    )
    .flaky = true;
    for said in &mut run.verdict.hosts[1].denials[1..] {
        said.statement = "nothing was collected".into();
    }
    let missing = |host: &str, state, what, why: &str| Undecided {
        host: Some(self::host(host)),
        state,
        what,
        why: why.into(),
    };
    run.verdict.undecided = vec![
        missing("lab-rebuild", None, Missing::Host, why),
        missing(
            "lab-upstream",
            Some(State::Restarted),
            Missing::Flaky,
            "httpd/root-page: passed only when asked again",
        ),
        Undecided {
            host: None,
            state: None,
            what: Missing::Run,
            why: "the run was stopped by SIGTERM".into(),
        },
    ];
    run.verdict.verdict = Decision::Undecided;
    run.verdict.exit = exit::UNDECIDED.code;
    run
}

/// An event about a host in a state, `seconds` after the run's begin.
pub(crate) fn event(seconds: i64, of: Option<&str>, state: Option<State>, what: What) -> Event {
    Event {
        v: EVENT_VERSION,
        seq: 1,
        at: at("2013-02-22T12:03:04Z") + jiff::SignedDuration::from_secs(seconds),
        host: of.map(host),
        state,
        what,
    }
}

/// Holds a text against `tests/expected/<name>`, whole. `PATCHGATE_ACCEPT=1 cargo test -p
/// patchgate-report` accepts what is written now; the difference is then read in `git diff`.
#[track_caller]
pub(crate) fn assert_expected(name: &str, text: &str) {
    let path = format!("{}/tests/expected/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("PATCHGATE_ACCEPT").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    let lines = text.lines().zip(expected.lines()).enumerate();
    for (n, (is, was)) in lines {
        assert_eq!(is, was, "{name}, line {}", n + 1);
    }
    assert!(text == expected, "{name}: the end differs");
}
