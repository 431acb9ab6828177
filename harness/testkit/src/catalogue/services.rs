//! Services that fail for other reasons than SELinux, and checks of other kinds.

use patchgate_core::observation::HttpPhase;

use super::{Case, alone, closed, pair, undecided};
use crate::{
    expected::Expectation,
    scenario::Scenario,
    script::{Effect, HostScript, Moment},
    serve::Served,
};

/// All of them.
#[must_use]
pub fn all() -> Vec<Case> {
    vec![
        service_down(),
        firewalled(),
        broken_before(),
        broken_until_restarted(),
        second_run(),
        restart_fails(),
        hostile_output(),
        check_only(),
        check_only_fails(),
        check_only_fails_unnamed(),
        restart_fails_beside_a_failure(),
        config_broken(),
        bound_to_loopback(),
    ]
}

/// httpd does not survive the update, and the restart brings it up again.
#[must_use]
pub fn service_down() -> Case {
    let down = Effect::Unit("httpd", "failed");
    let rebuild = HostScript::rebuild().when(Moment::Transaction, down);
    let expected = closed(
        &["rebuild-only-regression.centos-web.httpd service-down supported"],
        &[
            ("centos-web patched httpd/root-page", "failed"),
            ("centos-web patched httpd/root-page-local", "failed"),
            ("centos-web patched httpd/service", "failed"),
        ],
    );
    (pair("service-down", rebuild), expected)
}

/// After the update remote clients time out, and the host sees nothing of it.
#[must_use]
pub fn firewalled() -> Case {
    let cut = Effect::Remote(Served::Failed(HttpPhase::ConnectTimeout, 5000));
    let rebuild = HostScript::rebuild().when(Moment::Transaction, cut);
    let expected = closed(
        &["rebuild-only-regression.centos-web.httpd firewall suspected"],
        &[
            ("centos-web patched httpd/root-page", "failed"),
            ("centos-web restarted httpd/root-page", "failed"),
        ],
    );
    (pair("firewalled", rebuild), expected)
}

/// Remote clients were refused before the update and are refused after it.
#[must_use]
pub fn broken_before() -> Case {
    let cut = Effect::Remote(Served::Failed(HttpPhase::Refused, 1));
    let rebuild = HostScript::rebuild().when(Moment::Before, cut);
    let expected = undecided(
        3,
        &["broken-before.centos-web.httpd firewall suspected"],
        &[("centos-web * httpd/root-page", "failed")],
    );
    (pair("broken-before", rebuild), expected)
}

/// httpd was down before, and only the restart brings it up: the state in between cannot be judged.
#[must_use]
pub fn broken_until_restarted() -> Case {
    let down = Effect::Unit("httpd", "failed");
    let rebuild = HostScript::rebuild().when(Moment::Before, down);
    let expected = undecided(
        3,
        &[
            "broken-before.centos-web.httpd service-down supported",
            "fixed.centos-web.httpd unknown suspected",
        ],
        &[
            ("centos-web baseline httpd/root-page", "failed"),
            ("centos-web baseline httpd/root-page-local", "failed"),
            ("centos-web baseline httpd/service", "failed"),
            ("centos-web patched httpd/root-page", "failed"),
            ("centos-web patched httpd/root-page-local", "failed"),
            ("centos-web patched httpd/service", "failed"),
        ],
    );
    (pair("broken-until-restarted", rebuild), expected)
}

/// Everything is in already: nothing is changed, everything is checked.
#[must_use]
pub fn second_run() -> Case {
    let hosts = [HostScript::upstream(), HostScript::rebuild()].map(|h| h.offers(&[]));
    (Scenario::new("second-run", hosts), Expectation::OPEN)
}

/// The restart is refused and the old httpd goes on serving: the restarted state was never there.
#[must_use]
pub fn restart_fails() -> Case {
    let rebuild = HostScript::rebuild().when(Moment::Before, Effect::RestartFails("httpd"));
    (pair("restart-fails", rebuild), undecided(3, &[], &[]))
}

const COMMANDS: &str = "suite: commands\n\
    title: Output that means harm\n\
    checks:\n\
    \x20 - id: harmless\n\
    \x20   command: { run: cat /etc/motd }\n\
    \x20 - id: fails-loudly\n\
    \x20   command: { run: cat /etc/issue }\n";

