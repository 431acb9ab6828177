//! What stands beside the denial that an experiment is to prove: what was always denied does not matter, and
//! whatever else there is may be the cause.

use patchgate_core::{
    evidence::access::{AccessVector, Class, Query},
    reading::Reading,
    state::State,
};
use patchgate_testkit::night::{
    HTTPD_CONTEXT, Night, Seen, Trial, avc, error_log,
    known::{
        february_on_the_lab, getattr, hidden_getattr, labelled_on_the_lab, mute, page_trial,
        refused, untyped_on_the_lab,
    },
    label, listeners, status, unit_step,
};

use super::assert_cause;

const SILENT: &str = "selinux-silent-denial";

/// A search of root's home, as a library does it.
fn search(permissive: bool) -> String {
    let name = "name=\"root\" dev=\"vda\" ino=11";
    avc("search", name, "admin_home_t", "dir", permissive)
}

/// The way to a database of which the policy says nothing any more.
fn database(permissive: bool) -> String {
    let name = "name=\"db.sock\" dev=\"tmpfs\" ino=12";
    avc("write", name, "lab_db_run_t", "sock_file", permissive)
}

fn net_admin(permissive: bool) -> String {
    avc(
        "net_admin",
        "capability=12",
        "httpd_t",
        "capability",
        permissive,
    )
}

/// A page that needs the database, which is denied in silence.
fn application(confined: Vec<String>) -> Night {
    Night::quiet().from(State::Patched, |s| {
        s.page(&status(500));
        s.trial = Some(page_trial(500, [confined.clone(), vec![database(true)]]));
    })
}

/// The kernel refuses httpd all of this class, in silence.
fn refuses(seen: &mut Seen, target: &str, class: &str, permission: &str) {
    answers(seen, target, class, permission, |_| 0);
}

/// The kernel lets httpd do all of this class.
fn allows(seen: &mut Seen, target: &str, class: &str, permission: &str) {
    answers(seen, target, class, permission, |_| u32::MAX);
}

/// The kernel lets httpd do all of this class but for this, which it refuses in silence.
fn takes(seen: &mut Seen, target: &str, class: &str, permission: &str) {
    answers(seen, target, class, permission, |bit| !bit);
}

fn answers(seen: &mut Seen, target: &str, class: &str, permission: &str, allowed: fn(u32) -> u32) {
    let Reading::Known(table) = &mut seen.vectors else {
        panic!("the kernel answered");
    };
    let type_ = match target {
        "httpd_t" => HTTPD_CONTEXT.to_owned(),
        type_ => format!("system_u:object_r:{type_}:s0"),
    };
    let query = Query::new(HTTPD_CONTEXT, &type_, class).expect("they are contexts");
    let class = table.classes.entry(class.to_owned()).or_insert(Class {
        index: Some(3),
        ..Class::default()
    });
    let value = *class.permissions.entry(permission.to_owned()).or_insert(7);
    let allowed = allowed(1 << (value - 1));
    let vector = AccessVector {
        allowed,
        decided: u32::MAX,
        auditallow: 0,
        auditdeny: allowed,
        seqno: 1,
        flags: 0,
    };
    table.vectors.insert(query, vector);
}

/// Both what is at fault and what looks like it: neither is proven.
#[test]
fn a_bystander_that_would_explain_it_is_not_proven() {
    let both = application(vec![search(false), database(false)]);
    let cause = both.cause();
    assert_eq!(cause.proof.word(), "supported", "{cause:?}");
    let alone = application(vec![search(false)]);
    assert_cause("alone", &alone, &format!("{SILENT} supported"), &[]);
    // The database's socket is none of the paths that the suite names, and so is not proven either.
    let right = application(vec![database(false)]);
    let texts = ["httpd_t { write } on sock_file of lab_db_run_t"];
    assert_cause("right", &right, &format!("{SILENT} supported"), &texts);
}

