//! What SELinux does.

use patchgate_core::{
    diagnosis::Found,
    evidence::{audit_status::AuditStatus, capture::WindowCapture},
    reading::Reading,
    state::State,
    verdict::{Missing, Undecided},
};
use patchgate_testkit::night::{
    Night, POLICY, Seen, Trial, avc, error_log,
    known::{
        PAGE, february, february_on_the_lab, flipped, flipped_on_the_lab, getattr, hidden_getattr,
        labelled, labelled_on_the_lab, mute, untyped, untyped_on_the_lab,
    },
    label, selinux, status, unit_step,
};

use super::{assert_cause, assert_cause_unknown};

#[test]
fn february_is_proven_where_it_may_be_and_supported_elsewhere() {
    let texts = [
        "httpd_t { accept listen } on tcp_socket of httpd_t",
        "dontaudit",
        POLICY,
        "sesearch -A --dontaudit -s httpd_t",
        "allow httpd_t self:tcp_socket { accept listen };",
    ];
    assert_cause(
        "anywhere",
        &february(),
        "selinux-silent-denial supported",
        &texts,
    );
    let lab = february_on_the_lab();
    assert_cause("on the lab", &lab, "selinux-silent-denial proven", &texts);
    assert_cause(
        "on the lab",
        &lab,
        "selinux-silent-denial proven",
        &["Proven by experiment: with httpd_t permissive"],
    );
    let note = lab.cause().suggestion.unwrap().note;
    assert!(note.contains("mended or held back"), "{note}");
    let half = february_on_the_lab().at(State::Restarted, |s| s.trial = None);
    assert_cause(
        "one state only",
        &half,
        "selinux-silent-denial supported",
        &["It is proven by experiment for patched only."],
    );
    let denial = lab.cause().denial.unwrap();
    assert_eq!(denial.perms, ["accept", "listen"]);
    assert!(denial.silenced);
}

#[test]
fn a_wrong_label_is_named() {
    let texts = [
        "/var/www/html/index.html is labelled shadow_t, where the policy wants httpd_sys_content_t (it was httpd_sys_content_t at the baseline)",
        "SELinux denies httpd_t { getattr } on file of shadow_t",
        "restorecon -nrv /var/www/html/index.html",
        "| restorecon -Rv /var/www/html/index.html",
    ];
    assert_cause("logged", &labelled(), "selinux-label supported", &texts);
    let lab = labelled_on_the_lab();
    assert_cause("by experiment", &lab, "selinux-label proven", &texts);
    let always = labelled().at(State::Baseline, |s| {
        let labels = vec![label(PAGE, "shadow_t", "httpd_sys_content_t")];
        s.policy().labels = Reading::Known(labels);
    });
    assert_cause("wrong all along", &always, "selinux-denial supported", &[]);
    let elsewhere = labelled().from(State::Patched, |s| {
        s.steps = vec![Found::Mislabeled {
            labels: vec![label("/srv/x", "shadow_t", "var_t")],
        }];
    });
    assert_cause("another file", &elsewhere, "selinux-denial supported", &[]);
}

#[test]
fn a_hidden_getattr_is_a_silent_denial_or_a_label_whichever_is_seen() {
    let silent = hidden_getattr();
    assert_cause(
        "no label read",
        &silent,
        "selinux-silent-denial proven",
        &["httpd_t { getattr } on file of shadow_t"],
    );
    let labelled = |night: Night| {
        night.from(State::Patched, |s| {
            let labels = vec![label(PAGE, "shadow_t", "httpd_sys_content_t")];
            s.steps.push(Found::Mislabeled { labels });
        })
    };
    assert_cause(
        "label read",
        &labelled(hidden_getattr()),
        "selinux-label proven",
        &["is labelled shadow_t"],
    );
    let untried = labelled(hidden_getattr().from(State::Patched, |s| s.trial = None));
    assert_cause(
        "no experiment",
        &untried,
        "selinux-label suspected",
        &["the log, which is whole, shows no denial"],
    );
}

