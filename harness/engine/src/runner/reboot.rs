//! The reboot: considered, ordered once, and awaited by what the host says of itself.

mod met;

use std::time::Duration;

use futures_util::future::join_all;
use patchgate_core::{
    event::What,
    evidence::window::Expectations,
    id::HostName,
    ledger::{HostLedger, RebootLedger},
    patchset::PatchSet,
    reading::Reading,
    reboot::{self, Need, Reboot, RebootEnd, RebootSigns},
    state::State,
};
use tokio::time::timeout;

use self::met::Met;
use super::{
    Run,
    link::{FIRST_PAUSE, Link, Stop, longer, until_stopped},
    state::Stay,
};
use crate::{
    clock::{Deadline, Stopwatch, pause},
    host::{Batch, Connector, Host, state_dir::StateDir},
    probe::Prober,
    script::reboot::{
        Sight, advice_item, order_item, read_order, read_sight, read_signs, sight_item, times_item,
    },
};

/// A reboot that was asked for.
const ACROSS: Expectations = Expectations {
    policy_load: false,
    mode_change: false,
    reboot: true,
};

/// What is left undone on a host that was told to reboot and stays.
const STAYED: &str = "it was told to reboot and has not done so by its deadline";

/// How many other hosts are tried when one does not come back.
const OTHERS: usize = 5;

/// How long each of them may take to let us in.
const OTHERS_WITHIN: Duration = Duration::from_secs(30);