/// What the domain reached only while it was permissive did not keep it from anything.
#[test]
fn what_was_denied_while_permissive_alone_is_not_proven_nor_told() {
    let night = hidden_getattr().from(State::Patched, |s| {
        s.trial = Some(page_trial(403, [vec![], vec![getattr(true)]]));
    });
    let texts = ["SELinux denies it something, of which what was seen does not say enough"];
    assert_cause("silent", &night, &format!("{SILENT} supported"), &texts);
    let logged = labelled_on_the_lab().from(State::Patched, |s| {
        s.trial.as_mut().unwrap().logs[0].clear();
    });
    assert_cause("logged", &logged, "selinux-label supported", &[]);
}

/// A service gets on without many a socket.
#[test]
fn a_socket_that_no_client_is_served_on_does_not_stop_a_start() {
    let netlink = |permissive| avc("create", "", "httpd_t", "netlink_audit_socket", permissive);
    let night = Night::quiet().at(State::Restarted, |s| {
        s.page(&refused());
        s.steps.push(unit_step("active", "success", None));
        s.steps.push(listeners(&[("0.0.0.0", 22)]));
        let asked = [
            ("root-page", refused(), status(200)),
            ("root-page-local", refused(), status(200)),
        ];
        let logs = [vec![netlink(false)], vec![netlink(true)]];
        s.trial = Some(Trial::httpd(&asked).logging(logs));
    });
    let texts = ["of which what was seen does not say enough"];
    assert_cause("netlink", &night, &format!("{SILENT} supported"), &texts);
}

/// A process, and the top of another file system, are no content.
#[test]
fn what_is_no_content_keeps_nobody_from_reading_it() {
    for (perms, what, target, class) in [
        ("getattr", "", "httpd_t", "process"),
        (
            "getattr",
            "name=\"/\" dev=\"proc\" ino=1",
            "proc_t",
            "filesystem",
        ),
        ("search", "name=\"/\" dev=\"proc\" ino=1", "proc_t", "dir"),
    ] {
        let denied = |permissive| vec![avc(perms, what, target, class, permissive)];
        let night = Night::quiet().from(State::Patched, |s| {
            s.page(&status(403));
            s.trial = Some(page_trial(403, [denied(false), denied(true)]));
        });
        let cause = night.cause();
        assert_eq!(cause.proof.word(), "supported", "{class}: {cause:?}");
    }
}

/// What the kernel refused at the baseline too, or the baseline's log has, is in nobody's way.
#[test]
fn what_was_denied_before_is_no_cause_and_no_obstacle() {
    let beside = |night: Night| {
        night.from(State::Patched, |s| {
            for log in s.trial.iter_mut().flat_map(|trial| &mut trial.logs) {
                log.extend([search(false), net_admin(false)]);
            }
        })
    };
    let asked = |night: Night| {
        night.from(State::Baseline, |s| {
            refuses(s, "admin_home_t", "dir", "search");
            refuses(s, "httpd_t", "capability", "net_admin");
        })
    };
    let logged = |night: Night| {
        night.at(State::Baseline, |s| {
            s.log.extend([search(false), net_admin(false)]);
        })
    };
    for (name, night, kind) in [
        ("february", february_on_the_lab(), SILENT),
        ("silent getattr", hidden_getattr(), SILENT),
        ("label", labelled_on_the_lab(), "selinux-label"),
        ("port", untyped_on_the_lab(), "selinux-port"),
    ] {
        // The bystanders of a permissive domain are let through, as the domain is.
        let night = beside(night).from(State::Patched, |s| {
            if let Some(trial) = &mut s.trial {
                for line in &mut trial.logs[1] {
                    *line = line.replace("permissive=0", "permissive=1");
                }
            }
        });
        let proven = format!("{kind} proven");
        assert_cause(name, &asked(night.clone()), &proven, &[]);
        assert_cause(name, &logged(night.clone()), &proven, &[]);
        let permissive = asked(night.clone()).at(State::Baseline, |s| {
            s.policy().mode = Reading::Known("Permissive".to_owned());
        });
        let supported = format!("{kind} supported");
        let hint = [
            "It is not proven: without dontaudit rules httpd_t { search } on dir of admin_home_t",
            "`vectors: [{ target: admin_home_t, class: dir }]` in the suite",
        ];
        assert_cause(
            name,
            &night,
            &supported,
            if kind == SILENT { &hint } else { &[] },
        );
        let cause = permissive.cause();
        assert_eq!(cause.proof.word(), "supported", "{name}: {cause:?}");
    }
    // By itself it is nothing that an experiment reveals.
    let alone = application(vec![search(false)]);
    let texts = ["of which what was seen does not say enough"];
    for night in [asked(alone.clone()), logged(alone)] {
        let cause = night.cause();
        assert!(cause.explanation.contains(texts[0]), "{cause:?}");
    }
}

