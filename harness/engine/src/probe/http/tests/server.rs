//! A raw TCP server on loopback whose behaviour is a closure.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// A server; it is gone when dropped.
pub(in crate::probe) struct Server {
    pub(in crate::probe) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Treats every connection so.
    pub(in crate::probe) async fn start<F, Fut>(treat: F) -> Self
    where
        F: Fn(TcpStream) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut treated = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                treated.spawn(treat(stream));
            }
        });
        Self {
            address,
            asked: Arc::default(),
            _tasks: tasks,
        }
    }

    /// Reads the request, says this, closes in order.
    pub(in crate::probe) async fn saying(said: &'static [u8]) -> Self {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let noted = Arc::clone(&asked);
        let mut server = Self::start(move |mut stream| {
            let noted = Arc::clone(&noted);
            async move {
                let request = read_request(&mut stream).await;
                noted.lock().unwrap().push(request);
                // The prober may have hung up already.
                let _sent = stream.write_all(said).await;
                let _shut = stream.shutdown().await;
                drain(&mut stream).await;
            }
        })
        .await;
        server.asked = asked;
        server
    }

    pub(in crate::probe) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests that `saying` has read.
    pub(in crate::probe) fn requests(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Reads up to the end of a request's head.
pub(in crate::probe) async fn read_request<S: AsyncReadExt + Unpin>(stream: &mut S) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// Reads until the other side is gone.
pub(in crate::probe) async fn drain<S: AsyncReadExt + Unpin>(stream: &mut S) {
    let mut piece = [0; 1024];
    while stream.read(&mut piece).await.is_ok_and(|n| n > 0) {}
}

/// Ends the connection with a reset.
pub(in crate::probe) fn reset(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}
