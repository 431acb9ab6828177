//! A client that hears nothing of a host that is gone.

use patchgate_core::{
    event::{Event, What},
    id::CheckId,
    judge::judge,
    observation::{HttpPhase, Observation},
    state::State,
    verdict::Decision,
};
use patchgate_testkit::night::{Night, failed, status};

/// The events of a night until a remote client was answered after the patch, as the last of all, or not; then
/// the host is lost. What the host still said of its window came in between, if it did.
fn then_lost(night: &Night, said: bool) -> Vec<Event> {
    let mut events = night.events();
    let patched = |e: &Event| e.state == Some(State::Patched);
    let page = events.iter().position(|e| {
        let of = |check: &CheckId| check.check.as_str() == "root-page";
        patched(e) && matches!(&e.what, What::CheckFinished { check, .. } if of(check))
    });
    let page = events.remove(page.expect("clients ask after the patch"));
    let window = |e: &Event| patched(e) && matches!(e.what, What::WindowCaptured { .. });
    let at = events.iter().position(window);
    let at = at.expect("the state has a window");
    let (window, end) = (events[at].clone(), events[events.len() - 1].clone());
    events.truncate(at);
    let doing = "closing the window".to_owned();
    let why = "it timed out".to_owned();
    let lost = Event {
        state: None,
        what: What::HostLost { doing, why },
        ..page.clone()
    };
    events.push(page);
    events.extend(said.then_some(window));
    events.extend([lost, end]);
    for (event, seq) in events.iter_mut().zip(1..) {
        event.seq = seq;
    }
    events
}

fn night(saw: &Observation) -> Night {
    Night::quiet().at(State::Patched, |s| s.sees("root-page", saw.clone()))
}

#[test]
fn silence_of_a_host_that_is_gone_is_no_failure_of_its_service() {
    for (saw, answered, decision) in [
        (
            failed(HttpPhase::FirstByteTimeout),
            false,
            Decision::Undecided,
        ),
        (
            failed(HttpPhase::ConnectTimeout),
            false,
            Decision::Undecided,
        ),
        (failed(HttpPhase::FirstByteTimeout), true, Decision::Closed),
        (failed(HttpPhase::Refused), false, Decision::Closed),
        (status(500), false, Decision::Closed),
    ] {
        let night = night(&saw);
        let judged = judge(&night.plan, &then_lost(&night, answered));
        let verdict = judged.verdict;
        assert_eq!(
            verdict.verdict, decision,
            "{saw:?}, {answered}: {verdict:#?}"
        );
        let reasons = judged.cells.iter().filter_map(|c| c.outcome.reason());
        let told: Vec<_> = reasons
            .filter(|why| why.contains("then nothing was heard of the host"))
            .collect();
        assert_eq!(told.is_empty(), decision == Decision::Closed, "{told:?}");
    }
}

/// Clients ask side by side, and are told in another order than they were answered.
#[test]
fn another_clients_answer_says_nothing_of_the_host() {
    let night = night(&failed(HttpPhase::FirstByteTimeout));
    let mut events = then_lost(&night, false);
    let lost = events.len() - 2;
    let mut other = events[lost - 1].clone();
    if let What::CheckFinished { check, saw, .. } = &mut other.what {
        *saw = status(200);
        *check = CheckId::try_from("httpd/other".to_owned()).unwrap();
    }
    events.insert(lost, other);
    for (event, seq) in events.iter_mut().zip(1..) {
        event.seq = seq;
    }
    let verdict = judge(&night.plan, &events).verdict;
    assert_eq!(verdict.verdict, Decision::Undecided, "{verdict:#?}");
}

/// Somebody who sees that nothing comes any more stops the run.
#[test]
fn a_run_that_is_stopped_amid_silence_is_undecided() {
    let night = night(&failed(HttpPhase::ConnectTimeout));
    let mut events = then_lost(&night, false);
    let lost = events.len() - 2;
    events.truncate(lost + 1);
    events[lost].host = None;
    events[lost].what = What::RunInterrupted {
        signal: "SIGINT".to_owned(),
    };
    let verdict = judge(&night.plan, &events).verdict;
    assert_eq!(verdict.verdict, Decision::Undecided, "{verdict:#?}");
}

/// A host that was through before somebody stopped the run had failed by then.
#[test]
fn a_host_that_was_through_before_the_stop_has_failed() {
    let night = night(&failed(HttpPhase::ConnectTimeout));
    let mut events = then_lost(&night, false);
    let lost = events.len() - 2;
    events[lost].what = What::HostFinished { dirty: None };
    events[lost + 1].what = What::RunInterrupted {
        signal: "SIGINT".to_owned(),
    };
    let verdict = judge(&night.plan, &events).verdict;
    assert_eq!(verdict.verdict, Decision::Closed, "{verdict:#?}");
}
