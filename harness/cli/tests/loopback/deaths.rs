//! The network to a host that is being patched dies, both ways, at every phase.

use std::{
    fs,
    process::Child,
    thread,
    time::{Duration, Instant},
};

use super::{
    fleet::{Fleet, NEW, OLD, PATCH, Told},
    net::address,
    program::Ended,
    wait::{wait_for, wait_within},
};

/// The host that is cut off, and the one that is not, by their numbers.
const CUT: usize = 2;
const WELL: usize = 1;

/// How long a connection may take to be had.
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);

/// How long a dead connection may stay unnoticed, and how long it may take to come back.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(35 + 60);

/// How late the last deadline may be noticed.
const SLACK: Duration = Duration::from_secs(1);

/// When the network dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before the first packet.
    Connecting,
    /// In the midst of a command of the baseline.
    Checking,
    /// While the package manager says what it would do.
    Planning,
    /// In the midst of the transaction.
    Patching,
    /// In the midst of a command after the patch.
    CheckingAgain,
    /// While a remote client waits for its answer, after the patch.
    Asking,
}

impl Phase {
    const ALL: [Self; 6] = [
        Self::Connecting,
        Self::Checking,
        Self::Planning,
        Self::Patching,
        Self::CheckingAgain,
        Self::Asking,
    ];

    /// Whether the transaction had begun by then.
    fn is_patched(self) -> bool {
        match self {
            Self::Connecting | Self::Checking | Self::Planning => false,
            Self::Patching | Self::CheckingAgain | Self::Asking => true,
        }
    }

    /// Starts a run and cuts the host off in this phase.
    fn cut(self, fleet: &Fleet) -> (Child, Instant) {
        self.prepare(fleet);
        let child = fleet.place.command(PATCH).spawn().unwrap();
        self.await_in(fleet);
        if self != Self::Connecting {
            fleet.net.black_hole(address(1));
        }
        let cut = Instant::now();
        fleet.apache.go_on();
        for name in ["hold", "stay"] {
            let _there = fs::remove_file(fleet.on_host(CUT, name));
        }
        (child, cut)
    }

    fn prepare(self, fleet: &Fleet) {
        match self {
            Self::Connecting => fleet.net.black_hole(address(1)),
            Self::Checking => put(fleet, "stay"),
            Self::Planning => {}
            Self::Patching | Self::CheckingAgain | Self::Asking => put(fleet, "hold"),
        }
    }

    fn await_in(self, fleet: &Fleet) {
        match self {
            Self::Connecting => {}
            Self::Checking => wait_for("the check", || fleet.on_host(CUT, "in-check").exists()),
            Self::Planning => wait_for("the plan", || count(fleet, CUT, "soak-begun") == 1),
            Self::Patching => await_transaction(fleet),
            Self::CheckingAgain => {
                await_transaction(fleet);
                fs::remove_file(fleet.on_host(CUT, "in-check")).unwrap();
                put(fleet, "stay");
                fs::remove_file(fleet.on_host(CUT, "hold")).unwrap();
                wait_for("the check", || fleet.on_host(CUT, "in-check").exists());
            }
            Self::Asking => {
                await_transaction(fleet);
                wait_for("the other host", || {
                    count(fleet, WELL, "host-finished") == 1
                });
                fleet.apache.hang();
                fs::remove_file(fleet.on_host(CUT, "hold")).unwrap();
                wait_for("the facts", || count(fleet, CUT, "facts-collected") == 2);
            }
        }
    }
}

fn put(fleet: &Fleet, name: &str) {
    fs::write(fleet.on_host(CUT, name), "").unwrap();
}

fn await_transaction(fleet: &Fleet) {
    wait_for("the transaction", || fleet.transactions(CUT) == 1);
}

/// How many events of a kind the record has of a host.
fn count(fleet: &Fleet, host: usize, kind: &str) -> usize {
    let events = fleet.events();
    of(&events, host).filter(|e| e.kind == kind).count()
}

