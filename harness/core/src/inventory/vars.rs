//! The variables of a host or a group: which are understood, and what each must be.
//!
//! Everything else is the user's own and is left alone, except names that begin with `patchgate_` (a
//! misspelt one would be silently without effect) and secrets (which have no place in a file).

use std::path::{Path, PathBuf};

use super::{
    Role,
    given::{At, Given, Spelled, Worth, fill},
    paths, secrets, snapshot,
    ssh_args::{self, SshArgs},
};
use crate::{
    id::HostName,
    source::{
        Problem, Span,
        address::check_address,
        closest, list_of,
        node::Value,
        quote,
        reader::{Field, Reader},
    },
    undo::SnapshotSource,
};

/// Where variables come from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whence<'w> {
    /// The number of the text.
    pub(super) file: usize,
    /// Where relative paths begin.
    pub(super) base_dir: &'w Path,
    /// What `~/` stands for.
    pub(super) home: &'w Path,
}

impl Whence<'_> {
    fn at(&self, span: Span) -> At {
        let file = self.file;
        At { file, span }
    }

    /// What a field gives: what a function reads from it, unless it is one that can only be refused.
    fn given<'n, T>(
        &self,
        field: &Field<'n>,
        read: impl FnOnce(&Field<'n>) -> Option<T>,
    ) -> Option<Given<T>> {
        let worth = match unusable(field) {
            Some(problem) => Worth::Untold(Box::new(problem)),
            None => Worth::Good(read(field)?),
        };
        let at = self.at(field.span());
        Some(Given { worth, at })
    }

    /// What a field gives that is checked as a whole; its problem matters only to a host that needs it.
    fn checked<T>(
        &self,
        field: &Field<'_>,
        read: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<Given<T>> {
        let mut given = self.given(field, |f| Some(f.scalar("a text")?.text.clone()))?;
        let at = given.at;
        let worth = match std::mem::replace(&mut given.worth, Worth::Told) {
            Worth::Good(text) => match read(&text) {
                Ok(value) => Worth::Good(value),
                Err(problem) => Worth::Untold(Box::new(problem)),
            },
            Worth::Untold(problem) => Worth::Untold(problem),
            Worth::Told => Worth::Told,
        };
        Some(Given { worth, at })
    }
}

/// Why a field cannot be used, whatever it says: under a tag, an alias, a Jinja template.
fn unusable(field: &Field<'_>) -> Option<Problem> {
    match &field.node.value {
        Value::Later(problem) => Some((**problem).clone()),
        Value::Scalar(scalar) if secrets::is_template(&scalar.text) => {
            let message = format!("`{}` is a Jinja template", field.name);
            let problem = Problem::new(field.span(), message);
            Some(problem.help("this version evaluates none: write the value out"))
        }
        Value::Scalar(_) | Value::Seq(_) | Value::Map(_) | Value::Refused => None,
    }
}

/// The variables that are understood, as far as one place gives them.
#[derive(Clone, Debug, Default)]
pub(super) struct Vars {
    pub(super) address: Spelled<String>,
    pub(super) port: Spelled<u16>,
    pub(super) user: Spelled<String>,
    pub(super) key_file: Spelled<PathBuf>,
    pub(super) connection: Option<Given<()>>,
    /// `ansible_ssh_args`, `ansible_ssh_common_args`, `ansible_ssh_extra_args`.
    pub(super) ssh_args: [Option<Given<SshArgs>>; 3],
    pub(super) become_root: Option<Given<bool>>,
    pub(super) become_user: Option<Given<String>>,
    pub(super) become_method: Option<Given<String>>,
    pub(super) known_hosts: Option<Given<Vec<PathBuf>>>,
    pub(super) legacy_algorithms: Option<Given<bool>>,
    pub(super) role: Option<Given<Role>>,
    pub(super) twin: Option<Given<HostName>>,
    pub(super) lab: Option<Given<bool>>,
    pub(super) wave: Option<Given<u64>>,
    pub(super) snapshot: Option<Given<SnapshotSource>>,
    /// `ansible_group_priority`: orders groups of one depth; means nothing for a host.
    pub(super) priority: Option<Given<u64>>,
}

