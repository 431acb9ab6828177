mod beside;
mod control;
mod reboot;
mod segments;

use proptest::prelude::*;

use super::{Expectations, WindowEvidence, examine, statement};
use crate::evidence::{
    capture::{
        DEFAULT_LOG, LogPosition, LogSlice, LogSource, Reading, UptimeSpan, WindowCapture,
        WindowEdge,
    },
    coverage::{Coverage, Gap},
    fingerprint::fingerprints,
};

const NONCE: &str = "5f3a9c0e";
const LOUD: &str = include_str!("../../../tests/captured/audit/lab/loud.log");
const SILENT: &str = include_str!("../../../tests/captured/audit/lab/silent.log");
const FORGED: &str = include_str!("../../../tests/captured/audit/lab/forged.log");
const EXCLUDED: &str = include_str!("../../../tests/captured/audit/lab/excluded.log");
const MAC: &str = include_str!("../../../tests/captured/audit/lab/mac.log");
const PATCH: &str = include_str!("../../../tests/captured/audit/lab/patch.log");
const DONTAUDIT_OFF: &str = include_str!("../../../tests/captured/audit/lab/db.log");

/// The whole of the captured status, from `enabled` to `loginuid_immutable`.
fn status(pid: u32, lost: u32, enabled: u32) -> String {
    format!(
        "enabled {enabled}\nfailure 1\npid {pid}\nrate_limit 0\nbacklog_limit 8192\nlost {lost}\n\
         backlog 0\nbacklog_wait_time 60000\nbacklog_wait_time_actual 0\n\
         loginuid_immutable 0 unlocked\n"
    )
}

fn edge() -> WindowEdge {
    WindowEdge {
        boot_id: Reading::Known("a6dcd5f0-95ce-4306-8705-ae850b52039d".to_owned()),
        audit_status: Reading::Known(status(151, 4, 1)),
        audit_rules: Reading::Known("No rules\n".to_owned()),
        marker: Reading::Known(()),
        log_position: Reading::Known(LogPosition {
            device: 65024,
            inode: 17013,
            size: 38380,
            path: DEFAULT_LOG.to_owned(),
        }),
        kernel_suppressions: Reading::Known(vec![
            "[  6.0] kauditd_printk_skb: 16 callbacks \
            suppressed"
                .to_owned(),
        ]),
        mode: Reading::Known("Enforcing".to_owned()),
        marked: None,
        control: None,
        weak: None,
    }
}

/// A capture in which nothing is wrong.
fn capture(id: &str, text: &str) -> WindowCapture {
    WindowCapture {
        id: id.to_owned(),
        nonce: NONCE.to_owned(),
        selinux: Reading::Known(true),
        begin: Reading::Known(edge()),
        end: Reading::Known(edge()),
        log: LogSlice {
            source: LogSource::AuditLog,
            text: text.to_owned(),
            truncated_bytes: 0,
            rotated: false,
            reached_begin: true,
            trouble: None,
        },
        segments: Vec::new(),
        beside: Vec::new(),
        looks: 0,
    }
}

fn look(id: &str, text: &str) -> WindowEvidence {
    examine(&capture(id, text), Expectations::default())
}

fn names(evidence: &WindowEvidence) -> Vec<&'static str> {
    evidence
        .coverage
        .gaps()
        .iter()
        .map(|gap| gap.name())
        .collect()
}

#[test]
fn a_loud_window_holds_exactly_the_denials_between_its_markers() {
    let evidence = look("w-loud", LOUD);
    assert_eq!(evidence.coverage, Coverage::Complete);
    assert_eq!(evidence.denials().count(), 4);
    assert_eq!(
        fingerprints(&evidence.decisions).len(),
        1,
        "one fact in four lines"
    );
    assert_eq!(evidence.out_of_order, 0);
    assert_eq!(statement(&evidence), "4 denials");
}

/// auditd's word that it read its configuration anew.
const CONFIGURED: &str = "type=DAEMON_CONFIG msg=audit(1795300375.1:4711): op=reconfigure state=changed \
                          auid=0 pid=1 subj=unconfined_u:unconfined_r:unconfined_t:s0 res=success";

