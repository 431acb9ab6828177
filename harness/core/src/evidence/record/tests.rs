use proptest::prelude::*;

use super::{Framing, Grammar, Record, Stamp, parse};
use crate::evidence::{denial::decisions, kind::RecordKind};

const BODY: &str = "avc:  denied  { read write } for  pid=7 comm=\"httpd\" name=\"x\" dev=\"vda\" \
    ino=9 scontext=system_u:system_r:httpd_t:s0 tcontext=system_u:object_r:shadow_t:s0 \
    tclass=file permissive=0";

fn one(line: &str, grammar: Grammar) -> Record<'_> {
    let mut records = parse(line, grammar);
    assert_eq!(records.len(), 1, "{line}: {records:?}");
    records.remove(0)
}

/// What stands before a denial in every framing, and what must be read from it.
const FRAMINGS: &[(&str, Framing, Option<&str>, Option<u64>)] = &[
    (
        "type=AVC msg=audit(1364481363.243:24287): ",
        Framing::AuditLog,
        None,
        Some(24287),
    ),
    (
        "node=web1 type=AVC msg=audit(1364481363.243:24287): ",
        Framing::AuditLog,
        Some("web1"),
        Some(24287),
    ),
    (
        "host=web1 type=AVC msg=audit(1364481363.243:24287): ",
        Framing::AuditLog,
        Some("web1"),
        Some(24287),
    ),
    (
        "type=UNKNOWN[1400] msg=audit(1.2:3): ",
        Framing::AuditLog,
        None,
        Some(3),
    ),
    (
        "type=1400 msg=audit(1.2:3):",
        Framing::AuditLog,
        None,
        Some(3),
    ),
    (
        "212:type=AVC msg=audit(1.2:3): ",
        Framing::AuditLog,
        None,
        Some(3),
    ),
    (
        "type=AVC msg=audit(3.10.2024 14:18:05.243:87) : ",
        Framing::Interpreted,
        None,
        None,
    ),
    (
        "type=AVC msg=audit(01/10/22 14:18:05.243:87) : ",
        Framing::Interpreted,
        None,
        None,
    ),
    ("type=1400 audit(1.2:3): ", Framing::Kernel, None, Some(3)),
    (
        "audit(1151434000.4294965869:3): ",
        Framing::Kernel,
        None,
        Some(3),
    ),
    (
        "[    9.4] type=1400 audit(1.2:3): ",
        Framing::Kernel,
        None,
        Some(3),
    ),
    (
        "[    9.012345] audit: type=1400 audit(44.591:3): ",
        Framing::Kernel,
        None,
        Some(3),
    ),
    (
        "[    8.58][   T61] audit: type=1400 audit(0.0:3): ",
        Framing::Kernel,
        None,
        Some(3),
    ),
    (
        "<5>Mar 23 15:24:01 h kernel: type=1400 audit(1.2:3): ",
        Framing::Kernel,
        None,
        Some(3),
    ),
    (
        "2026-11-21T22:33:55.891039+00:00 h kernel: [   32.3] audit: type=1400 audit(1.2:3): ",
        Framing::Kernel,
        None,
        Some(3),
    ),
    ("type=1400 audit(): ", Framing::Kernel, None, None),
    ("type=1400 audit(17): ", Framing::Kernel, None, None),
    (
        "May 17 12:44:24 localhost audit[1]: AVC ",
        Framing::Journal,
        None,
        None,
    ),
    ("audit[570]: <audit-1400> ", Framing::Journal, None, None),
    (
        "May 17 12:44:24 localhost audit: AVC ",
        Framing::Journal,
        None,
        None,
    ),
    ("    AVC ", Framing::Bare, None, None),
    ("", Framing::Bare, None, None),
];

