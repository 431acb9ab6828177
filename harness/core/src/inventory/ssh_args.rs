//! Arguments for `ssh` in an inventory (`ansible_ssh_common_args`): which of them matter here.
//!
//! There is no `ssh` to hand them to. A jump host is taken from them. Those that only tune a connection
//! can be left out; those that change where it goes, as whom, or which keys are trusted cannot, so they
//! are refused by name.

use super::{
    jump::{self, Jump, JumpSpec},
    paths,
    vars::Whence,
    words,
};
use crate::source::{Problem, reader::Field};

/// The variables that hold arguments, in the order in which Ansible hands them to `ssh`: the first that
/// gives an option wins.
pub(super) const VARIABLES: [&str; 3] = [
    "ansible_ssh_args",
    "ansible_ssh_common_args",
    "ansible_ssh_extra_args",
];

const OPTIONS: [&str; 14] = [
    "ProxyJump",
    "ProxyCommand",
    "HostName",
    "Port",
    "User",
    "IdentityFile",
    "IdentityAgent",
    "CertificateFile",
    "UserKnownHostsFile",
    "GlobalKnownHostsFile",
    "HostKeyAlias",
    "BindAddress",
    "BindInterface",
    "ProxyUseFdpass",
];

const FLAGS: [&str; 9] = ["-J", "-W", "-F", "-i", "-p", "-l", "-b", "-B", "-w"];

/// What arguments say that matters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SshArgs {
    pub(super) jump: Option<Jump>,
}

/// One argument that changes where a connection goes, as whom, or which keys are trusted.
struct Argument {
    name: &'static str,
    value: String,
}

/// Reads the arguments of one variable.
pub(super) fn read(field: &Field<'_>, text: &str, whence: &Whence<'_>) -> Result<SshArgs, Problem> {
    let refused = |message: String| Problem::new(field.span(), message);
    let words = words::split(text, 0)
        .map_err(|why| refused(format!("`{}` cannot be read: {why}", field.name)))?;
    let words: Vec<String> = words.into_iter().map(|w| w.text).collect();
    let mut found = SshArgs::default();
    for Argument { name, value } in arguments(&words) {
        let jump = match name {
            "ProxyJump" | "-J" => jump::read(&value).map_err(|why| why.to_string()),
            "ProxyCommand" => command(&value, whence).ok_or_else(|| {
                "only `ssh -W %h:%p [user@]host`, with `-q`, `-p`, `-l`, `-i` and options that tune, \
                 can be a `ProxyCommand`"
                    .to_owned()
            }),
            _ => Err(help(name).to_owned()),
        };
        let jump = jump.map_err(|why| {
            let message = format!("`{}` sets `{name}`", field.name);
            refused(message).help(why)
        })?;
        found.jump.get_or_insert(jump);
    }
    Ok(found)
}

fn help(argument: &str) -> &'static str {
    match argument {
        "UserKnownHostsFile" | "GlobalKnownHostsFile" => "use `patchgate_known_hosts`",
        "IdentityFile" | "-i" => "use `ansible_ssh_private_key_file`",
        "HostName" => "use `ansible_host`",
        "Port" | "-p" => "use `ansible_port`",
        "User" | "-l" => "use `ansible_user`",
        _ => "this argument of `ssh` is not supported by this version",
    }
}

/// The arguments that matter, with their values.
fn arguments(words: &[String]) -> Vec<Argument> {
    let mut found = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if let Some(option) = word.strip_prefix("-o") {
            let option = if option.is_empty() {
                words.next().map_or("", |w| w.as_str())
            } else {
                option
            };
            found.extend(known_option(option));
        } else if let Some(name) = FLAGS.into_iter().find(|f| word.starts_with(f)) {
            let value = match &word[2..] {
                "" => words.next().cloned().unwrap_or_default(),
                value => value.to_owned(),
            };
            found.push(Argument { name, value });
        }
    }
    found
}

fn known_option(option: &str) -> Option<Argument> {
    let (key, value) = option.split_once(['=', ' ']).unwrap_or((option, ""));
    let name = OPTIONS
        .into_iter()
        .find(|o| o.eq_ignore_ascii_case(key.trim()))?;
    let value = value.trim().trim_matches(['"', '\'']).to_owned();
    Some(Argument { name, value })
}

