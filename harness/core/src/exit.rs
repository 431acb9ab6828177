//! What patchgate says to the process that started it.

/// One exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitCode {
    /// The number.
    pub code: u8,
    /// What it means, in a line.
    pub meaning: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal $meaning:literal)*) => {
        $(#[doc = $meaning]
        pub const $name: ExitCode = ExitCode { code: $code, meaning: $meaning };)*
        /// Every code, in numerical order.
        pub const ALL: &[ExitCode] = &[$($name),*];
    };
}

codes! {
    OPEN = 0 "open: the only `go`"
    CLOSED = 1 "closed: a confirmed failure"
    USAGE = 2 "usage or configuration: nothing was touched"
    UNDECIDED = 3 "undecided: evidence missing, a host unreachable, or time ran out"
    NOTHING_RAN = 4 "nothing ran"
    DIRTY = 5 "a host was left dirty, or found so: a patch is only partly in, or could not be undone"
    SECURITY = 6 "security stop: host key, key permissions, or a tampered record"
    LOCKED = 7 "locked: another controller works on a host"
    BUG = 70 "a bug in patchgate"
    NOT_DURABLE = 74 "the record could not be made durable"
    INTERRUPTED = 130 "interrupted: the record is whole up to that moment"
    TERMINATED = 143 "terminated: the record is whole up to that moment"
}

/// The order in which codes win when several apply.
const PRECEDENCE: [ExitCode; 11] = [
    BUG,
    NOT_DURABLE,
    SECURITY,
    DIRTY,
    CLOSED,
    LOCKED,
    INTERRUPTED,
    TERMINATED,
    UNDECIDED,
    NOTHING_RAN,
    OPEN,
];

/// The code of a run that a signal stopped, as a shell would give it: 130 for SIGINT, 143 for the rest.
#[must_use]
pub fn of_signal(name: &str) -> ExitCode {
    match name {
        "SIGINT" => INTERRUPTED,
        _ => TERMINATED,
    }
}

/// The code that wins; none where no code applies.
#[must_use]
pub fn strongest(codes: &[ExitCode]) -> Option<ExitCode> {
    PRECEDENCE.into_iter().find(|p| codes.contains(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_news_wins() {
        assert_eq!(strongest(&[OPEN, UNDECIDED, CLOSED]), Some(CLOSED));
        assert_eq!(strongest(&[CLOSED, DIRTY, SECURITY]), Some(SECURITY));
        assert_eq!(strongest(&[UNDECIDED, LOCKED]), Some(LOCKED));
        assert_eq!(strongest(&[OPEN, NOTHING_RAN]), Some(NOTHING_RAN));
        assert_eq!(
            strongest(&[UNDECIDED, of_signal("SIGINT")]),
            Some(INTERRUPTED)
        );
        assert_eq!(strongest(&[CLOSED, of_signal("SIGTERM")]), Some(CLOSED));
        assert_eq!(strongest(&[]), None);
    }

    #[test]
    fn codes_are_distinct() {
        let mut seen: Vec<_> = ALL.iter().map(|c| c.code).collect();
        seen.dedup();
        assert_eq!(seen.len(), ALL.len());
    }
}