#[test]
fn a_port_without_its_type_is_named() {
    let texts = [
        "Port 8081 is not of type http_port_t any more",
        "httpd_t { name_bind } on tcp_socket of unreserved_port_t",
        "semanage port -l | grep -w 8081",
        "semanage port -a -t http_port_t -p tcp 8081",
    ];
    assert_cause("removed", &untyped(), "selinux-port supported", &texts);
    let lab = untyped_on_the_lab();
    assert_cause("by experiment", &lab, "selinux-port proven", &texts);
    let unread = untyped().from(State::Baseline, |s| {
        s.policy().customizations = Reading::missing("no semanage");
    });
    assert_cause(
        "definitions not read",
        &unread,
        "selinux-port supported",
        &["on which the service listened at the baseline"],
    );
    let unknown = untyped().from(State::Baseline, |s| s.snapshot = None);
    assert_cause(
        "nothing read",
        &unknown,
        "selinux-denial supported",
        &["(port 8081)"],
    );
    let deaf = untyped().at(State::Restarted, |s| {
        s.log.clear();
        s.spoilt = Some(auditd_down);
        s.steps.push(unit_step("failed", "exit-code", None));
        s.steps.push(error_log(&[
            "(13)Permission denied: AH00072: make_sock: could not bind to address 0.0.0.0:8081",
        ]));
    });
    assert_cause(
        "auditd down",
        &deaf,
        "selinux-port supported",
        &["the service says"],
    );
}

#[test]
fn a_boolean_that_was_switched_off_is_named() {
    let texts = [
        "The boolean httpd_can_network_connect is off and was on at the baseline",
        "httpd_t { name_connect } on tcp_socket of http_cache_port_t, by httpd (port 8080)",
        "semanage boolean -l | grep httpd_can_network_connect",
        "setsebool -P httpd_can_network_connect on",
    ];
    assert_cause("logged", &flipped(), "selinux-boolean supported", &texts);
    let lab = flipped_on_the_lab();
    assert_cause("by experiment", &lab, "selinux-boolean proven", &texts);
    let other = flipped().from(State::Patched, |s| {
        let booleans = [
            ("httpd_can_network_connect".to_owned(), true),
            ("httpd_enable_cgi".to_owned(), false),
        ];
        s.policy().booleans = Reading::Known(booleans.into());
    });
    assert_cause("another boolean", &other, "selinux-denial supported", &[]);
    let unnamed = flipped().from(State::Patched, |s| s.log.clear());
    assert_cause(
        "no denial",
        &unnamed,
        "selinux-boolean suspected",
        &["no denial that it governs was seen"],
    );
}

const LOST: &str =
    "enabled 1\nfailure 1\npid 563\nrate_limit 3\nbacklog_limit 8192\nlost 510\nbacklog 0";
const DOWN: &str =
    "enabled 1\nfailure 1\npid 0\nrate_limit 0\nbacklog_limit 8192\nlost 0\nbacklog 0";

fn with_status(capture: &mut WindowCapture, status: &str) {
    assert!(AuditStatus::parse(status).is_ok(), "it is a status");
    if let Reading::Known(edge) = &mut capture.end {
        edge.audit_status = Reading::Known(status.to_owned());
    }
}

/// auditd stops, and nothing of the window reaches the log.
fn auditd_down(capture: &mut WindowCapture) {
    with_status(capture, DOWN);
    capture.log.text.clear();
}

/// The kernel drops records, this one among them.
fn limited(capture: &mut WindowCapture) {
    with_status(capture, LOST);
    let kept = capture
        .log
        .text
        .lines()
        .filter(|l| !l.starts_with("type=AVC"));
    capture.log.text = kept.map(|l| format!("{l}\n")).collect();
}

