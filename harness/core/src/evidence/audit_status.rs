//! The answer of `auditctl -s`.

use std::collections::BTreeMap;

use thiserror::Error;

/// The state of the kernel's audit system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditStatus {
    /// 0 off, 1 on, 2 on and locked until reboot.
    pub enabled: u32,
    /// What the kernel does when it loses a record: 0 nothing, 1 printk, 2 panic.
    pub failure: Option<u32>,
    /// The process that receives the records; 0 for none.
    pub pid: u32,
    /// Records a second that the kernel lets through; 0 for no limit.
    pub rate_limit: Option<u64>,
    /// Records that may wait.
    pub backlog_limit: Option<u64>,
    /// Records lost since boot, or since somebody reset the count.
    pub lost: u64,
    /// Records waiting.
    pub backlog: Option<u64>,
    /// All other fields, as written.
    pub extra: BTreeMap<String, String>,
}

/// Why a text is no audit status.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AuditStatusError {
    /// There was no text at all.
    #[error("the answer is empty")]
    Empty,
    /// A field without which nothing can be said is missing or no number.
    #[error("no `{field}` in the answer `{answer}`")]
    Field {
        /// The field.
        field: &'static str,
        /// The first line of the answer, often an error message.
        answer: String,
    },
}

impl AuditStatus {
    /// Reads `AUDIT_STATUS: enabled=1 flag=1 pid=…` (EL6) or one `enabled 1` a line (EL7 on).
    ///
    /// # Errors
    ///
    /// When `enabled`, `pid` or `lost` cannot be read.
    pub fn parse(text: &str) -> Result<Self, AuditStatusError> {
        let mut fields = pairs(text);
        let first = text.lines().map(str::trim).find(|line| !line.is_empty());
        let answer = first.ok_or(AuditStatusError::Empty)?.to_owned();
        let mut take = |field: &str| fields.remove(field).and_then(|value| value.parse().ok());
        let need = |field: &'static str, value: Option<u64>| {
            value.ok_or_else(|| AuditStatusError::Field {
                field,
                answer: answer.clone(),
            })
        };
        let small = |field: &'static str, value: Option<u64>| {
            let value = value.and_then(|value| u32::try_from(value).ok());
            value.ok_or_else(|| AuditStatusError::Field {
                field,
                answer: answer.clone(),
            })
        };
        Ok(Self {
            enabled: small("enabled", take("enabled"))?,
            pid: small("pid", take("pid"))?,
            lost: need("lost", take("lost"))?,
            failure: take("failure")
                .or_else(|| take("flag"))
                .and_then(|n| u32::try_from(n).ok()),
            rate_limit: take("rate_limit"),
            backlog_limit: take("backlog_limit"),
            backlog: take("backlog"),
            extra: fields,
        })
    }
}

/// The names and values of both forms.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let pair = |name: &str, value: &str| (name.trim().to_owned(), value.trim().to_owned());
    let mut fields = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        let line = line.strip_prefix("AUDIT_STATUS:").unwrap_or(line);
        let words = || line.split_whitespace();
        if !line.is_empty() && words().all(|word| word.contains('=')) {
            fields.extend(
                words()
                    .filter_map(|word| word.split_once('='))
                    .map(|(n, v)| pair(n, v)),
            );
        } else if let Some((name, value)) = line.split_once(' ') {
            fields.extend([pair(name, value)]);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::{AuditStatus, AuditStatusError};

    /// Captured on a lab guest, auditctl 3.0.9.
    const EL9: &str = "enabled 1\nfailure 1\npid 151\nrate_limit 0\nbacklog_limit 8192\nlost 0\n\
        backlog 0\nbacklog_wait_time 60000\nbacklog_wait_time_actual 0\n\
        loginuid_immutable 0 unlocked\n";

    #[test]
    fn the_form_of_el7_and_later_is_read() {
        let status = AuditStatus::parse(EL9).unwrap();
        assert_eq!((status.enabled, status.pid, status.lost), (1, 151, 0));
        assert_eq!(status.failure, Some(1));
        assert_eq!(
            (status.backlog_limit, status.backlog),
            (Some(8192), Some(0))
        );
        assert_eq!(status.extra["loginuid_immutable"], "0 unlocked");
        assert_eq!(status.extra["backlog_wait_time"], "60000");
    }

    #[test]
    fn the_one_line_of_el6_is_read() {
        let text = "AUDIT_STATUS: enabled=2 flag=1 pid=1234 rate_limit=0 backlog_limit=320 \
            lost=17 backlog=1";
        let status = AuditStatus::parse(text).unwrap();
        assert_eq!((status.enabled, status.pid, status.lost), (2, 1234, 17));
        assert_eq!((status.failure, status.backlog), (Some(1), Some(1)));
    }

    #[test]
    fn an_error_message_is_no_status() {
        for text in [
            "You must be root to run this program.",
            "enabled 1\npid 7\n",
            "lost x",
        ] {
            let error = AuditStatus::parse(text).unwrap_err();
            assert!(
                matches!(error, AuditStatusError::Field { .. }),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn an_empty_answer_is_no_status() {
        assert_eq!(AuditStatus::parse("\n "), Err(AuditStatusError::Empty));
    }
}