/// A domain that a cut record may be about was denied nobody knows what.
#[test]
fn a_record_without_its_end_stands_in_the_way() {
    let night = hidden_getattr().from(State::Patched, |s| {
        let cut = "AVC avc:  denied  { search } for  pid=283 comm=\"httpd\" name=\"x\"";
        s.trial.as_mut().unwrap().logs[0].push(cut.to_owned());
    });
    let cause = night.cause();
    assert_eq!(cause.proof.word(), "supported", "{cause:?}");
}

/// Of a log with gaps nobody knows what stood beside.
#[test]
fn what_only_an_experiment_shows_is_proven_by_a_whole_log_only() {
    let night = hidden_getattr().from(State::Patched, |s| {
        s.trial.as_mut().unwrap().spoilt = Some(|capture| capture.log.truncated_bytes = 1);
    });
    assert_cause("gap", &night, &format!("{SILENT} supported"), &[]);
}

/// Some records have no more of a path than its end; a file of that name and type is known all the same.
#[test]
fn a_file_is_known_by_its_name_and_type_too() {
    let read = |permissive| {
        let name = "name=\"index.html\" dev=\"vda\" ino=7";
        vec![avc("read", name, "lab_hidden_t", "file", permissive)]
    };
    let hidden = |type_: &'static str| {
        Night::quiet().from(State::Patched, move |s| {
            s.page(&status(403));
            s.policy().labels =
                Reading::Known(vec![label("/var/www/html/index.html", type_, type_)]);
            s.steps.push(error_log(&[]));
            s.trial = Some(page_trial(403, [read(false), read(true)]));
        })
    };
    let texts = ["httpd_t { read } on file of lab_hidden_t"];
    let proven = format!("{SILENT} proven");
    assert_cause("known", &hidden("lab_hidden_t"), &proven, &texts);
    let cause = hidden("httpd_sys_content_t").cause();
    assert_eq!(cause.proof.word(), "supported", "{cause:?}");
}

/// That others of a type were always denied says nothing of a file that has the type since the update.
#[test]
fn a_file_that_got_a_type_which_was_always_denied_is_no_old_denial() {
    let denied = |night: Night| {
        night.from(State::Baseline, |s| {
            refuses(s, "shadow_t", "file", "getattr");
        })
    };
    let texts = ["httpd_t { getattr } on file of shadow_t"];
    let proven = format!("{SILENT} proven");
    assert_cause("new", &denied(hidden_getattr()), &proven, &texts);
    let always = denied(hidden_getattr()).from(State::Baseline, |s| {
        let page = "/var/www/html/index.html";
        s.policy().labels = Reading::Known(vec![label(page, "shadow_t", "shadow_t")]);
    });
    let texts = ["of which what was seen does not say enough"];
    assert_cause("always", &always, &format!("{SILENT} supported"), &texts);
}

/// Ports get other types as files do: what was denied of all ports without one says nothing of this one.
#[test]
fn a_port_that_lost_its_type_is_no_old_denial() {
    let night = untyped_on_the_lab()
        .from(State::Baseline, |s| {
            refuses(s, "unreserved_port_t", "tcp_socket", "name_bind");
        })
        .at(State::Restarted, |s| s.log.clear());
    let cause = night.cause();
    let proven = (cause.kind.word(), cause.proof.word());
    assert_eq!(proven, ("selinux-port", "proven"), "{cause:?}");
}

fn setopt(permissive: bool) -> String {
    avc("setopt", "", "httpd_t", "tcp_socket", permissive)
}

