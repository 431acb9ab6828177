//! Before against after, and a rebuild against its upstream twin.

use super::{View, cells::CellResult};
use crate::{
    id::{CheckId, HostName},
    state::State,
    verdict::Fate,
};

/// What became of one check between the baseline and a later state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It passes as before.
    Same,
    /// It passed and fails now.
    Regressed,
    /// It failed and passes now.
    Fixed,
    /// It failed and fails still.
    StillFailing,
    /// It fails, in a run that has no before.
    Failing,
    /// One of the two results is missing.
    Undecided,
}

/// Compares a check's result with the one before; `before` is none where there is no other baseline.
pub(super) fn change(before: Option<&CellResult>, after: &CellResult) -> Change {
    let Some(before) = before else {
        return if after.failed() {
            Change::Failing
        } else {
            settled(after)
        };
    };
    match (
        before.failed(),
        before.passed(),
        after.failed(),
        after.passed(),
    ) {
        (_, true, true, _) => Change::Regressed,
        (true, _, true, _) => Change::StillFailing,
        (true, _, _, true) => Change::Fixed,
        (_, true, _, true) => Change::Same,
        _ => Change::Undecided,
    }
}

fn settled(after: &CellResult) -> Change {
    if after.passed() {
        Change::Same
    } else {
        Change::Undecided
    }
}

impl View<'_> {
    /// The result of a check of a host in a state.
    pub(super) fn cell(
        &self,
        host: &HostName,
        state: State,
        check: &CheckId,
    ) -> Option<&CellResult> {
        self.by_name.get(&(host, state, check)).copied()
    }

    /// The same check of the same host before the patch; none in a run without a patch.
    pub(super) fn before(&self, after: &CellResult) -> Option<&CellResult> {
        let cell = &after.cell;
        self.plan.patch.as_ref()?;
        self.cell(&cell.host, State::Baseline, &cell.check)
    }

    /// How the twin of a host fares in the same check and state.
    pub(super) fn twin_fate(&self, after: &CellResult) -> Option<(HostName, Fate)> {
        let twin = self.plan.host(&after.cell.host)?.twin.as_ref()?;
        let fate = match self.cell(twin, after.cell.state, &after.cell.check) {
            Some(result) if result.failed() => Fate::Affected,
            Some(result) if result.passed() => Fate::Unaffected,
            Some(_) | None => Fate::Unknown,
        };
        Some((twin.clone(), fate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        outcome::{Outcome, Symptom, SymptomKind},
        plan::Cell,
        suite::Vantage,
    };

    fn result(outcome: Outcome, flaky: bool) -> CellResult {
        CellResult {
            cell: Cell {
                host: HostName::new("h").unwrap(),
                state: State::Patched,
                check: CheckId::try_from("s/c".to_owned()).unwrap(),
                vantage: Vantage::Controller,
            },
            outcome,
            flaky,
            events: vec![],
            elapsed_ms: None,
        }
    }

    fn all() -> [(&'static str, CellResult); 6] {
        let why = || "x".to_owned();
        let symptom = Symptom {
            kind: SymptomKind::HttpStatus,
            text: why(),
        };
        [
            ("pass", result(Outcome::Passed, false)),
            ("flaky", result(Outcome::Passed, true)),
            ("fail", result(Outcome::Failed { symptom }, false)),
            ("blind", result(Outcome::Blind { gaps: vec![why()] }, false)),
            ("error", result(Outcome::Errored { why: why() }, false)),
            ("not-run", result(Outcome::NotRun { why: why() }, false)),
        ]
    }

    /// Every pair, spelled out: whatever is not here is undecided.
    #[test]
    fn the_matrix() {
        let expected = |before: &str, after: &str| match (before, after) {
            ("pass", "pass") => Change::Same,
            ("pass", "fail") => Change::Regressed,
            ("fail", "fail") => Change::StillFailing,
            ("fail", "pass") => Change::Fixed,
            _ => Change::Undecided,
        };
        for (before_name, before) in all() {
            for (after_name, after) in all() {
                assert_eq!(
                    change(Some(&before), &after),
                    expected(before_name, after_name),
                    "{before_name} -> {after_name}"
                );
            }
        }
    }

    #[test]
    fn without_a_before_only_a_failure_and_a_pass_are_settled() {
        for (name, after) in all() {
            let expected = match name {
                "pass" => Change::Same,
                "fail" => Change::Failing,
                _ => Change::Undecided,
            };
            assert_eq!(change(None, &after), expected, "{name}");
        }
    }
}
