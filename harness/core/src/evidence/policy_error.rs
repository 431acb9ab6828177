//! `SELINUX_ERR`: what the security server itself refused or could not compute.

use super::{
    fields::{Fields, Style},
    kind::RecordKind,
    record::Record,
};

/// One error of the security server. Contexts are text, for they need not be valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError {
    /// The operation: a kernel function, or a system call such as `setxattr`; empty when cut.
    pub operation: String,
    /// Whether the kernel says that it refused something; `None` where it does not say.
    pub denied: Option<bool>,
    /// Why, in the kernel's word (`bounds`).
    pub reason: Option<String>,
    /// The context that is not valid in the policy.
    pub invalid_context: Option<String>,
    /// The context of the process, or the old one of a transition.
    pub source: Option<String>,
    /// The context of the object, or the new one of a transition.
    pub target: Option<String>,
    /// The context of the process that changes a label.
    pub task: Option<String>,
    /// The object class.
    pub class: Option<String>,
    /// The permissions that were taken away (`perms=ioctl,read`).
    pub permissions: Vec<String>,
}

/// Reads `op=NAME key=value …`, and `NAME:  invalid context C for key=value …` of EL5 and EL6.
#[must_use]
pub fn policy_error(record: &Record<'_>) -> Option<PolicyError> {
    if record.kind != RecordKind::SelinuxErr {
        return None;
    }
    let body = record.body;
    let fields = Fields::scan(body, Style::Raw);
    let text = |key: &str| fields.last(key).map(|value| value.text.to_owned());
    let old = body.split_once(": ").filter(|(name, _)| is_name(name));
    let words = old.map_or("", |(_, words)| words.trim_start());
    let invalid = words.strip_prefix("invalid context ");
    Some(PolicyError {
        operation: text("op")
            .or_else(|| old.map(|(name, _)| name.to_owned()))
            .unwrap_or_default(),
        denied: text("seresult")
            .or_else(|| text("result"))
            .map(|result| result == "denied")
            .or_else(|| words.starts_with("denied ").then_some(true)),
        reason: text("reason"),
        invalid_context: fields
            .string("invalid_context")
            .or_else(|| invalid?.split(' ').next().map(str::to_owned)),
        source: text("scontext").or_else(|| text("oldcontext")),
        target: text("tcontext").or_else(|| text("newcontext")),
        task: text("taskcontext"),
        class: text("tclass"),
        permissions: text("perms").map_or_else(Vec::new, |perms| {
            perms.split(',').map(str::to_owned).collect()
        }),
    })
}

/// True for the name of a kernel function.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}
