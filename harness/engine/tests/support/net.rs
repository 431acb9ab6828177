//! Two network namespaces with a cable between them: a client and a server that share nothing else.
//!
//! Needs root. Everything is taken away when the value is dropped, when the test process dies in
//! whatever way, and after ten minutes.

use std::{
    fs::File,
    io::Write as _,
    net::Ipv4Addr,
    os::fd::AsFd as _,
    process::{Child, ChildStdin, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// The client's address; every `Net` has the same ones, they cannot meet.
pub(crate) const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 1);
/// The server's address.
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 2);

/// Waits for the end of its standard input, then takes both namespaces and all in them away.
const KEEPER: &str = r#"timeout 600 cat >/dev/null
for ns in "$@"; do
for pid in $(ip netns pids "$ns" 2>/dev/null); do kill -9 "$pid" 2>/dev/null; done
ip netns del "$ns" 2>/dev/null
done"#;

/// A pair of connected namespaces.
#[must_use]
pub(crate) struct Net {
    client: String,
    server: String,
    keeper: Child,
    /// Its end is what the keeper waits for, and it ends with this process.
    alive: Option<ChildStdin>,
}

impl Net {
    /// Makes the pair and brings the cable up.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        assert!(
            rustix::process::geteuid().is_root(),
            "these tests make network namespaces: run them as root"
        );
        let id = format!(
            "pg{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let (client, server) = (format!("{id}c"), format!("{id}s"));
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper", &client, &server])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let alive = keeper.stdin.take();
        let net = Self {
            client,
            server,
            keeper,
            alive,
        };
        net.build();
        net
    }

    fn build(&self) {
        let (client, server) = (&self.client, &self.server);
        run(&["ip", "netns", "add", client]);
        run(&["ip", "netns", "add", server]);
        run(&[
            "ip", "-n", client, "link", "add", "v0", "type", "veth", "peer", "name", "v0", "netns",
            server,
        ]);
        for (ns, address) in [(client, CLIENT), (server, SERVER)] {
            run(&["ip", "-n", ns, "link", "set", "lo", "up"]);
            run(&[
                "ip",
                "-n",
                ns,
                "addr",
                "add",
                &format!("{address}/24"),
                "dev",
                "v0",
            ]);
            run(&["ip", "-n", ns, "link", "set", "v0", "up"]);
        }
    }

    /// Runs the test's body on a thread that lives in the client's namespace, and so do all
    /// threads and processes that it starts.
    pub(crate) fn as_client<T: Send>(&self, body: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(format!("/run/netns/{}", self.client)).unwrap();
        let enter = move || {
            let kind = rustix::thread::LinkNameSpaceType::Network;
            rustix::thread::move_into_link_name_space(namespace.as_fd(), Some(kind)).unwrap();
            body()
        };
        std::thread::scope(|scope| match scope.spawn(enter).join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    /// As [`Net::as_client`], for a body that awaits.
    pub(crate) fn block_on<T: Send>(&self, body: impl Future<Output = T> + Send) -> T {
        self.as_client(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(body)
        })
    }

    /// Prepares a command that runs in the server's namespace with a file system of its own to
    /// mount in, and an empty `/root`.
    pub(crate) fn on_server(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net=/run/netns/{}", self.server))
            .args([
                "unshare",
                "--mount",
                "sh",
                "-c",
                "mount -t tmpfs -o mode=700 tmpfs /root && exec \"$@\"",
                "server",
                program,
            ]);
        command
    }

    /// Drops every packet in both directions from now on.
    pub(crate) fn black_hole(&self) {
        let rules = "table inet hole {\n\
            chain in { type filter hook input priority 0; policy drop; }\n\
            chain out { type filter hook output priority 0; policy drop; }\n}\n";
        let mut nft = Command::new("ip")
            .args(["netns", "exec", &self.client, "nft", "-f", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        nft.stdin
            .take()
            .unwrap()
            .write_all(rules.as_bytes())
            .unwrap();
        assert!(nft.wait().unwrap().success());
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        drop(self.alive.take());
        drop(self.keeper.wait());
    }
}

fn run(argv: &[&str]) {
    let output = Command::new(argv[0]).args(&argv[1..]).output().unwrap();
    assert!(
        output.status.success(),
        "{argv:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
