//! Windows that span a reboot.

use super::{NONCE, begin, capture, end, names, status};
use crate::evidence::{
    capture::{Reading, UptimeSpan, WindowCapture},
    coverage::{Coverage, Gap},
    window::{Expectations, WindowEvidence, examine, statement},
};

const REBOOT: Expectations = Expectations {
    policy_load: false,
    mode_change: false,
    reboot: true,
};

/// A log as it was cut between the two boots of a lab guest: auditd ends, and the next boot is set up.
const DOWN: &[&str] = &[
    "SERVICE_STOP msg=audit(1795300400.100:270): pid=1 uid=0 auid=4294967295 msg='unit=httpd res=success'",
    "DAEMON_END msg=audit(1795300401.070:4837): op=terminate auid=0 uid=0 ses=4294967295 pid=1 res=success",
];
const UP: &[&str] = &[
    "DAEMON_START msg=audit(1795300440.001:7001): op=start ver=3.0.9 format=enriched pid=151 res=success",
    "MAC_STATUS msg=audit(1795300431.100:2): enforcing=1 old_enforcing=0 auid=4294967295 res=1",
    "MAC_POLICY_LOAD msg=audit(1795300431.200:3): auid=4294967295 ses=4294967295 lsm=selinux res=1",
    "CONFIG_CHANGE msg=audit(1795300431.900:4): op=set audit_enabled=0 old=1 auid=4294967295 subj=system_u:system_r:syslogd_t:s0 res=1",
    "CONFIG_CHANGE msg=audit(1795300440.020:8): op=set audit_enabled=1 old=0 auid=4294967295 res=1",
    "CONFIG_CHANGE msg=audit(1795300440.021:9): op=set audit_backlog_limit=8192 old=64 res=1",
];

fn marker(side: &str, stamp: &str) -> String {
    format!(
        "USER msg=audit({stamp}): pid=354 uid=0 auid=0 ses=4 \
         msg='text=patchgate {NONCE} w-rebooted {side} exe=\"/usr/sbin/auditctl\" res=success'"
    )
}

/// A window with these records after its begin and before its end, whose marker has the number behind theirs.
fn spanning(records: &[&str]) -> WindowCapture {
    let number = |r: &&str| -> Option<u64> {
        let (_, rest) = r.split_once("(17953004")?;
        let (at, rest) = rest.split_once(':')?;
        let (number, _) = rest.split_once(')')?;
        let of_kernel = !r.starts_with("DAEMON_") && at >= "40";
        number.parse().ok().filter(|_| of_kernel)
    };
    let next = records.iter().filter_map(number).max().unwrap_or_default() + 1;
    ending(records, next)
}

/// A window with these records after its begin, and an end with this number.
fn ending(records: &[&str], number: u64) -> WindowCapture {
    let (first, last) = (
        marker("begin", "1795300395.064:260"),
        marker("end", &format!("1795300460.064:{number}")),
    );
    let all = [first.as_str()].into_iter();
    let all = all.chain(records.iter().copied()).chain([last.as_str()]);
    let text: String = all.map(|r| format!("type={r}\n")).collect();
    let mut capture = capture("w-rebooted", &text);
    end(&mut capture).boot_id = Reading::Known("b2c3".to_owned());
    end(&mut capture).audit_status = Reading::Known(status(163, 0, 1));
    end(&mut capture).kernel_suppressions = Reading::Known(Vec::new());
    capture
}

fn whole() -> Vec<&'static str> {
    DOWN.iter().chain(UP).copied().collect()
}

fn look(records: &[&str]) -> WindowEvidence {
    examine(&spanning(records), REBOOT)
}

#[test]
fn what_a_boot_does_is_no_gap_of_a_window_round_a_reboot() {
    let evidence = look(&whole());
    assert_eq!(evidence.coverage, Coverage::Complete);
    assert_eq!(statement(&evidence), "no denials");
    let unasked = examine(&spanning(&whole()), Expectations::default());
    assert!(names(&unasked).contains(&"boot-changed"), "{unasked:?}");
}

#[test]
fn a_denial_of_the_boot_is_in_the_window() {
    let denial = "AVC msg=audit(1795300445.064:10): avc:  denied  { name_bind } for  pid=283 comm=\"httpd\" \
                  src=8080 scontext=system_u:system_r:httpd_t:s0 \
                  tcontext=system_u:object_r:unreserved_port_t:s0 tclass=tcp_socket permissive=0";
    let mut records = whole();
    records.push(denial);
    assert_eq!(statement(&look(&records)), "1 denial");
}

/// auditd reads its configuration anew before the host goes down.
const CONFIGURED: &str =
    "DAEMON_CONFIG msg=audit(1795300399.1:4836): op=reconfigure state=changed res=success";

#[test]
fn what_a_reboot_does_not_explain_is_a_gap() {
    let also = |record: &'static str| {
        let mut records = whole();
        records.push(record);
        records
    };
    for (gap, records) in [
        ("boot-changed", DOWN.to_vec()),
        ("auditd-restarted", [UP, UP].concat()),
        ("auditd-restarted", [UP, DOWN].concat()),
        (
            "audit-reconfigured",
            also("CONFIG_CHANGE msg=audit(1795300450.1:20): op=set audit_enabled=0 old=1 res=1"),
        ),
        (
            "audit-reconfigured",
            also(
                "DAEMON_CONFIG msg=audit(1795300450.1:7003): op=reconfigure state=changed res=success",
            ),
        ),
        ("audit-reconfigured", [&[CONFIGURED], DOWN, UP].concat()),
        (
            "mode-changed",
            also("MAC_STATUS msg=audit(1795300450.1:20): enforcing=0 old_enforcing=1 res=1"),
        ),
        (
            "boolean-changed",
            also(
                "MAC_CONFIG_CHANGE msg=audit(1795300450.1:20): bool=httpd_enable_cgi val=1 old_val=0",
            ),
        ),
    ] {
        assert_eq!(names(&look(&records)), [gap]);
    }
}

