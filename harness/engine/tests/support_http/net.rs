//! Two network namespaces with a cable between them: a client's and a server's.

use std::{
    net::Ipv4Addr,
    path::Path,
    process::{Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// The server's address on the cable.
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 213, 7, 2);

/// Long enough for a loaded machine.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// The two namespaces; gone when dropped.
pub(crate) struct Net {
    client: String,
    server: String,
}

impl Net {
    /// Makes them. Needs root.
    pub(crate) async fn up() -> Self {
        static N: AtomicU32 = AtomicU32::new(0);
        let id = format!(
            "pgh{}-{}",
            std::process::id(),
            N.fetch_add(1, Ordering::Relaxed)
        );
        let net = Self {
            client: format!("{id}c"),
            server: format!("{id}s"),
        };
        let (c, s) = (&net.client, &net.server);
        for line in [
            format!("netns add {c}"),
            format!("netns add {s}"),
            format!("-n {c} link add cable type veth peer name cable netns {s}"),
            format!("-n {c} addr add 10.213.7.1/29 dev cable"),
            format!("-n {s} addr add {SERVER}/29 dev cable"),
            format!("-n {c} addr add fd00:213::1/64 dev cable nodad"),
            format!("-n {s} addr add fd00:213::2/64 dev cable nodad"),
            format!("-n {c} link set cable up"),
            format!("-n {s} link set cable up"),
            // The kernel tells itself over `lo` that a neighbour is missing.
            format!("-n {c} link set lo up"),
            format!("-n {s} link set lo up"),
        ] {
            run(Command::new("ip").args(line.split(' '))).await;
        }
        net
    }

    /// A command that will run in the client's namespace.
    pub(crate) fn client(&self, program: impl AsRef<Path>) -> Command {
        inside(&self.client, program.as_ref())
    }

    /// A command that will run in the server's namespace.
    pub(crate) fn server(&self, program: impl AsRef<Path>) -> Command {
        inside(&self.server, program.as_ref())
    }

    /// Replaces the server's packet filter: what happens to packets for port 80 from the cable.
    pub(crate) async fn filter(&self, verdict: &str) {
        let rules = format!(
            "flush ruleset\ntable inet t {{\nchain c {{\ntype filter hook input priority 0\n\
             iifname \"cable\" tcp dport 80 {verdict}\n}}\n}}\n"
        );
        run(self.server("nft").arg(rules)).await;
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for name in [&self.client, &self.server] {
            let _gone = std::process::Command::new("ip")
                .args(["netns", "del", name])
                .status();
        }
    }
}

fn inside(namespace: &str, program: &Path) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).arg(program);
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs a command, which must succeed, and within more time than a probe may take.
pub(crate) async fn run(command: &mut Command) -> Output {
    let out = tokio::time::timeout(LONG * 2, command.output()).await;
    let out = out.expect("in time").expect("started");
    assert!(out.status.success(), "{command:?}: {out:?}");
    out
}

/// A real Apache with a page that holds a nonce; it ends, children and all, when dropped.
pub(crate) struct Apache {
    child: Child,
    _dir: tempfile::TempDir,
}

/// What Apache's page holds.
pub(crate) const NONCE: &str = "nonce-5f3a";

impl Apache {
    /// Starts it with this `Listen`, and waits until it listens.
    pub(crate) async fn start(net: &Net, listen: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let conf = write_site(dir.path(), listen);
        let mut command = net.server("/usr/sbin/apache2");
        command.args(["-D", "FOREGROUND", "-f"]).arg(&conf);
        let child = command.process_group(0).spawn().unwrap();
        // The file is written once the sockets listen.
        until(|| dir.path().join("pid").exists()).await;
        Self { child, _dir: dir }
    }

    /// Sends a signal to Apache and its children.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = self.child.id().expect("not reaped");
        let group = Pid::from_raw(id.try_into().unwrap()).unwrap();
        kill_process_group(group, signal).unwrap();
    }

    /// Ends it and waits for the end.
    pub(crate) async fn stop(mut self) {
        self.signal(Signal::TERM);
        let ended = tokio::time::timeout(LONG, self.child.wait()).await;
        ended.expect("in time").expect("reaped");
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        if self.child.id().is_some() {
            self.signal(Signal::KILL);
        }
    }
}

fn write_site(dir: &Path, listen: &str) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(dir, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::create_dir(dir.join("www")).unwrap();
    std::fs::write(dir.join("www/page"), format!("<p>{NONCE}</p>\n")).unwrap();
    let conf = dir.join("conf");
    let modules = "/usr/lib/apache2/modules";
    let dir = dir.display();
    let text = format!(
        "LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so\n\
         LoadModule authz_core_module {modules}/mod_authz_core.so\n\
         ServerName web1\nListen {listen}\nPidFile {dir}/pid\nErrorLog {dir}/error\n\
         User www-data\nGroup www-data\nStartServers 1\nDefaultRuntimeDir {dir}\n\
         DocumentRoot {dir}/www\n"
    );
    std::fs::write(&conf, text).unwrap();
    conf
}

/// Waits until something holds.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    let waited = async {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        while !holds() {
            tick.tick().await;
        }
    };
    tokio::time::timeout(LONG, waited).await.expect("in time");
}
