//! The variables of a host or a group: which are understood, and what each must be.
//!
//! Everything else is the user's own and is left alone, except names that begin with `patchgate_` (a
//! misspelt one would be silently without effect) and secrets (which have no place in a file).

use std::path::PathBuf;

use super::{Defaults, Role, paths, ssh_args};
use crate::{
    id::HostName,
    source::{
        Problem, Sink, Span,
        address::check_address,
        closest, list_of,
        node::{Node, Value},
        quote,
        reader::{Field, Reader, not_built},
    },
};

/// A value and the place where a file gives it.
#[derive(Clone, Debug)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

/// A variable that Ansible knows under a new and an old name, which nothing forbids to differ.
#[derive(Clone, Debug)]
pub(super) struct Spelled<T> {
    new: Option<Located<T>>,
    old: Option<Located<T>>,
}

impl<T> Default for Spelled<T> {
    fn default() -> Self {
        Self {
            new: None,
            old: None,
        }
    }
}

impl<T: Clone + PartialEq> Spelled<T> {
    fn set(&mut self, is_new: bool, found: Option<Located<T>>) {
        let slot = if is_new { &mut self.new } else { &mut self.old };
        *slot = found.or(slot.take());
    }

    fn lay_over(self, below: Self) -> Self {
        Self {
            new: self.new.or(below.new),
            old: self.old.or(below.old),
        }
    }

    /// The one value; two that differ are reported where the old name stands.
    pub(super) fn settle(&self, sink: &Sink<'_>, new: &str, old: &str) -> Option<T> {
        if let (Some(a), Some(b)) = (&self.new, &self.old)
            && a.value != b.value
        {
            let message = format!("`{old}` and `{new}` say different things of one host");
            sink.report(Problem::new(b.span, message).help(format!("use `{new}` alone")));
        }
        let found = self.new.as_ref().or(self.old.as_ref());
        found.map(|l| l.value.clone())
    }
}

/// The variables that are understood, as far as one place gives them.
#[derive(Clone, Debug, Default)]
pub(super) struct Vars {
    pub(super) address: Spelled<String>,
    pub(super) port: Spelled<u16>,
    pub(super) user: Spelled<String>,
    pub(super) key_file: Spelled<PathBuf>,
    pub(super) become_root: Option<Located<bool>>,
    pub(super) become_user: Option<Located<String>>,
    pub(super) become_method: Option<Located<String>>,
    pub(super) known_hosts: Option<Located<Vec<PathBuf>>>,
    pub(super) legacy_algorithms: Option<Located<bool>>,
    /// None inside where the file gives a role that is none.
    pub(super) role: Option<Located<Option<Role>>>,
    pub(super) twin: Option<Located<HostName>>,
    pub(super) lab: Option<Located<bool>>,
    pub(super) wave: Option<Located<u64>>,
    /// `ansible_group_priority`: orders groups of one depth; means nothing for a host.
    pub(super) priority: Option<Located<u64>>,
}

impl Vars {
    /// Whether a role was given that is none, so that nothing follows from its absence.
    pub(super) fn role_is_refused(&self) -> bool {
        self.role.as_ref().is_some_and(|r| r.value.is_none())
    }

    /// These variables, and those of `below` where these are silent.
    pub(super) fn lay_over(self, below: Self) -> Self {
        Self {
            address: self.address.lay_over(below.address),
            port: self.port.lay_over(below.port),
            user: self.user.lay_over(below.user),
            key_file: self.key_file.lay_over(below.key_file),
            become_root: self.become_root.or(below.become_root),
            become_user: self.become_user.or(below.become_user),
            become_method: self.become_method.or(below.become_method),
            known_hosts: self.known_hosts.or(below.known_hosts),
            legacy_algorithms: self.legacy_algorithms.or(below.legacy_algorithms),
            role: self.role.or(below.role),
            twin: self.twin.or(below.twin),
            lab: self.lab.or(below.lab),
            wave: self.wave.or(below.wave),
            priority: self.priority.or(below.priority),
        }
    }

    /// The port that stands behind a host's name.
    pub(super) fn of_port(port: u16, span: Span) -> Self {
        let mut vars = Self::default();
        vars.port.set(true, Some(Located { value: port, span }));
        vars
    }

    /// Reads the map of variables of one place.
    pub(super) fn read(reader: &Reader<'_>, defaults: &Defaults) -> Self {
        let mut vars = Self::default();
        for field in reader.unasked() {
            let shown = shows_no_secret(&field) && holds_no_template(&field);
            if shown && !vars.take_ansible(&field, defaults) {
                vars.take_patchgate(&field, defaults);
            }
        }
        vars
    }