fn execmem(permissive: bool) -> String {
    avc("execmem", "", "httpd_t", "process", permissive)
}

/// Clients get nothing, and an experiment's logs hold these.
fn stuck(denied: &'static [fn(bool) -> String]) -> Night {
    Night::quiet().from(State::Patched, |s| {
        s.page(&mute());
        let page = [
            ("root-page", mute(), status(200)),
            ("root-page-local", mute(), status(200)),
        ];
        let log = |permissive| denied.iter().map(|d| d(permissive)).collect();
        s.trial = Some(Trial::httpd(&page).logging([log(false), log(true)]));
    })
}

/// A domain's processes and all of its sockets have its own type; what is denied of one explains nothing of
/// another.
#[test]
fn another_class_of_the_same_type_stands_in_the_way() {
    let alone = stuck(&[setopt]);
    let proven = format!("{SILENT} proven");
    assert_cause("alone", &alone, &proven, &["{ setopt }"]);
    let beside = stuck(&[setopt, execmem]);
    let hint = ["It is not proven: without dontaudit rules httpd_t { execmem } on process"];
    assert_cause("beside", &beside, &format!("{SILENT} supported"), &hint);
    let logged = beside.from(State::Patched, |s| {
        s.log.extend([setopt(false), execmem(false)]);
    });
    assert_cause("logged", &logged, "selinux-denial supported", &[]);
}

fn of_page(perms: &str, permissive: bool) -> String {
    let page = "path=\"/var/www/html/index.html\" dev=\"vda\" ino=7";
    avc(perms, page, "httpd_sys_content_t", "file", permissive)
}

/// Access that was lost and is denied in no log was not missed.
#[test]
fn another_permission_of_the_same_files_confirms_nothing() {
    let lost = |perms: &'static str| {
        let night = Night::quiet().at(State::Baseline, |s| {
            s.log.push(of_page("write", false));
            allows(s, "httpd_sys_content_t", "file", "map");
        });
        night.from(State::Patched, |s| {
            s.page(&status(403));
            takes(s, "httpd_sys_content_t", "file", "map");
            let logs = [vec![of_page(perms, false)], vec![of_page(perms, true)]];
            s.trial = Some(page_trial(403, logs));
        })
    };
    let proven = format!("{SILENT} proven");
    assert_cause("denied", &lost("map"), &proven, &["{ map }"]);
    let unused = lost("write").cause();
    assert_eq!(unused.proof.word(), "supported", "{unused:?}");
}

