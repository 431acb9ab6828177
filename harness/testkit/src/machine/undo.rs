//! What a scripted host does about an undo, and its mark.

use patchgate_core::package::Nevra;

use super::{Denied, Machine, answer::run_of};
use crate::{
    ask::MarkAsk,
    script::{Moment, Undoing},
    serve::Served,
    transport::Comeback,
    vectors::Policy,
};

/// How the job of an undo ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum UndoJob {
    #[default]
    Well,
    Fails(u8),
    Lost,
    Hangs,
}

/// How an undo goes.
#[derive(Debug, Default)]
pub(super) struct UndoCourse {
    pub(super) job: UndoJob,
    mark_fails: bool,
    pub(super) reset_fails: Option<&'static str>,
    same_disk: bool,
    same_boot: bool,
    gone: bool,
    /// How it is to be had again after it was brought back.
    pub(super) comeback: Option<Comeback>,
    /// What the packages brought with them is to be had from here.
    before: Option<Before>,
}

/// What a transaction may change.
#[derive(Debug)]
struct Before {
    packages: Vec<Nevra>,
    policy: Policy,
    config_broken: bool,
    denied: Option<Denied>,
    listens: &'static str,
    remote: Option<Served>,
    local: Option<Served>,
    enforcing: Option<bool>,
}

impl UndoCourse {
    fn take(&mut self, undoing: Undoing) {
        match undoing {
            Undoing::Fails(code) => self.job = UndoJob::Fails(code),
            Undoing::Lost => self.job = UndoJob::Lost,
            Undoing::Hangs => self.job = UndoJob::Hangs,
            Undoing::MarkFails => self.mark_fails = true,
            Undoing::ResetFails(why) => self.reset_fails = Some(why),
            Undoing::SameDisk => self.same_disk = true,
            Undoing::SameBoot => self.same_boot = true,
            Undoing::Gone => self.gone = true,
            Undoing::MarkedBy(_) => {}
        }
    }
}

impl Machine {
    pub(super) fn take_undoing(&mut self, undoing: Undoing) {
        self.undoing.take(undoing);
        if let Undoing::MarkedBy(run) = undoing {
            self.mark = Some(format!(
                "run={run}\nsince=2013-02-21T02:00:00Z\nwhy=its undo failed: exit status 1\n"
            ));
        }
    }

    /// Whether it carries the mark of a dirty host.
    #[must_use]
    pub fn is_marked(&self) -> bool {
        self.mark.is_some()
    }

    pub(super) fn about_mark(&mut self, ask: &MarkAsk) -> String {
        let done = "pgmark done\n".to_owned();
        match ask {
            MarkAsk::Read => match &self.mark {
                Some(mark) => format!("pgmark there\n{mark}"),
                None => "pgmark none\n".to_owned(),
            },
            MarkAsk::Put(_) if self.undoing.mark_fails => {
                "pgmark failed it cannot be written\n".to_owned()
            }
            MarkAsk::Put(text) if self.owner.as_deref().and_then(run_of) == run_of(text) => {
                self.mark = Some(format!("{text}\n"));
                done
            }
            MarkAsk::Put(_) => "pgmark failed the lock is not this run's\n".to_owned(),
            MarkAsk::Drop(run) => match self.mark.as_deref().map(run_of) {
                Some(of) if of != Some(run.as_str()) => {
                    "pgmark failed it is not this run's, or cannot be taken away\n".to_owned()
                }
                Some(_) | None => {
                    self.mark = None;
                    done
                }
            },
        }
    }

    /// Takes the lock if it is free and there is no mark but one that is to go.
    pub(super) fn lock_if_clean(&mut self, me: &str, owner: &str, clear: &str) -> String {
        let holder = self.owner.as_deref().and_then(run_of);
        if holder.is_some_and(|h| h != me) {
            return self.lock_told(me) + "pgmark absent\n";
        }
        let is_free = holder.is_none();
        let named = self.mark.as_deref().and_then(run_of) == Some(clear);
        let cleared = self.mark.take_if(|_| named).is_some();
        let own = self.mark.as_deref().is_some_and(|m| run_of(m) == Some(me));
        if self.mark.is_some() && !own {
            self.owner = None;
            return self.lock_told(me) + "pgmark marked\n";
        }
        if is_free {
            self.owner = Some(format!("{owner}\n"));
        }
        let word = match (own, cleared) {
            (true, _) => "own",
            (false, true) => "cleared",
            (false, false) => "absent",
        };
        self.lock_told(me) + &format!("pgmark {word}\n")
    }

    /// What is so before a transaction can be had back.
    pub(super) fn save_before(&mut self) {
        self.undoing.before = Some(Before {
            packages: self.packages.clone(),
            policy: self.policy,
            config_broken: self.config_broken,
            denied: self.denied,
            listens: self.listens,
            remote: self.remote,
            local: self.local,
            enforcing: self.enforcing,
        });
    }

    fn restore(&mut self) {
        if let Some(before) = self.undoing.before.take() {
            self.packages = before.packages;
            self.policy = before.policy;
            self.config_broken = before.config_broken;
            self.denied = before.denied;
            self.listens = before.listens;
            self.remote = before.remote;
            self.local = before.local;
            self.enforcing = before.enforcing;
        }
    }

    /// The package manager undoes its transaction.
    pub(super) fn roll_back(&mut self) {
        self.restore();
        self.happen(Moment::Undo);
    }

    /// The machine is brought back to its snapshot; why that failed.
    pub(crate) fn reset(&mut self) -> Result<(), &'static str> {
        self.undos += 1;
        if let Some(why) = self.undoing.reset_fails {
            return Err(why);
        }
        if !self.undoing.same_disk {
            self.restore();
            (self.owner, self.mark, self.job, self.undo) = (None, None, None, None);
        }
        self.goes_back(self.undoing.same_boot);
        self.undoing.comeback = Some(match self.undoing.gone {
            true => Comeback::Never,
            false => Comeback::After(2),
        });
        self.happen(Moment::Undo);
        Ok(())
    }
}
