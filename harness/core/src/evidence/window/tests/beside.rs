//! Other logs than auditd's.

use super::{begin, capture, cut, end, names};
use crate::evidence::{
    capture::{LogSlice, LogSource, Reading, WeakMarks, WindowCapture},
    window::{Expectations, WindowEvidence, examine, statement},
};

/// auditd was stopped amid a window, and a page that httpd may not read asked for before and after.
const STOPPED: &str = include_str!("../../../../tests/captured/audit/lab/stopped.log");
const JOURNAL: &str = include_str!("../../../../tests/captured/audit/lab/stopped.journal.json");
/// The same window: what the kernel ring holds.
const RING: &str = include_str!("../../../../tests/captured/audit/lab/stopped.dmesg");
/// The same with auditd stopped before, and markers of the logs' own.
const MARKED: &str = include_str!("../../../../tests/captured/audit/lab/marked.journal.json");
const MARKED_RING: &str = include_str!("../../../../tests/captured/audit/lab/marked.dmesg");

fn slice(source: LogSource, text: &str) -> LogSlice {
    LogSlice {
        source,
        text: text.to_owned(),
        truncated_bytes: 0,
        rotated: false,
        reached_begin: true,
        trouble: None,
    }
}

fn look(capture: &WindowCapture) -> WindowEvidence {
    examine(capture, Expectations::default())
}

/// The pages that were denied, and how often.
fn pages(evidence: &WindowEvidence) -> Vec<(String, usize)> {
    let mut pages: Vec<(String, usize)> = Vec::new();
    for denial in evidence.denials().filter(|d| d.path.is_some()) {
        let path = denial.path.clone().unwrap_or_default();
        match pages.iter_mut().find(|(known, _)| *known == path) {
            Some((_, count)) => *count += 1,
            None => pages.push((path, 1)),
        }
    }
    pages
}

fn page(n: u32, count: usize) -> (String, usize) {
    (format!("/var/www/html/d{n}.html"), count)
}

#[test]
fn what_auditds_log_lacks_is_taken_from_the_journal_once() {
    let mut capture = capture("w-2", STOPPED);
    assert_eq!(pages(&look(&capture)), [page(1, 2)]);
    capture.beside = vec![slice(LogSource::Journal, JOURNAL)];
    let evidence = look(&capture);
    assert_eq!(pages(&evidence), [page(1, 2), page(2, 2)]);
    // Its two ends were not given to this capture, so that the controls count as anybody's.
    assert_eq!(evidence.denials().count(), 4 + 2);
    assert!(names(&evidence).contains(&"weak-source"));
    assert!(names(&evidence).contains(&"marker-end-missing"));
}

#[test]
fn or_from_the_kernel_ring() {
    let mut capture = capture("w-2", STOPPED);
    capture.beside = vec![slice(LogSource::KernelRing, RING)];
    let evidence = look(&capture);
    assert_eq!(pages(&evidence), [page(1, 2), page(2, 2)]);
    let said = statement(&evidence);
    assert!(
        said.contains("records were read from the kernel log"),
        "{said}"
    );
}

#[test]
fn a_record_that_is_older_than_the_window_is_none_of_it() {
    let older = "[  10.0] audit: type=1400 audit(1795625813.000:205): avc:  denied  { read } for  pid=1 \
                 scontext=u:r:a_t:s0 tcontext=u:r:b_t:s0 tclass=file permissive=0";
    for (line, count) in [(older, 0), (&older.replace("13.000:205", "13.900:208"), 1)] {
        let mut capture = capture("w-2", STOPPED);
        let before = look(&capture).decisions.len();
        capture.beside = vec![slice(LogSource::KernelRing, line)];
        assert_eq!(look(&capture).decisions.len() - before, count, "{line}");
    }
}

#[test]
fn another_log_that_is_not_there_changes_nothing() {
    let mut capture = capture("w-2", STOPPED);
    let before = look(&capture);
    capture.beside = vec![LogSlice {
        trouble: Some("no journal and no kernel ring".to_owned()),
        ..slice(LogSource::None, "")
    }];
    assert_eq!(look(&capture), before);
}

/// A window that was in doubt from its begin.
fn in_doubt(id: &str, log: LogSlice) -> WindowCapture {
    let marks = || WeakMarks {
        journal_cursor: Reading::Known("s=1".to_owned()),
        journal_marker: Reading::Known(()),
        kernel_line: Reading::Known(String::new()),
        kernel_marker: Reading::Known(()),
    };
    let mut capture = WindowCapture {
        log,
        ..capture(id, "")
    };
    begin(&mut capture).weak = Some(marks());
    end(&mut capture).weak = Some(marks());
    capture
}

#[test]
fn a_log_with_markers_of_its_own_is_bounded_and_proves_nothing() {
    for (id, source, text) in [
        ("w-3", LogSource::Journal, MARKED),
        ("w-4", LogSource::KernelRing, MARKED_RING),
    ] {
        let evidence = look(&in_doubt(id, slice(source, text)));
        assert_eq!(pages(&evidence), [page(3, 2)], "{source:?}");
        let mut found = names(&evidence);
        found.retain(|name| *name != "suppressed" && *name != "control-not-seen");
        assert_eq!(
            found,
            ["weak-source"],
            "{source:?}: {:?}",
            evidence.coverage
        );
    }
}

#[test]
fn a_marker_that_did_not_reach_such_a_log_is_a_gap_of_its_own() {
    for (cut_away, gap) in [
        ("w-4 begin", "marker-begin-missing"),
        ("w-4 end", "marker-end-missing"),
    ] {
        let mut capture = in_doubt("w-4", slice(LogSource::KernelRing, MARKED_RING));
        cut(&mut capture, cut_away);
        let found = names(&look(&capture));
        assert!(found.contains(&gap), "{found:?}");
    }
    let mut capture = in_doubt("w-4", slice(LogSource::KernelRing, MARKED_RING));
    for edge in ["begin", "end"] {
        let edge = if edge == "begin" {
            begin(&mut capture)
        } else {
            end(&mut capture)
        };
        let weak = edge.weak.as_mut().unwrap();
        weak.kernel_marker = Reading::missing("there is no /dev/kmsg");
    }
    let found = names(&look(&capture));
    assert_eq!(
        found.iter().filter(|n| **n == "marker-not-written").count(),
        2
    );
}

#[test]
fn what_anybody_can_log_is_no_marker() {
    let text = MARKED.replace(
        "\"SYSLOG_IDENTIFIER\":\"patchgate\"",
        "\"SYSLOG_IDENTIFIER\":\"somebody\"",
    );
    assert_ne!(text, MARKED);
    let found = names(&look(&in_doubt("w-3", slice(LogSource::Journal, &text))));
    assert!(found.contains(&"marker-begin-missing"), "{found:?}");
}
