//! A connection that comes back: the host's, for the whole run.

use std::time::Duration;

use patchgate_core::{event::What, evidence::access::Query, plan::PlannedHost};
use tokio::{sync::watch, time::timeout};

use super::{Run, StopSignal};
use crate::{
    clock::{Deadline, Stopwatch, pause},
    host::{Batch, ConnectError, Connector, Exit, Host, HostError, Item, Reply},
    probe::Prober,
    record::RecordError,
};

/// The first pause before a connection is tried again.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause before a connection is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long a run that was stopped still talks to a host: it is to end within three seconds.
const GRACE: Duration = Duration::from_millis(2500);

/// Why a host is not worked on any further.
pub(super) enum Stop {
    /// The record is broken: the run is over.
    Record(RecordError),
    /// The host's part is over; the reason is in the record.
    Recorded,
    /// Somebody stopped the run.
    Asked,
}

impl From<RecordError> for Stop {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

/// The connection to one host.
pub(super) struct Link<'a, C: Connector, P> {
    pub(super) run: &'a Run<C, P>,
    pub(super) host: &'a PlannedHost,
    pub(super) stop: StopSignal,
    /// How long the host is in its state.
    pub(super) entered: Stopwatch,
    /// Tells those who ask beside everything else to be quiet.
    pub(super) quiet: watch::Sender<bool>,
    /// What the kernel answered at the baseline: asked again in every later state.
    pub(super) answered: Vec<Query>,
    connection: Option<C::Host>,
    /// Until when a connection that is missing may come back, and why it has not.
    missing: Option<(Deadline, String)>,
    /// Until when a run that was stopped talks to the host.
    grace: Option<Deadline>,
}

impl<'a, C: Connector, P: Prober> Link<'a, C, P> {
    /// Connects for the first time; a host that cannot be reached is recorded as such. One that was told to
    /// reboot before the run was interrupted is not to be had now, perhaps: whoever awaits it connects.
    pub(super) async fn open(
        run: &'a Run<C, P>,
        host: &'a PlannedHost,
        stop: StopSignal,
    ) -> Result<Self, Stop> {
        let mut link = Self {
            run,
            host,
            stop,
            entered: Stopwatch::start(),
            quiet: watch::Sender::new(false),
            answered: Vec::new(),
            grace: None,
            connection: None,
            missing: None,
        };
        if link.awaits_reboot() {
            return Ok(link);
        }
        let stop = link.stop.clone();
        let connected = async { Ok(link.connect().await?) };
        match until_stopped(stop, connected).await? {
            Ok(()) => Ok(link),
            Err(error) => Err(link.unreachable(&error)),
        }
    }

    async fn connect(&mut self) -> Result<Result<(), ConnectError>, RecordError> {
        let Some(target) = self.run.targets.get(&self.host.name) else {
            unreachable!("the plan and the targets come from one inventory");
        };
        let begun = std::time::Instant::now();
        match self.run.connector.connect(target).await {
            Err(error) => Ok(Err(error)),
            Ok(connection) => {
                let peer = connection.peer();
                let connected = What::HostConnected {
                    address: peer.address.to_string(),
                    host_key: peer.host_key.to_string(),
                    elapsed: begun.elapsed(),
                };
                (self.connection, self.missing) = (Some(connection), None);
                self.run.write(self.host, None, connected)?;
                Ok(Ok(()))
            }
        }
    }

    fn unreachable(&self, error: &ConnectError) -> Stop {
        let what = if error.is_security_stop() {
            What::SecurityStopped {
                why: error_chain(error),
            }
        } else {
            What::HostUnreachable {
                stage: error.stage().to_string(),
                why: error_chain(error),
            }
        };
        self.record_stop(what)
    }

    /// Records why the host's part is over.
    pub(super) fn record_stop(&self, what: What) -> Stop {
        match self.run.write(self.host, None, what) {
            Ok(()) => Stop::Recorded,
            Err(error) => Stop::Record(error),
        }
    }