#[test]
fn a_denial_that_no_log_holds_is_found_by_labels_and_vectors_and_the_gap_is_told() {
    for (name, spoil, gap) in [
        (
            "auditd stopped",
            auditd_down as fn(&mut WindowCapture),
            "auditd-not-running",
        ),
        ("records lost", limited, "records-lost"),
    ] {
        let spoilt = Some(spoil);
        let spoil = move |s: &mut Seen| s.spoilt = spoilt;
        let wrong = labelled().from(State::Patched, spoil);
        assert_cause(
            name,
            &wrong,
            "selinux-label supported",
            &["the log, which has gaps"],
        );
        let undecided = wrong.judged().verdict.undecided;
        let told = |u: &Undecided| u.what == Missing::Coverage && u.why.starts_with(gap);
        assert!(undecided.iter().any(told), "{name}: {undecided:?}");
        let lost = Night::quiet().from(State::Patched, |s| {
            s.february();
            let Reading::Known(table) = &mut s.vectors else {
                unreachable!()
            };
            for vector in table.vectors.values_mut() {
                vector.auditdeny = u32::MAX;
            }
            s.page(&mute());
            spoil(s);
        });
        assert_cause(
            name,
            &lost,
            "selinux-denial supported",
            &["{ accept listen }"],
        );
        let lab = lost.from(State::Patched, |s| {
            let page = [
                ("root-page", mute(), status(200)),
                ("root-page-local", mute(), status(200)),
            ];
            s.trial = Some(Trial::httpd(&page));
        });
        let blind = lab.clone().from(State::Patched, |s| {
            s.trial.as_mut().unwrap().spoilt = spoilt;
        });
        // Where the experiment's own log is whole and has none of them, they are not what was denied.
        assert_cause(name, &lab, "selinux-denial supported", &[]);
        // Where it has gaps nothing is proven.
        assert_cause(name, &blind, "selinux-denial supported", &[]);
        let hidden = hidden_getattr().from(State::Patched, spoil);
        assert_cause(name, &hidden, "selinux-denial supported", &[]);
    }
}

#[test]
fn a_host_that_is_permissive_since_has_that_for_a_cause() {
    let night = Night::quiet().from(State::Patched, |s| {
        s.sees("enforcing", selinux("Permissive"));
        if let Reading::Known(facts) = &mut s.facts.selinux {
            facts.mode = "Permissive".to_owned();
        }
        s.policy().mode = Reading::Known("Permissive".to_owned());
    });
    let cause = night.finding("selinux").cause;
    assert_eq!(
        (cause.kind.word(), cause.proof.word()),
        ("selinux-mode", "supported")
    );
    assert!(
        cause
            .explanation
            .contains("permissive instead of enforcing, and it was enforcing at the baseline")
    );
    let served = labelled().from(State::Patched, |s| {
        s.sees("enforcing", selinux("Permissive"));
        if let Reading::Known(facts) = &mut s.facts.selinux {
            facts.mode = "Permissive".to_owned();
        }
        s.policy().mode = Reading::Known("Permissive".to_owned());
    });
    assert_cause_unknown("a denial that is not enforced", &served);
}

#[test]
fn a_domain_that_is_permissive_is_denied_nothing() {
    let night = labelled().from(State::Patched, |s| {
        s.policy().permissive = Reading::Known(["httpd_t".to_owned()].into());
    });
    assert_cause_unknown("listed", &night);
    let flagged = labelled().from(State::Patched, |s| {
        s.log = vec![getattr(true)];
        s.steps.clear();
    });
    assert_cause_unknown("permissive=1", &flagged);
}

#[test]
fn an_experiment_that_turns_nothing_clears_the_domain() {
    let cleared = labelled().from(State::Patched, |s| {
        let logs = [vec![getattr(false)], vec![getattr(true)]];
        let page = [
            ("root-page", status(403), status(403)),
            ("root-page-local", status(403), status(403)),
        ];
        s.trial = Some(Trial::httpd(&page).logging(logs));
    });
    let texts = ["With the domain permissive the failure stayed, which speaks against it."];
    assert_cause("cleared", &cleared, "selinux-denial suspected", &texts);
    let config = cleared.from(State::Patched, |s| {
        s.steps.push(error_log(&["(28)No space left on device: x"]));
    });
    assert_cause("beside another", &config, "resource-disk supported", &[]);
}

#[test]
fn an_experiment_whose_log_names_nothing_supports_and_no_more() {
    let unnamed = hidden_getattr().from(State::Patched, |s| {
        s.trial.as_mut().unwrap().logs = [vec![], vec![]];
    });
    let texts = ["SELinux denies it something, of which what was seen does not say enough"];
    assert_cause(
        "no denial",
        &unnamed,
        "selinux-silent-denial supported",
        &texts,
    );
    let stray = avc(
        "write",
        "name=\"x\" dev=\"vda\" ino=9",
        "var_t",
        "file",
        false,
    );
    let beside = labelled_on_the_lab().from(State::Patched, |s| s.log.push(stray.clone()));
    assert_cause(
        "another denial beside",
        &beside,
        "selinux-label supported",
        &[],
    );
}