#[test]
fn what_the_new_boot_lost_or_left_off_is_a_gap() {
    type Change = fn(&mut WindowCapture);
    let changes: [(&str, Change); 6] = [
        ("records-lost", |c| {
            end(c).audit_status = Reading::Known(status(163, 3, 1));
        }),
        ("auditd-not-running", |c| {
            end(c).audit_status = Reading::Known(status(0, 0, 1));
        }),
        ("audit-disabled", |c| {
            end(c).audit_status = Reading::Known(status(163, 0, 0));
        }),
        ("audit-status-unreadable", |c| {
            begin(c).audit_status = Reading::missing("it broke off");
        }),
        ("suppressed", |c| {
            let line = "[  6.0] kauditd_printk_skb: 16 callbacks suppressed";
            begin(c).kernel_suppressions = Reading::Known(Vec::new());
            end(c).kernel_suppressions = Reading::Known(vec![line.to_owned()]);
        }),
        ("boot-unknown", |c| {
            end(c).boot_id = Reading::missing("cat: not found");
        }),
    ];
    for (gap, change) in changes {
        let mut capture = spanning(&whole());
        change(&mut capture);
        let evidence = examine(&capture, REBOOT);
        assert!(names(&evidence).contains(&gap), "{gap}: {evidence:?}");
    }
}

/// A disk that was full for a moment after the boot, where auditd is told not to mind.
#[test]
fn what_auditd_dropped_in_the_new_boot_is_a_gap() {
    let names = |numbers: u64| names(&examine(&ending(&whole(), numbers), REBOOT));
    assert_eq!(names(10), [""; 0]);
    assert_eq!(names(11), ["records-missing"]);
    let gaps = |number: u64| {
        let evidence = examine(&ending(&whole(), number), REBOOT);
        evidence.coverage.gaps().to_vec()
    };
    assert_eq!(gaps(40), [Gap::RecordsMissing { count: 30 }]);
    // The old boot's numbers, of which the log has 260 and 270, are others.
    assert_eq!(gaps(272), [Gap::RecordsMissing { count: 262 }]);
}

/// A clock that is set back as auditd begins leaves nothing to count from; what another host's auditd says
/// of its begin is nothing of ours.
#[test]
fn numbers_are_counted_from_our_own_auditds_begin_or_not_at_all() {
    let at = |record: &str| record.replace("(17953004", "(17953009");
    let ahead = at(UP[0]);
    let set_back = [DOWN, &[ahead.as_str()], &UP[1..]].concat();
    assert_eq!(
        names(&examine(&ending(&set_back, 10), REBOOT)),
        ["clock-unknown"]
    );
    let foreign = "DAEMON_START msg=audit(1795300402.001:1): op=start ver=3.0.9 pid=9 res=success";
    let mut capture = ending(&whole(), 10);
    let named = |line: &str| format!("node=web1 {line}\n");
    capture.log.text = capture.log.text.lines().map(named).collect();
    assert_eq!(names(&examine(&capture, REBOOT)), [""; 0]);
    let other = format!("node=web2 type={foreign}\n");
    let (begin, rest) = capture.log.text.split_once('\n').unwrap();
    capture.log.text = format!("{begin}\n{other}{rest}");
    assert_eq!(names(&examine(&capture, REBOOT)), [""; 0]);
}

/// A guest's kernel log leaves records out in its first seconds, which auditd gets later.
#[test]
fn what_the_kernel_kept_for_auditd_was_not_left_out() {
    let line = |at: &str| format!("[{at}] kauditd_printk_skb: 16 callbacks suppressed");
    let look = |records: &[&str], line: String| {
        let mut capture = spanning(records);
        // The end's marker, 1795300460.064, came 35 s after the boot: auditd began in its 15th second.
        let (from_ms, to_ms) = (35_000, 35_020);
        end(&mut capture).marked = Some(Reading::Known(UptimeSpan { from_ms, to_ms }));
        end(&mut capture).kernel_suppressions = Reading::Known(vec![line]);
        examine(&capture, REBOOT)
    };
    let kept = look(&whole(), line("    6.041234"));
    assert_eq!(kept.coverage, Coverage::Complete);
    assert_eq!(
        names(&look(&whole(), line("   20.5"))),
        ["suppressed"],
        "after auditd"
    );
    assert_eq!(
        names(&look(
            &whole(),
            "kauditd_printk_skb: 16 callbacks suppressed".to_owned()
        )),
        ["suppressed"]
    );
    let lost = "[    6.0] audit: audit_lost=3 audit_rate_limit=0 audit_backlog_limit=64";
    assert_eq!(names(&look(&whole(), lost.to_owned())), ["suppressed"]);
    let mut late = whole();
    late.retain(|r| !r.contains("(1795300431."));
    assert_eq!(
        names(&look(&late, line("    6.0"))),
        ["suppressed"],
        "nothing was kept"
    );
}

/// A window of the same boot is held to the same as any other.
#[test]
fn where_no_reboot_happened_none_is_expected() {
    let mut capture = spanning(&whole());
    let boot = begin(&mut capture).boot_id.clone();
    end(&mut capture).boot_id = boot;
    let evidence = examine(&capture, REBOOT);
    assert!(
        names(&evidence).contains(&"auditd-restarted"),
        "{evidence:?}"
    );
}