/// Packages have it do so. What it left out meanwhile has numbers, where there are any to count.
#[test]
fn a_configuration_that_is_read_anew_is_a_gap_where_no_number_tells() {
    let mut capture = capture("w-loud", LOUD);
    insert(&mut capture, CONFIGURED);
    let look = |c: &WindowCapture| names(&examine(c, Expectations::default()));
    assert_eq!(look(&capture), [""; 0]);
    let mut fewer = capture.clone();
    let first = LOUD.lines().find(|l| l.starts_with("type=AVC")).unwrap();
    let (_, number) = first.split_once("msg=audit(").unwrap();
    let (number, _) = number.split_once(')').unwrap();
    let kept = capture.log.text.lines().filter(|l| !l.contains(number));
    fewer.log.text = kept.map(|l| format!("{l}\n")).collect();
    assert_eq!(look(&fewer), ["records-missing"]);
    let kept = capture
        .log
        .text
        .lines()
        .filter(|l| !l.contains("w-loud end"));
    capture.log.text = kept.map(|l| format!("{l}\n")).collect();
    assert_eq!(look(&capture), ["audit-reconfigured", "marker-end-missing"]);
}

/// An auditd that collects what others send it writes theirs into the same file.
#[test]
fn another_hosts_records_neither_fill_a_hole_nor_make_one() {
    let named = |node: &str, line: &str| format!("node={node} {line}");
    let text: String = LOUD.lines().map(|l| named("web1", l) + "\n").collect();
    let mut capture = capture("w-loud", &text);
    let look = |c: &WindowCapture| names(&examine(c, Expectations::default()));
    assert_eq!(look(&capture), [""; 0]);
    insert(&mut capture, &named("web2", CONFIGURED));
    insert(
        &mut capture,
        &named(
            "web2",
            "type=DAEMON_END msg=audit(1795300375.1:1): op=terminate",
        ),
    );
    assert_eq!(look(&capture), [""; 0]);
    // The first event of the window is another's.
    let first = LOUD.lines().find(|l| l.starts_with("type=AVC")).unwrap();
    let (_, number) = first.split_once("msg=audit(").unwrap();
    let (number, _) = number.split_once(')').unwrap();
    let lines = capture.log.text.lines().map(|l| {
        if l.contains(number) {
            l.replace("node=web1", "node=web2") + "\n"
        } else {
            format!("{l}\n")
        }
    });
    capture.log.text = lines.collect();
    assert_eq!(look(&capture), ["records-missing"]);
}

#[test]
fn the_silent_outage_of_2013_has_no_denials_and_complete_coverage() {
    let evidence = look("w-silent", SILENT);
    assert_eq!(evidence.coverage, Coverage::Complete);
    assert_eq!(statement(&evidence), "no denials");
}

#[test]
fn a_rule_that_excludes_denials_shows_although_nothing_else_is_wrong() {
    let mut capture = capture("w-excl", EXCLUDED);
    let rules = include_str!("../../../tests/captured/audit/lab/excluded.rules");
    for edge in [&mut capture.begin, &mut capture.end] {
        let Reading::Known(edge) = edge else {
            unreachable!()
        };
        edge.audit_rules = Reading::Known(rules.to_owned());
    }
    let evidence = examine(&capture, Expectations::default());
    assert_eq!(names(&evidence), ["denials-excluded"]);
    assert_eq!(
        statement(&evidence),
        "none seen, 1 gap: an audit rule keeps denials out of the log: \
         `-a always,exclude -F msgtype=AVC`"
    );
}

#[test]
fn a_forged_denial_is_shown_and_never_counted() {
    let evidence = look("w-forged", FORGED);
    assert_eq!(evidence.decisions, []);
    assert_eq!(evidence.unrecognized.len(), 1);
    assert!(evidence.unrecognized[0].contains("text=x' type=AVC"));
    assert_eq!(names(&evidence), ["log-garbled"]);
}

