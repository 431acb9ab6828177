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
    wait::wait_within,
};

/// The host that is cut off, and the one that is not, by their numbers.
const CUT: usize = 2;
const WELL: usize = 1;

/// How long a connection may take to be had.
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);

/// How long a dead connection may stay unnoticed, and how long it may take to come back.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(35 + 60);

/// How long a client waits for its answer.
const ASKED_WITHIN: Duration = Duration::from_secs(3);

/// How late the last deadline may be noticed.
const SLACK: Duration = Duration::from_secs(1);

/// When the network dies.
#[derive(Clone, Copy, Debug)]
enum Phase {
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
    const ALL: [Self; 5] = [
        Self::Checking,
        Self::Planning,
        Self::Patching,
        Self::CheckingAgain,
        Self::Asking,
    ];

    /// Whether the transaction had begun by then.
    fn is_patched(self) -> bool {
        match self {
            Self::Checking | Self::Planning => false,
            Self::Patching | Self::CheckingAgain | Self::Asking => true,
        }
    }

    /// How long it takes at most until the host is given up: a client's request has its own time.
    fn limit(self) -> Duration {
        match self {
            Self::Checking | Self::Planning | Self::Patching | Self::CheckingAgain => {
                GIVEN_UP_WITHIN
            }
            Self::Asking => GIVEN_UP_WITHIN + ASKED_WITHIN,
        }
    }

    /// Starts a run and cuts the host off in this phase.
    fn cut(self, fleet: &Fleet) -> (Child, Instant) {
        self.prepare(fleet);
        let child = fleet.place.command(PATCH).spawn().unwrap();
        self.await_in(fleet);
        fleet.net.black_hole(address(1));
        let cut = Instant::now();
        fleet.apache.go_on();
        for name in ["hold", "stay"] {
            let _there = fs::remove_file(fleet.on_host(CUT, name));
        }
        (child, cut)
    }

    fn prepare(self, fleet: &Fleet) {
        match self {
            Self::Checking => put(fleet, "stay"),
            Self::Planning => {}
            Self::Patching | Self::CheckingAgain | Self::Asking => put(fleet, "hold"),
        }
    }

    fn await_in(self, fleet: &Fleet) {
        match self {
            Self::Checking => wait_long("the check", || fleet.on_host(CUT, "in-check").exists()),
            Self::Planning => wait_long("the plan", || count(fleet, CUT, "soak-begun") == 1),
            Self::Patching => await_transaction(fleet),
            Self::CheckingAgain => {
                await_transaction(fleet);
                fs::remove_file(fleet.on_host(CUT, "in-check")).unwrap();
                put(fleet, "stay");
                fs::remove_file(fleet.on_host(CUT, "hold")).unwrap();
                wait_long("the check", || fleet.on_host(CUT, "in-check").exists());
            }
            Self::Asking => {
                await_transaction(fleet);
                wait_long("the other host", || {
                    count(fleet, WELL, "host-finished") == 1
                });
                fleet.apache.hang();
                fs::remove_file(fleet.on_host(CUT, "hold")).unwrap();
                wait_long("the facts", || count(fleet, CUT, "facts-collected") == 2);
            }
        }
    }
}

/// Many hosts are patched beside each other.
#[track_caller]
fn wait_long(what: &str, condition: impl Fn() -> bool) {
    wait_within(Duration::from_secs(60), what, condition);
}

fn put(fleet: &Fleet, name: &str) {
    fs::write(fleet.on_host(CUT, name), "").unwrap();
}

fn await_transaction(fleet: &Fleet) {
    wait_long("the transaction", || fleet.transactions(CUT) == 1);
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

/// The hosts are made one after the other, and the runs then wait side by side.
#[test]
fn a_host_that_is_cut_off_at_any_phase_is_given_up_in_time_and_delays_no_other() {
    let fleets = Phase::ALL.map(|phase| (phase, Fleet::new(2)));
    thread::scope(|scope| {
        for (phase, fleet) in &fleets {
            scope.spawn(|| dies(*phase, fleet));
        }
    });
}

fn dies(phase: Phase, fleet: &Fleet) {
    let (child, cut) = phase.cut(fleet);
    let ended = Ended::of(&child.wait_with_output().unwrap());
    let took = cut.elapsed();
    assert!(took < phase.limit() + SLACK, "{phase:?}: {took:?}");
    assert_undecided(fleet, phase, ended);
    assert_not_delayed(fleet, phase);
    let there = if phase.is_patched() { NEW } else { OLD };
    assert_eq!(fleet.packages(CUT), [there], "{phase:?}");
    let transactions = usize::from(phase.is_patched());
    assert_eq!(fleet.transactions(CUT), transactions, "{phase:?}");
}

#[test]
fn a_host_that_cannot_be_connected_to_is_given_up_in_time_and_delays_no_other() {
    let fleet = Fleet::new(2);
    fleet.net.black_hole(address(1));
    let class = "web2: host unreachable: tcp connect: tcp connection to 10.89.0.3:22 timed out";
    let _told = fleet
        .run(PATCH)
        .with(3)
        .telling(&[class, "gate: UNDECIDED"]);
    let events = fleet.events();
    let began = events.iter().find(|e| e.kind == "run-started").unwrap().at;
    let lost = of(&events, CUT)
        .find(|e| e.kind == "host-unreachable")
        .unwrap()
        .at;
    let took = Duration::try_from(lost.duration_since(began)).unwrap();
    assert!(took < CONNECTED_WITHIN + SLACK, "{took:?}");
    let first = of(&events, WELL)
        .find(|e| e.kind == "check-finished")
        .unwrap()
        .at;
    assert!(first < lost);
    assert_eq!(fleet.packages(WELL), [NEW]);
    assert_eq!(fleet.packages(CUT), [OLD]);
}

/// Nothing is said of the patch, and all of it of the host.
fn assert_undecided(fleet: &Fleet, phase: Phase, ended: Ended) {
    let ended = ended
        .with(3)
        .telling(&["web2: connection lost: while ", "gate: UNDECIDED"]);
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
    let lost = at(CUT, &["host-lost"]);
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
