//! How a check ended: what was seen, held against what the suite expects.

use serde::{Deserialize, Serialize};

use crate::{
    observation::{
        CommandEnd, CommandSeen, HttpAnswer, HttpEnd, HttpPhase, HttpSeen, Observation,
        SelinuxSeen, ServiceSeen,
    },
    suite::{
        CheckKind,
        command::Command,
        http::Http,
        selinux::{Mode, Selinux},
        service::Service,
    },
    time::show_duration,
};

/// How one planned check of one host in one state ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Outcome {
    /// The expectation held.
    Passed,
    /// It did not: the host's fault.
    Failed {
        /// What was seen instead.
        symptom: Symptom,
    },
    /// It held, or seemed to, but the evidence has gaps: nothing can be said.
    Blind {
        /// The gaps, in words.
        gaps: Vec<String>,
    },
    /// The check could not be made: our trouble.
    Errored {
        /// Why.
        why: String,
    },
    /// It was planned and did not run.
    NotRun {
        /// Why.
        why: String,
    },
    /// It was planned for a state that the host was shown not to need.
    NotNeeded {
        /// What shows it.
        why: String,
    },
}

impl Outcome {
    /// The word for people and files.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed { .. } => "failed",
            Self::Blind { .. } => "blind",
            Self::Errored { .. } => "errored",
            Self::NotRun { .. } => "not-run",
            Self::NotNeeded { .. } => "not-needed",
        }
    }

    /// One line on what was wrong; none when nothing was.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Passed => None,
            Self::Failed { symptom } => Some(symptom.text.clone()),
            Self::Blind { gaps } => Some(format!("cannot be said: {}", gaps.join("; "))),
            Self::Errored { why } | Self::NotRun { why } | Self::NotNeeded { why } => {
                Some(why.clone())
            }
        }
    }
}

/// What was seen instead of what was expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symptom {
    /// Its kind, for diagnosis.
    pub kind: SymptomKind,
    /// One line for people.
    pub text: String,
}

/// The kinds of symptom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SymptomKind {
    /// An HTTP request failed in this phase.
    Http(HttpPhase),
    /// An HTTP answer had another status.
    HttpStatus,
    /// An HTTP answer lacked a text.
    HttpBody,
    /// A command exited otherwise.
    CommandExit,
    /// A command's output lacked a text.
    CommandOutput,
    /// A command ran into its deadline.
    CommandDeadline,
    /// A unit is not active, or active against expectation.
    ServiceState,
    /// A unit does not start at boot, or does against expectation.
    ServiceEnabled,
    /// SELinux is in another mode.
    SelinuxMode,
    /// A boolean has another value.
    SelinuxBoolean,
    /// There are denials.
    Denials,
}

impl Symptom {
    fn new(kind: SymptomKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }
}

/// Holds what was seen against what the check expects.
///
/// None when the answer lies in the window, which is judged apart.
#[must_use]
pub fn evaluate(kind: &CheckKind, saw: &Observation) -> Option<Outcome> {
    let symptom = match (kind, saw) {
        (_, Observation::Errored { why }) => return Some(Outcome::Errored { why: why.clone() }),
        (CheckKind::Denials(_), Observation::Window) => return None,
        (CheckKind::Http(want), Observation::Http(saw)) => http(want, saw),
        (CheckKind::Command(want), Observation::Command(saw)) => command(want, saw),
        (CheckKind::Service(want), Observation::Service(saw)) => match service(want, saw) {
            Ok(symptom) => symptom,
            Err(why) => return Some(Outcome::Errored { why }),
        },
        (CheckKind::Selinux(want), Observation::Selinux(saw)) => selinux(want, saw),
        (
            CheckKind::Http(_)
            | CheckKind::Command(_)
            | CheckKind::Service(_)
            | CheckKind::Selinux(_)
            | CheckKind::Denials(_),
            _,
        ) => {
            let why = "the record holds an observation of another kind of check".to_owned();
            return Some(Outcome::Errored { why });
        }
    };
    Some(symptom.map_or(Outcome::Passed, |symptom| Outcome::Failed { symptom }))
}

fn http(want: &Http, saw: &HttpSeen) -> Option<Symptom> {
    match &saw.end {
        HttpEnd::Failed(failure) => {
            let text = format!(
                "{} after {}",
                failure.phase.symptom(),
                show_duration(saw.elapsed)
            );
            Some(Symptom::new(SymptomKind::Http(failure.phase), text))
        }
        HttpEnd::Answered(answer) => answered(want, answer),
    }
}

fn answered(want: &Http, answer: &HttpAnswer) -> Option<Symptom> {
    if answer.status != want.status {
        let text = format!("status {} instead of {}", answer.status, want.status);
        return Some(Symptom::new(SymptomKind::HttpStatus, text));
    }
    let held = |i: usize| answer.contained.get(i).copied().unwrap_or(false);
    let missing = want.contains.iter().enumerate().find(|(i, _)| !held(*i))?.1;
    Some(Symptom::new(
        SymptomKind::HttpBody,
        format!("the body does not contain `{missing}`"),
    ))
}