impl Vars {
    /// Takes from others what is not given here.
    pub(super) fn fill_from(&mut self, below: &Self) {
        self.address.fill_from(&below.address);
        self.port.fill_from(&below.port);
        self.user.fill_from(&below.user);
        self.key_file.fill_from(&below.key_file);
        fill(&mut self.connection, below.connection.as_ref());
        for (own, below) in self.ssh_args.iter_mut().zip(&below.ssh_args) {
            fill(own, below.as_ref());
        }
        fill(&mut self.become_root, below.become_root.as_ref());
        fill(&mut self.become_user, below.become_user.as_ref());
        fill(&mut self.become_method, below.become_method.as_ref());
        fill(&mut self.known_hosts, below.known_hosts.as_ref());
        fill(
            &mut self.legacy_algorithms,
            below.legacy_algorithms.as_ref(),
        );
        fill(&mut self.role, below.role.as_ref());
        fill(&mut self.twin, below.twin.as_ref());
        fill(&mut self.lab, below.lab.as_ref());
        fill(&mut self.wave, below.wave.as_ref());
        fill(&mut self.snapshot, below.snapshot.as_ref());
        fill(&mut self.priority, below.priority.as_ref());
    }

    /// The port that stands behind a host's name.
    pub(super) fn of_port(port: u16, at: At) -> Self {
        let mut vars = Self::default();
        let worth = Worth::Good(port);
        vars.port.set(true, Some(Given { worth, at }));
        vars
    }

    /// Reads the map of variables of one place.
    pub(super) fn read(reader: &Reader<'_>, whence: &Whence<'_>) -> Self {
        let mut vars = Self::default();
        for field in reader.unasked() {
            if secrets::shows_none(&field) && !vars.take_ansible(&field, whence) {
                vars.take_patchgate(&field, whence);
            }
        }
        vars
    }

    /// Takes a variable of Ansible's; false where it is none that is understood.
    fn take_ansible(&mut self, field: &Field<'_>, whence: &Whence<'_>) -> bool {
        match field.name {
            "ansible_host" | "ansible_ssh_host" => {
                let is_new = field.name == "ansible_host";
                self.address.set(is_new, whence.given(field, address));
            }
            "ansible_port" | "ansible_ssh_port" => {
                let is_new = field.name == "ansible_port";
                self.port.set(is_new, whence.given(field, port));
            }
            "ansible_user" | "ansible_ssh_user" => {
                let is_new = field.name == "ansible_user";
                self.user.set(is_new, whence.given(field, user));
            }
            "ansible_ssh_private_key_file" | "ansible_private_key_file" => {
                let is_new = field.name == "ansible_ssh_private_key_file";
                let found = whence.given(field, |f| path(f, whence));
                self.key_file.set(is_new, found);
            }
            "ansible_become" => self.become_root = whence.given(field, Field::boolean_1_1),
            "ansible_become_user" => self.become_user = whence.given(field, word),
            "ansible_become_method" => self.become_method = whence.given(field, word),
            "ansible_group_priority" => {
                self.priority = whence.given(field, |f| f.integer(0..=1_000_000));
            }
            "ansible_connection" => {
                self.connection = whence.checked(field, |text| connection(field, text));
            }
            name => {
                let Some(at) = ssh_args::VARIABLES.iter().position(|v| *v == name) else {
                    return false;
                };
                let read = |text: &str| ssh_args::read(field, text, whence);
                self.ssh_args[at] = whence.checked(field, read);
            }
        }
        true
    }