#[test]
fn a_change_of_mode_policy_and_boolean_is_a_gap_unless_expected() {
    let evidence = look("w-mac", MAC);
    assert_eq!(
        names(&evidence),
        ["mode-changed", "policy-reloaded", "boolean-changed"]
    );
    assert_eq!(evidence.mac_changes.len(), 5);
    let expected = Expectations {
        policy_load: true,
        mode_change: true,
        reboot: false,
    };
    assert_eq!(
        examine(&capture("w-mac", MAC), expected).coverage,
        Coverage::Complete
    );
}

#[test]
fn the_window_round_a_patch_expects_its_policy_load() {
    let expected = Expectations {
        policy_load: true,
        mode_change: false,
        reboot: false,
    };
    let evidence = examine(&capture("w-patch", PATCH), expected);
    assert_eq!(evidence.coverage, Coverage::Complete);
    assert_eq!(statement(&evidence), "2 denials");
    assert_eq!(names(&look("w-patch", PATCH)), ["policy-reloaded"]);
}

#[test]
fn with_dontaudit_off_the_denial_of_2013_is_there() {
    let expected = Expectations {
        policy_load: true,
        mode_change: false,
        reboot: false,
    };
    let evidence = examine(&capture("w-db", DONTAUDIT_OFF), expected);
    assert_eq!(evidence.coverage, Coverage::Complete);
    assert!(
        evidence
            .denials()
            .any(|denial| denial.permissions == ["listen"])
    );
}

#[test]
fn markers_of_another_window_or_run_bound_nothing() {
    for (id, nonce) in [("w-other", NONCE), ("w-silent", "00000000"), ("w", NONCE)] {
        let mut capture = capture(id, SILENT);
        capture.nonce = nonce.to_owned();
        let evidence = examine(&capture, Expectations::default());
        assert_eq!(
            names(&evidence),
            ["marker-begin-missing", "marker-end-missing"]
        );
    }
}

