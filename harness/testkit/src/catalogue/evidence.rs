//! Windows that see everything, and windows that do not.

use patchgate_core::state::State;

use super::{Case, Cells, alone, pair, undecided};
use crate::{
    expected::Expectation,
    script::{Effect, HostScript, Moment},
};

/// All of them.
#[must_use]
pub fn all() -> Vec<Case> {
    vec![
        auditd_down(),
        records_lost(),
        suppressed(),
        log_rotated(),
        log_rotated_away(),
    ]
}

/// auditd does not run, from the beginning: nothing is known of denials, and that is said.
#[must_use]
pub fn auditd_down() -> Case {
    let host = HostScript::rebuild().when(Moment::Before, Effect::AuditdDown);
    let cells: Cells = &[("* * httpd/no-new-denials", "blind")];
    (alone("auditd-down", host), undecided(3, &[], cells))
}

const BLIND_ONCE: Cells = &[("centos-web patched httpd/no-new-denials", "blind")];

/// The kernel lost records while the transaction ran.
#[must_use]
pub fn records_lost() -> Case {
    let rebuild = HostScript::rebuild().when(Moment::Transaction, Effect::Lost(12));
    (pair("records-lost", rebuild), undecided(3, &[], BLIND_ONCE))
}

/// The kernel suppressed messages of a caller that it does not name.
#[must_use]
pub fn suppressed() -> Case {
    let line = Effect::KernelLine("__ratelimit: 22683 callbacks suppressed");
    let rebuild = HostScript::rebuild().when(Moment::Transaction, line);
    (pair("suppressed", rebuild), undecided(3, &[], BLIND_ONCE))
}

/// The log was rotated in the middle of a window, and followed.
#[must_use]
pub fn log_rotated() -> Case {
    let rebuild = HostScript::rebuild().when(Moment::Transaction, Effect::Rotated);
    (pair("log-rotated", rebuild), Expectation::OPEN)
}

/// The log was rotated and the older part is gone.
#[must_use]
pub fn log_rotated_away() -> Case {
    let rebuild = HostScript::rebuild().when(Moment::Transaction, Effect::RotatedAway);
    (
        pair("log-rotated-away", rebuild),
        undecided(3, &[], BLIND_ONCE),
    )
}

/// Every way to spoil a window that a scripted host knows, with the gap that it must leave.
#[must_use]
pub fn spoilers() -> Vec<(&'static str, Effect)> {
    let mut all = vec![
        ("auditd-not-running", Effect::AuditdDown),
        ("auditd-restarted", Effect::AuditdRestarted),
        ("audit-disabled", Effect::AuditDisabled),
        ("records-lost", Effect::Lost(1)),
        ("lost-counter-reset", Effect::LostReset),
        ("log-rotated-away", Effect::RotatedAway),
        ("marker-begin-missing", Effect::Truncated),
        ("log-unreadable", Effect::LogUnreadable),
        ("audit-tools-missing", Effect::NoAuditctl),
        ("denials-excluded", Effect::Excluded),
        ("marker-end-missing", Effect::MarkersLost),
        ("control-not-seen", Effect::ControlSwallowed),
        ("clock-stepped", Effect::ClockSet(3600)),
        ("clock-stepped", Effect::ClockSet(-7)),
        ("serials-restarted", Effect::SerialsRestarted),
        ("boot-changed", Effect::Rebooted),
        ("permissive-mode", Effect::Permissive),
        ("mode-unknown", Effect::NoSelinux),
        ("kernel-log-unreadable", Effect::NoDmesg),
    ];
    all.extend(spoiling_lines());
    all
}

/// Lines that spoil a window by standing in it.
fn spoiling_lines() -> Vec<(&'static str, Effect)> {
    vec![
        (
            "log-garbled",
            Effect::AuditLine("type=AVC msg=audit(136150"),
        ),
        (
            "suppressed",
            Effect::KernelLine("__ratelimit: 22683 callbacks suppressed"),
        ),
        (
            "suppressed",
            Effect::KernelLine("kauditd_printk_skb: 93 callbacks suppressed"),
        ),
        (
            "suppressed",
            Effect::KernelLine("audit: audit_lost=3 audit_rate_limit=0 audit_backlog_limit=64"),
        ),
        (
            "policy-reloaded",
            Effect::AuditLine(
                "type=MAC_POLICY_LOAD msg=audit(1361500900.100:900): auid=0 ses=11 lsm=selinux res=1",
            ),
        ),
        (
            "policy-errors",
            Effect::AuditLine(
                "type=SELINUX_ERR msg=audit(1361500900.100:904): op=security_compute_sid \
                 invalid_context=\"system_u:system_r:httpd_t:s0\" tclass=process",
            ),
        ),
        (
            "mode-changed",
            Effect::AuditLine(
                "type=MAC_STATUS msg=audit(1361500900.100:901): enforcing=0 old_enforcing=1 \
                 auid=0 ses=11 enabled=1 old-enabled=1 lsm=selinux res=1",
            ),
        ),
        (
            "boolean-changed",
            Effect::AuditLine(
                "type=MAC_CONFIG_CHANGE msg=audit(1361500900.100:902): \
                 bool=httpd_can_network_connect val=1 old_val=0 auid=0 ses=11 lsm=selinux res=1",
            ),
        ),
        (
            "audit-reconfigured",
            Effect::AuditLine(
                "type=CONFIG_CHANGE msg=audit(1361500900.100:903): op=set audit_enabled=1 old=1 \
                 auid=0 ses=11 subj=unconfined_u:unconfined_r:auditctl_t:s0 res=1",
            ),
        ),
    ]
}

/// A healthy host whose window of one state is spoiled.
#[must_use]
pub fn spoiled(effect: Effect, state: State) -> crate::Scenario {
    let host = HostScript::rebuild().when(Moment::In(state), effect);
    alone("spoiled", host)
}