impl<C: Connector, P: Prober> Link<'_, C, P> {
    /// The state after a reboot, where the patch set wants one and the host needs it. Returns what is left
    /// undone on the host.
    pub(super) async fn rebooted(&mut self, set: &PatchSet) -> Result<Option<String>, Stop> {
        if set.reboot == Reboot::Never {
            return Ok(None);
        }
        if let Some(end) = self.reboot_known().end {
            return self.go_on_after(end.value).await;
        }
        let signs = self.consider().await?;
        if !self.needs_reboot(set) {
            return Ok(None);
        }
        let Reading::Known(boot) = &signs.boot_id else {
            let why = "the boot that it is in is not known".to_owned();
            self.reboot_ended(&RebootEnd::Refused { why }, Duration::ZERO)?;
            return Ok(None);
        };
        self.go_on()?;
        let stay = self.enter(State::Rebooted, ACROSS).await?;
        match self.reboot(set, boot, &signs.machine_id).await {
            Ok(end) => self.after_reboot(stay, end).await,
            Err(stop) => Err(self.abandon(stay, stop)),
        }
    }

    /// Goes on behind a reboot whose end the record holds.
    async fn go_on_after(&mut self, end: RebootEnd) -> Result<Option<String>, Stop> {
        if self.left(State::Rebooted).is_some() {
            return self.diagnose(State::Rebooted).await.map(|()| None);
        }
        // Where the boot was not known, no state was entered.
        if self.entered(State::Rebooted).is_none() {
            return Ok(None);
        }
        let stay = self.enter(State::Rebooted, ACROSS).await?;
        self.after_reboot(stay, end).await
    }

    /// What its reboot left undone on a host, by the record.
    pub(super) fn left_by_reboot(&self) -> Option<String> {
        match self.reboot_known().end?.value {
            RebootEnd::Stayed { .. } => Some(STAYED.to_owned()),
            RebootEnd::CameBack { .. } | RebootEnd::Refused { .. } | RebootEnd::NotBack { .. } => {
                None
            }
        }
    }

    /// What the record holds of the host's reboot.
    fn reboot_known(&self) -> RebootLedger {
        self.known_of_host(|host| host.reboot.clone())
    }

    /// Whether a reboot was ordered before the run was interrupted, and is to be awaited before anything
    /// else: the host cannot be had, perhaps, or is about to go down.
    pub(super) fn awaits_reboot(&self) -> bool {
        self.is_resumed() && self.reboot_known().is_under_way()
    }

    /// Awaits such a reboot, which is never ordered again, and as long as if it had been ordered now: nobody
    /// has looked meanwhile.
    pub(super) async fn await_ordered(&mut self, set: &PatchSet) -> Result<(), Stop> {
        if !self.awaits_reboot() {
            return Ok(());
        }
        let stay = self.enter(State::Rebooted, ACROSS).await?;
        let known = self.reboot_known();
        let end = match &known.end {
            Some(end) => Ok(end.value.clone()),
            None => self.await_end(set, &known).await,
        };
        match end {
            Ok(RebootEnd::NotBack { why, .. }) => Err(self.not_back(stay, &why)),
            Ok(
                RebootEnd::CameBack { .. } | RebootEnd::Stayed { .. } | RebootEnd::Refused { .. },
            ) => Ok(()),
            Err(stop) => {
                self.break_off()?;
                Err(self.abandon(stay, stop))
            }
        }
    }

    /// Awaits the end of a reboot that an earlier controller ordered, and records it.
    async fn await_end(&mut self, set: &PatchSet, known: &RebootLedger) -> Result<RebootEnd, Stop> {
        let Some(boot) = &known.started else {
            unreachable!("it was ordered");
        };
        let watch = known
            .ordered
            .map_or_else(Stopwatch::start, Stopwatch::since);
        let machine = match &known.signs {
            Some(signs) => signs.value.machine_id.clone(),
            None => Reading::missing("not read"),
        };
        let within = Duration::from_secs(set.reboot_within_s);
        let end = self.await_back(&boot.value, &machine, within).await?;
        self.reboot_ended(&end, watch.elapsed())?;
        Ok(end)
    }

    fn not_back(&self, stay: Stay, why: &str) -> Stop {
        let stop = self.lost("coming back from its reboot", why);
        self.abandon(stay, stop)
    }

    async fn after_reboot(&mut self, stay: Stay, end: RebootEnd) -> Result<Option<String>, Stop> {
        match end {
            RebootEnd::CameBack { .. } => {
                self.look(stay).await?;
                self.diagnose(State::Rebooted).await?;
                Ok(None)
            }
            RebootEnd::Stayed { .. } => {
                self.not_looked_at(stay)?;
                Ok(Some(STAYED.to_owned()))
            }
            RebootEnd::Refused { .. } => self.not_looked_at(stay).map(|()| None),
            RebootEnd::NotBack { why, .. } => Err(self.not_back(stay, &why)),
        }
    }

    /// Leaves a state that the host never came to.
    pub(super) fn not_looked_at(&self, stay: Stay) -> Result<(), Stop> {
        match self.abandon(stay, Stop::Recorded) {
            stop @ Stop::Record(_) => Err(stop),
            Stop::Recorded | Stop::Asked => Ok(()),
        }
    }

    /// Asks the host what speaks for a reboot, and records it.
    async fn consider(&mut self) -> Result<RebootSigns, Stop> {
        self.go_on()?;
        let names = self.known_of_host(reboot::core_packages);
        let items = vec![times_item(&names), advice_item()];
        let asked = self.ask_until_stopped("asking whether a reboot is needed", items);
        let replies = asked.await?;
        let signs = read_signs(&replies[0], &replies[1]);
        let what = What::RebootConsidered {
            signs: Box::new(signs.clone()),
        };
        self.run.write(self.host, None, what)?;
        Ok(signs)
    }

    /// Whether the record so far shows that it needs one.
    fn needs_reboot(&self, set: &PatchSet) -> bool {
        match self.known_of_host(|host| reboot::need(set, host)) {
            Some(Need::Needed { .. }) => true,
            Some(Need::NotNeeded { .. } | Need::Unknown { .. }) | None => false,
        }
    }

    pub(super) fn known_of_host<T>(&self, ask: impl FnOnce(&HostLedger) -> T) -> T {
        self.run.known.ask(&self.host.name, |ledger| {
            let host = ledger.hosts.get(&self.host.name);
            ask(host.unwrap_or(&HostLedger::default()))
        })
    }

    /// Gives the order and awaits its end. The order is durable before the host hears of it; it is given
    /// once, and for this boot only.
    async fn reboot(
        &mut self,
        set: &PatchSet,
        boot: &str,
        machine: &Reading<String>,
    ) -> Result<RebootEnd, Stop> {
        self.go_on()?;
        let boot_id = boot.to_owned();
        let what = What::RebootStarted { boot_id };
        self.run.write(self.host, Some(State::Rebooted), what)?;
        self.run.journal.sync()?;
        let watch = Stopwatch::start();
        let order = order_item(self.run.plan.run.as_str(), boot, &StateDir::default());
        let replies = self.once("rebooting", vec![order]).await?;
        let end = match read_order(&replies[0]) {
            Err(why) => RebootEnd::Refused { why },
            Ok(()) => {
                let within = Duration::from_secs(set.reboot_within_s);
                self.await_back(boot, machine, within).await?
            }
        };
        self.reboot_ended(&end, watch.elapsed())?;
        if let RebootEnd::CameBack { .. } = end {
            self.hold_again().await?;
        }
        Ok(end)
    }

    fn reboot_ended(&self, end: &RebootEnd, elapsed: Duration) -> Result<(), Stop> {
        let end = end.clone();
        let what = What::RebootEnded { end, elapsed };
        self.run.write(self.host, Some(State::Rebooted), what)?;
        self.run.journal.sync()?;
        Ok(())
    }

    /// Looks again and again until the host is in another boot and has started everything.
    async fn await_back(
        &mut self,
        boot: &str,
        machine: &Reading<String>,
        within: Duration,
    ) -> Result<RebootEnd, Stop> {
        self.hang_up();
        let (deadline, mut wait) = (Deadline::after(within), FIRST_PAUSE);
        let mut met = Met::new(boot);
        loop {
            let stop = self.stop.clone();
            let seen = until_stopped(stop, self.see()).await;
            let seen = self.let_go(seen)?;
            if let Ok(sight) = &seen {
                self.is_same_machine(machine, sight)?;
            }
            if let Some(end) = met.take(seen.as_ref().map_err(Clone::clone)) {
                return Ok(end);
            }
            if deadline.is_over() {
                break;
            }
            let waited = async {
                pause(wait.min(deadline.left())).await;
                Ok(())
            };
            until_stopped(self.stop.clone(), waited).await?;
            wait = longer(wait);
        }
        let answered = match met.is_away() {
            true => another_that_answers(self.run, &self.host.name).await,
            false => None,
        };
        Ok(met.over(answered))
    }

    /// One look at the host, over a connection that is had anew where it must be.
    async fn see(&mut self) -> Result<Result<Sight, String>, Stop> {
        let batch = Batch::new("awaiting the reboot", vec![sight_item()]);
        let replies = self.try_once(&batch).await?;
        Ok(replies.map(|r| read_sight(&r[0])))
    }

    /// A machine that has the host's address and key and is another is no business of ours.
    pub(super) fn is_same_machine(
        &self,
        before: &Reading<String>,
        sight: &Sight,
    ) -> Result<(), Stop> {
        match (before, &sight.machine_id) {
            (Reading::Known(was), Reading::Known(is)) if was != is => {
                let why = format!(
                    "another machine answers after the reboot: machine-id {is} instead of {was}"
                );
                Err(self.record_stop(What::SecurityStopped { why }))
            }
            (Reading::Known(_) | Reading::Missing { .. }, _) => Ok(()),
        }
    }
}

/// Another host of the run that can be had at this moment: whoever lets us in shows that the network and we
/// ourselves are well. Hosts of waves that have not begun are not touched.
async fn another_that_answers<C: Connector, P: Prober>(
    run: &Run<C, P>,
    host: &HostName,
) -> Option<HostName> {
    let wave = |name: &HostName| run.plan.waves.as_ref().and_then(|w| w.of(name));
    let begun = |name: &HostName| wave(name) <= wave(host);
    let others = run.targets.iter();
    let others = others.filter(|(name, _)| *name != host && begun(name));
    let asked = others.take(OTHERS).map(|(name, target)| async move {
        let connected = timeout(OTHERS_WITHIN, run.connector.connect(target)).await;
        connected.ok()?.ok()?.close().await;
        Some(name.clone())
    });
    join_all(asked).await.into_iter().flatten().next()
}
