//! The way through a jump host: a login there, a channel to the host, and a pair of local sockets.
//!
//! libssh2 wants a socket, so the channel's bytes go through one: the session of the host works with its
//! other end as with any connection. The jump host sees nothing but ciphertext, and is held to its own key.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr},
};

use ssh2::Channel;
use tokio::{
    io::Interest,
    net::{TcpListener, TcpStream},
    time::timeout,
};

use super::{BUFFER, login, login::Credentials, wire::Wire};
use crate::host::{ConnectError, Stage, Target, TcpFailure};

/// Logs in to the jump host over a connected socket, and connects from there to the host.
///
/// Returns a socket that leads to the host; it lasts as long as both connections do.
pub(super) async fn through(
    stream: TcpStream,
    jump: &Target,
    credentials: &Credentials<'_>,
    target: &Target,
) -> Result<TcpStream, ConnectError> {
    let wire = Wire::new(stream).map_err(local)?;
    login::login(&wire, jump, credentials).await?;
    let to = (target.address.as_str(), target.port);
    let opened = wire.drive(|session| session.channel_direct_tcpip(to.0, to.1, None));
    let channel = match timeout(target.connect_timeout, opened).await {
        Ok(opened) => opened.map_err(|source| refused(&wire, jump, target, &source))?,
        Err(_) => {
            return Err(ConnectError::Deadline {
                host: target.address.clone(),
                stage: Stage::Connect,
                after: target.connect_timeout,
            });
        }
    };
    let (near, far) = pair().await.map_err(local)?;
    // It ends by itself, with either connection.
    drop(tokio::spawn(pump(wire, channel, far)));
    Ok(near)
}

fn local(source: io::Error) -> ConnectError {
    ConnectError::Local {
        stage: Stage::Connect,
        source,
    }
}

fn refused(wire: &Wire, jump: &Target, target: &Target, source: &ssh2::Error) -> ConnectError {
    let (jump, host, port) = (&jump.address, &target.address, target.port);
    let why = format!("the jump host `{jump}` cannot reach `{host}` port {port}: {source}");
    ConnectError::Tcp {
        address: wire.address,
        failure: TcpFailure::Other,
        source: io::Error::other(why),
    }
}

/// Two ends of one local connection, which nobody else can have got hold of.
async fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let near = TcpStream::connect(listener.local_addr()?).await?;
    let own: SocketAddr = near.local_addr()?;
    loop {
        let (far, peer) = listener.accept().await?;
        if peer == own {
            far.set_nodelay(true)?;
            return Ok((near, far));
        }
    }
}

/// Bytes on their way in one direction.
struct Way {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Way {
    fn new() -> Self {
        Self {
            bytes: vec![0; BUFFER].into(),
            start: 0,
            end: 0,
        }
    }

    /// Reads where nothing is waiting to be written, and writes what is; whether anything moved, and none
    /// at the end of the stream.
    fn go_on(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
        write: impl FnOnce(&[u8]) -> io::Result<usize>,
    ) -> io::Result<Option<bool>> {
        let mut moved = false;
        if self.start == self.end {
            match not_yet(read(&mut self.bytes))? {
                Some(0) => return Ok(None),
                Some(n) => (self.start, self.end, moved) = (0, n, true),
                None => {}
            }
        }
        if self.start < self.end
            && let Some(n) = not_yet(write(&self.bytes[self.start..self.end]))?
        {
            self.start += n;
            moved |= n > 0;
        }
        Ok(Some(moved))
    }

    fn is_full(&self) -> bool {
        self.start < self.end
    }
}

/// Turns "would block" into `None`.
fn not_yet(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(n) => Ok(Some(n)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// Carries bytes until one of both sides has ended. The session is used by this task alone.
async fn pump(wire: Wire, channel: Channel, far: TcpStream) {
    // A broken connection is told by the session that goes through it.
    drop(carry(&wire, channel, &far).await);
}

async fn carry(wire: &Wire, mut channel: Channel, far: &TcpStream) -> io::Result<()> {
    let (mut down, mut up) = (Way::new(), Way::new());
    loop {
        let came = down.go_on(|b| channel.read(b), |b| far.try_write(b))?;
        let went = up.go_on(|b| far.try_read(b), |b| channel.write(b))?;
        match (came, went) {
            (None, _) | (_, None) => return Ok(()),
            (Some(false), Some(false)) => {}
            (Some(_), Some(_)) => continue,
        }
        let interest = match (down.is_full(), up.is_full()) {
            (true, false) => Interest::READABLE | Interest::WRITABLE,
            (true, true) => Interest::WRITABLE,
            (false, _) => Interest::READABLE,
        };
        tokio::select! {
            ready = wire.ready() => {
                ready?;
            }
            ready = far.ready(interest), if down.is_full() || !up.is_full() => {
                ready?;
            }
        }
    }
}
