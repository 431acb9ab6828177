//! The table: one line a sabotage. Those whose name begins with `nightly` are left to ci/nightly.

use crate::{night, scenario::Scenario};

/// The policy of February 2013, brought by the policy package and not by the trigger.
const POLICY_2013: Scenario = Scenario {
    sabotage: "nothing",
    repositories: &["updates-february"],
    suspect: "selinux-policy-targeted-3.14.3-155.",
    suspected: true,
    ..Scenario::new("policy-2013", "selinux-silent-denial").proven()
};

/// The tests; each plays its scenario.
macro_rules! scenarios {
    ($($test:ident: $scenario:expr;)*) => {
        $(#[test]
        fn $test() {
            night::play(&$scenario);
        })*
    };
}

scenarios! {
    wrong_label: Scenario::new("wrong-label", "selinux-label").proven();
    nightly_firewall_drop: Scenario::new("firewall-drop", "firewall");
    nightly_port_type: Scenario::new("port-type", "selinux-port")
        .proven().restarted().seen_by("port/page", ("http://", ":9009/"));
    nightly_dontaudited_getattr: Scenario::new("dontaudited-getattr", "selinux-silent-denial").proven();

    nightly_policy_of_2013_before_a_restart: POLICY_2013;
    nightly_policy_of_2013_after_a_restart:
        Scenario { name: "policy-2013-restarted", ..POLICY_2013 }.restarted();
    nightly_boolean: Scenario::new("boolean", "selinux-boolean")
        .proven().seen_by("application/page", ("http://", "/app/"));
    nightly_firewall_reject: Scenario::new("firewall-reject", "firewall");
    nightly_loopback_only: Scenario::new("loopback-only", "bound-to-loopback").restarted();
    nightly_service_stopped: Scenario::new("service-stopped", "service-down");
    nightly_config_broken: Scenario::new("config-broken", "config").restarted();
    nightly_certificate_expired: Scenario::new("certificate-expired", "tls-certificate")
        .seen_by("https/page", ("https://", "/"));
    nightly_oom: Scenario::new("oom", "resource-oom");
    nightly_disk_full: Scenario::new("disk-full", "resource-disk").blind(&["marker-end-missing"])
        .seen_by("upload/page", ("http://", "/upload.php"));
    nightly_auditd_stopped: Scenario::new("auditd-stopped", "selinux-label")
        .blind(&["auditd-not-running"]);
    nightly_audit_rate_limited: Scenario::new("audit-rate-limited", "selinux-label")
        .blind(&["records-lost", "audit-reconfigured", "suppressed"]);
    nightly_permissive: Scenario::new("permissive", "selinux-mode")
        .seen_by("selinux/enforcing", ("http://", "/")).blind(&["mode-changed", "permissive-mode"]);
}
