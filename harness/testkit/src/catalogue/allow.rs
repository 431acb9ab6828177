//! Denials that are known: allowed, allowed no more, and those that nobody has any more.

use super::{Case, Cells, Findings, closed, open, pair};
use crate::{
    machine::Denied,
    scenario::Scenario,
    script::{Effect, HostScript, Moment},
};

/// All of them.
#[must_use]
pub fn all() -> Vec<Case> {
    vec![
        allowed(),
        allowed_in_part(),
        allow_expired(),
        allow_unused(),
        allow_unused_unknown(),
        also_on_twin(),
        cut_record_not_allowed(),
    ]
}

/// The suite that patchgate brings, with a list of known denials.
const HTTPD: &str = concat!(
    include_str!("../../../../suites/httpd/suite.yaml"),
    "      allow: known-denials.yaml\n"
);

const SELINUX: &str = include_str!("../../../../suites/selinux/suite.yaml");

/// What the scripted host is denied that no client notices; runs are of 2013-02-22.
const HARMLESS: &str = "allow:\n  - { source: httpd_t, target: 'shadow_*', class: file, permissions: \
                        [getattr, read], program: httpd, reason: it only looks, ticket: OPS-17, \
                        expires: 2013-03-31 }\n";

/// The same, until the day before.
const EXPIRED: &str = "allow:\n  - { source: httpd_t, target: 'shadow_*', class: file, permissions: \
                       [getattr, read], program: httpd, reason: it only looks, ticket: OPS-17, \
                       expires: 2013-02-21 }\n";

/// The same among others that fit nothing of it.
const TWO: &str = "allow:\n  - { source: httpd_t, target: shadow_t, class: file, permissions: [getattr], \
                   reason: it only looks, ticket: OPS-17, expires: 2013-02-22 }\n  - { source: httpd_t, \
                   target: shadow_t, class: file, permissions: [read], reason: gone since 2.4.57, \
                   ticket: OPS-9, expires: 2013-12-31 }\n";

fn listed(name: &'static str, rebuild: HostScript, allow: &'static str) -> Scenario {
    Scenario {
        suites: vec![HTTPD, SELINUX],
        allow,
        ..pair(name, rebuild)
    }
}

fn denied() -> HostScript {
    HostScript::rebuild().when(Moment::Transaction, Effect::Loud(Denied::Unnoticed))
}

/// SELinux denies something new, and an entry says that it is harmless: told, counted, and no failure.
#[must_use]
pub fn allowed() -> Case {
    (listed("allowed", denied(), HARMLESS), open(&[], &[]))
}

const FAILS: Cells = &[
    ("centos-web patched httpd/no-new-denials", "failed"),
    ("centos-web restarted httpd/no-new-denials", "failed"),
];

const NEW: &str = "new-denial.centos-web.httpd selinux-denial supported";

/// Beside the denial that is allowed stands another that is not.
#[must_use]
pub fn allowed_in_part() -> Case {
    let other = Effect::AuditLine(
        "type=AVC msg=audit(1361500900.100:905): avc:  denied  { getattr write } for  pid=283 \
         comm=\"httpd\" path=\"/etc/shadow\" dev=\"vda\" ino=17035 \
         scontext=system_u:system_r:httpd_t:s0 tcontext=system_u:object_r:shadow_t:s0 tclass=file \
         permissive=0",
    );
    let rebuild = denied().when(Moment::Transaction, other);
    let cells: Cells = &[("centos-web patched httpd/no-new-denials", "failed")];
    let findings: Findings = &[NEW];
    (
        listed("allowed-in-part", rebuild, HARMLESS),
        closed(findings, cells),
    )
}

/// The entry's last day was the day before the run: it allows nothing, and that is told.
#[must_use]
pub fn allow_expired() -> Case {
    let findings: Findings = &[NEW, "allow-expired.httpd.no-new-denials unknown suspected"];
    (
        listed("allow-expired", denied(), EXPIRED),
        closed(findings, FAILS),
    )
}

/// An entry fits nothing in a run in which everything was seen.
#[must_use]
pub fn allow_unused() -> Case {
    let findings: Findings = &["allow-unused.httpd.no-new-denials unknown suspected"];
    (listed("allow-unused", denied(), TWO), open(findings, &[]))
}

/// The same in a run in which not everything was seen: nobody can say that it fits nothing.
#[must_use]
pub fn allow_unused_unknown() -> Case {
    let rebuild = denied().when(Moment::Transaction, Effect::Lost(12));
    let cells: Cells = &[("centos-web patched httpd/no-new-denials", "blind")];
    (
        listed("allow-unused-unknown", rebuild, TWO),
        super::undecided(3, &[], cells),
    )
}

/// The denial that is new on the rebuild is the twin's too, which has had it all along.
#[must_use]
pub fn also_on_twin() -> Case {
    let mut scenario = listed("also-on-twin", denied(), "allow: []\n");
    let twin = &mut scenario.hosts[0];
    *twin = twin
        .clone()
        .when(Moment::Before, Effect::Loud(Denied::Unnoticed));
    (scenario, closed(&[NEW], FAILS))
}

/// A record that was cut before its contexts may be anybody's: no entry fits it.
#[must_use]
pub fn cut_record_not_allowed() -> Case {
    let cut = Effect::AuditLine(
        "type=AVC msg=audit(1361500900.100:905): avc:  denied  { getattr } for  pid=283 \
         comm=\"httpd\" path=\"/var/www/html/.htaccess\" dev=\"vda\" ino=17035",
    );
    let rebuild = denied().when(Moment::Transaction, cut);
    let cells: Cells = &[("centos-web patched httpd/no-new-denials", "failed")];
    (
        listed("cut-record-not-allowed", rebuild, HARMLESS),
        closed(
            &["new-denial.centos-web.httpd selinux-denial supported"],
            cells,
        ),
    )
}
