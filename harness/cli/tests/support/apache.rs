//! A real Apache in the server's namespace of a [`Net`], with a site of its own.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt as _},
    path::Path,
    process::Child,
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::{net::Net, wait::wait_for};

/// What the page at `/` holds.
pub(crate) const PAGE: &str = "nonce-5f3a";

/// A running Apache; it ends, children and all, when dropped.
#[must_use]
pub(crate) struct Apache {
    child: Child,
    _dir: tempfile::TempDir,
}

impl Apache {
    /// Starts it with this `Listen`, and waits until it listens.
    pub(crate) fn start(net: &Net, listen: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let conf = write_site(dir.path(), listen);
        let mut command = net.on_server("", "/usr/sbin/apache2");
        command.args(["-D", "FOREGROUND", "-f", &conf]);
        let child = command.process_group(0).spawn().unwrap();
        // The file is written once the sockets listen.
        wait_for("Apache to start", || dir.path().join("pid").exists());
        Self { child, _dir: dir }
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        let group = Pid::from_child(&self.child);
        let _ended = kill_process_group(group, Signal::KILL);
        drop(self.child.wait());
    }
}

fn write_site(dir: &Path, listen: &str) -> String {
    fs::set_permissions(dir, PermissionsExt::from_mode(0o755)).unwrap();
    fs::create_dir(dir.join("www")).unwrap();
    fs::write(dir.join("www/index.html"), format!("<p>{PAGE}</p>\n")).unwrap();
    let modules = "/usr/lib/apache2/modules";
    let at = dir.display();
    let text = format!(
        "LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so\n\
         LoadModule authz_core_module {modules}/mod_authz_core.so\n\
         LoadModule dir_module {modules}/mod_dir.so\nDirectoryIndex index.html\n\
         ServerName web1\nListen {listen}\nPidFile {at}/pid\nErrorLog {at}/error\n\
         User www-data\nGroup www-data\nStartServers 1\nDefaultRuntimeDir {at}\n\
         DocumentRoot {at}/www\n"
    );
    fs::write(dir.join("conf"), text).unwrap();
    format!("{at}/conf")
}