#[test]
fn a_denial_is_read_in_every_framing() {
    for (before, framing, node, serial) in FRAMINGS {
        let line = format!("{before}{BODY}");
        let record = one(&line, Grammar::Any);
        assert_eq!(record.kind, RecordKind::Avc, "{line}");
        assert_eq!(record.framing, *framing, "{line}");
        assert_eq!(record.node, *node, "{line}");
        assert_eq!(record.stamp.map(|stamp| stamp.serial), *serial, "{line}");
        assert_eq!(record.body, BODY, "{line}");
        assert_eq!(record.raw, line);
        assert!(!record.is_hearsay(), "{line}");
        let decisions = decisions(&record);
        assert_eq!(decisions.len(), 1, "{line}");
        assert!(decisions[0].complete, "{line}");
        assert_eq!(decisions[0].permissions, ["read", "write"]);
    }
}

#[test]
fn el5_milliseconds_may_overflow() {
    let stamp = Stamp::parse("1151434000.4294965869:12").unwrap();
    assert_eq!(
        (stamp.sec, stamp.ms, stamp.serial),
        (1_151_434_000, 4_294_965_869, 12)
    );
    for broken in [
        "",
        "17",
        "1.2",
        "1:2",
        "-1.2:3",
        "09/18/2024 10:00:01.123:4",
    ] {
        assert_eq!(Stamp::parse(broken), None, "{broken}");
    }
}

#[test]
fn enrichment_is_kept_apart_from_the_body() {
    let line = "type=LOGIN msg=audit(1.2:3): pid=331 res=1\u{1d}UID=\"root\" AUID=\"root\"";
    let record = one(line, Grammar::AuditLog);
    assert_eq!(record.body, "pid=331 res=1");
    assert_eq!(record.enrichment, Some("UID=\"root\" AUID=\"root\""));
    assert_eq!(record.raw, line);
}

#[test]
fn records_glued_on_one_line_are_told_apart() {
    let path = "node=bob type=PATH msg=audit(1.2:3): item=0 name=\"/etc/x\" inode=9";
    for glue in [" ", ""] {
        let line = format!("{path}{glue}type=AVC msg=audit(1.2:4): {BODY}");
        for grammar in [Grammar::AuditLog, Grammar::Any] {
            let kinds: Vec<_> = parse(&line, grammar).into_iter().map(|r| r.kind).collect();
            assert_eq!(kinds, [RecordKind::Path, RecordKind::Avc], "{line}");
        }
    }
}

#[test]
fn a_file_whose_name_looks_like_a_head_cuts_nothing() {
    for name in [
        "msg=audit(1.2:9):",
        "type=AVCmsg=audit(1.2:9):",
        "type=1400audit(1.2:9):",
        "audit(",
        "xaudit(1.2:9",
        "node=atype=AVC",
    ] {
        let body = BODY.replace("tclass=", &format!("name=\"{name}\" tclass="));
        let line = format!("type=AVC msg=audit(1.2:4): {body}");
        let behind = format!("{line} type=AVC msg=audit(1.2:5): {BODY}");
        for grammar in [Grammar::AuditLog, Grammar::KernelLog, Grammar::Any] {
            assert_eq!(one(&line, grammar).body, body, "{grammar:?}");
            let read = parse(&behind, grammar);
            let serials: Vec<_> = read.iter().map(|r| r.stamp.unwrap().serial).collect();
            assert_eq!(serials, [4, 5], "{grammar:?}: {behind}");
        }
    }
}

#[test]
fn the_rest_of_a_torn_line_is_kept_beside_the_record_behind_it() {
    let line = format!("ject_r:shadow_t:s0 tclass=filetype=AVC msg=audit(1.2:4): {BODY}");
    let records = parse(&line, Grammar::AuditLog);
    assert_eq!(records[0].kind, RecordKind::Unrecognized);
    assert_eq!(records[0].raw, "ject_r:shadow_t:s0 tclass=file");
    assert_eq!(decisions(&records[1]).len(), 1);
}

