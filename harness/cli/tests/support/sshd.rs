//! A real sshd in the server's namespace of a [`Net`], with keys, accounts and a log of its own.

use std::{
    fs,
    net::Ipv4Addr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    net::{Net, OTHER, SERVER},
    wait::wait_for,
};

/// An account without any rights.
pub(crate) const USER: &str = "checker";

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nchecker:x:4242:4242::/:/bin/sh\n\
                      sshd:x:74:74::/run/sshd:/usr/sbin/nologin\n\
                      www-data:x:33:33::/var/www:/usr/sbin/nologin\n";
const SHADOW: &str = "root:*:19000::::::\nchecker:*:19000::::::\nsshd:*:19000::::::\n\
                      www-data:*:19000::::::\n";

/// One running server on port 22 of both addresses, and the keys around it.
#[must_use]
pub(crate) struct Sshd {
    dir: tempfile::TempDir,
    daemon: Child,
    /// What is mounted before it starts.
    mounts: String,
}

/// Where the host has a look-alike of SELinux in enforcing mode: as much of it as anybody may read.
const ENFORCING: &str = "mount -t tmpfs tmpfs /sys/fs; mkdir -p /sys/fs/selinux; \
                         printf 1 > /sys/fs/selinux/enforce;";

impl Sshd {
    /// Starts it and waits until it listens.
    pub(crate) fn start(net: &Net) -> Self {
        Self::start_with(net, &[SERVER, OTHER], |_| String::new())
    }

    /// As [`Self::start`], on a host that says that SELinux enforces.
    pub(crate) fn start_enforcing(net: &Net) -> Self {
        Self::start_with(net, &[SERVER, OTHER], |_| ENFORCING.to_owned())
    }

    /// As [`Self::start`], at these addresses, after the mounts that are made for its directory, in which
    /// `var` is there.
    pub(crate) fn start_with(
        net: &Net,
        addresses: &[Ipv4Addr],
        mounts: impl FnOnce(&Path) -> String,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // sshd reads the authorized keys as the user who logs in.
        fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        keygen(&dir.path().join("id"));
        keygen(&dir.path().join("host"));
        let listen = addresses.iter().map(|a| format!("ListenAddress {a}\n"));
        let config = format!(
            "Port 22\n{}PidFile {}\n\
             AuthorizedKeysFile {}\nHostKey {}\nStrictModes no\nUsePAM no\nUseDNS no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPrintMotd no\n\
             LogLevel VERBOSE\n",
            listen.collect::<String>(),
            at("pid"),
            at("id.pub"),
            at("host")
        );
        for (name, text) in [
            ("config", &config[..]),
            ("passwd", PASSWD),
            ("shadow", SHADOW),
        ] {
            fs::write(dir.path().join(name), text).unwrap();
        }
        fs::create_dir(dir.path().join("var")).unwrap();
        let mounts = mounts(dir.path());
        let daemon = daemon(net, dir.path(), &mounts);
        let sshd = Self {
            dir,
            daemon,
            mounts,
        };
        wait_for("sshd to start", || sshd.path("pid").exists());
        sshd
    }

    /// Starts it again after [`Self::kill`].
    pub(crate) fn start_again(&mut self, net: &Net) {
        fs::remove_file(self.path("pid")).unwrap();
        self.daemon = daemon(net, self.dir.path(), &self.mounts);
        wait_for("sshd to start again", || self.path("pid").exists());
    }

    /// A file of this server: `id` (the client's key), `host.pub`, `log`, `var` (the host's
    /// `/var/lib`), …
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A public key file's type and key, without the comment.
    pub(crate) fn public(&self, file: &str) -> String {
        let text = fs::read_to_string(self.path(file)).unwrap();
        let words: Vec<_> = text.split_whitespace().take(2).collect();
        words.join(" ")
    }

    /// The fingerprint that ssh-keygen tells of a public key file.
    pub(crate) fn fingerprint(&self, file: &str) -> String {
        let mut command = Command::new("ssh-keygen");
        let output = command.arg("-lf").arg(self.path(file)).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split(' ').nth(1).unwrap().to_owned()
    }

    /// Makes one more key pair beside the server's files.
    pub(crate) fn keygen(&self, name: &str) {
        keygen(&self.path(name));
    }

    /// What the server has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Ends the server, every connection to it and all that runs in them, as a crash would.
    pub(crate) fn kill(&mut self) {
        let sessions = descendants(self.daemon.id());
        assert!(!sessions.is_empty(), "there was no session to end");
        self.daemon.kill().unwrap();
        self.daemon.wait().unwrap();
        for pid in sessions {
            let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
            // One that has ended by itself meanwhile is as good.
            let _ended = kill_process(pid, Signal::KILL);
        }
    }
}

/// Starts sshd on the files of a directory.
fn daemon(net: &Net, dir: &Path, mounts: &str) -> Child {
    let at = |name: &str| dir.join(name).display().to_string();
    fs::create_dir_all("/run/sshd").unwrap();
    let mounts = format!(
        "{mounts} mount --bind {} /etc/passwd; mount --bind {} /etc/shadow; \
         mount --bind {} /var/lib;",
        at("passwd"),
        at("shadow"),
        at("var")
    );
    let mut command = net.on_server(&mounts, "/usr/sbin/sshd");
    command.args(["-D", "-E", &at("log"), "-f", &at("config")]);
    command.spawn().unwrap()
}

/// The processes below a process.
fn descendants(pid: u32) -> Vec<u32> {
    let mut ps = Command::new("ps");
    let output = ps
        .args(["-o", "pid=", "--ppid", &pid.to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let children: Vec<u32> = text
        .split_whitespace()
        .map(|p| p.parse().unwrap())
        .collect();
    let below = children.iter().flat_map(|child| descendants(*child));
    children.iter().copied().chain(below).collect()
}

impl Drop for Sshd {
    fn drop(&mut self) {
        drop(self.daemon.kill());
        drop(self.daemon.wait());
    }
}

fn keygen(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-N", "", "-C", "test", "-t", "ed25519", "-f"])
        .arg(path)
        .status()
        .unwrap();
    assert!(made.success());
}