    /// Takes a variable of Ansible's; false where it is none that is understood.
    fn take_ansible(&mut self, field: &Field<'_>, defaults: &Defaults) -> bool {
        match field.name {
            "ansible_host" | "ansible_ssh_host" => {
                self.address
                    .set(field.name == "ansible_host", address(field));
            }
            "ansible_port" | "ansible_ssh_port" => {
                self.port.set(field.name == "ansible_port", port(field));
            }
            "ansible_user" | "ansible_ssh_user" => {
                self.user.set(field.name == "ansible_user", user(field));
            }
            "ansible_ssh_private_key_file" | "ansible_private_key_file" => {
                let is_new = field.name == "ansible_ssh_private_key_file";
                self.key_file.set(is_new, path(field, defaults));
            }
            "ansible_become" => self.become_root = located(field, field.boolean_1_1()),
            "ansible_become_user" => self.become_user = word(field),
            "ansible_become_method" => self.become_method = word(field),
            "ansible_group_priority" => {
                self.priority = located(field, field.integer(0..=1_000_000));
            }
            "ansible_connection" => check_connection(field),
            "ansible_ssh_common_args" | "ansible_ssh_extra_args" | "ansible_ssh_args" => {
                check_ssh_args(field);
            }
            _ => return false,
        }
        true
    }

    fn take_patchgate(&mut self, field: &Field<'_>, defaults: &Defaults) {
        match field.name {
            "patchgate_role" => {
                let words = [("upstream", Role::Upstream), ("rebuild", Role::Rebuild)];
                self.role = located(field, Some(field.one_of(&words)));
            }
            "patchgate_twin" => {
                let twin = field.tried("the name of a host", HostName::new);
                self.twin = located(field, twin);
            }
            "patchgate_lab" => self.lab = located(field, field.boolean_1_1()),
            "patchgate_ssh_legacy" => {
                self.legacy_algorithms = located(field, field.boolean_1_1());
            }
            "patchgate_known_hosts" => {
                self.known_hosts = known_hosts(field, defaults);
            }
            "patchgate_wave" => self.wave = located(field, field.integer(1..=1_000_000)),
            "patchgate_snapshot" => {
                field.sink().report(not_built(field.key_span, field.name));
            }
            name if name.starts_with("patchgate_") => refuse_unknown(field),
            _ => {}
        }
    }
}

const PATCHGATE_VARIABLES: [&str; 6] = [
    "patchgate_role",
    "patchgate_twin",
    "patchgate_lab",
    "patchgate_wave",
    "patchgate_known_hosts",
    "patchgate_ssh_legacy",
];

fn refuse_unknown(field: &Field<'_>) {
    let message = format!("there is no variable {}", quote(field.name));
    let near = closest(field.name, &PATCHGATE_VARIABLES);
    let problem = Problem::new(field.key_span, message).expected(list_of(&PATCHGATE_VARIABLES));
    field
        .sink()
        .report(problem.maybe_help(near.map(|name| format!("did you mean `{name}`?"))));
}

fn located<T>(field: &Field<'_>, value: Option<T>) -> Option<Located<T>> {
    let span = field.span();
    value.map(|value| Located { value, span })
}

fn address(field: &Field<'_>) -> Option<Located<String>> {
    let value = field.tried("a host name or an IP address", |text| {
        check_address(text).map(|()| text.to_owned())
    });
    located(field, value)
}

fn port(field: &Field<'_>) -> Option<Located<u16>> {
    let number = field.integer(1..=u64::from(u16::MAX))?;
    located(field, u16::try_from(number).ok())
}

fn user(field: &Field<'_>) -> Option<Located<String>> {
    let good = |text: &str| {
        let bad = |c: char| c.is_whitespace() || c.is_control() || ":/'\"`$;|&<>".contains(c);
        let fine = !text.is_empty() && text.len() <= 256 && !text.starts_with('-');
        (fine && !text.contains(bad)).then(|| text.to_owned())
    };
    located(field, field.parsed("a login, as `root`", good))
}

fn word(field: &Field<'_>) -> Option<Located<String>> {
    located(field, field.text().map(str::to_owned))
}

fn path(field: &Field<'_>, defaults: &Defaults) -> Option<Located<PathBuf>> {
    let value = field.tried("the path of a file", |text| paths::resolve(text, defaults));
    located(field, value)
}

fn known_hosts(field: &Field<'_>, defaults: &Defaults) -> Option<Located<Vec<PathBuf>>> {
    let files = field.list_or_one();
    if files.is_empty() && matches!(field.node.value, Value::Seq(_)) {
        field.wrong("`patchgate_known_hosts` names no file", "at least one");
    }
    let paths = files.iter().filter_map(|f| path(f, defaults));
    let value = paths.map(|p| p.value).collect();
    located(field, Some(value))
}

