//! The session and its socket: waiting for the socket, and nothing else.

use std::{io, net::SocketAddr, os::fd::AsFd as _, time::Duration};

use rustix::net::{Shutdown, sockopt};
use ssh2::{BlockDirections, ErrorCode, Session};
use tokio::{
    io::{Interest, Ready},
    net::TcpStream,
};

/// libssh2's "would block".
const EAGAIN: i32 = -37;

/// A non-blocking session with the socket that it reads and writes.
///
/// It has one owner and is used from one task: libssh2 frees channels without its lock. Dropping
/// it shuts the socket down first, after which no call into libssh2 can wait for the peer.
pub(super) struct Wire {
    pub(super) session: Session,
    /// Where the connection goes to.
    pub(super) address: SocketAddr,
    socket: TcpStream,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Wire {
    /// Takes a connected socket.
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        keep_alive(&stream)?;
        let mut session = Session::new().map_err(io::Error::other)?;
        session.set_blocking(false);
        session.set_tcp_stream(stream.as_fd().try_clone_to_owned()?);
        let address = stream.peer_addr()?;
        Ok(Self {
            session,
            address,
            socket: stream,
        })
    }

    /// Waits until libssh2 can go on: the socket is readable, or writable where it has to write.
    ///
    /// May only be awaited after a call said [`again`]: readiness is forgotten here, and comes back
    /// only with new data. Returns whether there was something to read.
    pub(super) async fn ready(&self) -> io::Result<bool> {
        let interest = match self.session.block_directions() {
            BlockDirections::None | BlockDirections::Inbound => Interest::READABLE,
            BlockDirections::Outbound | BlockDirections::Both => {
                Interest::READABLE | Interest::WRITABLE
            }
        };
        // The kernel forgets it after a few segments. Without it sshd's Nagle waits 40 ms for our
        // delayed acknowledgement, once a channel. A failure costs time and nothing else.
        let _ = sockopt::set_tcp_quickack(&self.socket, true);
        let ready = self.socket.ready(interest).await?;
        self.forget(ready);
        Ok(ready.is_readable())
    }

    /// Takes the readiness for used up: libssh2 reads and writes a descriptor of its own, of which
    /// tokio sees nothing.
    fn forget(&self, ready: Ready) {
        let used_up = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
        if ready.is_readable() {
            drop(self.socket.try_io(Interest::READABLE, used_up));
        }
        if ready.is_writable() {
            drop(self.socket.try_io(Interest::WRITABLE, used_up));
        }
    }

    /// Repeats a call until it says something else than "again".
    pub(super) async fn drive<T>(
        &self,
        mut call: impl FnMut(&Session) -> Result<T, ssh2::Error>,
    ) -> Result<T, ssh2::Error> {
        loop {
            match call(&self.session) {
                Err(error) if is_again(&error) => {
                    if self.ready().await.is_err() {
                        return Err(error);
                    }
                }
                done => return done,
            }
        }
    }

    /// Ends the connection at once, so that nothing in libssh2 waits for the peer any more.
    pub(super) fn cut(&self) {
        let _ = rustix::net::shutdown(&self.socket, Shutdown::Both);
    }
}

/// Says whether the call would have had to wait.
pub(super) fn is_again(error: &ssh2::Error) -> bool {
    error.code() == ErrorCode::Session(EAGAIN)
}

/// Turns "again" into `None`.
pub(super) fn again<T>(result: Result<T, ssh2::Error>) -> Result<Option<T>, ssh2::Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_again(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// How long a peer may leave what was sent without an answer, in milliseconds.
const SILENT_PEER: u32 = 35_000;

/// Lets the kernel notice a vanished peer within about 35 s, whether something is on its way to it
/// (when keep-alives are not sent) or nothing; the deadlines of batches are what counts, this is the
/// belt.
fn keep_alive(stream: &TcpStream) -> io::Result<()> {
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, Duration::from_secs(15))?;
    sockopt::set_tcp_keepintvl(stream, Duration::from_secs(5))?;
    sockopt::set_tcp_keepcnt(stream, 4)?;
    sockopt::set_tcp_user_timeout(stream, SILENT_PEER)?;
    Ok(())
}
