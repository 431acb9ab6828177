//! Audit's health, in lines. Nothing is said here of denials: only a whole window can.

use patchgate_core::{
    evidence::{
        audit_rules::excluding_rules, audit_status::AuditStatus, capture::WindowEdge,
        suppression::suppression,
    },
    reading::Reading,
};

use super::line::{Line, count, members};
use crate::console::Mood;

pub(super) fn lines(audit: &Reading<WindowEdge>) -> Vec<Line> {
    let edge = match audit {
        Reading::Known(edge) => edge,
        Reading::Missing { why } => return vec![Line::unseen("audit", why)],
    };
    let mut lines = vec![status(&edge.audit_status)];
    lines.extend(rules(&edge.audit_rules));
    lines.push(Line::of("audit.log", &edge.log_position, |at| {
        format!("{} bytes", at.size)
    }));
    lines.push(kernel_log(&edge.kernel_suppressions));
    lines
}

fn status(reading: &Reading<String>) -> Line {
    let text = match reading {
        Reading::Known(text) => text,
        Reading::Missing { why } => return Line::unseen("audit", why),
    };
    let status = match AuditStatus::parse(text) {
        Ok(status) => status,
        Err(error) => return Line::unseen("audit", &error.to_string()),
    };
    let enabled = match status.enabled {
        0 => "off",
        2 => "on, and locked until the next boot",
        _ => "on",
    };
    let auditd = match status.pid {
        0 => "no auditd is registered".to_owned(),
        pid => format!("auditd is process {pid}"),
    };
    let lost = count(usize::try_from(status.lost).unwrap_or(usize::MAX), "record");
    let limit = match status.rate_limit {
        Some(limit) if limit > 0 => format!(", at most {limit} records a second"),
        Some(_) | None => String::new(),
    };
    let well = status.enabled != 0 && status.pid != 0;
    let line = Line::new(
        "audit",
        &format!("{enabled}, {auditd}, {lost} lost since boot{limit}"),
    );
    line.mood(if well { Mood::Plain } else { Mood::Bad })
}

/// Only rules that can keep denials out of the log.
fn rules(reading: &Reading<String>) -> Option<Line> {
    match reading {
        Reading::Known(text) => {
            let rules = excluding_rules(text);
            let told = || format!("can keep denials out of the log: {}", members(&rules));
            (!rules.is_empty()).then(|| Line::new("audit rules", &told()).mood(Mood::Bad))
        }
        Reading::Missing { why } => Some(Line::unseen("audit rules", why)),
    }
}

fn kernel_log(reading: &Reading<Vec<String>>) -> Line {
    Line::of("kernel log", reading, |lines| {
        let hides = |line: &&String| suppression(line).is_some_and(|s| s.kind.may_hide_denials());
        match lines.iter().filter(hides).count() {
            0 => "says nowhere that messages were left out".to_owned(),
            n => format!("says in {} that messages were left out", count(n, "line")),
        }
    })
}
