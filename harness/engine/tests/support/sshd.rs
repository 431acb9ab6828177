//! A real sshd in the server's namespace of a [`Net`], with keys of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::net::{Net, SERVER};

/// One running server and the keys around it.
#[must_use]
pub(crate) struct Sshd {
    dir: tempfile::TempDir,
    port: u16,
    daemon: Child,
}

impl Sshd {
    /// Starts a server on port 22 with an ed25519 host key.
    pub(crate) fn start(net: &Net) -> Self {
        Self::start_with(net, 22, &["ed25519"], "")
    }

    /// Starts a server with these types of host keys and these further lines of sshd_config.
    pub(crate) fn start_with(net: &Net, port: u16, key_types: &[&str], config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        keygen(&dir.path().join("id"), "ed25519");
        fs::copy(
            dir.path().join("id.pub"),
            dir.path().join("authorized_keys"),
        )
        .unwrap();
        let mut text = format!(
            "Port {port}\nListenAddress {SERVER}\nPidFile {}\nAuthorizedKeysFile {}\n\
             StrictModes no\nUsePAM no\nUseDNS no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPrintMotd no\nPrintLastLog no\n",
            at("pid"),
            at("authorized_keys"),
        );
        for key_type in key_types {
            keygen(&dir.path().join(format!("host_{key_type}")), key_type);
            text.push_str("HostKey ");
            text.push_str(&at(&format!("host_{key_type}")));
            text.push('\n');
        }
        fs::write(dir.path().join("config"), text + config).unwrap();
        fs::create_dir_all("/run/sshd").unwrap();
        let daemon = net
            .on_server("/usr/sbin/sshd")
            .args(["-D", "-E", &at("log"), "-f", &at("config")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let sshd = Self { dir, port, daemon };
        wait_for("sshd to start", || sshd.path("pid").exists());
        sshd
    }

    /// A file of this server: `id` (the client's key), `host_TYPE.pub`, `log`, …
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The server's port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The name of this server in known_hosts.
    pub(crate) fn name(&self) -> String {
        match self.port {
            22 => SERVER.to_string(),
            port => format!("[{SERVER}]:{port}"),
        }
    }

    /// A public key file's type and key, without the comment.
    pub(crate) fn public(&self, file: &str) -> String {
        let text = fs::read_to_string(self.path(file)).unwrap();
        text.split(' ')
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
            .trim()
            .to_owned()
    }

    /// Writes a known_hosts file of these lines.
    pub(crate) fn write_known_hosts(&self, lines: &str) -> PathBuf {
        let path = self.path("known_hosts");
        fs::write(&path, lines).unwrap();
        path
    }

    /// The fingerprint that ssh-keygen tells of a public key file.
    pub(crate) fn fingerprint(&self, file: &str) -> String {
        let output = Command::new("ssh-keygen")
            .arg("-lf")
            .arg(self.path(file))
            .output()
            .unwrap();
        String::from_utf8(output.stdout)
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .to_owned()
    }

    /// What the server has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        drop(self.daemon.kill());
        drop(self.daemon.wait());
    }
}

/// Makes a key pair without a passphrase.
pub(crate) fn keygen(path: &Path, key_type: &str) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-N", "", "-C", "test", "-t", key_type, "-f"])
        .arg(path)
        .status()
        .unwrap();
    assert!(made.success());
}

/// Waits until something is so, for ten seconds at most.
pub(crate) fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "waited in vain for {what}"
        );
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
