//! Transitions that the kernel refuses outside of the access vector cache: no AVC tells of them.

use super::{AvcVerdict, Decider, Decision};
use crate::evidence::{
    context::Context,
    policy_error::{PolicyError, policy_error},
    record::Record,
};

/// Reads the `SELINUX_ERR` of a denied transition.
pub(super) fn decision(record: &Record<'_>) -> Option<Decision> {
    let error = policy_error(record)?;
    if error.denied != Some(true) {
        return None;
    }
    let decider = match error.operation.as_str() {
        "security_bounded_transition" => Decider::Bounds,
        "security_validate_transition" => Decider::Relabel,
        _ => return None,
    };
    let mut decision = Decision::unknown(record, record.raw, AvcVerdict::Denied, decider);
    let PolicyError {
        source,
        target,
        class,
        ..
    } = error;
    decision.source = source.as_deref().and_then(Context::parse);
    decision.target = target.as_deref().and_then(Context::parse);
    decision.class = match decider {
        Decider::Bounds => Some("process".to_owned()),
        Decider::Relabel | Decider::Kernel | Decider::Userspace => class,
    };
    decision.complete = decision.source.is_some() && decision.target.is_some();
    Some(decision)
}
