//! The real door: one libssh2 session a host, owned by the task that uses it.
//!
//! One connection a host for the whole run, one channel a batch. The session never blocks: every
//! wait is a wait for the socket under a deadline, and a connection that is given up is shut down
//! first, so that nothing in libssh2 can wait for a dead peer. libssh2's exit status is never
//! looked at: it is 0 for a command that never ended.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::timeout;

use crate::host::{
    Batch, ConnectError, Connector, Host, HostError, PeerInfo, Reply, Target,
    frame::{self, Nonce},
};

mod agent;
mod algorithms;
mod batch;
mod connect;
mod exec;
mod gate;
mod jump;
mod key;
pub mod known_hosts;
mod login;
mod wire;

use exec::Exec;
use gate::Gate;
use key::PrivateKey;
use known_hosts::{KnownHosts, Warning};
use login::Credentials;
use wire::Wire;

/// How often a login is tried again when the server hangs up before it has said who it is.
const RETRIES: u32 = 5;

/// How much is read from a stream at once.
const BUFFER: usize = 32 * 1024;

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// Opens SSH connections for one run. Files of known hosts are read once.
#[derive(Debug, Default)]
pub struct SshConnector {
    gate: Gate,
    known: Mutex<HashMap<Vec<PathBuf>, Arc<KnownHosts>>>,
}

impl SshConnector {
    /// Makes a connector that knows no host yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the lines of all known_hosts files read so far that are not used, and why.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut warnings: Vec<Warning> = known
            .values()
            .flat_map(|known| known.warnings().iter().cloned())
            .collect();
        warnings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
        warnings.dedup();
        warnings
    }

    fn known_hosts(&self, paths: &[PathBuf]) -> Result<Arc<KnownHosts>, ConnectError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(paths) {
            return Ok(Arc::clone(known));
        }
        let read = Arc::new(KnownHosts::load(paths)?);
        known.insert(paths.to_vec(), Arc::clone(&read));
        Ok(read)
    }

    /// The keys for a machine, and what is known of its own.
    fn means(&self, target: &Target) -> Result<(Vec<PrivateKey>, Arc<KnownHosts>), ConnectError> {
        let known = self.known_hosts(&target.known_hosts)?;
        let keys = target.key_files.iter().map(|path| PrivateKey::read(path));
        Ok((keys.collect::<Result<_, _>>()?, known))
    }

    async fn try_once(
        &self,
        target: &Target,
        credentials: &Credentials<'_>,
        jump: Option<(&Target, &Credentials<'_>)>,
    ) -> Result<SshHost, ConnectError> {
        let first = jump.map_or(target, |(jump, _)| jump);
        let addresses = connect::resolve(first).await?;
        let _turn = self.gate.enter(addresses[0].ip()).await;
        let mut stream = connect::connect(&addresses, first.connect_timeout).await?;
        if let Some((jump, credentials)) = jump {
            stream = jump::through(stream, jump, credentials, target).await?;
        }
        let local = |source| ConnectError::Local {
            stage: crate::host::Stage::Connect,
            source,
        };
        let wire = Wire::new(stream).map_err(local)?;
        let peer = login::login(&wire, target, credentials).await?;
        Ok(SshHost {
            peer,
            command: frame::command(target.become_root),
            broken: None,
            retired: Vec::new(),
            buffer: vec![0; BUFFER].into(),
            wire,
        })
    }
}

impl Connector for SshConnector {
    type Host = SshHost;

    async fn connect(&self, target: &Target) -> Result<SshHost, ConnectError> {
        // First what needs no packet: an open key or an unreadable file stops everything.
        let (keys, known) = self.means(target)?;
        let credentials = Credentials {
            keys: &keys,
            known: &known,
        };
        let means = target.jump.as_ref().map(|jump| self.means(jump));
        let means = means.transpose()?;
        let of_jump = means
            .as_ref()
            .map(|(keys, known)| Credentials { keys, known });
        let jump = target.jump.as_deref().zip(of_jump.as_ref());
        let mut tries = 0;
        loop {
            match self.try_once(target, &credentials, jump).await {
                Err(error) if tries < RETRIES && is_worth_retrying(&error) => {
                    tries += 1;
                    back_off(tries).await;
                }
                done => return done,
            }
        }
    }
}

/// sshd hangs up on logins beyond `MaxStartups`, which says nothing about the host.
fn is_worth_retrying(error: &ConnectError) -> bool {
    match error {
        ConnectError::Banner { .. } => true,
        ConnectError::Lost { stage, .. } => *stage < crate::host::Stage::HostKey,
        ConnectError::Tcp { source, .. } => source.kind() == std::io::ErrorKind::ConnectionReset,
        ConnectError::Resolve { .. }
        | ConnectError::Kex { .. }
        | ConnectError::HostKey(_)
        | ConnectError::KnownHosts { .. }
        | ConnectError::KeyFile(_)
        | ConnectError::Auth { .. }
        | ConnectError::Deadline { .. }
        | ConnectError::Local { .. } => false,
    }
}

/// Waits 0.2 s, 0.4 s, 0.8 s, each between half and one and a half times, so that those who were
/// turned away together do not come back together.
#[expect(
    clippy::disallowed_methods,
    reason = "there is no condition to await, only time"
)]
async fn back_off(tries: u32) {
    let mut random = [0_u8; 1];
    openssl::rand::rand_bytes(&mut random).expect("the system has randomness");
    let base = Duration::from_millis(100) * 2_u32.pow(tries);
    tokio::time::sleep(base / 2 + base * u32::from(random[0]) / 255).await;
}

/// Makes a nonce nobody can guess.
fn nonce() -> Nonce {
    let mut bytes = [0; 16];
    openssl::rand::rand_bytes(&mut bytes).expect("the system has randomness");
    Nonce::new(bytes)
}

/// One connected host.
pub struct SshHost {
    peer: PeerInfo,
    command: String,
    /// Why the connection cannot be used any more.
    broken: Option<String>,
    retired: Vec<Exec>,
    buffer: Box<[u8]>,
    wire: Wire,
}

impl Drop for SshHost {
    fn drop(&mut self) {
        // Before the channels go: they would say goodbye to a peer that may not listen.
        self.wire.cut();
    }
}

impl std::fmt::Debug for SshHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SshHost")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

impl Host for SshHost {
    async fn run_with<F>(&mut self, batch: &Batch, on_reply: F) -> Result<Vec<Reply>, HostError>
    where
        F: FnMut(usize, &Reply) + Send,
    {
        if let Some(why) = &self.broken {
            return Err(HostError::Lost { why: why.clone() });
        }
        if let Some(index) = batch
            .items
            .iter()
            .position(|item| item.script.contains('\0'))
        {
            return Err(HostError::BadItem { index });
        }
        if batch.items.is_empty() {
            return Ok(Vec::new());
        }
        // Stands until the end: a dropped future leaves libssh2 in the middle of something.
        self.broken = Some(format!("batch `{}` was abandoned half-way", batch.label));
        let means = batch::Means {
            wire: &self.wire,
            buffer: &mut self.buffer,
            command: &self.command,
            retired: &mut self.retired,
        };
        let ran = batch::run(means, batch, on_reply).await;
        self.broken = ran.broken;
        ran.result
    }

    fn peer(&self) -> &PeerInfo {
        &self.peer
    }

    async fn close(self) {
        let goodbye = self
            .wire
            .drive(|session| session.disconnect(None, "done", None));
        // The socket is shut down next, whatever comes of this.
        drop(timeout(GOODBYE, goodbye).await);
    }
}