fn of(events: &[Told], host: usize) -> impl Iterator<Item = &Told> {
    let name = format!("web{host}");
    events.iter().filter(move |e| e.host == name)
}

#[test]
fn a_host_that_is_cut_off_at_any_phase_is_given_up_in_time_and_delays_no_other() {
    thread::scope(|scope| {
        for phase in Phase::ALL {
            scope.spawn(move || dies(phase));
        }
    });
}

fn dies(phase: Phase) {
    let fleet = Fleet::new(2);
    let (child, cut) = phase.cut(&fleet);
    let ended = Ended::of(&child.wait_with_output().unwrap());
    let took = cut.elapsed();
    let limit = if phase == Phase::Connecting {
        CONNECTED_WITHIN
    } else {
        GIVEN_UP_WITHIN
    };
    assert!(took < limit + SLACK, "{phase:?}: {took:?}");
    assert_undecided(&fleet, phase, ended);
    assert_not_delayed(&fleet, phase);
    let there = if phase.is_patched() { NEW } else { OLD };
    assert_eq!(fleet.packages(CUT), [there], "{phase:?}");
    assert_eq!(
        fleet.transactions(CUT),
        usize::from(phase.is_patched()),
        "{phase:?}"
    );
}

/// Nothing is said of the patch, and all of it of the host.
fn assert_undecided(fleet: &Fleet, phase: Phase, ended: Ended) {
    let class = if phase == Phase::Connecting {
        "web2: host unreachable: tcp connect: tcp connection to 10.89.0.3:22 timed out"
    } else {
        "web2: connection lost: while "
    };
    let ended = ended.with(3).telling(&[class, "gate: UNDECIDED"]);
    let verdict = fleet.verdict();
    assert_eq!(
        verdict["findings"],
        serde_json::json!([]),
        "{phase:?}: {}",
        ended.stdout
    );
}

/// The other host is done, all of it and well, before anybody gives this one up.
fn assert_not_delayed(fleet: &Fleet, phase: Phase) {
    let events = fleet.events();
    let at = |host: usize, kind: &[&str]| {
        let mut ours = of(&events, host);
        let found = ours.find(|e| kind.contains(&e.kind.as_str()));
        found
            .unwrap_or_else(|| panic!("{phase:?}: web{host} has no {kind:?}"))
            .at
    };
    let lost = at(CUT, &["host-lost", "host-unreachable"]);
    assert!(at(WELL, &["host-finished"]) < lost, "{phase:?}");
    assert_eq!(fleet.packages(WELL), [NEW], "{phase:?}");
    let well = of(&events, WELL)
        .filter(|e| e.kind == "check-finished")
        .count();
    assert_eq!(well, 4, "{phase:?}");
}

#[test]
fn a_host_that_is_cut_off_for_a_while_is_patched_once_and_gone_on_with() {
    let fleet = Fleet::new(2);
    let (child, _) = Phase::Patching.cut(&fleet);
    wait_within(GIVEN_UP_WITHIN, "another connection to be tried", || {
        fleet.net.is_connecting(22)
    });
    fleet.net.heal();
    let _told = Ended::of(&child.wait_with_output().unwrap()).with(0);
    assert_eq!(fleet.transactions(CUT), 1);
    assert_eq!(fleet.packages(CUT), [NEW]);
    assert_eq!(count(&fleet, CUT, "host-connected"), 2);
}

#[test]
fn a_quiet_patch_opens_the_gate_and_a_second_one_finds_nothing_to_do() {
    let fleet = Fleet::new(2);
    let _told = fleet.run(PATCH).with(0).telling(&["gate: OPEN"]);
    for host in [WELL, CUT] {
        assert_eq!(fleet.packages(host), [NEW]);
        assert_eq!(fleet.transactions(host), 1);
    }
    let again = PATCH.replace("-o run", "-o again");
    let _told = fleet.run(&again).with(0).telling(&["gate: OPEN"]);
    assert_eq!(fleet.transactions(CUT), 1);
}
