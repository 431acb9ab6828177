//! Between reqwest and the wire: carries bytes both ways and writes down how the wire ended.
//!
//! reqwest cannot tell how a connection ended. Measured with 0.13: a reset before the answer comes out
//! as "operation was canceled: connection was not ready", the errno lost; a close without a byte and a
//! close inside the head have the same error; a reset after a body without a length is the body's
//! regular end. Its connection type is sealed, so nothing can be put between it and a socket; but it
//! speaks over any Unix socket. So patchgate makes the connection itself ([`super::wire`]), hands reqwest
//! a Unix socket, and carries the bytes. It is the same connection that is observed and used: a second
//! one, made to learn what the first had met, could meet something else.

use std::{
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener as StdUnixListener},
    },
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, copy, sink, split},
    net::{UnixListener, UnixStream, unix},
    task::JoinSet,
};

use super::{
    body::hex,
    chain,
    tally::Tally,
    wire::{Stream, Wire},
};

/// How much is carried at once, in bytes.
const PIECE: usize = 16 * 1024;

/// How a wire ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The server closed it in order.
    Closed,
    /// The server closed TCP under a TLS session that it had not ended.
    Cut,
    /// The server, or something on the way, reset it.
    Reset,
    /// TLS failed after the handshake; the words are OpenSSL's.
    Tls(String),
    /// The network failed; the words are the kernel's.
    Broken(String),
}

/// What passed over a wire.
#[derive(Debug, Default)]
pub(super) struct Log {
    bytes: AtomicU64,
    end: Mutex<Option<End>>,
}

impl Log {
    /// Bytes of the answer that came, head included, without TLS.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }

    /// How the wire ended; none while it stands.
    pub(super) fn end(&self) -> Option<End> {
        self.end
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Writes down the end; the first one stays.
    fn ended(&self, end: End) {
        let mut slot = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        slot.get_or_insert(end);
    }
}

/// A running relay; dropped, it closes the wire.
pub(super) struct Relay {
    /// The Unix socket, in the abstract namespace: it needs no file system and leaves nothing behind.
    pub(super) socket: PathBuf,
    /// What passes.
    pub(super) log: Arc<Log>,
    _task: JoinSet<()>,
}

impl Relay {
    /// Starts to carry; the first connection of this very process to the socket gets the wire.
    ///
    /// # Errors
    /// When no socket can be had.
    pub(super) fn start(wire: Wire) -> io::Result<Self> {
        let name = socket_name()?;
        let address = SocketAddr::from_abstract_name(&name)?;
        let listener = StdUnixListener::bind_addr(&address)?;
        listener.set_nonblocking(true)?;
        let listener = UnixListener::from_std(listener)?;
        let log = Arc::new(Log::default());
        let mut task = JoinSet::new();
        let theirs = Arc::clone(&log);
        task.spawn(async move {
            // A listener that fails leaves reqwest without an answer, which the caller reports.
            if let Ok(near) = accept_own(listener).await {
                carry(near, wire, &theirs).await;
            }
        });
        Ok(Self {
            socket: PathBuf::from(format!("\0{name}")),
            log,
            _task: task,
        })
    }
}

fn socket_name() -> io::Result<String> {
    let mut random = [0; 16];
    openssl::rand::rand_bytes(&mut random).map_err(io::Error::other)?;
    Ok(format!("patchgate-{}", hex(&random)))
}

/// Takes the first connection that this process makes; any other user of the machine could try.
async fn accept_own(listener: UnixListener) -> io::Result<UnixStream> {
    let own = i32::try_from(std::process::id()).map_err(io::Error::other)?;
    loop {
        let (near, _) = listener.accept().await?;
        if near.peer_cred()?.pid() == Some(own) {
            return Ok(near);
        }
    }
}

/// Carries both ways, until dropped.
///
/// The answer is let through only after the request has begun: bytes that come unasked would make the
/// client give up before it has sent anything, by chance of timing.
async fn carry(near: UnixStream, wire: Wire, log: &Log) {
    let (mut near_in, near_out) = near.into_split();
    let (far_in, mut far_out) = split(wire.stream);
    let under_tls = wire.tls.then_some(&*wire.tally);
    let mut first = vec![0; PIECE];
    let n = near_in.read(&mut first).await.unwrap_or(0);
    let begun = far_out.write_all(&first[..n]).await;
    tokio::join!(
        up(begun, near_in, far_out, log),
        down(far_in, near_out, under_tls, log),
    );
}

/// Carries the request. A write that meets a reset eats the errno, so it is written down here; any
/// other failure to write is no end: the answer may be on its way, and reading tells.
async fn up(
    begun: io::Result<()>,
    mut near: unix::OwnedReadHalf,
    mut far: WriteHalf<Box<dyn Stream>>,
    log: &Log,
) {
    let sent = match begun {
        Ok(()) => copy(&mut near, &mut far).await.map(drop),
        Err(e) => Err(e),
    };
    if sent.is_err_and(|e| e.kind() == io::ErrorKind::ConnectionReset) {
        log.ended(End::Reset);
    }
    // Unread bytes in a closed Unix socket would reset the client's side of it.
    let _rest = copy(&mut near, &mut sink()).await;
}

/// Carries the answer. The end is in the log before the client can see it.
async fn down(
    mut far: ReadHalf<Box<dyn Stream>>,
    mut near: unix::OwnedWriteHalf,
    under_tls: Option<&Tally>,
    log: &Log,
) {
    let mut piece = vec![0; PIECE];
    let end = loop {
        match far.read(&mut piece).await {
            // The end of a TLS session is read from its own record, before TCP's end is.
            Ok(0) if under_tls.is_some_and(Tally::closed) => break End::Cut,
            Ok(0) => break End::Closed,
            Ok(n) => {
                log.bytes.fetch_add(n as u64, Ordering::AcqRel);
                if near.write_all(&piece[..n]).await.is_err() {
                    return;
                }
            }
            Err(e) => break ended_by(&e),
        }
    };
    log.ended(end);
    // The client may have gone already, and then nobody waits for this end.
    let _gone = near.shutdown().await;
}

fn ended_by(e: &io::Error) -> End {
    if e.kind() == io::ErrorKind::ConnectionReset {
        return End::Reset;
    }
    match e.get_ref().is_some_and(|e| e.is::<openssl::ssl::Error>()) {
        true => End::Tls(chain(e)),
        false => End::Broken(chain(e)),
    }
}
