//! One lab guest, reached through the engine's own door from where the remote client is.

use std::{
    fs::File,
    os::fd::AsFd as _,
    time::{Duration, Instant},
};

use patchgate_core::evidence::capture::WindowCapture;
use patchgate_engine::{
    clock::pause,
    host::{Batch, Connector as _, Host as _, Item, Reply, Target},
    lab::{HostState, Lab, Progress},
    script::window::{self, Open},
    ssh::{SshConnector, SshHost},
};

pub(crate) const HOST: &str = "lab-rebuild";
const ADDRESS: &str = "10.77.0.11";

fn report(progress: &Progress) {
    println!("{progress}");
}

/// A lab of its own with one host up; it goes down with the value.
pub(crate) struct OneHost {
    lab: Lab,
    name: &'static str,
}

impl OneHost {
    /// Starts the host. Namespaces of its own: a lab that is up on this machine is not disturbed, unless
    /// it is the very same directory, and that is refused here.
    pub(crate) fn up(name: &'static str) -> Self {
        let from_env = Lab::from_env().unwrap();
        let down = from_env
            .status()
            .iter()
            .all(|row| row.state == HostState::Down);
        assert!(down, "a lab is up");
        let lab = Lab::new(from_env.dirs().clone(), name);
        let one = Self { lab, name };
        one.lab.up(&[HOST.to_owned()], true, &report).unwrap();
        one
    }

    /// Runs a body that awaits on a thread that lives where the remote client is.
    pub(crate) fn block_on<T: Send>(&self, body: impl Future<Output = T> + Send) -> T {
        let namespace = File::open(format!("/run/netns/{}-client", self.name)).unwrap();
        let enter = move || {
            let kind = rustix::thread::LinkNameSpaceType::Network;
            rustix::thread::move_into_link_name_space(namespace.as_fd(), Some(kind)).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(body)
        };
        std::thread::scope(|scope| match scope.spawn(enter).join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    fn target(&self) -> Target {
        let dirs = self.lab.dirs();
        Target {
            key_files: vec![dirs.ssh_key()],
            known_hosts: vec![dirs.host(HOST).join("known_hosts")],
            connect_timeout: Duration::from_secs(30),
            login_timeout: Duration::from_secs(60),
            ..Target::new(HOST, ADDRESS)
        }
    }

    /// Logs in again once the guest is another boot than this.
    pub(crate) async fn connect_to_another_boot(&self, boot: &str) -> Guest {
        let deadline = Instant::now() + Duration::from_secs(300);
        loop {
            assert!(Instant::now() < deadline, "the guest does not come back");
            if let Ok(host) = SshConnector::new().connect(&self.target()).await {
                let mut guest = Guest::new(host);
                if guest.boot().await.is_some_and(|now| now != boot) {
                    return guest;
                }
            }
            pause(Duration::from_millis(500)).await;
        }
    }

    /// Logs in.
    pub(crate) async fn connect(&self) -> Guest {
        Guest::new(SshConnector::new().connect(&self.target()).await.unwrap())
    }
}

impl Drop for OneHost {
    fn drop(&mut self) {
        if let Err(error) = self.lab.down(&report) {
            println!("down failed: {error}");
        }
    }
}

/// A connection to the guest, and how it was used.
pub(crate) struct Guest {
    host: SshHost,
    windows: u32,
    /// How many batches went down, each of them one channel.
    pub(crate) batches: u32,
}

/// The run's secret.
pub(crate) const NONCE: &str = "5f3a9c0e";

impl Guest {
    fn new(host: SshHost) -> Self {
        Self {
            host,
            windows: 0,
            batches: 0,
        }
    }

    /// Its boot; none when it is on its way down.
    pub(crate) async fn boot(&mut self) -> Option<String> {
        let item = Item::new(
            "cat /proc/sys/kernel/random/boot_id",
            Duration::from_secs(10),
        );
        let replies = self.host.run(&Batch::new("boot", vec![item])).await.ok()?;
        replies[0].is_ok().then(|| replies[0].stdout.text())
    }

    /// Runs items as one batch.
    pub(crate) async fn batch(&mut self, items: Vec<Item>) -> Vec<Reply> {
        self.batches += 1;
        self.host.run(&Batch::new("test", items)).await.unwrap()
    }

    /// Runs a script that must succeed.
    pub(crate) async fn sh(&mut self, script: &str) -> String {
        let item = Item::new(script, Duration::from_secs(120));
        let reply = self.batch(vec![item]).await.remove(0);
        assert!(reply.is_ok(), "{script}: {reply:?}");
        reply.stdout.text()
    }

    /// Opens a window.
    pub(crate) async fn open(&mut self) -> Open {
        self.open_after("").await
    }

    /// Runs a script that must succeed and opens a window, all in one batch.
    pub(crate) async fn open_after(&mut self, script: &str) -> Open {
        self.windows += 1;
        let id = format!("w-{}", self.windows);
        let replies = self
            .after(script, vec![window::open_item(NONCE, &id)])
            .await;
        Open::new(NONCE, &id, &replies[0])
    }

    /// Closes a window, with other logs where the engine wants them.
    pub(crate) async fn close(&mut self, open: Open) -> WindowCapture {
        self.close_after("", open).await
    }

    /// Runs a script that must succeed and closes a window, all in one batch.
    pub(crate) async fn close_after(&mut self, script: &str, open: Open) -> WindowCapture {
        let replies = self.after(script, open.close_items()).await;
        let more = match open.more_item(&replies) {
            Some(item) => self.batch(vec![item]).await.pop(),
            None => None,
        };
        open.close(&replies, more.as_ref())
    }

    async fn after(&mut self, script: &str, mut items: Vec<Item>) -> Vec<Reply> {
        items.insert(0, Item::new(script, Duration::from_secs(120)));
        let mut replies = self.batch(items).await;
        let first = replies.remove(0);
        assert!(first.is_ok(), "{script}: {first:?}");
        replies
    }
}
