//! The mark of a dirty host: met, put there, and taken away.

use patchgate_core::{
    event::What,
    undo::{Mark, MarkAct},
};

use super::link::{Link, Stop};
use crate::{
    clock,
    host::{
        Connector, Reply,
        mark::{self, Fate},
        state_dir::StateDir,
    },
    probe::Prober,
};

impl<C: Connector, P: Prober> Link<'_, C, P> {
    /// Goes on unless an earlier run left the host dirty, which is recorded; so is a mark that was taken away
    /// because somebody said so. A run that goes on meets its own mark, which an earlier controller may not have
    /// lived to record.
    pub(super) fn unless_dirty(&self, marked: &Reply, taken: &Reply) -> Result<(), Stop> {
        let mark = || mark::read(marked).ok().flatten().unwrap_or_default();
        match mark::fate(taken) {
            Fate::Absent => Ok(()),
            Fate::Own if self.known_of_host(|host| host.undo.is_marked()) => Ok(()),
            Fate::Own => self.mark_is(mark(), MarkAct::Written),
            Fate::Marked => Err(self.record_stop(What::HostDirty { mark: mark() })),
            Fate::Cleared => self.mark_is(mark(), MarkAct::Cleared),
        }
    }

    /// Records the mark that a run meets which changes nothing.
    pub(super) fn met_mark(&self, reply: &Reply) -> Result<(), Stop> {
        match mark::read(reply) {
            Ok(Some(mark)) => self.mark_is(mark, MarkAct::Found),
            // Without root nobody sees it, and nothing is changed anyway.
            Ok(None) | Err(_) => Ok(()),
        }
    }

    /// The mark that this run would leave.
    pub(super) fn mark_of(&self, why: &str) -> Mark {
        Mark {
            run: self.run.plan.run.to_string(),
            since: clock::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            why: why.to_owned(),
        }
    }

    /// Records a mark that was put there; says why it could not be.
    pub(super) fn marked(&self, put: Option<(Mark, &Reply)>) -> Result<Option<String>, Stop> {
        let Some((mark, reply)) = put else {
            return Ok(None);
        };
        match mark::done(reply) {
            Ok(()) => self.mark_is(mark, MarkAct::Written).map(|()| None),
            Err(why) => Ok(Some(format!("it could not be marked as dirty: {why}"))),
        }
    }

    /// Takes the mark of a host away that is not left dirty; says why it could not.
    pub(super) async fn drop_mark(&mut self, dirty: bool) -> Result<Option<String>, Stop> {
        match !dirty && self.is_marked_for_nothing() {
            true => self.unmark().await,
            false => Ok(None),
        }
    }

    /// Takes this run's own mark away; says why it could not.
    async fn unmark(&mut self) -> Result<Option<String>, Stop> {
        let run = self.run.plan.run.as_str();
        let item = mark::drop_item(run, &StateDir::default());
        let replies = self.ask("taking the mark away", vec![item]).await?;
        match mark::done(&replies[0]) {
            Ok(()) => self
                .mark_is(self.mark_of(""), MarkAct::Dropped)
                .map(|()| None),
            Err(why) => Ok(Some(format!("its mark could not be taken away: {why}"))),
        }
    }

    pub(super) fn mark_is(&self, mark: Mark, act: MarkAct) -> Result<(), Stop> {
        let what = What::DirtyMark { mark, act };
        Ok(self.run.write(self.host, None, what)?)
    }
}
