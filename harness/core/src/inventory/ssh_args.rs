//! Arguments for `ssh` in an inventory (`ansible_ssh_common_args`): which of them matter here.
//!
//! There is no `ssh` to hand them to. Those that only tune a connection can be left out; those that change
//! where it goes, as whom, or which keys are trusted cannot, so they are refused by name.

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

/// The first argument that changes where a connection goes, as whom, or which keys are trusted.
pub(super) fn first_that_matters(args: &str) -> Option<&'static str> {
    let words: Vec<&str> = args
        .split_whitespace()
        .map(|w| w.trim_matches(['"', '\'']))
        .collect();
    words.iter().enumerate().find_map(|(i, word)| {
        let after_o = i > 0 && words[i - 1] == "-o";
        let option = match word.strip_prefix("-o") {
            Some(option) if !option.is_empty() => Some(option),
            Some(_) | None => after_o.then_some(*word),
        };
        match option {
            Some(option) => known_option(option),
            None => FLAGS.into_iter().find(|f| word.starts_with(f)),
        }
    })
}

fn known_option(option: &str) -> Option<&'static str> {
    let key = option.split(['=', ' ']).next().unwrap_or(option);
    let key = key.trim_matches(['"', '\'']);
    OPTIONS.into_iter().find(|o| o.eq_ignore_ascii_case(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_arguments_that_change_the_connection_matter() {
        for (args, wanted) in [
            ("", None),
            ("-o ControlMaster=auto -o ControlPersist=60s", None),
            ("-o StrictHostKeyChecking=no -C -q", None),
            ("-o ProxyJump=bastion", Some("ProxyJump")),
            ("-oproxyjump=bastion", Some("ProxyJump")),
            ("-o 'ProxyCommand=ssh -W %h:%p gw'", Some("ProxyCommand")),
            ("-o ProxyCommand=\"ssh -q gw\"", Some("ProxyCommand")),
            ("-C -J bastion", Some("-J")),
            ("-Jbastion", Some("-J")),
            (
                "-o UserKnownHostsFile=/dev/null",
                Some("UserKnownHostsFile"),
            ),
            ("-i key", Some("-i")),
        ] {
            assert_eq!(first_that_matters(args), wanted, "{args}");
        }
    }
}
