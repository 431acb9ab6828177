use std::{collections::BTreeMap, time::Duration};

use patchgate_core::{
    event::{PatchEnd, RestartEnd, What},
    id::RunId,
    observation::{
        HttpAnswer, HttpEnd, HttpFailure, HttpPhase, HttpSeen, Observation, ServiceSeen,
    },
    reading::Reading,
    state::State,
};

use super::*;
use crate::{
    console::Colour,
    testing::{self, assert_expected, check_id, event},
};

const UPSTREAM: Option<&str> = Some("lab-upstream");
const REBUILD: Option<&str> = Some("lab-rebuild");

fn http(end: HttpEnd) -> Observation {
    Observation::Http(HttpSeen {
        peer: None,
        elapsed: Duration::from_secs(5),
        end,
    })
}

fn answered() -> Observation {
    http(HttpEnd::Answered(HttpAnswer {
        status: 200,
        server: None,
        location: None,
        bytes: 5,
        sha256: None,
        contained: vec![true],
    }))
}

fn silent() -> Observation {
    let (phase, detail) = (HttpPhase::FirstByteTimeout, String::new());
    http(HttpEnd::Failed(HttpFailure {
        phase,
        detail,
        bytes: 0,
    }))
}

fn inactive() -> Observation {
    Observation::Service(ServiceSeen {
        active: "failed\x1b[2J".into(),
        sub: None,
        enabled: None,
        result: Some("exit-code".into()),
        main_pid: None,
        context: None,
    })
}

fn finished(check: &str, attempt: u32, saw: Observation) -> What {
    What::CheckFinished {
        check: check_id(check),
        attempt,
        saw,
    }
}

fn connected() -> What {
    What::HostConnected {
        address: "192.0.2.2".into(),
        host_key: "SHA256:abc".into(),
        elapsed: Duration::from_millis(250),
    }
}

fn patched(end: PatchEnd) -> What {
    What::PatchFinished {
        end,
        transaction: Some("42".into()),
        output: "much".into(),
    }
}

fn restarted(exit: u8) -> What {
    let end = RestartEnd {
        exit: Some(exit),
        stderr: "Job failed\nsee\x07 journal".into(),
    };
    What::ServicesRestarted {
        units: BTreeMap::from([("httpd".to_owned(), end)]),
    }
}

const BASELINE: Option<State> = Some(State::Baseline);
const PATCHED: Option<State> = Some(State::Patched);
const RESTARTED: Option<State> = Some(State::Restarted);

/// A run of two hosts, one of which breaks.
fn run() -> Vec<Event> {
    let mut events = until_the_patch();
    events.extend(after_the_patch());
    events
}

fn until_the_patch() -> Vec<Event> {
    let run = RunId::new("r1").unwrap();
    let begun = What::RunStarted {
        run,
        version: "0.1.0".into(),
        plan_sha256: String::new(),
        targets_sha256: None,
    };
    let packages = Reading::Known(vec!["a".into(), "b".into()]);
    let window = Observation::Window;
    let unreachable = What::HostUnreachable {
        stage: "kex".into(),
        why: "timed out".into(),
    };
    let vectors = Reading::missing("no selinuxfs");
    let baseline = |seconds, what| event(seconds, REBUILD, BASELINE, what);
    vec![
        event(0, None, None, begun),
        event(1, REBUILD, None, connected()),
        event(2, UPSTREAM, None, unreachable),
        baseline(3, finished("httpd/root-page", 1, silent())),
        baseline(4, finished("httpd/root-page", 2, answered())),
        baseline(4, finished("httpd/no-new-denials", 1, window)),
        baseline(5, What::VectorsRead { vectors }),
        baseline(
            6,
            What::PatchPlanned {
                packages,
                preview: None,
            },
        ),
        baseline(
            7,
            What::PatchStarted {
                job: "pg-1".into(),
                script: String::new(),
            },
        ),
    ]
}