/// What is denied beside the cause, and was refused at the baseline already, leaves the proof if `stays`.
fn assert_beside(
    denied: fn(bool) -> String,
    (target, class, perm): (&'static str, &'static str, &'static str),
    stays: bool,
) {
    let night = hidden_getattr()
        .from(State::Patched, move |s| {
            let trial = s.trial.as_mut().expect("the night has an experiment");
            trial.logs[0].push(denied(false));
            trial.logs[1].push(denied(true));
        })
        .from(State::Baseline, move |s| refuses(s, target, class, perm));
    let proof = if stays { "proven" } else { "supported" };
    let cause = night.cause();
    assert_eq!(cause.proof.word(), proof, "{class} {target}: {cause:?}");
    // There is nothing that the kernel could be asked for.
    assert!(
        stays || !cause.explanation.contains("vectors:"),
        "{cause:?}"
    );
}

/// Of an object that may have got its type since, it is not known that it was denied before: a file of which
/// only the name is known, a directory that is not root's home, a peer.
#[test]
fn what_may_have_got_its_type_since_is_no_old_denial() {
    let file = |p| {
        avc(
            "read",
            "name=\"far.html\" dev=\"vda\" ino=9",
            "lab_hidden_t",
            "file",
            p,
        )
    };
    assert_beside(file, ("lab_hidden_t", "file", "read"), false);
    let dir = |p| {
        avc(
            "search",
            "name=\"private\" dev=\"vda\" ino=9",
            "lab_hidden_t",
            "dir",
            p,
        )
    };
    assert_beside(dir, ("lab_hidden_t", "dir", "search"), false);
    let peer = |p| {
        avc(
            "connectto",
            "path=\"/run/app.sock\"",
            "initrc_t",
            "unix_stream_socket",
            p,
        )
    };
    assert_beside(peer, ("initrc_t", "unix_stream_socket", "connectto"), false);
    let home = |p| {
        avc(
            "search",
            "name=\"root\" dev=\"vda\" ino=9",
            "admin_home_t",
            "dir",
            p,
        )
    };
    assert_beside(home, ("admin_home_t", "dir", "search"), true);
    let system = |p| {
        avc(
            "getattr",
            "name=\"/\" dev=\"proc\" ino=1",
            "proc_t",
            "filesystem",
            p,
        )
    };
    assert_beside(system, ("proc_t", "filesystem", "getattr"), true);
    let pipe = |p| {
        avc(
            "write",
            "path=\"pipe:[24711]\" dev=\"pipefs\" ino=24711",
            "crond_t",
            "fifo_file",
            p,
        )
    };
    assert_beside(pipe, ("crond_t", "fifo_file", "write"), true);
}

/// Without paths in the suite nobody knows which files are its own.
#[test]
fn a_suite_without_paths_has_no_old_denials_of_files() {
    let elsewhere = |p| {
        avc(
            "getattr",
            "path=\"/srv/other\" dev=\"vda\" ino=9",
            "lab_hidden_t",
            "file",
            p,
        )
    };
    let denied = |night: Night| {
        night
            .from(State::Patched, move |s| {
                let trial = s.trial.as_mut().unwrap();
                trial.logs[0].push(elsewhere(false));
                trial.logs[1].push(elsewhere(true));
            })
            .from(State::Baseline, |s| {
                refuses(s, "lab_hidden_t", "file", "getattr");
            })
    };
    assert_cause(
        "named",
        &denied(hidden_getattr()),
        &format!("{SILENT} proven"),
        &[],
    );
    let mut unnamed = denied(labelled_on_the_lab());
    for suite in &mut unnamed.plan.suites {
        suite.rests_on.paths.clear();
    }
    let cause = unnamed.cause();
    assert_eq!(cause.proof.word(), "supported", "{cause:?}");
}

/// An application's socket and its files may have one type, and not one cause.
#[test]
fn a_socket_of_the_type_of_a_file_is_not_the_file() {
    let open = |p| {
        avc(
            "open",
            "path=\"/run/app/conf\" dev=\"tmpfs\" ino=9",
            "var_run_t",
            "file",
            p,
        )
    };
    let socket = |p| {
        avc(
            "getattr",
            "path=\"/run/app/sock\" dev=\"tmpfs\" ino=8",
            "var_run_t",
            "sock_file",
            p,
        )
    };
    let night = |beside: bool| {
        Night::quiet().from(State::Patched, move |s| {
            s.page(&status(503));
            s.log.push(socket(false));
            let log = |p: bool| {
                let conf = beside.then(|| open(p));
                conf.into_iter().chain([socket(p)]).collect()
            };
            s.trial = Some(page_trial(503, [log(false), log(true)]));
        })
    };
    let alone = night(false);
    assert_cause(
        "alone",
        &alone,
        "selinux-denial proven",
        &["sock_file of var_run_t"],
    );
    let cause = night(true).cause();
    assert_eq!(cause.proof.word(), "supported", "{cause:?}");
}

/// Of what the kernel took away only what was missed explains anything.
#[test]
fn a_permission_that_nobody_missed_explains_nothing() {
    let lost = |missed: &'static str| {
        let night = Night::quiet().at(State::Baseline, |s| {
            allows(s, "httpd_sys_content_t", "file", "read");
        });
        night.from(State::Patched, move |s| {
            s.page(&status(403));
            refuses(s, "httpd_sys_content_t", "file", "read");
            let logs = [vec![of_page(missed, false)], vec![of_page(missed, true)]];
            s.trial = Some(page_trial(403, logs));
        })
    };
    assert_cause("read", &lost("read"), &format!("{SILENT} proven"), &[]);
    let cause = lost("append").cause();
    assert_eq!(cause.proof.word(), "supported", "{cause:?}");
}
