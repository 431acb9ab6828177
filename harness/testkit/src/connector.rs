//! Connections to scripted hosts.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use patchgate_engine::{
    clock::pause,
    host::{
        Batch, ConnectError, Connector, Exit, Host, HostError, HostKeyProblem, KnownKey, PeerInfo,
        Reply, Target, TcpFailure,
    },
};

use crate::{
    ask::Ask,
    machine::Machine,
    script::HostScript,
    transport::{Break, Comeback, Connecting},
    world::{Heard, Inner, World},
};

/// How long a round trip takes.
const ROUND_TRIP: Duration = Duration::from_millis(20);

/// Connects to the hosts of a world.
#[derive(Clone)]
pub struct ScriptedConnector(pub World);

/// A connection to a scripted host.
pub struct ScriptedHost {
    world: World,
    name: String,
    peer: PeerInfo,
    /// Whether the connection lives.
    alive: bool,
    /// The host's life that it stands in.
    life: usize,
}

/// What lies between controller and host.
pub(crate) struct Line {
    address: SocketAddr,
    connecting: Connecting,
    refusals: u32,
    breaks: Vec<Break>,
    seen: BTreeMap<String, usize>,
    /// How often the host went down.
    life: usize,
}

impl Line {
    pub(crate) fn new(script: &HostScript) -> Self {
        let address: IpAddr = script.address.parse().expect("scenarios give addresses");
        Self {
            address: SocketAddr::new(address, 22),
            connecting: script.connecting,
            refusals: 0,
            breaks: script.breaks.clone(),
            seen: BTreeMap::new(),
            life: 0,
        }
    }

    /// Whether the connection breaks in this batch.
    fn break_in(&mut self, label: &str, items: usize) -> Option<Break> {
        let seen = self.seen.entry(label.to_owned()).or_default();
        *seen += 1;
        let nth = *seen;
        let due = |b: &&Break| {
            let there = b.item.is_none_or(|item| item < items);
            b.label == label && (b.nth == 0 || b.nth == nth) && there
        };
        let found = self.breaks.iter().find(due).copied();
        if let Some(how) = found {
            self.breaks_off(how.comeback);
        }
        found
    }

    fn breaks_off(&mut self, comeback: Comeback) {
        match comeback {
            Comeback::Never => self.connecting = Connecting::Refused,
            Comeback::WithAnotherKey => self.connecting = Connecting::KeyChanged,
            Comeback::After(n) => self.refusals = n,
            Comeback::AtOnce => {}
        }
    }

    /// The host is brought back, wherever it was.
    pub(crate) fn is_reset(&mut self) {
        (self.connecting, self.refusals) = (Connecting::Fine, 0);
    }

    /// The host goes down: no connection outlives that.
    fn goes_down(&mut self, comeback: Comeback) {
        self.life += 1;
        self.breaks_off(comeback);
    }

    fn answer(&mut self) -> Result<(), ConnectError> {
        if self.refusals > 0 {
            self.refusals -= 1;
            return Err(self.refused());
        }
        match self.connecting {
            Connecting::Fine => Ok(()),
            Connecting::Refused => Err(self.refused()),
            Connecting::KeyChanged => Err(HostKeyProblem::Changed {
                name: self.address.ip().to_string(),
                expected: vec![key("one")],
                got: key("another"),
            }
            .into()),
        }
    }

    fn refused(&self) -> ConnectError {
        ConnectError::Tcp {
            address: self.address,
            failure: TcpFailure::Refused,
            source: io::Error::from(io::ErrorKind::ConnectionRefused),
        }
    }
}

fn key(name: &str) -> KnownKey {
    KnownKey {
        kind: "ssh-ed25519".to_owned(),
        fingerprint: format!("SHA256:{name}"),
    }
}

impl Connector for ScriptedConnector {
    type Host = ScriptedHost;

    async fn connect(&self, target: &Target) -> Result<ScriptedHost, ConnectError> {
        pause(ROUND_TRIP).await;
        self.0.unless_dead().await;
        let mut world = self.0.lock();
        let line = world
            .lines
            .get_mut(&target.name)
            .expect("every target of a scenario is one of its hosts");
        line.answer()?;
        let life = line.life;
        let peer = PeerInfo {
            address: line.address,
            host_key: key("one"),
            banner: "SSH-2.0-OpenSSH_8.7".to_owned(),
            algorithms: "scripted".to_owned(),
        };
        Ok(ScriptedHost {
            world: self.0.clone(),
            name: target.name.clone(),
            peer,
            alive: true,
            life,
        })
    }
}

impl Host for ScriptedHost {
    async fn run_with<F>(&mut self, batch: &Batch, mut on_reply: F) -> Result<Vec<Reply>, HostError>
    where
        F: FnMut(usize, &Reply) + Send,
    {
        assert!(self.alive, "a broken connection is not used again");
        pause(ROUND_TRIP).await;
        self.world.unless_dead().await;
        let replies = self.carry_out(batch);
        self.world.lock().did();
        self.world.unless_dead().await;
        let replies = replies?;
        pause(replies.iter().map(|r| r.elapsed).sum()).await;
        self.world.unless_dead().await;
        for (at, reply) in replies.iter().enumerate() {
            on_reply(at, reply);
        }
        Ok(replies)
    }

    fn peer(&self) -> &PeerInfo {
        &self.peer
    }

    async fn close(self) {}
}

impl ScriptedHost {
    fn carry_out(&mut self, batch: &Batch) -> Result<Vec<Reply>, HostError> {
        let mut world = self.world.lock();
        world.disturb(&self.name, batch);
        let line = world
            .lines
            .get_mut(&self.name)
            .expect("it was connected to");
        if line.life != self.life {
            self.alive = false;
            let why = "connection closed by the host".to_owned();
            return Err(HostError::Lost { why });
        }
        let broken = line.break_in(&batch.label, batch.items.len());
        self.alive = broken.is_none();
        let (from, carried_out) = match broken {
            None => (batch.items.len(), false),
            Some(Break { item: None, .. }) => {
                let why = "connection reset by peer".to_owned();
                return Err(HostError::Lost { why });
            }
            Some(Break {
                item: Some(item),
                carried_out,
                ..
            }) => (item, carried_out),
        };
        let answered = |world: &mut Inner, at| world.answer(&self.name, batch, at);
        let mut replies: Vec<Reply> = (0..from).map(|at| answered(&mut world, at)).collect();
        if carried_out {
            answered(&mut world, from);
        }
        world.goes_down(&self.name);
        let lost = Exit::Lost {
            why: "the connection broke".to_owned(),
        };
        replies.resize(batch.items.len(), Reply::silent(lost));
        Ok(replies)
    }
}

impl Inner {
    /// Cuts the line of a host that has just gone down.
    pub(crate) fn goes_down(&mut self, host: &str) {
        let comeback = self.machines.get_mut(host).and_then(Machine::went_down);
        if let Some((comeback, line)) = comeback.zip(self.lines.get_mut(host)) {
            line.goes_down(comeback);
        }
    }

    fn answer(&mut self, host: &str, batch: &Batch, at: usize) -> Reply {
        let item = &batch.items[at];
        let ask = Ask::of(&item.script);
        self.heard.push(Heard {
            host: host.to_owned(),
            label: batch.label.clone(),
            ask: ask.word(),
            deadline: item.deadline,
        });
        let machine = self.machines.get_mut(host).expect("it was connected to");
        if let Ask::Command(run) = &ask
            && !machine.knows(run)
        {
            self.unknown.push(run.clone());
            return Reply::silent(Exit::Code(127));
        }
        machine.answer(&ask, item)
    }
}
