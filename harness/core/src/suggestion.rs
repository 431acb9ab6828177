//! What tools in audit2allow's kind would do about a denial: told as information, never applied.
//!
//! They look at the denial alone and so would also allow what a broken policy took away; the note says
//! what the line does and when it is the wrong thing.

use serde::{Deserialize, Serialize};

use crate::{text::shell_word, verdict::DeniedAccess};

/// A line of policy or a command, and what it would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The rule, as `allow httpd_t user_home_t:file { getattr read };`, or the command.
    pub line: String,
    /// What it does, and when it is the wrong thing.
    pub note: String,
}

/// What could be done about a cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fix {
    /// A rule of a local module.
    Allow(DeniedAccess),
    /// The label that the policy wants.
    Relabel {
        /// The path.
        path: String,
    },
    /// A boolean.
    Boolean {
        /// Its name.
        name: String,
        /// The value that it had when the service worked.
        on: bool,
    },
    /// The type of a port.
    Port {
        /// The TCP port.
        port: u16,
        /// The type that it had when the service worked, where that is known.
        type_: Option<String>,
    },
}

/// Puts a fix into words; `broken` says that a package took the access away. None where a name of the
/// record is no name of a policy and so has no place in a rule or a command.
pub(crate) fn suggest(fix: &Fix, broken: bool) -> Option<Suggestion> {
    let (line, note) = match fix {
        Fix::Allow(denial) => (allow(denial)?, allow_note(denial, broken)),
        Fix::Relabel { path } => (
            format!("restorecon -Rv {}", shell_word(path)),
            "Gives the files the labels that the policy wants. Where they come back wrong, what \
             makes them has to be mended."
                .to_owned(),
        ),
        Fix::Boolean { name, on } => {
            let value = if *on { "on" } else { "off" };
            (
                format!("setsebool -P {} {value}", policy_name(name)?),
                "Gives the boolean the value that it had when the service worked, for good. Whoever \
                 changed it may do so again."
                    .to_owned(),
            )
        }
        Fix::Port { port, type_ } => (port_line(*port, type_.as_deref())?, PORT_NOTE.to_owned()),
    };
    Some(Suggestion { line, note })
}

const PORT_NOTE: &str = "Gives the port its type back. Whoever took it away may do so again.";

fn port_line(port: u16, type_: Option<&str>) -> Option<String> {
    Some(match type_ {
        Some(type_) => format!("semanage port -a -t {} -p tcp {port}", policy_name(type_)?),
        None => format!("semanage port -l | grep -w {port}"),
    })
}

/// `allow SOURCE TARGET:CLASS { PERMISSIONS };`, as audit2allow writes it.
fn allow(denial: &DeniedAccess) -> Option<String> {
    let source = policy_name(&denial.source)?;
    let target = match policy_name(&denial.target)? {
        target if target == source => "self",
        target => target,
    };
    let perms: Vec<&str> = denial
        .perms
        .iter()
        .map(|p| policy_name(p))
        .collect::<Option<_>>()?;
    let perms = match perms.as_slice() {
        [] => return None,
        [one] => (*one).to_owned(),
        many => format!("{{ {} }}", many.join(" ")),
    };
    let class = policy_name(&denial.class)?;
    Some(format!("allow {source} {target}:{class} {perms};"))
}

fn allow_note(denial: &DeniedAccess, broken: bool) -> String {
    if broken {
        return "A package took this access away: that package has to be mended or held back. A local \
                module with this line would only hide it, and would outlive the mended package."
            .to_owned();
    }
    let source = &denial.source;
    format!(
        "Right only if {source} is meant to do this: a wrong label, boolean or port is mended where it \
         is wrong, not allowed."
    )
}

/// A name as policies have them.
fn policy_name(name: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    (!name.is_empty() && name.chars().all(plain)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denial(target: &str, class: &str, perms: &[&str]) -> DeniedAccess {
        DeniedAccess {
            source: "httpd_t".into(),
            target: target.into(),
            class: class.into(),
            perms: perms.iter().map(|p| (*p).to_owned()).collect(),
            silenced: false,
        }
    }

    fn line(fix: &Fix) -> Option<String> {
        suggest(fix, false).map(|s| s.line)
    }

    #[test]
    fn every_fix_is_a_line_to_paste() {
        let relabel = |path: &str| Fix::Relabel { path: path.into() };
        let boolean = |name: &str, on| Fix::Boolean {
            name: name.into(),
            on,
        };
        let port = |type_: Option<&str>| Fix::Port {
            port: 8081,
            type_: type_.map(Into::into),
        };
        for (fix, wanted) in [
            (
                Fix::Allow(denial("shadow_t", "file", &["getattr", "read"])),
                "allow httpd_t shadow_t:file { getattr read };",
            ),
            (
                Fix::Allow(denial("httpd_t", "tcp_socket", &["accept"])),
                "allow httpd_t self:tcp_socket accept;",
            ),
            (relabel("/srv/a b"), "restorecon -Rv '/srv/a b'"),
            (
                boolean("httpd_can_network_connect", true),
                "setsebool -P httpd_can_network_connect on",
            ),
            (
                port(Some("http_port_t")),
                "semanage port -a -t http_port_t -p tcp 8081",
            ),
            (port(None), "semanage port -l | grep -w 8081"),
        ] {
            assert_eq!(line(&fix).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn what_is_no_name_of_a_policy_comes_into_no_line() {
        for fix in [
            Fix::Allow(denial("x; rm -rf /", "file", &["read"])),
            Fix::Allow(denial("x_t", "file", &["read;"])),
            Fix::Allow(denial("x_t", "file", &[])),
            Fix::Allow(denial("?", "file", &["read"])),
            Fix::Boolean {
                name: "a b".into(),
                on: true,
            },
            Fix::Port {
                port: 1,
                type_: Some("$(id)".into()),
            },
        ] {
            assert_eq!(line(&fix), None, "{fix:?}");
        }
    }

    #[test]
    fn what_a_package_took_away_is_to_be_mended_and_not_allowed() {
        let fix = Fix::Allow(denial("httpd_t", "tcp_socket", &["accept"]));
        let note = |broken| suggest(&fix, broken).unwrap().note;
        assert!(note(true).contains("mended or held back"));
        assert!(note(false).starts_with("Right only if httpd_t"));
    }
}