    /// Runs a batch. `Err` means that nothing of it was begun.
    pub(super) async fn run<F>(
        &mut self,
        batch: &Batch,
        on_reply: F,
    ) -> Result<Vec<Reply>, HostError>
    where
        F: FnMut(usize, &Reply) + Send,
    {
        let Some(connection) = &mut self.connection else {
            return Err(HostError::Lost {
                why: "there is no connection".to_owned(),
            });
        };
        let replies = connection.run_with(batch, on_reply).await;
        let lost = match &replies {
            Ok(replies) => replies.iter().any(is_lost),
            Err(error) => !error.connection_lives(),
        };
        if lost {
            self.connection = None;
        }
        replies
    }

    /// Runs items that change nothing and may be asked again after a lost connection, for as long as a
    /// connection may take to come back: a question that breaks every connection is given up.
    pub(super) async fn ask(
        &mut self,
        label: &'static str,
        items: Vec<Item>,
    ) -> Result<Vec<Reply>, Stop> {
        match self.try_ask(&Batch::new(label, items)).await? {
            Ok(replies) => Ok(replies),
            Err(why) => Err(self.lost(label, &why)),
        }
    }

    /// As [`Self::ask`], for what a run can do without: why there is no answer is told to the caller, and
    /// the host is not recorded as lost.
    pub(super) async fn try_ask(
        &mut self,
        batch: &Batch,
    ) -> Result<Result<Vec<Reply>, String>, Stop> {
        let (mut deadline, mut wait) = (None, FIRST_PAUSE);
        loop {
            if let Err(why) = self.try_ensure().await? {
                return Ok(Err(why));
            }
            let why = match self.run(batch, |_, _| {}).await {
                Ok(replies) if !replies.iter().any(is_lost) => return Ok(Ok(replies)),
                Ok(_) => "the connection broke, again and again".to_owned(),
                Err(error) if !error.connection_lives() => error_chain(&error),
                Err(error) => return Ok(Err(error_chain(&error))),
            };
            if deadline
                .get_or_insert_with(|| Deadline::after(self.run.reconnect_within()))
                .is_over()
            {
                return Ok(Err(why));
            }
            pause(wait).await;
            wait = longer(wait);
        }
    }

    /// One try at something that changes nothing, over a new connection where there is none: why there is no
    /// answer is told to the caller. A security stop is recorded.
    pub(super) async fn try_once(
        &mut self,
        batch: &Batch,
    ) -> Result<Result<Vec<Reply>, String>, Stop> {
        if self.connection.is_none()
            && let Err(error) = self.connect().await?
        {
            return match error.is_security_stop() {
                true => Err(self.unreachable(&error)),
                false => Ok(Err(error_chain(&error))),
            };
        }
        Ok(match self.run(batch, |_, _| {}).await {
            Ok(replies) if !replies.iter().any(is_lost) => Ok(replies),
            Ok(_) => Err("the connection broke".to_owned()),
            Err(error) => Err(error_chain(&error)),
        })
    }

    /// Runs items that change the host, exactly once: one that was not heard of is not sent again.
    pub(super) async fn once(
        &mut self,
        label: &'static str,
        items: Vec<Item>,
    ) -> Result<Vec<Reply>, Stop> {
        self.ensure(label).await?;
        let batch = Batch::new(label, items);
        let replies = self.run(&batch, |_, _| {}).await;
        Ok(replies.unwrap_or_else(|error| {
            let why = error_chain(&error);
            vec![Reply::silent(Exit::NotRun { why }); batch.items.len()]
        }))
    }

    /// As [`Self::ask`], for what may be left half-way when somebody stops the run.
    pub(super) async fn ask_until_stopped(
        &mut self,
        label: &'static str,
        items: Vec<Item>,
    ) -> Result<Vec<Reply>, Stop> {
        self.go_on()?;
        let stop = self.stop.clone();
        let asked = until_stopped(stop, self.ask(label, items)).await;
        self.let_go(asked)
    }

