//! What a policy update does.

use patchgate_core::observation::HttpPhase;

use super::{Case, Cells, Findings, closed, open, pair, undecided};
use crate::{
    expected::Expectation,
    machine::Denied,
    scenario::Scenario,
    script::{Change, Effect, HostScript, Moment},
    serve::Served,
};

/// All of them.
#[must_use]
pub fn all() -> Vec<Case> {
    vec![
        quiet_night(),
        february(),
        february_without_experiments(),
        february_localhost_passes(),
        february_without_vectors(),
        february_suppressed(),
        february_of_two_domains(),
        march(),
        loud_denial(),
        unnoticed_denial(),
        denied_before(),
        mode_drift(),
        next_boot_permissive(),
        domain_permissive(),
        access_lost(),
        february_of_a_broken_host(),
        docroot_relabelled(),
    ]
}

/// Two hosts, an update each, nothing breaks.
#[must_use]
pub fn quiet_night() -> Case {
    let scenario = pair("quiet-night", HostScript::rebuild());
    (scenario, Expectation::OPEN)
}

const SILENCED: Findings =
    &["rebuild-only-regression.centos-web.httpd selinux-silent-denial supported"];

const PROVEN: Findings = &["rebuild-only-regression.centos-web.httpd selinux-silent-denial proven"];

const NO_PAGE: Cells = &[
    ("centos-web patched httpd/root-page", "failed"),
    ("centos-web patched httpd/root-page-local", "failed"),
    ("centos-web restarted httpd/root-page", "failed"),
    ("centos-web restarted httpd/root-page-local", "failed"),
    ("centos-web restarted httpd/service", "failed"),
];

/// The same, and no log shows what was lost.
const FEBRUARY: Cells = &[
    ("centos-web patched httpd/root-page", "failed"),
    ("centos-web patched httpd/root-page-local", "failed"),
    ("centos-web patched httpd/no-new-denials", "blind"),
    ("centos-web restarted httpd/root-page", "failed"),
    ("centos-web restarted httpd/root-page-local", "failed"),
    ("centos-web restarted httpd/service", "failed"),
    ("centos-web restarted httpd/no-new-denials", "blind"),
];

/// The incident: the policy takes `accept` and `listen`, silently. The rebuild's clients get nothing,
/// after a restart they are refused; the twin goes on.
#[must_use]
pub fn february() -> Case {
    let scenario = pair("february", HostScript::rebuild().february());
    (scenario, closed(PROVEN, FEBRUARY))
}

/// The same with `--no-experiments`: what is not tried is not proven.
#[must_use]
pub fn february_without_experiments() -> Case {
    let rebuild = HostScript::rebuild().february();
    let scenario = Scenario {
        experiments: false,
        ..pair("february-without-experiments", rebuild)
    };
    (scenario, closed(SILENCED, FEBRUARY))
}

/// The same, while the host's own request to itself goes on being answered.
#[must_use]
pub fn february_localhost_passes() -> Case {
    let rebuild = HostScript::rebuild().february();
    let rebuild = rebuild.when(Moment::Transaction, Effect::Local(Served::Page(200)));
    let expected = closed(
        SILENCED,
        &[
            ("centos-web patched httpd/root-page", "failed"),
            ("centos-web patched httpd/no-new-denials", "blind"),
            ("centos-web restarted httpd/root-page", "failed"),
            ("centos-web restarted httpd/service", "failed"),
            ("centos-web restarted httpd/no-new-denials", "blind"),
        ],
    );
    (pair("february-localhost-passes", rebuild), expected)
}

/// The same, where the kernel cannot be asked: the experiment speaks for itself.
#[must_use]
pub fn february_without_vectors() -> Case {
    let rebuild = HostScript::rebuild().february();
    let rebuild = rebuild.when(Moment::Transaction, Effect::VectorsUnreadable);
    (
        pair("february-without-vectors", rebuild),
        closed(PROVEN, NO_PAGE),
    )
}