    fn take_patchgate(&mut self, field: &Field<'_>, whence: &Whence<'_>) {
        match field.name {
            "patchgate_role" => {
                let words = [("upstream", Role::Upstream), ("rebuild", Role::Rebuild)];
                let told = Given {
                    worth: Worth::Told,
                    at: whence.at(field.span()),
                };
                let found = whence.given(field, |f| f.one_of(&words));
                // One that was refused is a role all the same: nothing follows from its absence.
                self.role = found.or(Some(told));
            }
            "patchgate_twin" => {
                let twin = |f: &Field<'_>| f.tried("the name of a host", HostName::new);
                self.twin = whence.given(field, twin);
            }
            "patchgate_lab" => self.lab = whence.given(field, Field::boolean_1_1),
            "patchgate_ssh_legacy" => {
                self.legacy_algorithms = whence.given(field, Field::boolean_1_1);
            }
            "patchgate_known_hosts" => {
                self.known_hosts = whence.given(field, |f| known_hosts(f, whence));
            }
            "patchgate_wave" => self.wave = whence.given(field, |f| f.integer(1..=1_000_000)),
            "patchgate_snapshot" => self.snapshot = whence.given(field, snapshot::read),
            name if name.starts_with("patchgate_") => refuse_unknown(field),
            _ => {}
        }
    }
}

const PATCHGATE_VARIABLES: [&str; 7] = [
    "patchgate_role",
    "patchgate_twin",
    "patchgate_lab",
    "patchgate_wave",
    "patchgate_known_hosts",
    "patchgate_ssh_legacy",
    "patchgate_snapshot",
];

fn refuse_unknown(field: &Field<'_>) {
    let message = format!("there is no variable {}", quote(field.name));
    let near = closest(field.name, &PATCHGATE_VARIABLES);
    let problem = Problem::new(field.key_span, message).expected(list_of(&PATCHGATE_VARIABLES));
    field
        .sink()
        .report(problem.maybe_help(near.map(|name| format!("did you mean `{name}`?"))));
}

fn address(field: &Field<'_>) -> Option<String> {
    field.tried("a host name or an IP address", |text| {
        check_address(text).map(|()| text.to_owned())
    })
}

fn port(field: &Field<'_>) -> Option<u16> {
    let number = field.integer(1..=u64::from(u16::MAX))?;
    u16::try_from(number).ok()
}

fn user(field: &Field<'_>) -> Option<String> {
    field.parsed("a login, as `root`", |text| {
        is_login(text).then(|| text.to_owned())
    })
}

/// Whether a text can be a login.
pub(super) fn is_login(text: &str) -> bool {
    let bad = |c: char| c.is_whitespace() || c.is_control() || ":/'\"`$;|&<>".contains(c);
    let fine = !text.is_empty() && text.len() <= 256 && !text.starts_with('-');
    fine && !text.contains(bad)
}

fn word(field: &Field<'_>) -> Option<String> {
    field.text().map(str::to_owned)
}

fn path(field: &Field<'_>, whence: &Whence<'_>) -> Option<PathBuf> {
    field.tried("the path of a file", |text| paths::resolve(text, whence))
}

fn known_hosts(field: &Field<'_>, whence: &Whence<'_>) -> Option<Vec<PathBuf>> {
    let files = field.list_or_one();
    if files.is_empty() && matches!(field.node.value, Value::Seq(_)) {
        field.wrong("`patchgate_known_hosts` names no file", "at least one");
    }
    Some(files.iter().filter_map(|f| path(f, whence)).collect())
}

fn connection(field: &Field<'_>, name: &str) -> Result<(), Problem> {
    const KNOWN: [&str; 4] = ["ssh", "smart", "paramiko", "paramiko_ssh"];
    if KNOWN.contains(&name.strip_prefix("ansible.builtin.").unwrap_or(name)) {
        return Ok(());
    }
    let message = format!("`ansible_connection` cannot be {}", quote(name));
    let help = if name == "local" || name == "ansible.builtin.local" {
        "patchgate is a remote client of its hosts: this very machine cannot be one of them, except \
         through SSH; `--limit` leaves hosts out"
    } else {
        "patchgate reaches hosts through SSH only; `--limit` leaves hosts out"
    };
    let problem = Problem::new(field.span(), message).expected("`ssh`");
    Err(problem.help(help))
}
