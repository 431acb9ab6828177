//! What was met of a host since it was told to reboot.

use patchgate_core::{id::HostName, reading::Reading, reboot::RebootEnd};

use crate::script::reboot::Sight;

/// What was met so far.
pub(super) struct Met {
    /// The boot that is to end.
    before: String,
    /// All others, in order.
    boots: Vec<String>,
    last: Last,
}

/// What was seen last.
enum Last {
    /// It could not be had.
    Away(String),
    /// It was in the boot of before.
    Before,
    /// It was in another, and not ready.
    NotReady(String),
}

impl Met {
    pub(super) fn new(before: &str) -> Self {
        Self {
            before: before.to_owned(),
            boots: Vec::new(),
            last: Last::Away("nobody has looked".to_owned()),
        }
    }

    /// Takes a look in; the end, once the host is back and ready.
    pub(super) fn take(&mut self, seen: Result<&Sight, String>) -> Option<RebootEnd> {
        let sight = match seen {
            Ok(sight) => sight,
            Err(why) => {
                self.last = Last::Away(why);
                return None;
            }
        };
        match &sight.boot_id {
            Reading::Missing { why } => self.last = Last::Away(format!("its boot: {why}")),
            Reading::Known(boot) if *boot == self.before => self.last = Last::Before,
            Reading::Known(boot) => {
                if self.boots.last() != Some(boot) {
                    self.boots.push(boot.clone());
                }
                if sight.is_ready() {
                    let boots = self.boots.clone();
                    let settled = sight.ready.clone();
                    return Some(RebootEnd::CameBack { boots, settled });
                }
                self.last = Last::NotReady(match &sight.ready {
                    Reading::Known(word) => format!("its service manager says `{word}`"),
                    Reading::Missing { why } => why.clone(),
                });
            }
        }
        None
    }

    /// Whether the host is away, so that it matters whether others are too.
    pub(super) fn is_away(&self) -> bool {
        matches!(self.last, Last::Away(_))
    }

    /// The end at the deadline.
    pub(super) fn over(self, answered: Option<HostName>) -> RebootEnd {
        let boots = self.boots;
        match self.last {
            Last::Away(why) if boots.is_empty() => RebootEnd::NotBack { why, answered },
            Last::Away(why) => RebootEnd::NotBack {
                why: format!("it was back and went away again: {why}"),
                answered,
            },
            Last::Before => RebootEnd::Stayed {
                why: "it answers, and from the boot of before".to_owned(),
            },
            Last::NotReady(why) => RebootEnd::CameBack {
                boots,
                settled: Reading::missing(why),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(boot: &str, ready: &str) -> Sight {
        Sight {
            boot_id: Reading::Known(boot.to_owned()),
            machine_id: Reading::missing("not read"),
            ready: Reading::Known(ready.to_owned()),
        }
    }

    fn away() -> String {
        "connection refused".to_owned()
    }

    /// What is met, look by look, and how it ends; at the deadline where no look ends it.
    fn ends(looks: &[Option<(&str, &str)>]) -> RebootEnd {
        let mut met = Met::new("b-1");
        for look in looks {
            let sight = look.map(|(boot, ready)| sight(boot, ready));
            if let Some(end) = met.take(sight.as_ref().ok_or_else(away)) {
                return end;
            }
        }
        met.over(None)
    }

    #[test]
    fn back_is_another_boot_in_which_everything_was_started() {
        let boots = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        let back = |all: &[&str], ready: &str| RebootEnd::CameBack {
            boots: boots(all),
            settled: Reading::Known(ready.to_owned()),
        };
        let before = Some(("b-1", "running"));
        for (looks, wanted) in [
            (
                vec![before, None, Some(("b-2", "running"))],
                back(&["b-2"], "running"),
            ),
            (
                vec![None, Some(("b-2", "starting")), Some(("b-2", "degraded"))],
                back(&["b-2"], "degraded"),
            ),
            (
                vec![Some(("b-2", "starting")), None, Some(("b-3", "running"))],
                back(&["b-2", "b-3"], "running"),
            ),
            (
                vec![Some(("b-2", "starting"))],
                RebootEnd::CameBack {
                    boots: boots(&["b-2"]),
                    settled: Reading::missing("its service manager says `starting`"),
                },
            ),
        ] {
            assert_eq!(ends(&looks), wanted, "{looks:?}");
        }
    }

    #[test]
    fn who_stays_or_stays_away_is_not_back() {
        let before = Some(("b-1", "running"));
        let stayed = |end| matches!(end, RebootEnd::Stayed { .. });
        assert!(stayed(ends(&[before, before])));
        assert!(
            stayed(ends(&[before, None, before])),
            "the line broke, no more"
        );
        for looks in [
            vec![before, None],
            vec![None],
            vec![Some(("b-2", "starting")), None],
        ] {
            let end = ends(&looks);
            assert!(
                matches!(end, RebootEnd::NotBack { .. }),
                "{looks:?}: {end:?}"
            );
        }
    }

    #[test]
    fn a_host_that_does_not_say_its_boot_is_not_back() {
        let mut met = Met::new("b-1");
        let unsaid = Sight {
            boot_id: Reading::missing("the host does not say"),
            ..sight("", "running")
        };
        assert_eq!(met.take(Ok(&unsaid)), None);
        assert!(met.is_away());
    }
}