fn check_connection(field: &Field<'_>) {
    const KNOWN: [&str; 4] = ["ssh", "smart", "paramiko", "paramiko_ssh"];
    let Some(scalar) = field.scalar("`ssh`") else {
        return;
    };
    let name = scalar.text.as_str();
    if KNOWN.contains(&name.strip_prefix("ansible.builtin.").unwrap_or(name)) {
        return;
    }
    let message = format!("`ansible_connection` cannot be {}", quote(name));
    let help = if name == "local" {
        "patchgate is a remote client of its hosts: this very machine cannot be one of them, except \
         through SSH"
    } else {
        "patchgate reaches hosts through SSH only"
    };
    let problem = Problem::new(field.span(), message).expected("`ssh`");
    field.sink().report(problem.help(help));
}

fn check_ssh_args(field: &Field<'_>) {
    let Value::Scalar(scalar) = &field.node.value else {
        return;
    };
    let Some(argument) = ssh_args::first_that_matters(&scalar.text) else {
        return;
    };
    let message = format!("`{}` sets `{argument}`", field.name);
    let help = match argument {
        "ProxyJump" | "ProxyCommand" | "-J" | "-W" => {
            "hosts behind a jump host are not supported by this version"
        }
        "UserKnownHostsFile" | "GlobalKnownHostsFile" => "use `patchgate_known_hosts`",
        "IdentityFile" | "-i" => "use `ansible_ssh_private_key_file`",
        "HostName" => "use `ansible_host`",
        "Port" | "-p" => "use `ansible_port`",
        "User" | "-l" => "use `ansible_user`",
        _ => "this argument of `ssh` is not supported by this version",
    };
    field
        .sink()
        .report(Problem::new(field.span(), message).help(help));
}

/// Variables that hold a password or a key itself.
const SECRETS: [&str; 14] = [
    "ansible_password",
    "ansible_pass",
    "ansible_ssh_pass",
    "ansible_ssh_password",
    "ansible_become_pass",
    "ansible_become_password",
    "ansible_sudo_pass",
    "ansible_sudo_password",
    "ansible_su_pass",
    "ansible_su_password",
    "ansible_ssh_private_key",
    "ansible_private_key",
    "ansible_ssh_private_key_passphrase",
    "ansible_private_key_passphrase",
];

/// Refuses secrets, without showing them; false where there was one.
fn shows_no_secret(field: &Field<'_>) -> bool {
    let problem = if SECRETS.contains(&field.name) {
        let message = format!("`{}` is a secret", field.name);
        Problem::new(field.key_span, message).help(
            "take it out of the file: patchgate logs in with a key (`ansible_ssh_private_key_file` or \
             an agent), and becomes root with `sudo -n`, which asks for no password",
        )
    } else if holds_key(field.node) {
        let message = format!("{} holds a private key", quote(field.name));
        Problem::new(field.key_span, message).help(
            "keep the key in a file of its own and name that in `ansible_ssh_private_key_file`",
        )
    } else {
        return true;
    };
    field.sink().report(problem.secret());
    false
}

fn holds_key(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(scalar) => {
            scalar.text.contains("-----BEGIN") && scalar.text.contains("PRIVATE KEY")
        }
        Value::Seq(items) => items.iter().any(holds_key),
        Value::Map(entries) => entries.iter().any(|e| holds_key(&e.value)),
        Value::Refused => false,
    }
}

/// Refuses Jinja in the variables that are understood; false where there was some.
fn holds_no_template(field: &Field<'_>) -> bool {
    let ours = UNDERSTOOD.contains(&field.name) || field.name.starts_with("patchgate_");
    let Value::Scalar(scalar) = &field.node.value else {
        return true;
    };
    if !ours || !(scalar.text.contains("{{") || scalar.text.contains("{%")) {
        return true;
    }
    let message = format!("`{}` is a Jinja template", field.name);
    let problem = Problem::new(field.span(), message);
    field
        .sink()
        .report(problem.help("this version evaluates none: write the value out"));
    false
}

const UNDERSTOOD: [&str; 12] = [
    "ansible_host",
    "ansible_ssh_host",
    "ansible_port",
    "ansible_ssh_port",
    "ansible_user",
    "ansible_ssh_user",
    "ansible_ssh_private_key_file",
    "ansible_private_key_file",
    "ansible_become",
    "ansible_become_user",
    "ansible_become_method",
    "ansible_connection",
];