const HOSTILE: &str = "\x1b[2J\x1b]0;owned\x07 ]]> </failure><testcase name=\"x\"/> \u{0}\u{feff}\u{fffe} \
    &lt; %s `id` $(id) | no deniаls \u{202e}txt.exe\n\
    \x1e5f3a9c0e5f3a9c0e5f3a9c0e5f3a9c0e e 0 0 1.00\npgjob 0 0 finished 0\npglock free none\n";

/// Commands print escape codes, markup, NUL, and forged frames.
#[must_use]
pub fn hostile_output() -> Case {
    let host = HostScript::rebuild()
        .command("cat /etc/motd", 0, HOSTILE, HOSTILE)
        .command("cat /etc/issue", 3, HOSTILE, HOSTILE);
    let scenario = Scenario {
        suites: vec![COMMANDS],
        ..alone("hostile-output", host)
    };
    let expected = undecided(
        3,
        &["broken-before.centos-web.commands unknown suspected"],
        &[("centos-web * commands/fails-loudly", "failed")],
    );
    (scenario, expected)
}

/// Nothing is patched, one state is checked, nothing is found.
#[must_use]
pub fn check_only() -> Case {
    let scenario = Scenario {
        patch: None,
        ..pair("check-only", HostScript::rebuild())
    };
    (scenario, Expectation::OPEN)
}

/// Nothing is patched, and a check fails.
#[must_use]
pub fn check_only_fails() -> Case {
    let rebuild = HostScript::rebuild().when(Moment::Before, Effect::FebruaryPolicy);
    let scenario = Scenario {
        patch: None,
        ..pair("check-only-fails", rebuild)
    };
    let expected = closed(
        &["failure.centos-web.httpd selinux-silent-denial supported"],
        &[
            ("centos-web baseline httpd/root-page", "failed"),
            ("centos-web baseline httpd/root-page-local", "failed"),
        ],
    );
    (scenario, expected)
}

/// Nothing is patched, and a check fails of a suite that the gate does not name but wants whole.
#[must_use]
pub fn check_only_fails_unnamed() -> Case {
    let gate = "gate: whole\nrequire:\n  suites: { selinux: all }\n  no: [missing-check]\n";
    let (scenario, expected) = check_only_fails();
    let scenario = Scenario {
        name: "check-only-fails-unnamed",
        gate: Some(gate),
        ..scenario
    };
    (scenario, expected)
}

/// The restart is refused on a host where something failed all along: the one does not hide the other.
#[must_use]
pub fn restart_fails_beside_a_failure() -> Case {
    let cut = Effect::Remote(Served::Failed(HttpPhase::Refused, 1));
    let rebuild = HostScript::rebuild()
        .when(Moment::Before, cut)
        .when(Moment::Before, Effect::RestartFails("httpd"));
    let expected = broken_before().1;
    (pair("restart-fails-beside-a-failure", rebuild), expected)
}

/// The update breaks the configuration: what runs goes on, and the restart does not bring it up again.
#[must_use]
pub fn config_broken() -> Case {
    let rebuild = HostScript::rebuild().when(Moment::Transaction, Effect::ConfigBroken);
    let expected = closed(
        &["rebuild-only-regression.centos-web.httpd config supported"],
        &[
            ("centos-web restarted httpd/root-page", "failed"),
            ("centos-web restarted httpd/root-page-local", "failed"),
            ("centos-web restarted httpd/service", "failed"),
        ],
    );
    (pair("config-broken", rebuild), expected)
}

/// After the update httpd listens on the host's own address only.
#[must_use]
pub fn bound_to_loopback() -> Case {
    let rebuild = HostScript::rebuild().when(Moment::Transaction, Effect::Listens("127.0.0.1"));
    let expected = closed(
        &["rebuild-only-regression.centos-web.httpd bound-to-loopback supported"],
        &[
            ("centos-web patched httpd/root-page", "failed"),
            ("centos-web restarted httpd/root-page", "failed"),
        ],
    );
    (pair("bound-to-loopback", rebuild), expected)
}
