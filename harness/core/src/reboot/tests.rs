//! What asks for a reboot, spelled out.

use super::*;
use crate::{
    event::What,
    facts::Facts,
    ledger::{At, HostLedger},
    package::Nevra,
    patchset::{self, PatchSet},
    state::State,
};

macro_rules! captured {
    ($name:literal) => {
        include_str!(concat!("../../tests/captured/needs-restarting/", $name))
    };
}

fn asks_for(packages: &[&str]) -> Reading<Advice> {
    let packages = packages.iter().map(ToString::to_string).collect();
    Reading::Known(Advice::Needed { packages })
}

#[test]
fn the_advice_of_each_generation_is_read() {
    let yum = [
        "kernel",
        "openssl-libs",
        "dbus",
        "linux-firmware",
        "glibc",
        "systemd",
    ];
    for (exit, text, wanted) in [
        (
            1,
            captured!("dnf4-needed.txt"),
            asks_for(&["glibc", "kernel", "systemd"]),
        ),
        (
            1,
            captured!("dnf5-needed.txt"),
            asks_for(&["kernel", "kernel-core", "lz4"]),
        ),
        (1, captured!("yum-needed.txt"), asks_for(&yum)),
        (
            0,
            captured!("dnf4-not-needed.txt"),
            Reading::Known(Advice::NotNeeded),
        ),
        (
            0,
            captured!("yum-not-needed.txt"),
            Reading::Known(Advice::NotNeeded),
        ),
    ] {
        assert_eq!(read_advice(exit, text), wanted, "{text}");
    }
}

/// The status of "needed" is that of every error, and the status of "not needed" that of other questions.
#[test]
fn an_advice_takes_the_words_and_the_status() {
    let needed = captured!("dnf4-needed.txt");
    let not_needed = captured!("dnf4-not-needed.txt");
    let both = format!("{needed}{not_needed}");
    for (exit, text) in [
        (1, captured!("dnf4-no-command.txt")),
        (1, captured!("dnf4-repository-error.txt")),
        (1, ""),
        (0, ""),
        (0, "1 : /usr/lib/systemd/systemd --switched-root\n"),
        (0, needed),
        (1, not_needed),
        (2, needed),
        (127, not_needed),
        (1, both.as_str()),
        (0, both.as_str()),
    ] {
        let read = read_advice(exit, text);
        assert!(read.why().is_some(), "{exit}, {text}: {read:?}");
    }
}

fn packages(lines: &[&str]) -> Vec<Nevra> {
    let parsed = lines.iter().map(|l| Nevra::parse_query(l));
    parsed.map(Option::unwrap).collect()
}

#[test]
fn the_running_kernel_is_held_against_those_of_its_kind() {
    const OLD: &str = "kernel-core (none) 5.14.0 362.8.1.el9_3 x86_64";
    const NEW: &str = "kernel-core (none) 5.14.0 427.13.1.el9_4 x86_64";
    const RT: &str = "kernel-rt-core (none) 5.14.0 427.13.1.el9_4 x86_64";
    let newer = |line| Kernel::Older {
        newest: packages(&[line]).remove(0),
    };
    for (running, installed, wanted) in [
        ("5.14.0-362.8.1.el9_3.x86_64", vec![OLD, NEW], newer(NEW)),
        (
            "5.14.0-427.13.1.el9_4.x86_64",
            vec![OLD, NEW],
            Kernel::Newest,
        ),
        (
            "5.14.0-427.13.1.el9_4.x86_64",
            vec![NEW, OLD],
            Kernel::Newest,
        ),
        // Another kind that is newer is no newer kernel of this kind.
        ("5.14.0-362.8.1.el9_3.x86_64", vec![OLD, RT], Kernel::Newest),
        (
            "5.14.0-427.13.1.el9_4.x86_64+rt",
            vec![OLD, NEW, RT],
            Kernel::Newest,
        ),
        (
            "5.14.0-427.13.1.el9_4.x86_64+debug",
            vec![OLD, NEW, RT],
            Kernel::Unknown,
        ),
        ("6.1.0-41-cloud-amd64", vec![OLD, NEW], Kernel::Unknown),
        ("5.14.0-362.8.1.el9_3.x86_64", vec![], Kernel::Unknown),
        (
            "2.6.32-358.el6.x86_64",
            vec![
                "kernel (none) 2.6.32 358.el6 x86_64",
                "kernel (none) 2.6.32 358.2.1.el6 x86_64",
            ],
            newer("kernel (none) 2.6.32 358.2.1.el6 x86_64"),
        ),
    ] {
        let is = kernel(running, &packages(&installed));
        assert_eq!(is, wanted, "{running} of {installed:?}");
    }
}

const BASH: &str = "bash (none) 5.1.8 6.el9 x86_64";
const GLIBC: &str = "glibc (none) 2.34 60.el9 x86_64";
const NEW_GLIBC: &str = "glibc (none) 2.34 83.el9 x86_64";

