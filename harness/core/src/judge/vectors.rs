//! What the access vectors of a host leave unsaid: a silent denial would not be seen.

use super::View;
use crate::{
    evidence::{access::VectorTable, context::Context, vector_diff::diff},
    id::HostName,
    state::State,
    verdict::{Missing, Undecided},
};

/// Why the access vectors of a state prove nothing of the watched domains; none when they do.
pub(super) fn unread(view: &View<'_>, host: &HostName, state: State) -> Option<Undecided> {
    let ledger = view.ledger.state(host, state)?;
    let domains = view.plan.domains();
    let why = match ledger.vectors.as_ref().map(|v| v.value.get()) {
        Some(Ok(table)) => {
            unasked(table, &domains).or_else(|| unanswered(view, host, state, table))
        }
        Some(Err(why)) => Some(format!("the access vectors could not be read: {why}")),
        None => Some("the access vectors could not be read: they are not in the record".to_owned()),
    };
    let why = why.filter(|_| !domains.is_empty())?;
    Some(Undecided {
        host: Some(host.clone()),
        state: Some(state),
        what: Missing::Coverage,
        why: format!("vectors-unread: {why}"),
    })
}

/// Watched domains of which the kernel answered nothing.
fn unasked(table: &VectorTable, domains: &[String]) -> Option<String> {
    let known = |domain: &String| {
        let mut sources = table.vectors.keys().map(|q| Context::parse(q.source()));
        sources.any(|c| c.is_some_and(|c| c.type_ == *domain))
    };
    let absent: Vec<&str> = domains
        .iter()
        .filter(|d| !known(d))
        .map(String::as_str)
        .collect();
    (!absent.is_empty()).then(|| format!("nothing was answered of {}", absent.join(", ")))
}

/// Answers of the baseline that this state's table cannot be held against.
fn unanswered(
    view: &View<'_>,
    host: &HostName,
    state: State,
    table: &VectorTable,
) -> Option<String> {
    let before = view.ledger.state(host, State::Baseline)?.vectors.as_ref()?;
    let before = before.value.known().filter(|_| state != State::Baseline)?;
    let uncompared = diff(before, table).uncompared;
    let was_answered = |q: &&_| before.vectors.contains_key(*q);
    let count = uncompared.iter().filter(was_answered).count();
    (count > 0).then(|| format!("{count} answers of the baseline are missing"))
}
