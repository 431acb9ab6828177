//! Two network namespaces with a cable between them: a client's, where the program runs, and a
//! server's, which has several addresses and so can be several hosts.
//!
//! Needs root. Everything is taken away when the value is dropped, when the test process dies in
//! whatever way, and after five minutes.

use std::{
    io::Write as _,
    net::Ipv4Addr,
    process::{Child, ChildStdin, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// The client's address; every [`Net`] has the same ones, they cannot meet.
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 89, 0, 1);
/// How many addresses the server has.
pub(crate) const HOSTS: u8 = 6;
/// The server's first address.
pub(crate) const SERVER: Ipv4Addr = address(0);
/// The server's second address.
pub(crate) const OTHER: Ipv4Addr = address(1);

/// An address of the server, counted from 0.
pub(crate) const fn address(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 89, 0, 2 + n)
}

/// Waits for the end of its standard input, then takes both namespaces and all in them away.
const KEEPER: &str = r#"timeout 300 cat >/dev/null
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
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = format!("pge{}-{count}", std::process::id());
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
        let (c, s) = (&self.client, &self.server);
        let made = [
            format!("netns add {c}"),
            format!("netns add {s}"),
            format!("-n {c} link add cable type veth peer name cable netns {s}"),
            format!("-n {c} addr add {CLIENT}/24 dev cable"),
        ];
        let named = (0..HOSTS).map(|n| format!("-n {s} addr add {}/24 dev cable", address(n)));
        let up = [
            format!("-n {c} link set lo up"),
            format!("-n {s} link set lo up"),
            format!("-n {c} link set cable up"),
            format!("-n {s} link set cable up"),
        ];
        for line in made.into_iter().chain(named).chain(up) {
            let made = Command::new("ip").args(line.split(' ')).status().unwrap();
            assert!(made.success(), "ip {line}");
        }
    }

    /// What makes `nsenter` run a program as a client.
    pub(crate) fn as_client(&self) -> String {
        format!("--net=/run/netns/{}", self.client)
    }

    /// A command that runs in the server's namespace, after `mounts` in a file system of its own,
    /// with an empty `/root`.
    pub(crate) fn on_server(&self, mounts: &str, program: &str) -> Command {
        let script = format!("mount -t tmpfs -o mode=700 tmpfs /root && {mounts} exec \"$@\"");
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net=/run/netns/{}", self.server))
            .args([
                "unshare", "--mount", "sh", "-ec", &script, "server", program,
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    /// Drops what comes in on the server for this address and port, silently.
    pub(crate) fn drop_packets(&self, address: Ipv4Addr, port: u16) {
        self.filter(&format!(
            "chain in {{ type filter hook input priority 0; ip daddr {address} tcp dport {port} drop; }};"
        ));
    }

    /// Drops everything from and to one of the server's addresses, silently.
    pub(crate) fn black_hole(&self, address: Ipv4Addr) {
        self.filter(&format!(
            "chain in {{ type filter hook input priority 0; ip daddr {address} drop; }};\n\
             chain out {{ type filter hook output priority 0; ip saddr {address} drop; }};"
        ));
    }

    /// Ends what [`Self::drop_packets`] and [`Self::black_hole`] began.
    pub(crate) fn heal(&self) {
        self.nft("delete table inet hole\n");
    }

    fn filter(&self, chains: &str) {
        self.nft(&format!("table inet hole {{\n{chains}\n}}\n"));
    }

    fn nft(&self, rules: &str) {
        let mut nft = Command::new("ip")
            .args(["netns", "exec", &self.server, "nft", "-f", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = nft.stdin.take().unwrap();
        stdin.write_all(rules.as_bytes()).unwrap();
        drop(stdin);
        assert!(nft.wait().unwrap().success());
    }
}

impl Net {
    /// Whether the client is waiting for the answer to a connect to this port.
    pub(crate) fn is_connecting(&self, port: u16) -> bool {
        const SYN_SENT: &str = "02";
        let mut cat = Command::new("ip");
        let output = cat
            .args(["netns", "exec", &self.client, "cat", "/proc/net/tcp"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let to = format!(":{port:04X}");
        text.lines().any(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            words.len() > 3 && words[2].ends_with(&to) && words[3] == SYN_SENT
        })
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        drop(self.alive.take());
        drop(self.keeper.wait());
    }
}
