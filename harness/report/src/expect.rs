//! What a check asks and expects, in words, and how a person asks the same again.

use patchgate_core::{
    plan::PlannedHost,
    suite::{
        Check, CheckKind, Vantage, denials::Denials, http::Http, selinux::Selinux, service::Service,
    },
    text::one_line,
    time::show_duration,
};

/// The longest piece of a suite's own text in a sentence.
const MAX: usize = 200;

/// What must hold, in a line.
pub(crate) fn expectation(check: &Check, host: &PlannedHost) -> String {
    let within = show_duration(check.deadline);
    match &check.kind {
        CheckKind::Http(want) => {
            let url = url(want, host);
            let body = holds("the body", &want.contains);
            format!(
                "`{url}` answers with status {} within {within}{body}",
                want.status
            )
        }
        CheckKind::Command(want) => {
            let run = one_line(&want.run, MAX);
            let output = holds("the output", &want.stdout_contains);
            format!(
                "`{run}` exits with status {} within {within}{output}",
                want.exit
            )
        }
        CheckKind::Service(want) => service(want),
        CheckKind::Selinux(want) => selinux(want),
        CheckKind::Denials(want) => denials(want),
    }
}

/// How to ask the same by hand.
pub(crate) fn again(check: &Check, host: &PlannedHost) -> String {
    let place = match check.vantage {
        Vantage::Controller => "",
        Vantage::Localhost => "on the host: ",
    };
    match &check.kind {
        CheckKind::Http(want) => {
            let seconds = check.deadline.as_secs().max(1);
            format!(
                "{place}curl -sv --max-time {seconds} {}",
                quoted(&url(want, host))
            )
        }
        CheckKind::Command(want) => format!("on the host: {}", one_line(&want.run, MAX)),
        CheckKind::Service(want) => {
            format!(
                "on the host: systemctl status {0} || service {0} status",
                quoted(&one_line(&want.unit, MAX))
            )
        }
        CheckKind::Selinux(_) => "on the host: getenforce; getsebool -a".to_owned(),
        CheckKind::Denials(_) => "on the host: ausearch -i -m avc,user_avc,selinux_err".to_owned(),
    }
}

fn url(want: &Http, host: &PlannedHost) -> String {
    one_line(&want.url.replace("{{ host }}", &host.address), MAX)
}

fn holds(what: &str, texts: &[String]) -> String {
    if texts.is_empty() {
        return String::new();
    }
    let texts: Vec<_> = texts
        .iter()
        .map(|t| format!("`{}`", one_line(t, MAX)))
        .collect();
    format!(", and {what} contains {}", texts.join(" and "))
}

fn service(want: &Service) -> String {
    let active = if want.active { "active" } else { "not active" };
    let enabled = match want.enabled {
        Some(true) => ", and starts at boot",
        Some(false) => ", and does not start at boot",
        None => "",
    };
    format!("{} is {active}{enabled}", one_line(&want.unit, MAX))
}

fn selinux(want: &Selinux) -> String {
    let mode = want.mode.map(|m| format!("SELinux is {}", m.word()));
    let booleans = want.booleans.iter().map(|(name, on)| {
        let value = if *on { "on" } else { "off" };
        format!("boolean {} is {value}", one_line(name, MAX))
    });
    let all: Vec<_> = mode.into_iter().chain(booleans).collect();
    all.join(", ")
}

/// Worded so that it cannot be taken for a statement about what was seen.
fn denials(want: &Denials) -> String {
    let whom = match want.domains.as_slice() {
        [] => "any domain".to_owned(),
        domains => one_line(&domains.join(", "), MAX),
    };
    let allowed = match &want.allow {
        None => String::new(),
        Some(list) => format!(" and {} does not allow", one_line(&list.file, MAX)),
    };
    format!("nothing is denied to {whom} that the baseline did not have{allowed}")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use patchgate_core::{
        allow::AllowList,
        id::CheckName,
        suite::{command::Command, selinux::Mode},
    };

    use super::*;
    use crate::testing;

    fn check(kind: CheckKind, vantage: Vantage) -> Check {
        Check {
            name: CheckName::new("c").unwrap(),
            title: String::new(),
            vantage,
            deadline: Duration::from_millis(2500),
            kind,
        }
    }

    fn http() -> Http {
        Http {
            url: "http://{{ host }}/it's".into(),
            status: 200,
            contains: vec!["a\x1b".into(), "b".into()],
            redirects: 0,
            body_limit: 1,
            verify_tls: true,
        }
    }

    #[track_caller]
    fn assert_words(kind: CheckKind, vantage: Vantage, want: &str, ask: &str) {
        let check = check(kind, vantage);
        let plan = testing::plan();
        let host = plan.host(&testing::host("lab-rebuild")).unwrap();
        assert_eq!(expectation(&check, host), want);
        assert_eq!(again(&check, host), ask);
    }

    #[test]
    fn a_request_is_asked_again_from_where_it_was_asked() {
        assert_words(
            CheckKind::Http(http()),
            Vantage::Controller,
            r"`http://192.0.2.2/it's` answers with status 200 within 2.50s, and the body contains `a\u{1b}` and `b`",
            r"curl -sv --max-time 2 'http://192.0.2.2/it'\''s'",
        );
        assert_words(
            CheckKind::Http(Http {
                contains: vec![],
                ..http()
            }),
            Vantage::Localhost,
            "`http://192.0.2.2/it's` answers with status 200 within 2.50s",
            r"on the host: curl -sv --max-time 2 'http://192.0.2.2/it'\''s'",
        );
    }

    #[test]
    fn commands_and_services_say_what_must_hold() {
        let command = Command {
            run: "id -u\ntrue".into(),
            exit: 0,
            stdout_contains: vec![],
        };
        assert_words(
            CheckKind::Command(command),
            Vantage::Localhost,
            "`id -u true` exits with status 0 within 2.50s",
            "on the host: id -u true",
        );
        let service = Service {
            unit: "httpd".into(),
            active: true,
            enabled: Some(false),
        };
        assert_words(
            CheckKind::Service(service),
            Vantage::Localhost,
            "httpd is active, and does not start at boot",
            "on the host: systemctl status 'httpd' || service 'httpd' status",
        );
    }

    #[test]
    fn selinux_and_denials_say_what_must_hold() {
        let booleans = BTreeMap::from([("httpd_enable_cgi".into(), false)]);
        let selinux = Selinux {
            mode: Some(Mode::Enforcing),
            booleans,
        };
        assert_words(
            CheckKind::Selinux(selinux),
            Vantage::Localhost,
            "SELinux is enforcing, boolean httpd_enable_cgi is off",
            "on the host: getenforce; getsebool -a",
        );
        assert_words(
            CheckKind::Denials(Denials {
                domains: vec!["httpd_t".into()],
                allow: None,
            }),
            Vantage::Localhost,
            "nothing is denied to httpd_t that the baseline did not have",
            "on the host: ausearch -i -m avc,user_avc,selinux_err",
        );
        assert_words(
            CheckKind::Denials(Denials {
                domains: vec![],
                allow: Some(AllowList {
                    file: "known\u{1b}.yaml".into(),
                    entries: vec![],
                }),
            }),
            Vantage::Localhost,
            "nothing is denied to any domain that the baseline did not have and known\\u{1b}.yaml does not allow",
            "on the host: ausearch -i -m avc,user_avc,selinux_err",
        );
    }
}
