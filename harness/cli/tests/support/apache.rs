//! A real Apache in the server's namespace of a [`Net`], with a site of its own.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt as _},
    path::{Path, PathBuf},
    process::Child,
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::{net::Net, wait::wait_for};

/// What the page at `/` holds.
pub(crate) const PAGE: &str = "nonce-5f3a";

/// The files of an Apache.
#[must_use]
pub(crate) struct Site {
    dir: tempfile::TempDir,
}

/// A running Apache; it ends, children and all, when dropped.
#[must_use]
pub(crate) struct Apache {
    child: Child,
    /// What it serves.
    pub(crate) site: Site,
}

impl Site {
    /// A site that is served with this `Listen`.
    pub(crate) fn new(listen: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        write_site(dir.path(), listen);
        Self { dir }
    }

    /// A file of it: `conf`, `error`, `www` …
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Adds a line to its configuration, and tells the line's number.
    pub(crate) fn configure(&self, line: &str) -> usize {
        let text = fs::read_to_string(self.path("conf")).unwrap();
        fs::write(self.path("conf"), format!("{text}{line}\n")).unwrap();
        text.lines().count() + 1
    }
}

impl Apache {
    /// Starts one with this `Listen`, and waits until it listens.
    pub(crate) fn start(net: &Net, listen: &str) -> Self {
        Self::serve(net, Site::new(listen))
    }

    /// Starts one that serves a site, and waits until it listens.
    pub(crate) fn serve(net: &Net, site: Site) -> Self {
        let mut command = net.on_server("", "/usr/sbin/apache2");
        let conf = site.path("conf");
        command.args(["-D", "FOREGROUND", "-f"]).arg(conf);
        let child = command.process_group(0).spawn().unwrap();
        // The file is written once the sockets listen.
        wait_for("Apache to start", || site.path("pid").exists());
        Self { child, site }
    }
}

impl Apache {
    /// Has it take connections and answer none, until [`Self::go_on`].
    pub(crate) fn hang(&self) {
        kill_process_group(self.group(), Signal::STOP).unwrap();
    }

    /// Has it answer again.
    pub(crate) fn go_on(&self) {
        kill_process_group(self.group(), Signal::CONT).unwrap();
    }

    fn group(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        let _ended = kill_process_group(self.group(), Signal::KILL);
        drop(self.child.wait());
    }
}

fn write_site(dir: &Path, listen: &str) {
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
}
