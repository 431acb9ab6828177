//! The host-side checks of a suite: their shell texts, and what their answers show.

use std::{collections::BTreeMap, time::Duration};

use patchgate_core::{
    observation::{CommandEnd, CommandSeen, Observation, SelinuxSeen, ServiceSeen},
    reading::Reading,
    suite::{
        Check, CheckKind, Vantage, command::Command, denials::Denials, http::Http,
        selinux::Selinux, service::Service,
    },
};

use super::{answer, trouble, value};
use crate::{
    host::{Exit, Item, Reply, quote},
    probe::{
        HttpRequest,
        local::{LocalProbe, Next},
    },
};

/// What a command check keeps of each stream.
const COMMAND_CAP: usize = 16 << 10;

/// What is done to make a check.
pub enum Way {
    /// An item of the state's batch on the host.
    OnHost(Item),
    /// A request from the controller.
    FromController(HttpRequest),
    /// Nothing: the window answers it.
    ByWindow,
}

/// How a check of a host at an address is made.
///
/// # Errors
/// Why it cannot be made, in words.
pub fn way(check: &Check, address: &str) -> Result<Way, String> {
    match &check.kind {
        CheckKind::Http(http) => {
            let request = request(http, check, address)?;
            match check.vantage {
                Vantage::Controller => Ok(Way::FromController(request)),
                Vantage::Localhost => Ok(Way::OnHost(local_item(&request)?)),
            }
        }
        CheckKind::Command(want) => Ok(Way::OnHost(command(want, check.deadline))),
        CheckKind::Service(want) => Ok(Way::OnHost(service(want, check.deadline))),
        CheckKind::Selinux(want) => Ok(Way::OnHost(selinux(want, check.deadline))),
        CheckKind::Denials(Denials { .. }) => Ok(Way::ByWindow),
    }
}

/// What the reply of a check's item shows.
#[must_use]
pub fn read(check: &Check, address: &str, reply: &Reply) -> Observation {
    match &check.kind {
        CheckKind::Http(http) => match request(http, check, address) {
            Ok(request) => read_local(&request, reply),
            Err(why) => Observation::Errored { why },
        },
        CheckKind::Command(_) => read_command(reply),
        CheckKind::Service(_) => read_service(reply),
        CheckKind::Selinux(want) => read_selinux(want, reply),
        CheckKind::Denials(_) => Observation::Window,
    }
}

/// The request of a check, its templates rendered.
fn request(http: &Http, check: &Check, address: &str) -> Result<HttpRequest, String> {
    let url = http.url_for(address).map_err(|e| e.to_string())?;
    let http = Http {
        url,
        ..http.clone()
    };
    Ok(HttpRequest::new(&http, check.deadline, None))
}

/// The control on the host may take a little longer than the request itself: its shell starts first.
fn local_item(request: &HttpRequest) -> Result<Item, String> {
    let probe = LocalProbe::new(request).map_err(|e| e.to_string())?;
    let deadline = request.deadline + Duration::from_secs(5);
    Ok(Item {
        cap: 1 << 20,
        ..Item::new(probe.script(), deadline)
    })
}

fn read_local(request: &HttpRequest, reply: &Reply) -> Observation {
    let ran = match ran(reply) {
        Ok(ran) => ran,
        Err(why) => return Observation::Errored { why },
    };
    let seen = LocalProbe::new(request)
        .map_err(|e| e.to_string())
        .and_then(|probe| {
            let seen = probe.read(&ran).map_err(|e| e.to_string())?;
            match probe.next(seen) {
                Next::Done(seen) => Ok(seen),
                Next::Again(_) => {
                    Err("the control on the host does not follow redirects".to_owned())
                }
            }
        });
    match seen {
        Ok(seen) => Observation::Http(seen),
        Err(why) => Observation::Errored { why },
    }
}

/// The request of a check, asked on the host itself.
///
/// # Errors
/// Why it cannot be asked there, in words.
pub fn control(check: &Check, address: &str) -> Result<Item, String> {
    match &check.kind {
        CheckKind::Http(http) => local_item(&request(http, check, address)?),
        CheckKind::Command(_)
        | CheckKind::Service(_)
        | CheckKind::Selinux(_)
        | CheckKind::Denials(_) => Err("the check makes no request".to_owned()),
    }
}

fn command(want: &Command, deadline: Duration) -> Item {
    Item {
        cap: COMMAND_CAP,
        ..Item::new(want.run.clone(), deadline)
    }
}

fn read_command(reply: &Reply) -> Observation {
    match ran(reply) {
        Ok(ran) => Observation::Command(ran),
        Err(why) => Observation::Errored { why },
    }
}

/// How an item ran, or why nobody knows.
fn ran(reply: &Reply) -> Result<CommandSeen, String> {
    let end = match &reply.exit {
        Exit::Code(code) => CommandEnd::Exited(*code),
        Exit::DeadlineExceeded => CommandEnd::DeadlineExceeded,
        lost @ (Exit::NotRun { .. } | Exit::Lost { .. }) => return Err(trouble(lost, "")),
    };
    Ok(CommandSeen {
        end,
        stdout: reply.stdout.text(),
        stderr: reply.stderr.text(),
        dropped: reply.stdout.dropped + reply.stderr.dropped,
        elapsed: reply.elapsed,
    })
}