/// One way to spoil a good capture, and the only gap that must come of it.
type Spoil = (&'static str, fn(&mut WindowCapture));

fn begin(capture: &mut WindowCapture) -> &mut WindowEdge {
    match &mut capture.begin {
        Reading::Known(edge) => edge,
        Reading::Missing { .. } => unreachable!(),
    }
}

fn end(capture: &mut WindowCapture) -> &mut WindowEdge {
    match &mut capture.end {
        Reading::Known(edge) => edge,
        Reading::Missing { .. } => unreachable!(),
    }
}

const SPOILS: &[Spoil] = &[
    ("not-collected", |c| {
        c.begin = Reading::missing("host unreachable");
    }),
    ("not-collected", |c| {
        c.end = Reading::missing("connection lost");
    }),
    ("selinux-absent", |c| c.selinux = Reading::Known(false)),
    ("selinux-disabled", |c| {
        end(c).mode = Reading::Known("Disabled\n".to_owned());
    }),
    ("selinux-unknown", |c| {
        c.selinux = Reading::missing("permission denied");
    }),
    ("mode-unknown", |c| {
        begin(c).mode = Reading::missing("getenforce: not found");
    }),
    ("mode-unknown", |c| {
        end(c).mode = Reading::Known(String::new());
    }),
    ("audit-tools-missing", |c| {
        for edge in [&mut c.begin, &mut c.end] {
            let Reading::Known(edge) = edge else {
                unreachable!()
            };
            edge.audit_status = Reading::missing("sh: auditctl: not found");
            edge.audit_rules = Reading::missing("sh: auditctl: not found");
        }
    }),
    ("audit-status-unreadable", |c| {
        end(c).audit_status = Reading::Known("You must be root to run this program.".to_owned());
    }),
    ("audit-status-unreadable", |c| {
        begin(c).audit_status = Reading::Known(String::new());
    }),
    ("audit-status-unreadable", |c| {
        begin(c).audit_status = Reading::missing("exit 4");
    }),
    ("audit-rules-unreadable", |c| {
        end(c).audit_rules = Reading::missing("exit 4");
    }),
    ("audit-rules-unreadable", |c| {
        begin(c).audit_rules = Reading::Known(" \n".to_owned());
    }),
    ("audit-disabled", |c| {
        end(c).audit_status = Reading::Known(status(151, 4, 0));
    }),
    ("auditd-not-running", |c| {
        end(c).audit_status = Reading::Known(status(0, 4, 1));
    }),
    ("auditd-restarted", |c| {
        end(c).audit_status = Reading::Known(status(430, 4, 1));
    }),
    ("records-lost", |c| {
        end(c).audit_status = Reading::Known(status(151, 5, 1));
    }),
    ("lost-counter-reset", |c| {
        end(c).audit_status = Reading::Known(status(151, 0, 1));
    }),
    ("denials-excluded", |c| {
        begin(c).audit_rules = Reading::Known("-a never,exclude -F msgtype=AVC".to_owned());
    }),
    ("marker-not-written", |c| {
        begin(c).marker = Reading::missing("no permission");
    }),
    ("marker-begin-missing", |c| cut(c, " begin ")),
    ("marker-end-missing", |c| cut(c, " end ")),
    ("markers-confused", |c| {
        c.log.text = [SILENT, SILENT].concat();
    }),
    ("markers-confused", |c| {
        c.log.text = SILENT.lines().rev().collect::<Vec<_>>().join("\n");
    }),
    ("log-unreadable", |c| c.log.source = LogSource::None),
    ("log-unreadable", |c| {
        c.log.trouble = Some("tail: read error".to_owned());
    }),
    ("log-rotated-away", |c| c.log.reached_begin = false),
    ("log-truncated", |c| c.log.truncated_bytes = 1),
    ("log-garbled", |c| {
        insert(c, "contexts and the rest of a torn line tclass=file");
    }),
    ("weak-source", |c| c.log.source = LogSource::KernelRing),
    ("clock-stepped", |c| ends_after(c, 610 + 360_000)),
    ("clock-stepped", |c| ends_after(c, 610 - 53)),
    ("clock-stepped", |c| ends_after(c, 610 + 53)),
    ("clock-unknown", |c| {
        ends_after(c, 610);
        end(c).marked = Some(Reading::missing("the host does not tell its uptime"));
    }),
    ("clock-unknown", |c| {
        ends_after(c, 610);
        marked(begin(c), 10_002, 10_000);
    }),
    ("records-missing", |c| {
        let lines = c.log.text.lines().filter(|l| !l.contains(":260)"));
        c.log.text = lines.map(|l| format!("{l}\n")).collect();
    }),
    ("serials-restarted", |c| {
        c.log.text = c.log.text.replace(":261)", ":17)");
    }),
    ("control-unknown", |c| {
        begin(c).control = Some(Reading::missing("the host does not say"));
    }),
    ("control-not-seen", |c| {
        end(c).control = Some(Reading::Known(control::refused(1)));
    }),
    ("boot-changed", |c| {
        end(c).boot_id = Reading::Known("another".to_owned());
    }),
    ("boot-unknown", |c| {
        end(c).boot_id = Reading::missing("cat: not found");
    }),
    ("kernel-log-unreadable", |c| {
        end(c).kernel_suppressions = Reading::missing("dmesg: Operation not permitted");
    }),
    ("suppressed", |c| {
        end(c).kernel_suppressions = Reading::Known(vec![
            "[  6.0] kauditd_printk_skb: 16 callbacks suppressed".to_owned(),
            "[ 37.3] kauditd_printk_skb: 164 callbacks suppressed".to_owned(),
        ]);
    }),
    ("suppressed", |c| {
        let line = || "__ratelimit: 22683 callbacks suppressed".to_owned();
        begin(c).kernel_suppressions = Reading::Known(vec![line()]);
        end(c).kernel_suppressions = Reading::Known(vec![line(), line()]);
    }),
    ("auditd-restarted", |c| {
        insert(c, "type=DAEMON_END msg=audit(1795300375.1:1): op=terminate");
    }),
    ("audit-reconfigured", |c| {
        insert(
            c,
            "type=DAEMON_RESUME msg=audit(1795300375.1:4711): op=resume-logging auid=0 res=success",
        );
    }),
    ("audit-reconfigured", |c| {
        insert(
            c,
            "type=CONFIG_CHANGE msg=audit(1795300375.1:1): op=set audit_enabled=0 old=1",
        );
    }),
    ("policy-reloaded", |c| {
        insert(
            c,
            "type=MAC_POLICY_LOAD msg=audit(1795300375.1:259): auid=0 ses=2 lsm=selinux",
        );
    }),
    ("policy-errors", |c| {
        insert(
            c,
            "type=SELINUX_ERR msg=audit(1795300375.1:259): op=security_compute_sid",
        );
    }),
    ("mode-changed", |c| {
        insert(
            c,
            "type=MAC_STATUS msg=audit(1795300375.1:259): enforcing=0 old_enforcing=1",
        );
    }),
    ("boolean-changed", |c| {
        insert(
            c,
            "type=MAC_CONFIG_CHANGE msg=audit(1795300375.1:259): bool=b val=1 old_val=0",
        );
    }),
];

/// The uptime around a marker, in centiseconds.
fn marked(edge: &mut WindowEdge, from_cs: u64, to_cs: u64) {
    let (from_ms, to_ms) = (from_cs * 10, to_cs * 10);
    edge.marked = Some(Reading::Known(UptimeSpan { from_ms, to_ms }));
}

/// The captured markers are 6.104 s apart; the uptime too, if the clock is left alone.
fn ends_after(c: &mut WindowCapture, cs: u64) {
    marked(begin(c), 10_000, 10_002);
    marked(end(c), 10_000 + cs, 10_002 + cs);
}

/// Takes the lines with these words out of the log.
fn cut(capture: &mut WindowCapture, words: &str) {
    let lines = capture
        .log
        .text
        .lines()
        .filter(|line| !line.contains(words));
    capture.log.text = lines.collect::<Vec<_>>().join("\n");
}

/// Puts a line behind the begin marker.
fn insert(capture: &mut WindowCapture, line: &str) {
    let mut lines: Vec<&str> = capture.log.text.lines().collect();
    lines.insert(1, line);
    capture.log.text = lines.join("\n");
}

#[test]
fn each_trouble_is_one_gap_with_its_own_name() {
    for (index, (name, spoil)) in SPOILS.iter().enumerate() {
        let mut capture = capture("w-silent", SILENT);
        spoil(&mut capture);
        let evidence = examine(&capture, Expectations::default());
        assert_eq!(
            names(&evidence),
            [*name],
            "spoil {index}: {:?}",
            evidence.coverage
        );
        assert_ne!(statement(&evidence), "no denials", "spoil {index}");
    }
}

/// No gap without a test, and none without a row in the documentation.
#[test]
fn every_gap_is_tested_and_documented() {
    let elsewhere = ["permissive-mode"];
    let mut tested: Vec<&str> = SPOILS
        .iter()
        .map(|(name, _)| *name)
        .chain(elsewhere)
        .collect();
    tested.sort_unstable();
    tested.dedup();
    let mut all = Gap::NAMES.to_vec();
    all.sort_unstable();
    assert_eq!(tested, all);
    let documented = include_str!("../../../../../docs/evidence.md");
    for name in all {
        assert!(documented.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn a_clock_that_was_left_alone_is_no_gap_however_slow_the_host() {
    for (cs, slow) in [
        (610, 0),
        (610 - 40, 0),
        (610 + 40, 0),
        (1610, 1000),
        (610, 5000),
    ] {
        let mut capture = capture("w-silent", SILENT);
        ends_after(&mut capture, cs);
        marked(end(&mut capture), 10_000 + cs - slow, 10_002 + cs);
        let evidence = examine(&capture, Expectations::default());
        assert_eq!(evidence.coverage, Coverage::Complete, "{cs} {slow}");
    }
}

#[test]
fn a_step_is_told_in_seconds_with_its_sign() {
    for (cs, by) in [
        (610, None),
        (360_610, Some("-3599.976")),
        (10, Some("+5.984")),
    ] {
        let mut capture = capture("w-silent", SILENT);
        ends_after(&mut capture, cs);
        let evidence = examine(&capture, Expectations::default());
        let said = statement(&evidence);
        match by {
            None => assert_eq!(said, "no denials"),
            Some(by) => assert!(
                said.contains(&format!("the clock was set by {by}")),
                "{said}"
            ),
        }
    }
}

#[test]
fn permissive_at_one_end_is_permissive_and_changed() {
    let mut capture = capture("w-silent", SILENT);
    end(&mut capture).mode = Reading::Known("0".to_owned());
    let evidence = examine(&capture, Expectations::default());
    assert_eq!(names(&evidence), ["permissive-mode", "mode-changed"]);
    let expected = Expectations {
        mode_change: true,
        policy_load: false,
        reboot: false,
    };
    assert_eq!(names(&examine(&capture, expected)), ["permissive-mode"]);
}

#[test]
fn a_gap_is_written_under_its_name() {
    for (_, spoil) in SPOILS {
        let mut capture = capture("w-silent", SILENT);
        spoil(&mut capture);
        let evidence = examine(&capture, Expectations::default());
        for gap in evidence.coverage.gaps() {
            let json = serde_json::to_value(gap).unwrap();
            assert_eq!(json["gap"], gap.name());
            assert!(!gap.sentence().is_empty());
        }
    }
}

#[test]
fn a_suppression_from_before_the_window_is_no_gap_of_it() {
    assert_eq!(look("w-silent", SILENT).coverage, Coverage::Complete);
    let mut capture = capture("w-silent", SILENT);
    end(&mut capture).kernel_suppressions = Reading::Known(vec![
        "[ 9.9] net_ratelimit: 7 callbacks suppressed".to_owned(),
    ]);
    let evidence = examine(&capture, Expectations::default());
    assert_eq!(
        evidence.coverage,
        Coverage::Complete,
        "not audit's, and the ring moved on"
    );
}

#[test]
fn a_reboot_makes_no_claim_about_lost_records_clock_and_numbers() {
    let mut capture = capture("w-silent", SILENT);
    end(&mut capture).boot_id = Reading::Known("another".to_owned());
    end(&mut capture).audit_status = Reading::Known(status(151, 0, 1));
    // Uptime and numbers begin again with a boot.
    ends_after(&mut capture, 3);
    capture.log.text = capture.log.text.replace(":261)", ":17)");
    assert_eq!(
        names(&examine(&capture, Expectations::default())),
        ["boot-changed"]
    );
}

/// A denial with this time and number, in the log of the silent window.
fn denial(sec: u64, serial: u64) -> String {
    format!(
        "type=AVC msg=audit({sec}.000:{serial}): avc:  denied  {{ read }} for  pid=1 comm=\"x\" \
         scontext=u:r:a_t:s0 tcontext=u:r:b_t:s0 tclass=file permissive=0"
    )
}

#[test]
fn a_late_record_counts_by_time_and_number_and_a_foreign_one_does_not() {
    // The captured markers carry 1795300374.834:258 and 1795300380.938:261.
    for (sec, serial, inside) in [
        (1_795_300_377, 259, 1),
        (1_795_300_377, 300, 0),
        (1_795_300_300, 259, 0),
        (1_795_300_377, 258, 0),
        (1_795_300_999, 260, 0),
    ] {
        let line = denial(sec, serial);
        for text in [format!("{SILENT}{line}\n"), format!("{line}\n{SILENT}")] {
            let evidence = look("w-silent", &text);
            assert_eq!(evidence.decisions.len(), inside, "{line}");
            assert_eq!(evidence.out_of_order, inside);
        }
    }
}

#[test]
fn a_record_between_the_markers_counts_whatever_its_number() {
    let mut capture = capture("w-silent", SILENT);
    insert(&mut capture, &denial(1, 1));
    let evidence = examine(&capture, Expectations::default());
    assert_eq!((evidence.decisions.len(), evidence.out_of_order), (1, 0));
}

#[test]
fn denials_in_a_degraded_window_are_a_lower_bound() {
    let mut capture = capture("w-loud", LOUD);
    end(&mut capture).audit_status = Reading::Known(status(151, 9, 1));
    let evidence = examine(&capture, Expectations::default());
    assert_eq!(
        statement(&evidence),
        "4 denials or more, 1 gap: the kernel lost 5 audit records"
    );
}

#[test]
fn the_journal_of_a_guest_without_auditd_is_read_and_proves_nothing() {
    let text = include_str!("../../../tests/captured/audit/lab/down.journal-audit");
    let mut capture = capture("w-down", text);
    capture.log.source = LogSource::Journal;
    end(&mut capture).audit_status = Reading::Known(status(0, 4, 1));
    let evidence = examine(&capture, Expectations::default());
    assert_eq!(evidence.denials().count(), 13);
    assert!(
        names(&evidence).contains(&"weak-source"),
        "{:?}",
        evidence.coverage
    );
    assert!(statement(&evidence).starts_with("13 denials or more, "));
}

#[test]
fn a_line_that_a_program_logs_into_the_journal_is_shown_and_never_counted() {
    let line = "Nov 21 22:32:42 ev root: type=1400 audit(1.2:3): avc:  denied  { read } for  pid=1";
    let mut capture = capture("w-x", line);
    capture.log.source = LogSource::Journal;
    let evidence = examine(&capture, Expectations::default());
    assert_eq!(
        (evidence.decisions.len(), evidence.unrecognized.as_slice()),
        (0, &[line.to_owned()][..])
    );
}

#[test]
fn a_capture_survives_json() {
    let mut capture = capture("w-loud", LOUD);
    end(&mut capture).marker = Reading::missing("no permission");
    let json = serde_json::to_string(&capture).unwrap();
    assert!(
        json.contains(r#""marker":{"missing":{"why":"no permission"}}"#),
        "{json}"
    );
    assert!(json.contains(r#""marker":{"known":null}"#), "{json}");
    assert_eq!(
        serde_json::from_str::<WindowCapture>(&json).unwrap(),
        capture
    );
}

proptest! {
    #[test]
    fn whatever_is_spoilt_no_denials_is_never_said(
        picks in prop::collection::vec(0..SPOILS.len(), 1..5),
    ) {
        let mut capture = capture("w-silent", SILENT);
        // Spoils that replace an end leave nothing for others to change: they come last.
        let mut picks = picks;
        picks.sort_by_key(|pick| SPOILS[*pick].0 == "not-collected");
        for (n, pick) in picks.iter().enumerate() {
            let last = n + 1 == picks.len();
            if last || SPOILS[*pick].0 != "not-collected" {
                SPOILS[*pick].1(&mut capture);
            }
        }
        // Two spoils of one field can undo each other's trace, but not the last one's.
        let evidence = examine(&capture, Expectations::default());
        prop_assert_ne!(statement(&evidence), "no denials");
        prop_assert_ne!(evidence.coverage, Coverage::Complete);
    }

    #[test]
    fn the_order_of_the_records_inside_changes_no_count(seed in prop::collection::vec(any::<u32>(), 12)) {
        let mut lines: Vec<&str> = LOUD.lines().collect();
        let last = lines.iter().position(|line| line.contains("w-loud end")).unwrap();
        let inner = &mut lines[1..last];
        let mut keyed: Vec<_> = inner.iter().copied().zip(seed).collect();
        keyed.sort_by_key(|(_, key)| *key);
        prop_assert_eq!(keyed.len(), inner.len());
        for (slot, (line, _)) in inner.iter_mut().zip(keyed) {
            *slot = line;
        }
        let evidence = look("w-loud", &lines.join("\n"));
        prop_assert_eq!(evidence.denials().count(), 4);
        prop_assert!(evidence.denials().all(|denial| denial.exe.is_some()));
    }

    #[test]
    fn any_log_is_examined_without_panic(text in ".{0,400}") {
        for source in [LogSource::AuditLog, LogSource::Journal, LogSource::KernelRing] {
            let mut capture = capture("w", &text);
            capture.log.source = source;
            let evidence = examine(&capture, Expectations::default());
            prop_assert_ne!(statement(&evidence), "no denials");
        }
    }
}
