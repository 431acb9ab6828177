//! What both ends of a window say, read from text that a lab guest printed; the scripts in real shells.

use patchgate_core::evidence::control::Control;

use super::*;
use crate::{
    host::{Captured, Exit},
    script::window::{Open, log::tests::run},
};

/// Printed by a lab guest (dash, auditctl 3.0.9): the begin of a window while auditd runs, and while it
/// does not.
const BEGIN: &str = include_str!("begin.txt");
const IN_DOUBT: &str = include_str!("in-doubt.txt");

fn reply(text: &str) -> Reply {
    Reply {
        stdout: Captured {
            bytes: text.as_bytes().to_vec(),
            dropped: 0,
        },
        ..Reply::silent(Exit::Code(0))
    }
}

fn edge(text: &str) -> WindowEdge {
    let (edge, selinux) = read_edge(&reply(text));
    assert_eq!(selinux, Reading::Known(true));
    edge.known().unwrap().clone()
}

#[test]
fn the_begin_of_a_window_is_read() {
    let edge = edge(BEGIN);
    assert!(
        edge.audit_status
            .known()
            .unwrap()
            .starts_with("enabled 1\nfailure 1\npid ")
    );
    assert_eq!(edge.audit_rules, Reading::Known("No rules".to_owned()));
    assert_eq!(edge.mode, Reading::Known("1".to_owned()));
    assert_eq!(edge.marker, Reading::Known(()));
    assert_eq!(edge.boot_id.known().unwrap().len(), 36);
    assert_eq!(edge.weak, None);
    let position = edge.log_position.known().unwrap();
    assert_eq!(position.path, DEFAULT_LOG);
    assert!(position.size > 0 && position.inode > 0);
    let span = *edge.marked.unwrap().known().unwrap();
    assert!(span.from_ms > 0 && span.to_ms >= span.from_ms && span.to_ms - span.from_ms < 1000);
    let Some(Reading::Known(Control::Refused(denial))) = edge.control else {
        panic!("{:?}", edge.control)
    };
    assert_eq!(denial.comm.as_deref(), Some("patchgate-5f3a9"));
    assert_eq!(denial.permission, "dyntransition");
    assert_eq!(denial.target, "system_u:system_r:init_t:s0");
}

#[test]
fn where_auditds_log_is_in_doubt_others_are_marked() {
    let weak = edge(IN_DOUBT).weak.unwrap();
    assert!(weak.journal_cursor.known().unwrap().starts_with("s="));
    assert_eq!(weak.journal_marker, Reading::Known(()));
    assert!(weak.kernel_line.known().unwrap().starts_with('['));
    assert_eq!(weak.kernel_marker, Reading::Known(()));
}

#[test]
fn an_end_that_breaks_off_is_missing_and_never_empty() {
    for cut in [0, 20, 300] {
        let (edge, selinux) = read_edge(&reply(&BEGIN[..cut]));
        let edge = edge.known().unwrap().clone();
        assert!(
            edge.mode.why().is_some() && selinux.why().is_some(),
            "{cut}"
        );
        assert!(edge.kernel_suppressions.why().is_some());
        assert!(edge.marked.unwrap().why().is_some() && edge.control.unwrap().why().is_some());
    }
    let lost = Reply::silent(Exit::Lost { why: "gone".into() });
    assert!(read_edge(&lost).0.why().is_some());
}

#[test]
fn a_control_is_refused_impossible_or_unknown() {
    for (text, wanted) in [
        (
            "control=impossible a dontaudit rule hides setcurrent\n",
            Some("a dontaudit rule hides setcurrent"),
        ),
        ("control=refused x dyntransition patchgate-5f3a9\n", None),
        (
            "control=refused 7 dyntransition patchgate-5f3a9\ncontrol.from=a\n",
            None,
        ),
        ("", None),
    ] {
        let control = control::read(text);
        match wanted {
            Some(why) => assert_eq!(
                control,
                Reading::Known(Control::Impossible { why: why.into() })
            ),
            None => assert!(control.why().is_some(), "{text}"),
        }
    }
    let old = "control=refused 7 setcurrent sh\ncontrol.from=a:b:c\ncontrol.to=a:b:c\n";
    let Reading::Known(Control::Refused(denial)) = control::read(old) else {
        panic!()
    };
    assert_eq!(
        denial.comm, None,
        "a kernel that lets no process name itself"
    );
}

/// `sh` is one or the other on every host; a text that one cannot read is no answer there.
#[test]
fn both_shells_can_read_all_scripts() {
    let open = Open::new("5f3a'9c0e", "w-1", &reply(BEGIN));
    let in_doubt = Open::new("5f3a'9c0e", "w-1", &reply(IN_DOUBT));
    let mut scripts = vec![open_item("5f3a'9c0e", "w-1")];
    for open in [&open, &in_doubt] {
        scripts.extend(open.close_items());
        scripts.extend(open.more_item(&[]));
    }
    for shell in ["dash", "bash"] {
        for Item { script, .. } in &scripts {
            let checked = run(shell, &format!("set -n\n{script}\n"));
            assert_eq!(checked.exit, Exit::Code(0), "{shell}: {script}");
            assert_eq!(checked.stderr.text(), "", "{shell}: {script}");
        }
    }
}

#[test]
fn what_a_command_says_is_told_line_by_line_without_a_process() {
    for shell in ["dash", "bash"] {
        let script = format!(
            "{SAY}say two printf '%s\\n' 'a * b' '' c\nsay none true\nsay bad sh -c 'echo why; echo more; exit 3'\n\
             say silent false\necho \"$ok.\"\nsay last echo '*'\necho \"$ok.\""
        );
        let text = run(shell, &script).stdout.text();
        assert_eq!(
            text,
            "two:a * b\ntwo:c\ntwo=ok\nnone=ok\nbad!why\nsilent!exit status 1\n.\nlast:*\nlast=ok\n1.\n",
            "{shell}"
        );
        assert_eq!(said(&text, "none"), Reading::Known(String::new()));
        assert_eq!(said(&text, "two"), Reading::Known("a * b\nc".to_owned()));
        assert_eq!(said(&text, "bad").why(), Some("why"));
    }
}