fn set(reboot: &str) -> PatchSet {
    let text = format!("patch_set: x\nselect: {{ updates: all }}\nreboot: {reboot}\n");
    patchset::parse(&text, "p").unwrap()
}

fn at<T>(value: T) -> At<T> {
    At { seq: 1, value }
}

fn facts(lines: &[&str]) -> Facts {
    let unread = || Reading::missing("not read");
    Facts {
        os: Reading::missing("not read"),
        kernel: Reading::Known("5.14.0-362.8.1.el9_3.x86_64".to_owned()),
        boot_id: unread(),
        uid: Reading::missing("not read"),
        selinux: Reading::missing("not read"),
        packages: Reading::Known(packages(lines)),
    }
}

fn host(before: &[&str], after: &[&str], signs: Option<RebootSigns>) -> HostLedger {
    let mut host = HostLedger::default();
    for (state, lines) in [(State::Baseline, before), (State::Patched, after)] {
        host.states.entry(state).or_default().facts = Some(at(facts(lines)));
    }
    host.reboot.signs = signs.map(at);
    host
}

fn signs(advice: Reading<Advice>, since_boot: Reading<Vec<String>>) -> Option<RebootSigns> {
    Some(RebootSigns {
        boot_id: Reading::Known("b-1".to_owned()),
        machine_id: Reading::missing("not read"),
        advice,
        since_boot,
    })
}

/// What could not be read.
fn gone<T>() -> Reading<T> {
    Reading::missing("gone")
}

fn word(need: Option<Need>) -> String {
    match need {
        None => "not asked".to_owned(),
        Some(Need::Needed { why }) => format!("needed: {why}"),
        Some(Need::NotNeeded { why }) => format!("not needed: {why}"),
        Some(Need::Unknown { why }) => format!("unknown: {why}"),
    }
}

#[test]
fn one_sign_is_enough_and_none_takes_an_answer() {
    let none = || Reading::Known(Vec::new());
    let no = || Reading::Known(Advice::NotNeeded);
    let glibc = || Reading::Known(vec!["glibc".to_owned()]);
    let quiet = [BASH, GLIBC];
    let patched = [BASH, NEW_GLIBC];
    let older = [
        BASH,
        "kernel-core (none) 5.14.0 362.8.1.el9_3 x86_64",
        "kernel-core (none) 5.14.0 427.13.1.el9_4 x86_64",
    ];
    let calm = "not needed: needs-restarting asks for none, and no core package was changed";
    for (after, signs, wanted) in [
        (&quiet[..], None, "not asked"),
        (&quiet, signs(no(), none()), calm),
        (&quiet, signs(no(), gone()), calm),
        (
            &quiet,
            signs(gone(), none()),
            "not needed: no core package was installed since the host booted",
        ),
        (
            &quiet,
            signs(gone(), gone()),
            "unknown: needs-restarting: gone; rpm's install times: gone",
        ),
        (
            &patched,
            signs(no(), none()),
            "needed: the transaction changed glibc",
        ),
        (
            &patched,
            signs(gone(), gone()),
            "needed: the transaction changed glibc",
        ),
        (
            &quiet,
            signs(asks_for(&["lz4"]), none()),
            "needed: needs-restarting asks for one for lz4",
        ),
        (
            &quiet,
            signs(no(), glibc()),
            "needed: installed since the host booted: glibc",
        ),
        (
            &older,
            signs(no(), none()),
            "needed: the transaction changed kernel-core",
        ),
    ] {
        let host = host(&quiet, after, signs);
        assert_eq!(word(need(&set("when-needed"), &host)), wanted);
    }
    let old = host(&older, &older, signs(gone(), none()));
    let why = "needed: kernel 5.14.0-362.8.1.el9_3.x86_64 runs, and \
               kernel-core-5.14.0-427.13.1.el9_4.x86_64 is installed";
    assert_eq!(word(need(&set("when-needed"), &old)), why);
    let advised = host(&older, &older, signs(no(), none()));
    assert_eq!(word(need(&set("when-needed"), &advised)), calm);
}

#[test]
fn the_patch_set_has_the_last_word() {
    let signs = signs(gone(), gone());
    let host = host(&[GLIBC], &[NEW_GLIBC], signs);
    assert_eq!(word(need(&set("never"), &host)), "not asked");
    let always = "needed: the patch set says `reboot: always`";
    assert_eq!(word(need(&set("always"), &host)), always);
}

#[test]
fn the_events_of_a_reboot_are_read_back() {
    for what in [
        What::RebootConsidered {
            signs: Box::new(signs(asks_for(&["glibc"]), Reading::missing("no rpm")).unwrap()),
        },
        What::RebootStarted {
            boot_id: "b-1".to_owned(),
        },
        What::RebootEnded {
            end: RebootEnd::CameBack {
                boots: vec!["b-2".to_owned()],
                settled: Reading::Known("running".to_owned()),
            },
            elapsed: std::time::Duration::from_secs(54),
        },
    ] {
        let json = serde_json::to_string(&what).unwrap();
        assert_eq!(serde_json::from_str::<What>(&json).unwrap(), what, "{json}");
    }
}