/// The same with what the kernel said that night, by a caller that it did not name.
#[must_use]
pub fn february_suppressed() -> Case {
    let line = Effect::KernelLine("__ratelimit: 22683 callbacks suppressed");
    let rebuild = HostScript::rebuild().february();
    let rebuild = rebuild.when(Moment::Transaction, line);
    (
        pair("february-suppressed", rebuild),
        closed(PROVEN, FEBRUARY),
    )
}

const ABRT: &str = "suite: abrt\ntitle: Another service\ndomains: [abrt_t]\nchecks:\n  \
                    - id: runs\n    command: { run: abrt status }\n";

/// The same, where the policy took as much from another service that comes first in every list.
#[must_use]
pub fn february_of_two_domains() -> Case {
    let rebuild = HostScript::rebuild().february();
    let mut scenario = pair("february-of-two-domains", rebuild);
    scenario.suites.push(ABRT);
    scenario.hosts = scenario
        .hosts
        .into_iter()
        .map(|h| h.command("abrt status", 0, "", ""))
        .collect();
    let findings: Findings = &[
        "rebuild-only-regression.centos-web.httpd selinux-silent-denial proven",
        "access-lost.centos-web selinux-silent-denial suspected",
    ];
    (scenario, closed(findings, FEBRUARY))
}

/// Two weeks later: the policy that gives `accept` and `listen` back.
#[must_use]
pub fn march() -> Case {
    let rebuild = HostScript::rebuild()
        .when(Moment::Before, Effect::FebruaryPolicy)
        .when(Moment::Transaction, Effect::GoodPolicy);
    let expected = open(
        &["fixed.centos-web.httpd unknown suspected"],
        &[
            ("centos-web baseline httpd/root-page", "failed"),
            ("centos-web baseline httpd/root-page-local", "failed"),
        ],
    );
    (pair("march", rebuild), expected)
}

/// SELinux denies the page, and says so.
#[must_use]
pub fn loud_denial() -> Case {
    let rebuild = HostScript::rebuild();
    let rebuild = rebuild.when(Moment::Transaction, Effect::Loud(Denied::Page));
    let expected = closed(
        &[
            "rebuild-only-regression.centos-web.httpd selinux-label proven",
            "new-denial.centos-web.httpd selinux-label supported",
        ],
        &[
            ("centos-web patched httpd/root-page", "failed"),
            ("centos-web patched httpd/root-page-local", "failed"),
            ("centos-web patched httpd/no-new-denials", "failed"),
            ("centos-web restarted httpd/root-page", "failed"),
            ("centos-web restarted httpd/root-page-local", "failed"),
            ("centos-web restarted httpd/no-new-denials", "failed"),
        ],
    );
    (pair("loud-denial", rebuild), expected)
}

/// SELinux denies something new that no client notices.
#[must_use]
pub fn unnoticed_denial() -> Case {
    let rebuild = HostScript::rebuild();
    let rebuild = rebuild.when(Moment::Transaction, Effect::Loud(Denied::Unnoticed));
    let expected = closed(
        &["new-denial.centos-web.httpd selinux-denial supported"],
        &[
            ("centos-web patched httpd/no-new-denials", "failed"),
            ("centos-web restarted httpd/no-new-denials", "failed"),
        ],
    );
    (pair("unnoticed-denial", rebuild), expected)
}

/// SELinux denied the page before and denies it after: the cause is plain, and nothing that the patch
/// could be judged by.
#[must_use]
pub fn denied_before() -> Case {
    let rebuild = HostScript::rebuild().when(Moment::Before, Effect::Loud(Denied::Page));
    let expected = undecided(
        3,
        &["broken-before.centos-web.httpd selinux-denial supported"],
        &[
            ("centos-web * httpd/root-page", "failed"),
            ("centos-web * httpd/root-page-local", "failed"),
        ],
    );
    (pair("denied-before", rebuild), expected)
}

