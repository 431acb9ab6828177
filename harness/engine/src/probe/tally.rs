//! A TCP stream that remembers whether anything came in, and whether the peer closed it.
//!
//! A TLS handshake that fails says only that it failed; what the wire underneath did tells a silent
//! server from a closed one and from one that does not speak TLS.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// What came in over a stream so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    bytes: AtomicU64,
    closed: AtomicBool,
}

impl Tally {
    /// Bytes that came in, TLS records and all.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }

    /// Whether the peer has closed its direction.
    pub(super) fn closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

/// A stream with a tally.
#[derive(Debug)]
pub(super) struct Tallied {
    stream: TcpStream,
    tally: Arc<Tally>,
}

impl Tallied {
    /// Starts to count.
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            tally: Arc::default(),
        }
    }

    /// The tally, which stays readable when the stream is given away.
    pub(super) fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }
}

impl AsyncRead for Tallied {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if let Poll::Ready(Ok(())) = polled {
            let n = buf.filled().len() - before;
            self.tally.bytes.fetch_add(n as u64, Ordering::AcqRel);
            if n == 0 && buf.remaining() > 0 {
                self.tally.closed.store(true, Ordering::Release);
            }
        }
        polled
    }
}

impl AsyncWrite for Tallied {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
