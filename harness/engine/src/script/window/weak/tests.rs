//! Other logs in real shells, with tools that say what they are told to.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::*;
use crate::script::window::log::tests::run;

const SHELLS: [&str; 2] = ["dash", "bash"];

/// Tools of a host, before those of this machine in the path.
struct Tools(tempfile::TempDir);

impl Tools {
    fn new(tools: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, body) in tools {
            let path = dir.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self(dir)
    }

    fn read(&self, shell: &str, from: &From, mark: &str) -> LogSlice {
        let path = self.0.path().display();
        let script = item(from, mark).script;
        read(&run(shell, &format!("PATH={path}:/usr/bin:/bin\n{script}")))
    }
}

fn from(cursor: Option<&str>, uptime_s: Option<u64>, line: Option<&str>) -> From {
    From {
        cursor: cursor.map(ToOwned::to_owned),
        marked: false,
        uptime_s,
        line: line.map(ToOwned::to_owned),
    }
}

/// Tells how it was called, as an entry; what it is asked for first is only whether it works.
const JOURNALCTL: &str = r#"case "$*" in *'-n 1'*) exit 0 ;; esac; echo "called with $*""#;

/// There is none on this host.
const NONE: &str = "echo 'No journal files were found.' >&2; exit 1";

const RING: &str = "printf '%s\\n' '[ 1.0] one' '[ 2.0] two' '[ 3.0] three'";

#[test]
fn the_journal_is_read_from_the_cursor_or_from_the_begin() {
    let tools = Tools::new(&[("journalctl", JOURNALCTL), ("dmesg", RING)]);
    for shell in SHELLS {
        for (from, begin) in [
            (
                from(Some("s=1;i=2"), Some(3), None),
                "--after-cursor=s=1;i=2 ",
            ),
            (from(None, Some(3), None), "--since=@"),
            (from(None, None, None), "-b "),
        ] {
            let slice = tools.read(shell, &from, "");
            assert_eq!((slice.source, slice.trouble), (LogSource::Journal, None));
            assert!(slice.text.contains(begin), "{shell}: {}", slice.text);
            assert!(
                slice.text.contains("-o json --output-fields="),
                "{}",
                slice.text
            );
        }
    }
}

#[test]
fn an_old_journalctl_is_asked_without_what_it_does_not_know() {
    let old = format!("case \"$*\" in *--output-fields*) exit 1 ;; esac; {JOURNALCTL}");
    let tools = Tools::new(&[("journalctl", &old)]);
    let slice = tools.read("dash", &from(Some("c"), None, None), "");
    assert!(
        slice.text.contains("-o json --after-cursor=c"),
        "{}",
        slice.text
    );
}

#[test]
fn the_end_marker_is_awaited_where_there_is_one() {
    // The entry comes only with the third question.
    let late = format!(
        "case \"$*\" in *'-n 50'*) echo x >>\"$0.asked\"; [ $(wc -l <\"$0.asked\") -lt 3 ] || echo 'w-1 end'; exit 0 ;; esac; {JOURNALCTL}"
    );
    for shell in SHELLS {
        let tools = Tools::new(&[("journalctl", &late)]);
        let from = From {
            marked: true,
            ..from(Some("c"), None, None)
        };
        assert_eq!(
            tools.read(shell, &from, "w-1 end").source,
            LogSource::Journal
        );
        let asked = fs::read_to_string(tools.0.path().join("journalctl.asked")).unwrap();
        assert_eq!(asked.lines().count(), 3, "{shell}");
    }
}

#[test]
fn a_journal_that_fails_amid_reading_is_said() {
    let tools = Tools::new(&[("journalctl", &format!("{JOURNALCTL}; exit 3"))]);
    let slice = tools.read("dash", &from(None, None, None), "");
    assert_eq!(slice.trouble.as_deref(), Some("exit status 3"));
    assert!(slice.text.starts_with("called"));
}

#[test]
fn without_a_journal_the_ring_is_read_from_the_last_line_on() {
    let tools = Tools::new(&[("journalctl", NONE), ("dmesg", RING)]);
    for shell in SHELLS {
        for (line, reached, text) in [
            (Some("[ 2.0] two"), true, "[ 3.0] three\n"),
            (Some("[ 3.0] three"), true, ""),
            (
                Some("[ 0.5] gone"),
                false,
                "[ 1.0] one\n[ 2.0] two\n[ 3.0] three\n",
            ),
            (None, false, "[ 1.0] one\n[ 2.0] two\n[ 3.0] three\n"),
        ] {
            let slice = tools.read(shell, &from(None, None, line), "");
            let got = (slice.source, slice.reached_begin, slice.text.as_str());
            assert_eq!(
                got,
                (LogSource::KernelRing, reached, text),
                "{shell}: {line:?}"
            );
        }
    }
}

#[test]
fn a_host_without_any_log_says_why() {
    let refused = "echo 'dmesg: read kernel buffer failed: Operation not permitted' >&2; exit 1";
    let tools = Tools::new(&[("journalctl", NONE), ("dmesg", refused)]);
    let slice = tools.read("dash", &from(None, None, None), "");
    assert_eq!(slice.source, LogSource::None);
    assert_eq!(
        slice.trouble.as_deref(),
        Some(
            "no journal and no kernel ring: No journal files were found.; \
             dmesg: read kernel buffer failed: Operation not permitted"
        )
    );
}

#[test]
fn of_a_flood_the_first_bytes_come_and_the_rest_is_counted() {
    let flood = format!(
        "case \"$*\" in *'-n 1'*) exit 0 ;; esac; head -c {} /dev/zero | tr '\\0' '\\n'",
        SLICE_CAP + 5
    );
    let tools = Tools::new(&[("journalctl", &flood)]);
    let slice = tools.read("dash", &from(None, None, None), "");
    assert_eq!((slice.text.len(), slice.truncated_bytes), (SLICE_CAP, 5));
}
