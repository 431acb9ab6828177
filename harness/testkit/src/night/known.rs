//! Nights of which the cause is known: what SELinux does to a web server, with and without the experiment
//! that proves it.

use patchgate_core::{
    diagnosis::Found,
    observation::{HttpPhase, Observation},
    reading::Reading,
    state::State,
};

use super::{Night, Trial, avc, failed, label, listeners, status, unit, unit_step};
use crate::{HostScript, Scenario};

/// The page that is served.
pub const PAGE: &str = "/var/www/html/index.html";

/// A night with another suite than httpd's own.
#[must_use]
pub fn with_suite(suite: &'static str) -> Night {
    let rebuild = HostScript {
        inventory: "patchgate_role: rebuild",
        ..HostScript::rebuild()
    };
    let mut scenario = Scenario::new("night", [rebuild]);
    scenario.suites[0] = suite;
    Night::of(&scenario)
}

/// No byte comes.
#[must_use]
pub fn mute() -> Observation {
    failed(HttpPhase::FirstByteTimeout)
}

/// The connection is refused.
#[must_use]
pub fn refused() -> Observation {
    failed(HttpPhase::Refused)
}

fn accept(permissive: bool) -> Vec<String> {
    vec![avc(
        "accept",
        "lport=80",
        "httpd_t",
        "tcp_socket",
        permissive,
    )]
}

fn listen(permissive: bool) -> Vec<String> {
    vec![avc(
        "listen",
        "lport=80",
        "httpd_t",
        "tcp_socket",
        permissive,
    )]
}

/// February 2013 without an experiment: clients get nothing, after the restart they are refused.
#[must_use]
pub fn february() -> Night {
    Night::quiet()
        .from(State::Patched, |s| {
            s.february();
            s.page(&mute());
        })
        .at(State::Restarted, |s| {
            s.page(&refused());
            s.sees("service", unit("failed", "exit-code"));
            s.steps
                .push(unit_step("failed", "exit-code", Some("exited 1")));
            s.steps.push(listeners(&[("0.0.0.0", 22)]));
        })
}

/// The same, with the experiment in both states.
#[must_use]
pub fn february_on_the_lab() -> Night {
    let page = |red: &Observation| {
        [
            ("root-page", red.clone(), status(200)),
            ("root-page-local", red.clone(), status(200)),
        ]
    };
    let service = [(
        "service",
        unit("failed", "exit-code"),
        unit("active", "success"),
    )];
    february()
        .at(State::Patched, |s| {
            let trial = Trial::httpd(&page(&mute()));
            s.trial = Some(trial.logging([accept(false), accept(true)]));
        })
        .at(State::Restarted, |s| {
            let asked = [&page(&refused())[..], &service].concat();
            let trial = Trial::httpd(&asked).starting("httpd");
            s.trial = Some(trial.logging([listen(false), [listen(true), accept(true)].concat()]));
        })
}

/// The page has a stranger's label, and the denial is in the log.
#[must_use]
pub fn labelled() -> Night {
    Night::quiet().from(State::Patched, |s| {
        s.page(&status(403));
        s.log.push(getattr(false));
        let labels = vec![label(PAGE, "shadow_t", "httpd_sys_content_t")];
        s.steps.push(Found::Mislabeled { labels });
    })
}

/// The denial of the page.
#[must_use]
pub fn getattr(permissive: bool) -> String {
    avc(
        "getattr",
        &format!("path=\"{PAGE}\" dev=\"vda\" ino=7"),
        "shadow_t",
        "file",
        permissive,
    )
}

/// The experiment on a page that answers otherwise.
#[must_use]
pub fn page_trial(red: u16, logs: [Vec<String>; 2]) -> Trial {
    let page = [
        ("root-page", status(red), status(200)),
        ("root-page-local", status(red), status(200)),
    ];
    Trial::httpd(&page).logging(logs)
}

/// A getattr that a dontaudit rule hides, on a page with another label than before.
#[must_use]
pub fn hidden_getattr() -> Night {
    Night::quiet().from(State::Patched, |s| {
        s.page(&status(403));
        s.trial = Some(page_trial(403, [vec![getattr(false)], vec![getattr(true)]]));
    })
}

const PORT: &str = "suite: httpd\ntitle: Another port\nneeds: { packages: [httpd] }\ndomains: [httpd_t]\n\
    rests_on: { units: [httpd] }\nchecks:\n  - id: root-page\n    \
    http: { url: \"http://{{ host }}:8081/\", status: 200 }\n  - id: service\n    \
    service: { unit: httpd, active: true }\n";

fn name_bind(permissive: bool) -> String {
    avc(
        "name_bind",
        "src=8081",
        "unreserved_port_t",
        "tcp_socket",
        permissive,
    )
}

/// The type of the service's port is gone, and the restart does not come up.
#[must_use]
pub fn untyped() -> Night {
    with_suite(PORT).at(State::Restarted, |s| {
        s.sees("root-page", refused());
        s.sees("service", unit("failed", "exit-code"));
        s.log.push(name_bind(false));
        s.steps.push(listeners(&[("0.0.0.0", 22)]));
        s.policy().customizations = Reading::Known([("ports.local".to_owned(), vec![])].into());
    })
}

const PROXY: &str = "suite: httpd\ntitle: A proxy\ndomains: [httpd_t]\nchecks:\n  - id: root-page\n    \
    http: { url: \"http://{{ host }}/\", status: 200 }\n";

fn name_connect(permissive: bool) -> String {
    avc(
        "name_connect",
        "dest=8080",
        "http_cache_port_t",
        "tcp_socket",
        permissive,
    )
}

/// A proxy may not connect any more: a boolean was switched off.
#[must_use]
pub fn flipped() -> Night {
    with_suite(PROXY).from(State::Patched, |s| {
        s.sees("root-page", status(503));
        s.log.push(name_connect(false));
        let booleans = [("httpd_can_network_connect".to_owned(), false)];
        s.policy().booleans = Reading::Known(booleans.into());
    })
}

/// The same, with the experiment.
#[must_use]
pub fn labelled_on_the_lab() -> Night {
    labelled().from(State::Patched, |s| {
        let logs = [vec![getattr(false)], vec![getattr(true)]];
        s.trial = Some(page_trial(403, logs));
    })
}

/// The same, with the experiment.
#[must_use]
pub fn untyped_on_the_lab() -> Night {
    untyped().at(State::Restarted, |s| {
        let asked = [
            ("root-page", refused(), status(200)),
            (
                "service",
                unit("failed", "exit-code"),
                unit("active", "success"),
            ),
        ];
        let logs = [vec![name_bind(false)], vec![name_bind(true)]];
        s.trial = Some(Trial::httpd(&asked).starting("httpd").logging(logs));
    })
}

/// The same, with the experiment.
#[must_use]
pub fn flipped_on_the_lab() -> Night {
    flipped().from(State::Patched, |s| {
        let logs = [vec![name_connect(false)], vec![name_connect(true)]];
        let asked = [("root-page", status(503), status(200))];
        s.trial = Some(Trial::httpd(&asked).logging(logs));
    })
}
