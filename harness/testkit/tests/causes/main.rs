//! Each cause from the evidence that makes it, each time beside the evidence that is not enough.

mod beside;
mod gone;
mod others;
mod proof;
mod selinux;

use patchgate_core::verdict::Decision;
use patchgate_testkit::night::Night;

/// `kind proof`, and what the cause tells: explanation, command, suggestion.
fn told(night: &Night) -> (String, String) {
    let finding = night.finding("httpd");
    let cause = &finding.cause;
    assert!(!cause.evidence.is_empty(), "{cause:?}");
    let inside = |seq: &u64| finding.evidence.contains(seq);
    assert!(cause.evidence.iter().all(inside), "{finding:?}");
    let suggestion = cause.suggestion.as_ref();
    let suggestion = suggestion.map(|s| s.line.clone()).unwrap_or_default();
    let look = cause.look.clone().unwrap_or_default();
    (
        format!("{} {}", cause.kind.word(), cause.proof.word()),
        format!("{} | {look} | {suggestion}", cause.explanation),
    )
}

#[track_caller]
fn assert_cause(name: &str, night: &Night, wanted: &str, texts: &[&str]) {
    let (cause, text) = told(night);
    assert_eq!(cause, wanted, "{name}: {text}");
    for wanted in texts {
        assert!(
            text.contains(wanted),
            "{name}: `{wanted}` is not in: {text}"
        );
    }
    let verdict = night.judged().verdict.verdict;
    assert_ne!(verdict, Decision::Open, "{name}");
}

#[track_caller]
fn assert_cause_unknown(name: &str, night: &Night) {
    let cause = night.cause();
    assert_eq!(cause.kind.word(), "unknown", "{name}: {cause:?}");
    assert_eq!(cause.proof.word(), "suspected", "{name}");
}