    /// Whether somebody stopped the run.
    pub(super) fn stopped(&self) -> bool {
        self.stop.borrow().is_some()
    }

    /// How long the host is still talked to: for ever, until somebody stops the run.
    pub(super) fn patience(&mut self) -> Duration {
        match self.stopped() {
            false => Duration::MAX,
            true => {
                let grace = self.grace.get_or_insert_with(|| Deadline::after(GRACE));
                grace.left()
            }
        }
    }

    /// Goes on unless somebody stopped the run.
    pub(super) fn go_on(&self) -> Result<(), Stop> {
        match self.stopped() {
            true => Err(Stop::Asked),
            false => Ok(()),
        }
    }

    /// Lets a connection go whose batch was left half-way: it is of no more use.
    pub(super) fn let_go<T>(&mut self, asked: Result<T, Stop>) -> Result<T, Stop> {
        if let Err(Stop::Asked) = asked {
            self.hang_up();
        }
        asked
    }

    /// Lets a connection go whose batch was not waited for.
    pub(super) fn hang_up(&mut self) {
        self.connection = None;
    }

    /// Makes sure that there is a connection; gives up after a deadline, and says so in the record.
    pub(super) async fn ensure(&mut self, doing: &str) -> Result<(), Stop> {
        match self.try_ensure().await? {
            Ok(()) => Ok(()),
            Err(why) => Err(self.lost(doing, &why)),
        }
    }

    /// As [`Self::ensure`], but why there is no connection is told to the caller. The deadline is that of the
    /// connection that is missing, whoever asks for it how often, and no attempt outlives it. A security stop
    /// is recorded in any case.
    async fn try_ensure(&mut self) -> Result<Result<(), String>, Stop> {
        let mut wait = FIRST_PAUSE;
        while self.connection.is_none() {
            let deadline = self.missing().0;
            match timeout(deadline.left(), self.connect()).await {
                Ok(connected) => match connected? {
                    Ok(()) => break,
                    Err(error) if error.is_security_stop() => return Err(self.unreachable(&error)),
                    Err(error) => self.missing().1 = error_chain(&error),
                },
                Err(_) => return Ok(Err(self.missing().1.clone())),
            }
            if self.stopped() {
                return Ok(Err(self.missing().1.clone()));
            }
            pause(wait.min(deadline.left())).await;
            wait = longer(wait);
        }
        Ok(Ok(()))
    }

    fn missing(&mut self) -> &mut (Deadline, String) {
        let within = self.run.reconnect_within();
        self.missing.get_or_insert_with(|| {
            let why = format!("no connection came about within {within:?}");
            (Deadline::after(within), why)
        })
    }

    pub(super) fn lost(&self, doing: &str, why: &str) -> Stop {
        self.record_stop(What::HostLost {
            doing: doing.to_owned(),
            why: why.to_owned(),
        })
    }

    /// Says goodbye.
    pub(super) async fn close(self) {
        if let Some(connection) = self.connection {
            connection.close().await;
        }
    }
}

/// The next pause between two tries.
pub(super) fn longer(wait: Duration) -> Duration {
    (wait * 2).min(LONGEST_PAUSE)
}

/// Does something that may be left half-way, until somebody stops the run.
pub(super) async fn until_stopped<T>(
    mut stop: StopSignal,
    work: impl Future<Output = Result<T, Stop>>,
) -> Result<T, Stop> {
    tokio::select! {
        biased;
        Ok(_) = stop.wait_for(Option::is_some) => Err(Stop::Asked),
        done = work => done,
    }
}

/// Whether nobody knows how an item ended.
pub(super) fn is_lost(reply: &Reply) -> bool {
    matches!(reply.exit, Exit::Lost { .. })
}

/// An error and its sources in one line.
pub(super) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let words = source.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        next = source.source();
    }
    text
}
