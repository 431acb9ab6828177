//! The user records that bound a window.

use serde::{Deserialize, Serialize};

use super::{
    capture::{LogSource, WindowCapture},
    fields::unhex,
    kind::RecordKind,
    record::{Record, Stamp},
};

/// Which end of the window a marker stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkerEnd {
    /// The window opens after it.
    Begin,
    /// The window closes before it.
    End,
}

impl MarkerEnd {
    /// The last word of the marker.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::End => "end",
        }
    }
}

/// The text that `auditctl -m` is given for one end of a window.
///
/// Measured with auditctl 3.0.9: the text reaches the log as it is, spaces and quotes included
/// (`msg='text=patchgate 5f3a9c0e w-1 begin exe="/usr/sbin/auditctl" …'`), so that anybody who
/// may write user records can write anything there; the nonce is what makes ours our own.
#[must_use]
pub fn marker_text(nonce: &str, window: &str, end: MarkerEnd) -> String {
    format!("patchgate {nonce} {window} {}", end.word())
}

/// The text of the marker at one end of a window at which so many controllers had been before.
#[must_use]
pub fn edge_text(nonce: &str, window: &str, end: MarkerEnd, looks: u32) -> String {
    let text = marker_text(nonce, window, end);
    match (end, looks) {
        (MarkerEnd::Begin, _) | (MarkerEnd::End, 0) => text,
        (MarkerEnd::End, looks) => format!("{text} after {looks}"),
    }
}

/// Where a marker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Index of the record.
    pub(super) index: usize,
    /// Its time and number.
    pub(super) stamp: Option<Stamp>,
}

/// How a marker stands in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A user record of audit's, by `auditctl -m`.
    UserRecord,
    /// An entry of the journal, by `logger -t patchgate`.
    Entry,
    /// A line of the kernel ring, by `/dev/kmsg`.
    Line,
}

impl Form {
    /// The form of a window's own markers in a log.
    pub(super) fn of(capture: &WindowCapture, source: LogSource) -> Self {
        let weak = capture
            .begin
            .known()
            .is_some_and(|edge| edge.weak.is_some());
        match source {
            LogSource::Journal if weak => Self::Entry,
            LogSource::KernelRing if weak => Self::Line,
            LogSource::AuditLog | LogSource::Journal | LogSource::KernelRing | LogSource::None => {
                Self::UserRecord
            }
        }
    }

    /// Whether a record is the marker with this text.
    fn is(self, record: &Record, wanted: &str) -> bool {
        let line = || {
            let raw = record.raw.trim();
            raw.strip_prefix('[')
                .and_then(|rest| rest.split_once("] "))
                .map_or(raw, |(_, text)| text)
        };
        match self {
            Self::UserRecord => {
                record.kind == RecordKind::User
                    && !record.is_hearsay()
                    && text_of(record.body).is_some_and(|text| text == wanted)
            }
            Self::Entry => {
                record.kind == RecordKind::Unrecognized
                    && record.raw.strip_prefix("journal patchgate: ") == Some(wanted)
            }
            Self::Line => record.kind == RecordKind::Unrecognized && line() == wanted,
        }
    }
}

/// All places of one marker, in the log's order.
pub(super) fn places(records: &[Record], text: &str, form: Form) -> Vec<Place> {
    let found = records
        .iter()
        .enumerate()
        .filter(|(_, record)| form.is(record, text));
    found
        .map(|(index, record)| Place {
            index,
            stamp: record.stamp,
        })
        .collect()
}

/// The text of a user record: plain up to `exe=`, in double quotes, or in hex.
pub(super) fn text_of(body: &str) -> Option<String> {
    let inner = body.split_once("msg='").map_or(body, |(_, inner)| inner);
    let text = inner.split_once("text=")?.1;
    let text = text.split(" exe=").next().unwrap_or(text).trim_end();
    let text = text.trim_end_matches('\'').trim();
    let quoted = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let plain = quoted.unwrap_or(text);
    Some(
        unhex(plain)
            .filter(|_| quoted.is_none())
            .unwrap_or_else(|| plain.to_owned()),
    )
}

#[cfg(test)]
mod tests {
    use super::{MarkerEnd, marker_text, text_of};

    #[test]
    fn a_marker_is_read_in_plain_quoted_and_hex_form() {
        let text = marker_text("5f3a9c0e", "w-1", MarkerEnd::Begin);
        let hex: String = text.bytes().map(|byte| format!("{byte:02X}")).collect();
        let tail = r#"exe="/usr/sbin/auditctl" hostname=? addr=? terminal=? res=success'"#;
        for form in [text.clone(), format!("\"{text}\""), hex] {
            let body = format!("pid=348 uid=0 auid=0 ses=6 subj=u:r:t:s0 msg='text={form} {tail}");
            assert_eq!(text_of(&body).as_ref(), Some(&text), "{body}");
        }
    }

    #[test]
    fn text_around_the_marker_makes_it_another_text() {
        let body = "msg='text=x patchgate 5f3a9c0e w-1 begin exe=\"/usr/sbin/auditctl\"'";
        assert_ne!(
            text_of(body),
            Some(marker_text("5f3a9c0e", "w-1", MarkerEnd::Begin))
        );
    }
}