fn service(want: &Service, deadline: Duration) -> Item {
    let unit = quote::sh(&want.unit);
    let script = format!(
        r#"unit={unit}
if command -v systemctl >/dev/null; then
  p=$(systemctl show -p ActiveState -p SubState -p UnitFileState -p Result -p MainPID "$unit") || exit
  printf '%s\n' "$p"
  pid=${{p##*MainPID=}}; pid=${{pid%%[!0-9]*}}
  c=; [ "${{pid:-0}}" = 0 ] || IFS= read -r c <"/proc/$pid/attr/current"; [ -n "$c" ] && printf 'Context=%s\n' "$c"
else
  if service "$unit" status >/dev/null 2>&1; then echo ActiveState=active
  else echo ActiveState=inactive; fi
  if chkconfig "$unit" 2>/dev/null; then echo UnitFileState=enabled
  else echo UnitFileState=disabled; fi
fi 2>/dev/null
exit 0"#
    );
    Item::new(script, deadline)
}

fn read_service(reply: &Reply) -> Observation {
    let text = match answer(reply) {
        Reading::Known(text) => text,
        Reading::Missing { why } => return Observation::Errored { why },
    };
    let field = |key| {
        value(&text, key)
            .filter(|v| !v.is_empty())
            .map(ToOwned::to_owned)
    };
    let Some(active) = field("ActiveState") else {
        return Observation::Errored {
            why: "the service manager does not answer".to_owned(),
        };
    };
    Observation::Service(ServiceSeen {
        active,
        sub: field("SubState"),
        enabled: field("UnitFileState"),
        result: field("Result"),
        main_pid: field("MainPID")
            .and_then(|p| p.parse().ok())
            .filter(|p| *p != 0),
        context: field("Context").map(|c| c.trim_end_matches('\0').to_owned()),
    })
}

/// Files of selinuxfs have no line break at their end, so `read` fails on them and still reads. Without
/// selinuxfs SELinux is disabled where it is configured, and absent elsewhere.
fn selinux(want: &Selinux, deadline: Duration) -> Item {
    let names: Vec<_> = want
        .booleans
        .keys()
        .map(|n| quote::sh(n).to_string())
        .collect();
    let script = format!(
        r#"for fs in /sys/fs/selinux /selinux; do
  [ -r "$fs/enforce" ] || continue
  one() {{ v=; IFS= read -r v <"$2"; [ -n "$v" ] && printf '%s=%s\n' "$1" "$v"; }}
  one enforce "$fs/enforce"
  for b in {}; do one "boolean.$b" "$fs/booleans/$b"; done
  exit 0
done 2>/dev/null
[ -e /etc/selinux/config ] && echo enforce=none || echo enforce=absent"#,
        names.join(" ")
    );
    Item::new(script, deadline)
}

fn read_selinux(want: &Selinux, reply: &Reply) -> Observation {
    let text = match answer(reply) {
        Reading::Known(text) => text,
        Reading::Missing { why } => return Observation::Errored { why },
    };
    let mode = match value(&text, "enforce") {
        Some("1") => "Enforcing",
        Some("0") => "Permissive",
        Some("none") => "Disabled",
        Some("absent") => {
            return Observation::Errored {
                why: "there is no SELinux on this host".to_owned(),
            };
        }
        Some(_) | None => {
            return Observation::Errored {
                why: "selinuxfs does not say the mode".to_owned(),
            };
        }
    };
    let boolean = |name: &String| {
        let value = value(&text, &format!("boolean.{name}"));
        // `current pending`: the first is in force.
        value.and_then(|v| match v.split(' ').next() {
            Some("1") => Some(true),
            Some("0") => Some(false),
            Some(_) | None => None,
        })
    };
    let booleans: BTreeMap<_, _> = want
        .booleans
        .keys()
        .map(|name| (name.clone(), boolean(name)))
        .collect();
    Observation::Selinux(SelinuxSeen {
        mode: mode.to_owned(),
        booleans,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Captured;

    fn reply(text: &str) -> Reply {
        let stdout = Captured {
            bytes: text.into(),
            dropped: 0,
        };
        Reply {
            stdout,
            ..Reply::silent(Exit::Code(0))
        }
    }

    #[test]
    fn a_failed_unit_is_read_with_its_result() {
        let text = "ActiveState=failed\nSubState=failed\nUnitFileState=enabled\n\
                    Result=exit-code\nMainPID=0\n";
        let Observation::Service(seen) = read_service(&reply(text)) else {
            panic!()
        };
        assert_eq!((seen.active.as_str(), seen.main_pid), ("failed", None));
        assert_eq!(seen.result.as_deref(), Some("exit-code"));
    }

    #[test]
    fn silence_is_an_error_and_never_a_state() {
        let silent = reply("");
        assert!(matches!(read_service(&silent), Observation::Errored { .. }));
        let want = Selinux {
            mode: None,
            booleans: BTreeMap::new(),
        };
        assert!(matches!(
            read_selinux(&want, &silent),
            Observation::Errored { .. }
        ));
        let lost = Reply::silent(Exit::Lost { why: "x".into() });
        assert!(matches!(read_command(&lost), Observation::Errored { .. }));
    }

    #[test]
    fn booleans_show_the_value_in_force() {
        let want = Selinux {
            mode: None,
            booleans: BTreeMap::from([("a".into(), true), ("b".into(), true), ("c".into(), true)]),
        };
        let Observation::Selinux(seen) =
            read_selinux(&want, &reply("enforce=1\nboolean.a=1 0\nboolean.b=0 1\n"))
        else {
            panic!()
        };
        assert_eq!(seen.mode, "Enforcing");
        assert_eq!(
            seen.booleans.into_values().collect::<Vec<_>>(),
            [Some(true), Some(false), None]
        );
    }
}
