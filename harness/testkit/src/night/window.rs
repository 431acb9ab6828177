//! The capture of a window that holds some records and of which nothing is missing.

use patchgate_core::{
    evidence::{
        capture::{DEFAULT_LOG, LogPosition, LogSlice, LogSource, WindowCapture, WindowEdge},
        marker::{MarkerEnd, marker_text},
    },
    reading::Reading,
};

use crate::NONCE;

/// The capture of a window with these records between its markers.
pub(super) fn capture(id: &str, records: &[String]) -> WindowCapture {
    let marker = |end| {
        let text = marker_text(NONCE, id, end);
        format!(
            "USER pid=685 uid=0 auid=0 ses=11 subj=unconfined_u:unconfined_r:auditctl_t:s0-s0:c0.c1023 \
             msg='text={text} exe=\"/usr/sbin/auditctl\" hostname=? addr=? terminal=? res=success'"
        )
    };
    let begin = [marker(MarkerEnd::Begin)];
    let end = [marker(MarkerEnd::End)];
    let all = begin.iter().chain(records).chain(&end);
    let text: String = all
        .zip(192..)
        .map(|(record, serial)| line(record, serial))
        .collect();
    WindowCapture {
        id: id.to_owned(),
        nonce: NONCE.to_owned(),
        selinux: Reading::Known(true),
        begin: Reading::Known(edge(100)),
        end: Reading::Known(edge(100 + text.len() as u64)),
        log: LogSlice {
            source: LogSource::AuditLog,
            text,
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

fn line(record: &str, serial: u32) -> String {
    let (kind, body) = record
        .split_once(' ')
        .expect("a record has a kind and a body");
    format!(
        "type={kind} msg=audit({}.250:{serial}): {body}\n",
        1_361_500_000 + serial
    )
}

fn edge(size: u64) -> WindowEdge {
    let status = "enabled 1\nfailure 1\npid 563\nrate_limit 0\nbacklog_limit 8192\nlost 0\nbacklog 0\n\
                  backlog_wait_time 60000\nbacklog_wait_time_actual 0";
    WindowEdge {
        boot_id: Reading::Known("a6dcd5f0-95ce-4306-8705-000000000001".to_owned()),
        audit_status: Reading::Known(status.to_owned()),
        audit_rules: Reading::Known("No rules".to_owned()),
        marker: Reading::Known(()),
        log_position: Reading::Known(LogPosition {
            device: 64_768,
            inode: 17,
            size,
            path: DEFAULT_LOG.to_owned(),
        }),
        kernel_suppressions: Reading::Known(Vec::new()),
        mode: Reading::Known("1".to_owned()),
        marked: None,
        control: None,
        weak: None,
    }
}