fn command(want: &Command, saw: &CommandSeen) -> Option<Symptom> {
    let status = match saw.end {
        CommandEnd::DeadlineExceeded => {
            let text = format!("ran into its deadline after {}", show_duration(saw.elapsed));
            return Some(Symptom::new(SymptomKind::CommandDeadline, text));
        }
        CommandEnd::Exited(status) => status,
    };
    if status != want.exit {
        let said = saw
            .stderr
            .lines()
            .next()
            .map(|l| format!(": {l}"))
            .unwrap_or_default();
        let text = format!("exit status {status} instead of {}{said}", want.exit);
        return Some(Symptom::new(SymptomKind::CommandExit, text));
    }
    let missing = want
        .stdout_contains
        .iter()
        .find(|t| !saw.stdout.contains(t.as_str()))?;
    Some(Symptom::new(
        SymptomKind::CommandOutput,
        format!("the output does not contain `{missing}`"),
    ))
}

/// What is wrong with a unit; an error when the service manager did not say what the check asks.
fn service(want: &Service, saw: &ServiceSeen) -> Result<Option<Symptom>, String> {
    let unit = &want.unit;
    if saw.active.is_empty() || saw.active == "unknown" {
        return Err(format!("it is not known whether {unit} is active"));
    }
    if (saw.active == "active") != want.active {
        let result = saw.result.as_deref().filter(|r| *r != "success");
        let result = result.map(|r| format!(" (result {r})")).unwrap_or_default();
        let text = format!("{unit} is {}{result}", saw.active);
        return Ok(Some(Symptom::new(SymptomKind::ServiceState, text)));
    }
    let Some(wanted) = want.enabled else {
        return Ok(None);
    };
    let Some(word) = saw.enabled.as_deref() else {
        return Err(format!("it is not known whether {unit} starts at boot"));
    };
    let starts = starts_at_boot(word)
        .ok_or_else(|| format!("whether {unit} starts at boot does not follow from `{word}`"))?;
    let text = format!("{unit} is {word}");
    Ok((starts != wanted).then(|| Symptom::new(SymptomKind::ServiceEnabled, text)))
}

/// Whether a unit starts at boot, by `UnitFileState` (systemctl(1), `is-enabled`); none where the word
/// does not settle it.
fn starts_at_boot(word: &str) -> Option<bool> {
    match word {
        "enabled" | "enabled-runtime" | "generated" => Some(true),
        "disabled" | "masked" | "masked-runtime" => Some(false),
        _ => None,
    }
}

