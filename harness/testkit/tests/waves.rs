//! Waves: their order, who is touched, and that the record alone says whether the next one may begin.

use patchgate_core::{
    event::{Event, What},
    id::HostName,
    verdict::Decision,
    wave,
};
use patchgate_testkit::{Played, catalogue, weakened};

async fn all() -> Vec<Played> {
    let mut played = Vec::new();
    for (scenario, _) in catalogue::waves::all() {
        played.push(scenario.play().await);
    }
    played
}

/// The number of the wave that an event begins or stops, and whether it begins.
fn turn(event: &Event) -> Option<(usize, bool)> {
    if let What::WaveBegun { wave } = &event.what {
        return Some((*wave, true));
    }
    if let What::WaveStopped { wave, .. } = &event.what {
        return Some((*wave, false));
    }
    None
}

/// All that is told of the hosts of a wave lies between its begin and the begin of the next, and nothing
/// is told of the hosts of a wave that was not begun.
#[tokio::test(start_paused = true)]
async fn a_wave_begins_when_the_one_before_has_ended() {
    for played in all().await {
        let waves = played.plan.waves.as_ref().expect("the scenario has waves");
        let mut now = 0;
        for event in &played.events {
            if let Some((wave, begins)) = turn(event) {
                assert_eq!(wave, now + 1, "{}", played.name);
                now = if begins { wave } else { usize::MAX };
            } else if let Some(host) = &event.host {
                assert_eq!(waves.of(host), Some(now), "{}: {host}", played.name);
            }
        }
    }
}

/// Whoever reads the record up to a wave comes to what the run did.
#[tokio::test(start_paused = true)]
async fn the_record_says_whether_a_wave_may_begin() {
    let mut stopped = 0;
    for played in all().await {
        for (at, event) in played.events.iter().enumerate() {
            let Some((wave, begins)) = turn(event) else {
                continue;
            };
            let why = wave::forbidden(&played.plan, &played.events[..at], wave);
            assert_eq!(why.is_none(), begins, "{}", played.name);
            if let What::WaveStopped { why: told, .. } = &event.what {
                assert_eq!(why.as_ref(), Some(told), "{}", played.name);
                stopped += 1;
            }
        }
    }
    assert_eq!(stopped, 3);
}

/// What is missing from a record never lets a wave begin.
#[tokio::test(start_paused = true)]
async fn nothing_missing_lets_a_wave_begin() {
    for played in all().await {
        let stops = |e: &Event| turn(e).is_some_and(|(_, begins)| !begins);
        let Some(at) = played.events.iter().position(stops) else {
            continue;
        };
        let wave = turn(&played.events[at]).expect("it is one").0;
        for weak in weakened(&played.events[..at]) {
            let why = wave::forbidden(&played.plan, &weak.events, wave);
            assert!(why.is_some(), "{}: {}", played.name, weak.how);
        }
    }
}

/// Every host of the plan is told of in one list, and no host that was not touched in an open run.
#[tokio::test(start_paused = true)]
async fn the_verdict_tells_who_was_touched() {
    for played in all().await {
        let verdict = &played.judgement.verdict;
        let waves = &verdict.waves.as_ref().expect("waves are told").waves;
        let lists = waves
            .iter()
            .flat_map(|w| [&w.patched, &w.unpatched, &w.untouched]);
        let mut told: Vec<&HostName> = lists.flatten().collect();
        let mut planned: Vec<_> = played.plan.hosts.iter().map(|h| &h.name).collect();
        told.sort();
        planned.sort();
        assert_eq!(told, planned, "{}", played.name);
        for host in waves.iter().flat_map(|w| &w.untouched) {
            assert_ne!(verdict.verdict, Decision::Open, "{}: {host}", played.name);
            assert!(played.events.iter().all(|e| e.host.as_ref() != Some(host)));
        }
    }
}

/// A record without the begin of a wave, numbered anew, opens no gate.
#[tokio::test(start_paused = true)]
async fn a_wave_without_a_begin_opens_no_gate() {
    let played = catalogue::waves::waves_pass().0.play().await;
    assert_eq!(played.judgement.verdict.verdict, Decision::Open);
    for at in (0..played.events.len()).filter(|at| turn(&played.events[*at]).is_some()) {
        let mut events = played.events.clone();
        events.remove(at);
        for (event, seq) in events.iter_mut().zip(1..) {
            event.seq = seq;
        }
        let judged = patchgate_core::judge::judge(&played.plan, &events).verdict;
        assert_eq!(judged.verdict, Decision::Undecided);
    }
}
