//! What is looked at after a check has failed: on a host with real sockets, logs and configuration, and
//! without systemd, a journal, SELinux and packages, each of which is told as what could not be had.

use std::{collections::BTreeMap, fs};

use patchgate_core::{
    diagnosis::{DiagnosisStep, Found, complaint},
    event::{Event, What},
    observation::{HttpEnd, HttpPhase},
};

use super::{
    apache::{Apache, Site},
    net::SERVER,
    rig::{QUICK, Rig},
};

/// A rig whose host serves a site, if somebody starts it, and whose suite says what the page rests on.
fn rig(site: &Site) -> Rig {
    let rig = Rig::new("");
    rig.describe("root", &[("web1", SERVER)]);
    let (conf, error) = (site.path("conf"), site.path("error"));
    let suite = format!(
        "suite: web\n\
         rests_on:\n\
         \x20 units: [httpd]\n\
         \x20 paths: [{}]\n\
         \x20 error_logs: [{}]\n\
         \x20 config_tests: [\"/usr/sbin/apache2 -t -f {}\"]\n\
         checks:\n\
         \x20 - id: page\n\
         \x20   http: {{ url: \"http://{{{{ host }}}}/\", body: {{ contains: nonce-5f3a }}, within: 3s }}\n",
        site.path("www").display(),
        error.display(),
        conf.display()
    );
    fs::write(rig.place.path("suite.yaml"), suite).unwrap();
    rig
}

/// The steps of the run in `run`, in order.
fn steps(rig: &Rig) -> Vec<DiagnosisStep> {
    let line = |line: &str| {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        let event: Event = serde_json::from_value(json["event"].clone()).unwrap();
        let What::Diagnosed { diagnosis } = event.what else {
            return None;
        };
        Some(*diagnosis)
    };
    let events = rig.place.read("run/events.jsonl");
    events.lines().filter_map(line).collect()
}

/// Runs the check, which fails, and tells what was found, with all that was not to be had.
fn found(rig: &Rig) -> (Vec<Found>, BTreeMap<String, String>) {
    let _told = rig.run(QUICK).with(1).telling(&["gate: CLOSED"]);
    let (mut found, mut missed) = (Vec::new(), BTreeMap::new());
    for step in steps(rig) {
        assert_eq!(step.about.len(), 1, "{step:?}");
        if let Found::Unavailable { what, why } = step.found {
            missed.insert(what, why);
        } else {
            found.push(step.found);
        }
    }
    // There is no systemd to ask.
    assert!(missed["unit httpd"].contains("systemd"), "{missed:?}");
    (found, missed)
}

/// The one thing of a kind that was found.
fn the<'a, T>(found: &'a [Found], is: impl Fn(&'a Found) -> Option<T>) -> T {
    let mut all = found.iter().filter_map(is);
    let first = all.next().unwrap_or_else(|| panic!("not found: {found:?}"));
    assert!(all.next().is_none(), "found twice: {found:?}");
    first
}

/// What was seen of the same request on the host itself.
fn control(found: &[Found]) -> &HttpEnd {
    the(found, |f| {
        let Found::Request { from, saw, .. } = f else {
            return None;
        };
        (from == "localhost").then_some(&saw.end)
    })
}

/// Whom port 80 belongs to, each `address program`.
fn web_sockets(found: &[Found]) -> Vec<String> {
    let all = the(found, |f| {
        let Found::Listeners { listeners } = f else {
            return None;
        };
        Some(listeners)
    });
    let ssh = all.iter().find(|l| l.port == 22);
    assert_eq!(ssh.unwrap().program.as_deref(), Some("sshd"), "{all:?}");
    let web = all.iter().filter(|l| l.port == 80);
    web.map(|l| format!("{} {}", l.address, l.program.clone().unwrap_or_default()))
        .collect()
}

/// The exit status and the output of the config test.
fn config_test(found: &[Found]) -> (Option<u8>, String) {
    the(found, |f| {
        let Found::ConfigTest { exit, output, .. } = f else {
            return None;
        };
        Some((*exit, output.clone()))
    })
}

fn is_refused(end: &HttpEnd) -> bool {
    matches!(end, HttpEnd::Failed(failure) if failure.phase == HttpPhase::Refused)
}

#[test]
fn a_stopped_server_has_no_socket_and_a_good_configuration() {
    let site = Site::new("80");
    let rig = rig(&site);
    let (found, missed) = found(&rig);
    assert_eq!(web_sockets(&found), Vec::<String>::new());
    assert!(is_refused(control(&found)));
    assert_eq!(config_test(&found), (Some(0), "Syntax OK".to_owned()));
    let log = format!("error log {}", site.path("error").display());
    assert_eq!(missed[&log], "exit status 1: there is no such file");
    assert!(missed.contains_key("journal of httpd"), "{missed:?}");
}

#[test]
fn a_server_on_loopback_answers_the_host_alone() {
    let site = Site::new("127.0.0.1:80");
    let rig = rig(&site);
    let apache = Apache::serve(&rig.net, site);
    let (found, _) = found(&rig);
    assert_eq!(web_sockets(&found), ["127.0.0.1 apache2"]);
    assert!(matches!(control(&found), HttpEnd::Answered(a) if a.status == 200));
    let (path, lines) = the(&found, |f| {
        let Found::ErrorLog { path, lines } = f else {
            return None;
        };
        Some((path, lines))
    });
    assert_eq!(*path, apache.site.path("error").display().to_string());
    assert!(
        lines
            .iter()
            .any(|l| l.contains("resuming normal operations")),
        "{lines:?}"
    );
}

#[test]
fn a_broken_configuration_is_named_with_its_line() {
    let site = Site::new("80");
    let line = site.configure("Bogus on");
    let rig = rig(&site);
    let (found, _) = found(&rig);
    let (exit, output) = config_test(&found);
    assert_eq!(exit, Some(1), "{output}");
    assert!(output.contains("Invalid command 'Bogus'"), "{output}");
    let place = complaint::places(&output).swap_remove(0);
    assert_eq!(place.path, site.path("conf").display().to_string());
    assert_eq!(place.line, u32::try_from(line).ok());
    assert!(web_sockets(&found).is_empty() && is_refused(control(&found)));
}

#[test]
fn every_step_has_its_cost() {
    let site = Site::new("80");
    let rig = rig(&site);
    let _found = found(&rig);
    let costs: Vec<_> = steps(&rig).iter().map(|s| s.elapsed).collect();
    // Unit, listeners, error log, journal, control, config test, owners.
    assert_eq!(costs.len(), 7, "{costs:?}");
    assert!(costs.iter().all(|c| c.as_secs() < 5), "{costs:?}");
    assert!(costs.iter().any(|c| !c.is_zero()), "{costs:?}");
}

#[test]
fn a_check_that_passes_is_not_looked_at() {
    let site = Site::new("80");
    let rig = rig(&site);
    let _apache = Apache::serve(&rig.net, site);
    let _told = rig.run(QUICK).with(0).telling(&["gate: OPEN"]);
    assert_eq!(steps(&rig), []);
}
