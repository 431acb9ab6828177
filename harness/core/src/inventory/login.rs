//! How a host is reached and logged in to: the settled values of its variables, what `~/.ssh/config` says
//! where they are silent, and the defaults.

use std::path::{Path, PathBuf};

use super::{
    Defaults, InventoryHost,
    given::{At, Given},
    jump::{self, Jump, JumpHost, JumpSpec},
    paths,
    resolve::Resolved,
    sinks::Sinks,
    ssh_args,
    ssh_config::SshConfig,
    vars::{Vars, Whence, is_login},
};
use crate::{
    source::{Problem, address::check_address, quote},
    undo::SnapshotSource,
};

/// The port of SSH.
const SSH_PORT: u16 = 22;

/// Settles hosts; what is wrong with them is reported.
pub(super) struct Settling<'s> {
    pub(super) sinks: &'s Sinks<'s>,
    pub(super) config: &'s SshConfig,
    pub(super) defaults: &'s Defaults,
}

impl Settling<'_> {
    /// Settles one host.
    pub(super) fn host(&self, host: &Resolved) -> InventoryHost {
        let (vars, sinks) = (&host.vars, self.sinks);
        if let Some(connection) = &vars.connection {
            connection.need(sinks);
        }
        let become_root = self.flag(vars.become_root.as_ref());
        if become_root {
            self.check_become(vars);
        }
        let address = self.address(host);
        let known_hosts = vars.known_hosts.as_ref().and_then(|k| k.need(sinks));
        let key_file = vars.key_file.settle(
            sinks,
            "ansible_ssh_private_key_file",
            "ansible_private_key_file",
        );
        let user = vars.user.settle(sinks, "ansible_user", "ansible_ssh_user");
        let port = vars.port.settle(sinks, "ansible_port", "ansible_ssh_port");
        let key_file = match vars.key_file.is_given() {
            true => key_file.cloned(),
            false => self.key_file(&address),
        };
        InventoryHost {
            name: host.name.clone(),
            port: match vars.port.is_given() {
                true => port.copied(),
                false => self.port(&address),
            }
            .unwrap_or(SSH_PORT),
            user: match vars.user.is_given() {
                true => user.cloned(),
                false => self.user(&address),
            }
            .unwrap_or_else(|| self.defaults.user.clone()),
            key_file,
            known_hosts: known_hosts.unwrap_or(&self.defaults.known_hosts).clone(),
            jump: self.jump(vars, &address),
            address: self.host_name(&address),
            become_root,
            legacy_algorithms: self.flag(vars.legacy_algorithms.as_ref()),
            role: vars.role.as_ref().and_then(|r| r.need(sinks)).copied(),
            twin: vars.twin.as_ref().and_then(|t| t.need(sinks)).cloned(),
            lab: self.flag(vars.lab.as_ref()),
            wave: vars.wave.as_ref().and_then(|w| w.need(sinks)).copied(),
            snapshot: self.snapshot(vars),
            groups: host.groups.clone(),
        }
    }

    fn flag(&self, given: Option<&Given<bool>>) -> bool {
        let flag = given.and_then(|g| g.need(self.sinks));
        flag.copied().unwrap_or(false)
    }

    /// The lab's clean state is one of lab hosts alone.
    fn snapshot(&self, vars: &Vars) -> Option<SnapshotSource> {
        let given = vars.snapshot.as_ref()?;
        let source = given.need(self.sinks)?;
        if *source == SnapshotSource::Lab && !self.flag(vars.lab.as_ref()) {
            let problem = Problem::new(
                given.at.span,
                "only lab hosts can be reset to the lab's state",
            );
            let help = "say `patchgate_lab: true` of machines of the lab; others have libvirt or a command";
            self.report(given.at, &problem.help(help));
        }
        Some(source.clone())
    }

    fn report(&self, at: At, problem: &Problem) {
        self.sinks.report_once(at.file, problem);
    }

    /// What the inventory says of the address; else the name.
    fn address(&self, host: &Resolved) -> String {
        let given = &host.vars.address;
        if given.is_given() {
            let found = given.settle(self.sinks, "ansible_host", "ansible_ssh_host");
            return found.cloned().unwrap_or_else(|| host.name.to_string());
        }
        let name = host.name.as_str();
        let is_alias = || self.config.first(name, &["hostname"]).is_some();
        if let Err(why) = check_address(name)
            && !is_alias()
        {
            let message = format!(
                "{} has no `ansible_host` and is no address: {why}",
                quote(name)
            );
            self.report(host.at, &Problem::new(host.at.span, message));
        }
        name.to_owned()
    }

    /// A value of `~/.ssh/config`, through a function that says what is wrong with it.
    fn configured<T>(
        &self,
        name: &str,
        keys: &[&str],
        read: impl FnOnce(&str, &str) -> Result<T, String>,
    ) -> Option<T> {
        let (key, given) = self.config.first(name, keys)?;
        let text = given.need(self.sinks)?;
        match read(key, text) {
            Ok(value) => Some(value),
            Err(why) => {
                let message = format!("`{key}` of {} cannot be used: {why}", quote(name));
                self.report(given.at, &Problem::new(given.at.span, message));
                None
            }
        }
    }

    fn host_name(&self, name: &str) -> String {
        let found = self.configured(name, &["hostname"], |_, text| {
            let text = text.replace("%h", name).replace("%%", "%");
            match check_address(&text) {
                Ok(()) => Ok(text),
                Err(why) => Err(why.to_string()),
            }
        });
        found.unwrap_or_else(|| name.to_owned())
    }

    fn port(&self, name: &str) -> Option<u16> {
        self.configured(name, &["port"], |_, text| {
            let port = text.parse().ok().filter(|p| *p > 0);
            port.ok_or_else(|| format!("{} is no port", quote(text)))
        })
    }

    fn user(&self, name: &str) -> Option<String> {
        self.configured(name, &["user"], |_, text| match is_login(text) {
            true => Ok(text.to_owned()),
            false => Err(format!("{} is no login", quote(text))),
        })
    }

    fn key_file(&self, name: &str) -> Option<PathBuf> {
        let read = |_: &str, text: &str| {
            let text = text.replace("%d", "~");
            if text == "none" {
                return Ok(None);
            }
            if text.contains('%') {
                return Err(format!("only `%d` is expanded in {}", quote(&text)));
            }
            let path = paths::resolve(&text, &self.at_home());
            path.map(Some).map_err(|why| why.to_string())
        };
        self.configured(name, &["identityfile"], read).flatten()
    }

    fn at_home(&self) -> Whence<'_> {
        Whence {
            file: 0,
            base_dir: Path::new(""),
            home: &self.defaults.home,
        }
    }

    /// The jump host: from the arguments for `ssh`, else from `~/.ssh/config`.
    fn jump(&self, vars: &Vars, address: &str) -> Option<JumpHost> {
        let mut said = None;
        for given in vars.ssh_args.iter().flatten() {
            let args = given.need(self.sinks);
            said = said.or_else(|| args?.jump.clone());
        }
        match said.or_else(|| self.configured_jump(address))? {
            Jump::None => None,
            Jump::Through(spec) => Some(self.jump_host(spec)),
        }
    }

    fn configured_jump(&self, name: &str) -> Option<Jump> {
        let keys = ["proxyjump", "proxycommand"];
        self.configured(name, &keys, |key, text| match key {
            "proxyjump" => jump::read(text).map_err(|why| why.to_string()),
            _ => ssh_args::command(text, &self.at_home())
                .ok_or_else(|| "only `ssh -W %h:%p [user@]host` is supported".to_owned()),
        })
    }

    fn jump_host(&self, spec: JumpSpec) -> JumpHost {
        let name = spec.host.as_str();
        // `Host *` names a jump host for the jump host too: that is the same one, and no chain.
        if let Some((_, further)) = self.config.first(name, &["proxyjump", "proxycommand"])
            && let Some(Jump::Through(other)) = self.configured_jump(name)
            && other.host != spec.host
        {
            let message = format!("the jump host {} is behind another one", quote(name));
            let help = "only one jump host is supported, not a chain of them";
            let problem = Problem::new(further.at.span, message).help(help);
            self.report(further.at, &problem);
        }
        JumpHost {
            address: self.host_name(name),
            port: spec.port.or_else(|| self.port(name)).unwrap_or(SSH_PORT),
            key_file: spec.key_file.clone().or_else(|| self.key_file(name)),
            user: spec
                .user
                .clone()
                .or_else(|| self.user(name))
                .unwrap_or_else(|| self.defaults.user.clone()),
        }
    }

    fn check_become(&self, vars: &Vars) {
        let is_sudo = |m: &str| m == "sudo" || m == "ansible.builtin.sudo";
        let asked = [
            ("ansible_become_user", &vars.become_user, "root"),
            ("ansible_become_method", &vars.become_method, "sudo"),
        ];
        for (name, given, wanted) in asked {
            let Some(given) = given else { continue };
            let Some(value) = given.need(self.sinks) else {
                continue;
            };
            if value != wanted && !(wanted == "sudo" && is_sudo(value)) {
                let message = format!("`{name}` cannot be {}", quote(value));
                let problem = Problem::new(given.at.span, message);
                self.report(given.at, &problem.expected(format!("`{wanted}`")));
            }
        }
    }
}