#[test]
fn a_user_record_that_quotes_a_denial_stays_one_user_record() {
    for text in [
        format!("text=type=AVC msg=audit(1.2:3): {BODY}"),
        format!("text=x' type=AVC msg=audit(1.2:3): {BODY}"),
    ] {
        let line = format!("type=USER msg=audit(9.9:9): pid=1 msg='{text} exe=\"/sbin/auditctl\"'");
        let record = one(&line, Grammar::AuditLog);
        assert_eq!(record.kind, RecordKind::User);
        assert!(decisions(&record).is_empty());
    }
}

#[test]
fn in_pasted_text_a_record_may_follow_a_user_record_on_its_line() {
    let user = "type=USER_AVC msg=audit(1.2:3): pid=1 msg='avc:  denied  { start } for  \
        scontext=u:r:a_t:s0 tcontext=u:r:b_t:s0 tclass=service exe=\"/x\"'";
    let line =
        format!("{user} type=SYSCALL msg=audit(1.2:4): a0=1 type=AVC msg=audit(1.2:4): {BODY}");
    let kinds = |grammar| {
        parse(&line, grammar)
            .into_iter()
            .map(|r| r.kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        kinds(Grammar::Any),
        [RecordKind::UserAvc, RecordKind::Syscall, RecordKind::Avc]
    );
    assert_eq!(
        kinds(Grammar::AuditLog),
        [RecordKind::UserAvc],
        "in a real log it is user text"
    );
}

#[test]
fn a_hostile_line_costs_no_more_than_its_length() {
    for piece in [
        "audit(",
        "msg=audit(",
        "type=AVC msg=audit(1.2:3): ",
        "avc: denied ",
        "msg='audit(",
    ] {
        let line = piece.repeat(300_000 / piece.len());
        for grammar in [Grammar::AuditLog, Grammar::KernelLog, Grammar::Any] {
            let text = format!("type=AVC msg=audit(1.2:3): {line}");
            let records = parse(&text, grammar);
            let bytes: usize = records
                .iter()
                .flat_map(decisions)
                .map(|found| found.raw.len())
                .sum();
            assert!(bytes <= 2 * line.len(), "{piece}");
        }
    }
}

#[test]
fn a_syslog_line_of_a_program_is_hearsay() {
    for (before, speaker) in [
        ("Nov 21 22:32:42 h root: type=1400 audit(1.2:3): ", "root"),
        (
            "2026-11-21T22:32:42.1+00:00 h audit: type=1400 audit(1.2:3): ",
            "audit",
        ),
        (
            "Nov 21 22:32:42 h app[12]: audit: type=1400 audit(1.2:3): ",
            "app",
        ),
        ("Nov 21 22:32:42 h x: audit[1]: AVC ", "x"),
        (
            "[   12.3] systemd[1]: audit: type=1400 audit(1.2:3): ",
            "systemd",
        ),
        ("Nov 21 22:32:42 h dbus-daemon[220]: ", "dbus-daemon"),
    ] {
        let line = format!("{before}{BODY}");
        let record = one(&line, Grammar::KernelLog);
        assert_eq!(record.speaker, Some(speaker));
        assert!(record.is_hearsay(), "{before}");
    }
}

#[test]
fn auditd_log_grammar_believes_no_other_framing() {
    for before in ["type=1400 audit(1.2:3): ", "audit[1]: AVC ", ""] {
        let line = format!("{before}{BODY}");
        let record = one(&line, Grammar::AuditLog);
        assert_eq!(record.kind, RecordKind::Unrecognized, "{before}");
    }
}

#[test]
fn text_that_is_no_record_is_kept() {
    for line in [
        "----",
        "time->Sat Nov 21 22:34:10 2026",
        "type=AVC msg=aud",
        "<no matches>",
    ] {
        let record = one(line, Grammar::Any);
        assert_eq!((record.kind, record.raw), (RecordKind::Unrecognized, line));
    }
}

#[test]
fn captured_framings_of_one_guest_agree() {
    let count = |text: &str, grammar: Grammar| {
        let records = parse(text, grammar);
        records
            .iter()
            .filter(|record| !decisions(record).is_empty())
            .count()
    };
    for (text, wanted) in [
        (
            include_str!("../../../tests/captured/audit/lab/down.dmesg"),
            6,
        ),
        (
            include_str!("../../../tests/captured/audit/lab/down.journal-k"),
            6,
        ),
        (
            include_str!("../../../tests/captured/audit/lab/down.journal-audit"),
            13,
        ),
        (
            include_str!("../../../tests/captured/audit/lab/down.journal-iso"),
            2,
        ),
        (
            include_str!("../../../tests/captured/audit/lab/down.messages"),
            6,
        ),
        (
            include_str!("../../../tests/captured/audit/lab/ausearch.txt"),
            5,
        ),
        (
            include_str!("../../../tests/captured/audit/lab/ausearch-i.txt"),
            7,
        ),
    ] {
        assert_eq!(count(text, Grammar::Any), wanted);
        assert_eq!(text.matches("avc:  denied").count(), wanted);
    }
}

/// Text as a mischievous or broken host may send it.
fn noise() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("type=AVC msg=audit(".to_owned()),
        Just("node=h ".to_owned()),
        Just("audit[1]: AVC ".to_owned()),
        Just("avc:  denied  { ".to_owned()),
        Just("msg='".to_owned()),
        Just("'".to_owned()),
        Just("1.2:3): ".to_owned()),
        Just("\u{1d}".to_owned()),
        Just("\n".to_owned()),
        Just(BODY.to_owned()),
        any::<String>(),
    ];
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic_and_none_of_it_is_lost(text in noise()) {
        for grammar in [Grammar::AuditLog, Grammar::KernelLog, Grammar::Any] {
            let records = parse(&text, grammar);
            let kept: String = records.iter().map(|record| record.raw).collect();
            let wanted: String = text.lines().filter(|line| !line.trim().is_empty()).collect();
            prop_assert_eq!(kept, wanted);
            let _ = records.iter().flat_map(decisions).count();
        }
    }

    #[test]
    fn no_denial_is_lost_when_framings_are_mixed(
        picks in prop::collection::vec((0..FRAMINGS.len(), 0..3_usize), 0..30),
    ) {
        let forms: Vec<String> =
            FRAMINGS.iter().map(|(before, ..)| format!("{before}{BODY}")).collect();
        let other = ["type=SYSCALL msg=audit(1.2:3): arch=c000003e comm=\"x\"", "----", "kernel: x"];
        let lines: Vec<&str> =
            picks.iter().flat_map(|(form, noise)| [forms[*form].as_str(), other[*noise]]).collect();
        let text = lines.join("\n");
        let records = parse(&text, Grammar::Any);
        let found: Vec<_> = records.iter().flat_map(decisions).collect();
        prop_assert_eq!(found.len(), picks.len());
        prop_assert!(found.iter().all(|decision| decision.complete));
    }

    #[test]
    fn no_denial_is_lost_when_auditd_lines_are_glued(
        glue in prop::collection::vec(prop_oneof![Just(""), Just(" "), Just("\n")], 1..20),
    ) {
        let text: String = glue
            .iter()
            .enumerate()
            .map(|(n, glue)| format!("type=AVC msg=audit(1.2:{n}): {BODY}{glue}"))
            .collect();
        for grammar in [Grammar::AuditLog, Grammar::KernelLog, Grammar::Any] {
            let records = parse(&text, grammar);
            let serials: Vec<u64> =
                records.iter().filter_map(|record| record.stamp).map(|stamp| stamp.serial).collect();
            prop_assert_eq!(serials, (0..glue.len() as u64).collect::<Vec<_>>());
            prop_assert_eq!(records.iter().flat_map(decisions).count(), glue.len());
        }
    }

    #[test]
    fn a_denial_cut_anywhere_behind_its_stamp_is_still_one(cut in 0..BODY.len()) {
        let line = format!("type=AVC msg=audit(1.2:3): {}", &BODY[..cut]);
        let found = decisions(&one(&line, Grammar::AuditLog));
        prop_assert_eq!(found.len(), 1, "{}", line);
        prop_assert_eq!(&found[0].raw, &line);
    }
}
