//! A controller that is killed at random moments of a real night, and the run that goes on.

use std::{fs, path::Path, process::Command, thread, time::Duration};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    lab::{Lab, REBUILD, await_that, patchgate},
    record::Record,
};

/// How many controllers are killed.
const KILLS: u64 = 20;

/// How long a night may take on a machine that is busy with other things.
const NIGHT: Duration = Duration::from_secs(900);

/// What a run came to.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    exit: Value,
    verdict: Value,
    checks: Value,
    findings: Vec<Value>,
    /// The transactions that dnf's own history holds.
    history: String,
}

#[test]
fn nightly_a_controller_that_is_killed_at_any_moment_is_gone_on_with() {
    let (wanted, events) = {
        let lab = Lab::with(&[REBUILD]);
        let ended = lab.start_night("february").end().with_code(1);
        let events = ended.record.text("events.jsonl").lines().count() as u64;
        (came(&lab, &ended.record), events)
    };
    let mut dice = Dice::seeded();
    println!("PATCHGATE_SEED={}", dice.0);
    for kill in 1..=KILLS {
        // Reset to what it was before the night.
        let lab = Lab::with(&[REBUILD]);
        let (at, later) = (1 + dice.below(events - 1), dice.below(2000));
        println!("kill {kill}: {later} ms after event {at} of {events}");
        let record = killed(&lab, at, Duration::from_millis(later));
        let before = record.text("events.jsonl").lines().count();
        let output = resume(record.dir()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            came(&lab, &record),
            wanted,
            "{before} events were there\n{told}"
        );
        assert_eq!(output.status.code(), Some(1), "{told}");
        record.assert_accounts_for_every_check();
        record.assert_judged_again_the_same();
        let lock =
            "test ! -e /var/lib/patchgate/lock/owner && test ! -e /var/lib/patchgate/switch/*";
        lab.in_guest(REBUILD, lock);
    }
}

/// Starts February's night and kills its controller a while after it wrote so many events.
fn killed(lab: &Lab, events: u64, later: Duration) -> Record {
    let mut run = lab.start_night("february");
    let file = run.record.dir().join("events.jsonl");
    await_that(&format!("{events} events"), NIGHT, || {
        let text = fs::read_to_string(&file).unwrap_or_default();
        text.lines().count() as u64 >= events || run.is_over()
    });
    // No condition: a moment is what is wanted.
    thread::park_timeout(later);
    run.signal(Signal::KILL);
    run.end().record
}

fn resume(run: &Path) -> Command {
    let mut command = patchgate();
    command.args([
        "lab",
        "exec",
        "--",
        env!("CARGO_BIN_EXE_patchgate"),
        "resume",
    ]);
    command.arg(run);
    command
}

fn came(lab: &Lab, record: &Record) -> Came {
    let verdict = record.verdict();
    let finding = |f: &Value| {
        json!([
            f["id"],
            f["class"],
            f["cause"]["kind"],
            f["cause"]["proof"],
            f["suspects"][0]["nevra"]
        ])
    };
    let history =
        "dnf -q history list 2>/dev/null | tail -n +3 | wc -l; ls /var/lib/patchgate/jobs";
    let history = lab.in_guest(REBUILD, history);
    Came {
        exit: verdict["exit"].clone(),
        verdict: verdict["verdict"].clone(),
        checks: verdict["checks"].clone(),
        findings: verdict["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(finding)
            .collect(),
        // The job's name is the run's; that there is one is what counts.
        history: history
            .lines()
            .map(|l| if l.contains('T') { "job " } else { l })
            .collect(),
    }
}

/// Random numbers that can be had again: the test prints its seed, and `PATCHGATE_SEED` sets it.
struct Dice(u64);

impl Dice {
    fn seeded() -> Self {
        let given = std::env::var("PATCHGATE_SEED").ok();
        let seed = given.map_or(u64::from(std::process::id()) * 2_654_435_761, |s| {
            s.parse().unwrap()
        });
        Self(seed | 1)
    }

    /// The next number below a limit, by xorshift64.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}
