//! The journal's JSON lines, turned into the text that the record parser reads.
//!
//! `journalctl -o json` is the one form that keeps an audit record's number and time (`_AUDIT_ID`,
//! `_SOURCE_REALTIME_TIMESTAMP`) apart from its text; every text form drops them. The transport is
//! journald's own word and cannot be forged by who wrote the entry.

use serde_json::Value;

/// Turns every line of JSON into one line of text, and leaves other lines as they are.
pub(super) fn to_text(json: &str) -> String {
    let mut text = String::with_capacity(json.len() / 2);
    for line in json.lines() {
        match entry(line) {
            Some(entry) => text.push_str(&entry),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

/// One entry as a line; `None` for what is no entry.
fn entry(line: &str) -> Option<String> {
    let fields: serde_json::Map<String, Value> = serde_json::from_str(line).ok()?;
    let field = |name: &str| fields.get(name).and_then(text_of);
    let message = field("MESSAGE").unwrap_or_default();
    Some(match field("_TRANSPORT").as_deref() {
        Some("audit") => audit_record(&fields, &message),
        Some("kernel") => format!("kernel: {message}"),
        Some(_) | None => {
            let speaker = field("SYSLOG_IDENTIFIER").unwrap_or_default();
            format!("{}: {message}", program(&speaker))
        }
    })
}

/// The program before a message, as syslog writes it behind a host's name, so that it is never taken
/// for the kernel.
fn program(speaker: &str) -> String {
    match speaker {
        "" | "kernel" => "journal ?".to_owned(),
        name => format!("journal {}", name.replace([' ', ':'], "_")),
    }
}

/// `type=AVC msg=audit(1795300440.909:166): avc:  denied …`, as auditd would have written it; without a
/// number, journald's own form.
fn audit_record(fields: &serde_json::Map<String, Value>, message: &str) -> String {
    let field = |name: &str| fields.get(name).and_then(text_of);
    let (word, body) = message.split_once(' ').unwrap_or((message, ""));
    let stamp = field("_SOURCE_REALTIME_TIMESTAMP")
        .and_then(|us| us.parse::<u64>().ok())
        .zip(field("_AUDIT_ID"));
    let kind = field("_AUDIT_TYPE_NAME").unwrap_or_else(|| word.to_owned());
    match stamp {
        Some((us, id)) if !kind.contains(' ') => {
            let (sec, ms) = (us / 1_000_000, us / 1000 % 1000);
            format!("type={kind} msg=audit({sec}.{ms:03}:{id}): {body}")
        }
        Some(_) | None => format!("audit: {message}"),
    }
}

/// The text of a field: a string, or the bytes of what is no UTF-8 or has control characters; none of
/// those stay in, so that one entry is one line.
fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(bytes) => {
            let byte = |b: &Value| b.as_u64().and_then(|b| u8::try_from(b).ok());
            let bytes: Option<Vec<u8>> = bytes.iter().map(byte).collect();
            String::from_utf8_lossy(&bytes?).into_owned()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    Some(text.replace(|c: char| c.is_control(), " "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::to_text;
    use crate::evidence::{
        kind::RecordKind,
        record::{Grammar, parse},
    };

    const LINES: &str = include_str!("../../tests/captured/audit/lab/stopped.journal.json");

    #[test]
    fn an_audit_entry_keeps_its_number_and_its_time() {
        let text = to_text(LINES);
        assert_eq!(text.lines().count(), LINES.lines().count());
        let log = include_str!("../../tests/captured/audit/lab/stopped.log");
        let of_log: Vec<_> = parse(log, Grammar::AuditLog)
            .into_iter()
            .filter(|r| r.kind != RecordKind::DaemonEnd)
            .map(|r| (r.kind, r.id, r.body))
            .collect();
        let records = parse(&text, Grammar::KernelLog);
        let of_journal: Vec<_> = records.iter().map(|r| (r.kind, r.id, r.body)).collect();
        // What auditd wrote before it was stopped, word for word.
        assert_eq!(of_journal[..of_log.len()], of_log[..]);
        assert!(records.iter().all(|r| !r.is_hearsay()));
    }

    #[test]
    fn what_a_program_logs_is_hearsay_whatever_it_says() {
        let forged = |transport: &str, speaker: &str| {
            format!(
                r#"{{"_TRANSPORT":"{transport}","SYSLOG_IDENTIFIER":"{speaker}","MESSAGE":"x\ntype=AVC msg=audit(1.2:3): avc:  denied  {{ read }} for  pid=1"}}"#
            )
        };
        for (transport, speaker) in [
            ("syslog", "kernel"),
            ("syslog", "audit"),
            ("stdout", ""),
            ("journal", "a b: kernel"),
        ] {
            let text = to_text(&forged(transport, speaker));
            assert_eq!(text.lines().count(), 1, "{text}");
            let records = parse(&text, Grammar::KernelLog);
            assert!(
                records.iter().all(|r| r.id.is_none() || r.is_hearsay()),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_line_stays_one_line(
            lines in prop::collection::vec("\\PC{0,40}|\\{\"(MESSAGE|_TRANSPORT)\":(\"[a-z]{0,9}\"|\\[1,300\\])\\}", 0..6),
        ) {
            let json = lines.join("\n");
            prop_assert_eq!(to_text(&json).lines().count(), json.lines().count());
        }
    }

    #[test]
    fn bytes_are_read_and_other_lines_stay() {
        let bytes = r#"{"_TRANSPORT":"kernel","MESSAGE":[97,1,98]}"#;
        assert_eq!(to_text(bytes), "kernel: a b\n");
        for line in [
            "-- No entries --",
            "{",
            "[]",
            "Nov 21 22:34:04 ev audit[1]: AVC avc:",
        ] {
            assert_eq!(to_text(line), format!("{line}\n"));
        }
    }
}