fn selinux(want: &Selinux, saw: &SelinuxSeen) -> Option<Symptom> {
    let mode = want.mode.filter(|m| Mode::parse(&saw.mode) != Some(*m));
    if let Some(mode) = mode {
        let text = format!(
            "SELinux is {} instead of {}",
            saw.mode.to_lowercase(),
            mode.word()
        );
        return Some(Symptom::new(SymptomKind::SelinuxMode, text));
    }
    let value = |name: &String| saw.booleans.get(name).copied().flatten();
    let (name, _) = want
        .booleans
        .iter()
        .find(|(name, want)| value(name) != Some(**want))?;
    let is = value(name).map_or("unknown on this host", |on| if on { "on" } else { "off" });
    Some(Symptom::new(
        SymptomKind::SelinuxBoolean,
        format!("boolean {name} is {is}"),
    ))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use super::*;
    use crate::observation::HttpFailure;

    fn want_page() -> CheckKind {
        CheckKind::Http(Http {
            url: "http://{{ host }}/".into(),
            status: 200,
            contains: vec!["works".into()],
            redirects: 0,
            body_limit: 1024,
            verify_tls: true,
        })
    }

    fn http_seen(end: HttpEnd) -> Observation {
        Observation::Http(HttpSeen {
            peer: None,
            elapsed: Duration::from_secs(5),
            end,
        })
    }

    fn answer(status: u16, contained: Vec<bool>) -> HttpEnd {
        HttpEnd::Answered(HttpAnswer {
            status,
            server: None,
            location: None,
            bytes: 10,
            sha256: None,
            contained,
        })
    }

    fn reason(kind: &CheckKind, saw: &Observation) -> Option<String> {
        evaluate(kind, saw).unwrap().reason()
    }

    #[test]
    fn http_answers_are_held_against_the_check() {
        let failed = |phase| {
            HttpEnd::Failed(HttpFailure {
                phase,
                detail: String::new(),
                bytes: 0,
            })
        };
        for (end, want) in [
            (answer(200, vec![true]), None),
            (answer(404, vec![true]), Some("status 404 instead of 200")),
            (
                answer(200, vec![false]),
                Some("the body does not contain `works`"),
            ),
            (
                answer(200, vec![]),
                Some("the body does not contain `works`"),
            ),
            (
                failed(HttpPhase::Refused),
                Some("connection refused after 5s"),
            ),
            (
                failed(HttpPhase::FirstByteTimeout),
                Some("timed out without a byte after 5s"),
            ),
        ] {
            assert_eq!(reason(&want_page(), &http_seen(end)).as_deref(), want);
        }
    }

    #[test]
    fn an_observation_of_another_kind_is_an_error_and_never_a_pass() {
        let wrong = Observation::Command(CommandSeen {
            end: CommandEnd::Exited(0),
            stdout: String::new(),
            stderr: String::new(),
            dropped: 0,
            elapsed: Duration::ZERO,
        });
        for saw in [
            wrong,
            Observation::Window,
            Observation::Errored { why: "x".into() },
        ] {
            assert_eq!(evaluate(&want_page(), &saw).unwrap().word(), "errored");
        }
    }

    #[test]
    fn commands_need_their_status_and_output() {
        let want = CheckKind::Command(Command {
            run: "id -u".into(),
            exit: 0,
            stdout_contains: vec!["0".into()],
        });
        let seen = |end, out: &str| {
            Observation::Command(CommandSeen {
                end,
                stdout: out.into(),
                stderr: "no such thing\nmore".into(),
                dropped: 0,
                elapsed: Duration::from_secs(2),
            })
        };
        for (saw, want_reason) in [
            (seen(CommandEnd::Exited(0), "0\n"), None),
            (
                seen(CommandEnd::Exited(0), "1\n"),
                Some("the output does not contain `0`"),
            ),
            (
                seen(CommandEnd::Exited(3), "0"),
                Some("exit status 3 instead of 0: no such thing"),
            ),
            (
                seen(CommandEnd::DeadlineExceeded, "0"),
                Some("ran into its deadline after 2s"),
            ),
        ] {
            assert_eq!(reason(&want, &saw).as_deref(), want_reason);
        }
    }

    #[test]
    fn services_and_selinux_say_what_they_are() {
        let want = CheckKind::Service(Service {
            unit: "httpd".into(),
            active: true,
            enabled: Some(true),
        });
        let seen = |active: &str, enabled: Option<&str>| {
            Observation::Service(ServiceSeen {
                active: active.into(),
                sub: None,
                enabled: enabled.map(Into::into),
                result: Some("exit-code".into()),
                main_pid: None,
                context: None,
            })
        };
        assert_eq!(reason(&want, &seen("active", Some("enabled"))), None);
        let failed = reason(&want, &seen("failed", Some("enabled")));
        assert_eq!(
            failed.as_deref(),
            Some("httpd is failed (result exit-code)")
        );

        let want = CheckKind::Selinux(Selinux {
            mode: Some(Mode::Enforcing),
            booleans: BTreeMap::from([("httpd_can_network_connect".into(), false)]),
        });
        let seen = |mode: &str, value| {
            Observation::Selinux(SelinuxSeen {
                mode: mode.into(),
                booleans: BTreeMap::from([("httpd_can_network_connect".into(), value)]),
            })
        };
        assert_eq!(reason(&want, &seen("Enforcing", Some(false))), None);
        assert!(reason(&want, &seen("Permissive", Some(false))).is_some());
        assert!(reason(&want, &seen("Enforcing", Some(true))).is_some());
        assert!(reason(&want, &seen("Enforcing", None)).is_some());
    }
    #[test]
    fn what_the_service_manager_does_not_say_is_an_error() {
        let outcome = |active: &str, wanted, word: Option<&str>| {
            let want = CheckKind::Service(Service {
                unit: "httpd".into(),
                active: active != "inactive",
                enabled: wanted,
            });
            let saw = Observation::Service(ServiceSeen {
                active: active.into(),
                sub: None,
                enabled: word.map(Into::into),
                result: None,
                main_pid: None,
                context: None,
            });
            evaluate(&want, &saw).unwrap().word()
        };
        for (word, wanted, not_wanted) in [
            (Some("enabled"), "passed", "failed"),
            (Some("enabled-runtime"), "passed", "failed"),
            (Some("generated"), "passed", "failed"),
            (Some("disabled"), "failed", "passed"),
            (Some("masked"), "failed", "passed"),
            (Some("masked-runtime"), "failed", "passed"),
            (Some("static"), "errored", "errored"),
            (Some("linked"), "errored", "errored"),
            (Some(""), "errored", "errored"),
            (None, "errored", "errored"),
        ] {
            assert_eq!(outcome("active", Some(true), word), wanted, "{word:?}");
            assert_eq!(outcome("active", Some(false), word), not_wanted, "{word:?}");
            assert_eq!(outcome("active", None, word), "passed", "{word:?}");
        }
        for active in ["", "unknown"] {
            assert_eq!(outcome(active, None, None), "errored", "{active}");
        }
        assert_eq!(outcome("inactive", None, None), "passed");
    }
}