const DRIFTED: Findings = &["mode-drift.centos-web selinux-mode supported"];

/// Everything passes, and the update switched SELinux off for the next boot.
#[must_use]
pub fn next_boot_permissive() -> Case {
    let rebuild = HostScript::rebuild();
    let rebuild = rebuild.when(Moment::Transaction, Change::ConfigMode("permissive"));
    (pair("next-boot-permissive", rebuild), closed(DRIFTED, &[]))
}

/// Everything passes, and the update made the service's domain permissive.
#[must_use]
pub fn domain_permissive() -> Case {
    let rebuild = HostScript::rebuild();
    let module = Change::Module("permissive_httpd_t", 400);
    let rebuild = rebuild.when(Moment::Transaction, module);
    (pair("domain-permissive", rebuild), closed(DRIFTED, &[]))
}

/// The host is permissive since the update: whatever passes proves nothing.
#[must_use]
pub fn mode_drift() -> Case {
    let rebuild = HostScript::rebuild().february();
    let rebuild = rebuild.when(Moment::Transaction, Effect::Permissive);
    let expected = closed(
        &[
            "rebuild-only-regression.centos-web.selinux selinux-mode supported",
            "mode-drift.centos-web selinux-mode supported",
            "access-lost.centos-web selinux-silent-denial suspected",
        ],
        &[
            ("centos-web patched selinux/enforcing", "failed"),
            ("centos-web patched httpd/no-new-denials", "blind"),
            ("centos-web restarted selinux/enforcing", "failed"),
            ("centos-web restarted httpd/no-new-denials", "blind"),
        ],
    );
    (pair("mode-drift", rebuild), expected)
}

/// The policy takes `accept` and `listen`, and no check notices: it is told, before a client fails.
#[must_use]
pub fn access_lost() -> Case {
    let rebuild = HostScript::rebuild()
        .february()
        .when(Moment::Transaction, Effect::Local(Served::Page(200)))
        .when(Moment::Transaction, Effect::Remote(Served::Page(200)));
    let scenario = Scenario {
        patch: Some("patch_set: 2013-02-22\nselect: { updates: all }\n"),
        ..pair("access-lost", rebuild)
    };
    let findings: Findings = &["access-lost.centos-web selinux-silent-denial suspected"];
    let cells: Cells = &[("centos-web patched httpd/no-new-denials", "blind")];
    (scenario, undecided(3, findings, cells))
}

/// The incident on a host whose remote clients were refused before it: what failed before the loss
/// does not come of it.
#[must_use]
pub fn february_of_a_broken_host() -> Case {
    let cut = Effect::Remote(Served::Failed(HttpPhase::Refused, 1));
    let rebuild = HostScript::rebuild().february().when(Moment::Before, cut);
    let expected = closed(
        &[
            "rebuild-only-regression.centos-web.httpd selinux-silent-denial proven",
            "broken-before.centos-web.httpd firewall suspected",
        ],
        &[
            ("centos-web * httpd/root-page", "failed"),
            ("centos-web patched httpd/root-page-local", "failed"),
            ("centos-web patched httpd/no-new-denials", "blind"),
            ("centos-web restarted httpd/root-page-local", "failed"),
            ("centos-web restarted httpd/service", "failed"),
            ("centos-web restarted httpd/no-new-denials", "blind"),
        ],
    );
    (pair("february-of-a-broken-host", rebuild), expected)
}

/// The document root has another type since the update: the kernel is asked about both, and a type that
/// only one state knows is not taken for lost.
#[must_use]
pub fn docroot_relabelled() -> Case {
    let rebuild = HostScript::rebuild();
    let rebuild = rebuild.when(Moment::Transaction, Effect::Docroot("default_t"));
    (pair("docroot-relabelled", rebuild), Expectation::OPEN)
}