fn after_the_patch() -> Vec<Event> {
    let errored = Observation::Errored {
        why: "no route".into(),
    };
    let lost = What::HostLost {
        doing: "checking".into(),
        why: "reset".into(),
    };
    let dirty = Some("fixtures are left".into());
    let patched_host = |seconds, what| event(seconds, REBUILD, PATCHED, what);
    vec![
        patched_host(50, patched(PatchEnd::Exited(0))),
        patched_host(55, finished("httpd/root-page", 1, silent())),
        patched_host(56, finished("httpd/httpd", 1, inactive())),
        patched_host(57, finished("httpd/no-new-denials", 1, errored)),
        patched_host(58, restarted(0)),
        event(59, REBUILD, RESTARTED, restarted(1)),
        event(60, REBUILD, RESTARTED, lost),
        event(61, REBUILD, None, What::HostFinished { dirty }),
        event(62, UPSTREAM, None, What::HostFinished { dirty: None }),
        event(
            63,
            None,
            None,
            What::RunInterrupted {
                signal: "SIGTERM".into(),
            },
        ),
        event(64, None, None, What::RunFinished {}),
    ]
}

fn told(events: &[Event], paint: Paint) -> String {
    let mut out = Vec::new();
    let mut lines = Lines::new(Arc::new(testing::plan()), &mut out, paint);
    for event in events {
        lines.event(event).unwrap();
    }
    lines.finish(&testing::open()).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_run_is_told_line_by_line() {
    let text = told(&run(), Paint::PLAIN);
    assert_expected("lines.txt", &text);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn colours_are_there_when_asked_for() {
    let text = told(&after_the_patch()[1..2], Colour::Always.paint(false, None));
    let line = "12:03:59 lab-rebuild   \x1b[1;31mpatched: httpd/root-page FAILED timed out without \
                a byte after 5s\x1b[0m\n";
    assert_eq!(text, line);
}

#[test]
fn every_end_of_a_patch_is_told() {
    for (end, text) in [
        (PatchEnd::NothingToDo, "nothing to patch"),
        (
            PatchEnd::Exited(1),
            "PATCH FAILED: the package manager exited with status 1",
        ),
        (PatchEnd::Lost, "PATCH LOST: the transaction left no result"),
        (
            PatchEnd::StillRunning,
            "PATCH STILL RUNNING at its deadline; it goes on on the host",
        ),
        (
            PatchEnd::NotStarted {
                why: "no space".into(),
            },
            "PATCH NOT STARTED: no space",
        ),
    ] {
        let event = event(0, REBUILD, Some(State::Patched), patched(end));
        assert_eq!(told::of(&testing::plan(), &event).unwrap().text, text);
    }
}

#[test]
fn silence_is_broken_once_a_minute() {
    let mut out = Vec::new();
    let mut lines = Lines::new(Arc::new(testing::plan()), &mut out, Paint::PLAIN);
    for event in &until_the_patch() {
        lines.event(event).unwrap();
    }
    let begin = testing::at("2013-02-22T12:03:11Z");
    for seconds in [0, 59, 60, 61, 119, 120, -3600, -3541, -3540] {
        lines
            .tick(begin + SignedDuration::from_secs(seconds))
            .unwrap();
    }
    let text = String::from_utf8(out).unwrap();
    let beats: Vec<_> = text
        .lines()
        .filter(|l| l.contains("still running"))
        .collect();
    let at_work = "lab-rebuild baseline, patching, 2 of 9 checks";
    assert_eq!(
        beats,
        ["12:04:11", "12:05:11", "11:04:11"]
            .map(|at| format!("{at} -             still running: {at_work}"))
    );
}

#[test]
fn a_silent_begin_is_broken_too() {
    let mut out = Vec::new();
    let mut lines = Lines::new(Arc::new(testing::plan()), &mut out, Paint::PLAIN);
    let begin = testing::at("2013-02-22T12:00:00Z");
    lines.tick(begin).unwrap();
    lines.tick(begin + SignedDuration::from_secs(60)).unwrap();
    let text = String::from_utf8(out).unwrap();
    let want = "12:01:00 -             still running: lab-upstream waiting, 0 of 9 checks; \
                lab-rebuild waiting, 0 of 9 checks\n";
    assert_eq!(text, want);
}

#[test]
fn a_closed_pipe_is_an_error_of_the_sink() {
    let full: &mut [u8] = &mut [0; 4];
    let mut lines = Lines::new(Arc::new(testing::plan()), full, Paint::PLAIN);
    assert!(lines.event(&run()[0]).is_err());
}