/// Reads a command that does what `ProxyJump` does.
pub(super) fn command(text: &str, whence: &Whence<'_>) -> Option<Jump> {
    if text == "none" {
        return Some(Jump::None);
    }
    let words = words::split(text, 0).ok()?;
    let mut words = words.iter().map(|w| w.text.as_str());
    let program = words.next()?;
    if program != "ssh" && program != "/usr/bin/ssh" {
        return None;
    }
    let mut own = JumpSpec::default();
    let mut goes_on = false;
    let mut host = None;
    while let Some(word) = words.next() {
        match word {
            "-q" | "-A" | "-C" | "-4" | "-6" | "-T" | "-x" => {}
            "-W" => goes_on = ["%h:%p", "[%h]:%p"].contains(&words.next()?),
            "-p" => own.port = Some(words.next()?.parse().ok()?),
            "-l" => own.user = Some(words.next()?.to_owned()),
            "-i" => own.key_file = Some(paths::resolve(words.next()?, whence).ok()?),
            word if word.starts_with("-o") => {
                let inside = &word[2..];
                let option = if inside.is_empty() {
                    words.next()?
                } else {
                    inside
                };
                if known_option(option).is_some() {
                    return None;
                }
            }
            word if word.starts_with('-') || host.is_some() => return None,
            word => host = Some(jump::spec(word)?),
        }
    }
    let host = host.filter(|_| goes_on)?;
    let JumpSpec { port, user, .. } = host;
    Some(Jump::Through(JumpSpec {
        port: own.port.or(port),
        user: own.user.or(user),
        key_file: own.key_file,
        host: host.host,
    }))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::source::{Sink, Span};

    /// What arguments come to: a jump host, nothing, or the refusal.
    fn shown(args: &str) -> String {
        let sink = Sink::new("f", args);
        let field = Field::without_value(&sink, "args", Span::default());
        let whence = Whence {
            file: 0,
            base_dir: Path::new("/site"),
            home: Path::new("/home/me"),
        };
        match read(&field, args, &whence) {
            Ok(SshArgs { jump: None }) => String::new(),
            Ok(SshArgs {
                jump: Some(Jump::None),
            }) => "none".to_owned(),
            Ok(SshArgs {
                jump: Some(Jump::Through(s)),
            }) => {
                let user = s.user.map(|u| u + "@").unwrap_or_default();
                let port = s.port.map(|p| format!(":{p}")).unwrap_or_default();
                let key = s
                    .key_file
                    .map(|k| format!(" {}", k.display()))
                    .unwrap_or_default();
                format!("{user}{}{port}{key}", s.host)
            }
            Err(problem) => {
                sink.report(problem);
                sink.finish(Some(())).unwrap_err().to_string()
            }
        }
    }

    #[test]
    fn a_jump_host_is_taken_and_what_tunes_left_out() {
        for (args, wanted) in [
            ("", ""),
            ("-o ControlMaster=auto -o ControlPersist=60s", ""),
            ("-o StrictHostKeyChecking=no -C -q", ""),
            ("-o ProxyJump=bastion", "bastion"),
            ("-oproxyjump=me@bastion:2222", "me@bastion:2222"),
            ("-o ProxyJump=none", "none"),
            ("-C -J bastion", "bastion"),
            ("-Jbastion -J other", "bastion"),
            ("-o 'ProxyCommand=ssh -W %h:%p gw'", "gw"),
            (r#"-o ProxyCommand="ssh -W %h:%p -q me@gw""#, "me@gw"),
            (
                r#"-o 'ProxyCommand="ssh -q -o StrictHostKeyChecking=no -i ~/.ssh/gw -p 22 -l a -W %h:%p gw"'"#,
                "a@gw:22 /home/me/.ssh/gw",
            ),
        ] {
            assert_eq!(shown(args), wanted, "{args}");
        }
    }

    #[test]
    fn what_changes_a_connection_is_refused_by_name() {
        for (args, wanted) in [
            (
                "-o UserKnownHostsFile=/dev/null",
                "`args` sets `UserKnownHostsFile`\n  help: use `patchgate_known_hosts`",
            ),
            (
                "-i key",
                "`args` sets `-i`\n  help: use `ansible_ssh_private_key_file`",
            ),
            ("-F none", "`args` sets `-F`"),
            (
                "-J a,b",
                "`args` sets `-J`\n  help: only one jump host is supported",
            ),
            (
                "-o 'ProxyCommand=nc -x proxy %h %p'",
                "`args` sets `ProxyCommand`\n  help: only `ssh -W",
            ),
            (
                "-o ProxyCommand='ssh gw nc %h %p'",
                "`args` sets `ProxyCommand`",
            ),
            (
                "-o 'ProxyCommand=ssh -o UserKnownHostsFile=/dev/null -W %h:%p gw'",
                "`args` sets `ProxyCommand`",
            ),
            ("-o 'x", "`args` cannot be read: a quote is not closed"),
        ] {
            let told = shown(args);
            assert!(told.contains(wanted), "{args}: {told}");
        }
    }
}
