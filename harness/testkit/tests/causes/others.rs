//! What is not SELinux.

use patchgate_core::{
    evidence::vectors::parse_vectors,
    observation::{HttpPhase, Observation},
    reading::Reading,
    snapshot::system::OomKill,
    state::State,
};
use patchgate_testkit::night::{
    Night, Seen, Trial, avc, certificate, command, config_test, disk, error_log, failed,
    failed_saying,
    known::{PAGE, mute, refused, with_suite},
    label, listener, listeners, status, unit, unit_step,
};

use super::{assert_cause, assert_cause_unknown, told};

fn cut_off(phase: HttpPhase) -> Night {
    Night::quiet().from(State::Patched, move |s| s.sees("root-page", failed(phase)))
}

#[test]
fn a_packet_filter_is_supported_by_its_rules_and_suspected_without() {
    let ruled = |night: Night, rule: &'static str| {
        night.from(State::Patched, |s| {
            s.system().firewall = Reading::Known(vec![rule.to_owned()]);
        })
    };
    for (phase, rule) in [
        (HttpPhase::ConnectTimeout, "tcp dport 80 drop"),
        (HttpPhase::Refused, "tcp dport 80 reject with tcp reset"),
        (
            HttpPhase::Unreachable,
            "-A INPUT -j REJECT --reject-with icmp-host-prohibited",
        ),
    ] {
        let name = phase.symptom();
        assert_cause(
            name,
            &ruled(cut_off(phase), rule),
            "firewall supported",
            &["port 80", rule, "nft list ruleset"],
        );
        assert_cause(
            name,
            &cut_off(phase),
            "firewall suspected",
            &["No rule of the packet filter"],
        );
    }
    let always =
        ruled(cut_off(HttpPhase::ConnectTimeout), "tcp dport 80 drop").at(State::Baseline, |s| {
            s.system().firewall = Reading::Known(vec!["tcp dport 80 drop".to_owned()]);
        });
    assert_cause(
        "the rule was there",
        &always,
        "firewall suspected",
        &["No rule of the packet filter"],
    );
    let alone = always.at(State::Baseline, |s| s.snapshot = None);
    assert_cause(
        "whether it was there is not known",
        &alone,
        "firewall supported",
        &["has the rule `tcp dport 80 drop`"],
    );
    let open = cut_off(HttpPhase::ConnectTimeout).from(State::Baseline, |s| {
        s.system().firewall = Reading::Known(vec![]);
    });
    assert_cause(
        "no rules at all",
        &open,
        "network suspected",
        &["something in between"],
    );
    let unseen = cut_off(HttpPhase::ConnectTimeout).from(State::Baseline, |s| s.snapshot = None);
    assert_cause(
        "nothing read",
        &unseen,
        "firewall suspected",
        &["rules of the packet filter were not read"],
    );
}

#[test]
fn a_packet_filter_is_impossible_where_the_host_itself_is_not_served() {
    let ruled = cut_off(HttpPhase::Refused).from(State::Patched, |s| {
        s.sees("root-page-local", refused());
        s.system().firewall = Reading::Known(vec!["tcp dport 80 drop".to_owned()]);
        s.steps.push(listeners(&[("0.0.0.0", 22)]));
    });
    assert_cause(
        "nobody listens",
        &ruled,
        "not-listening supported",
        &["Nobody listens on port 80", "ss -ltnp"],
    );
}

#[test]
fn listening_is_told_from_listening_for_oneself() {
    let loopback = cut_off(HttpPhase::Refused).from(State::Patched, |s| {
        s.steps.push(listeners(&[
            ("127.0.0.1", 80),
            ("::1", 80),
            ("0.0.0.0", 22),
        ]));
    });
    let texts = [
        "listens on port 80 for the host itself only, on 127.0.0.1, and did for everybody at the baseline",
    ];
    assert_cause("loopback", &loopback, "bound-to-loopback supported", &texts);
    let always = loopback.at(State::Baseline, |s| {
        s.system().listeners = Reading::Known(vec![listener("127.0.0.1", 80)]);
    });
    assert_cause(
        "loopback all along",
        &always,
        "bound-to-loopback suspected",
        &[],
    );
    let moved = Night::quiet().from(State::Patched, |s| {
        s.page(&refused());
        s.steps.push(listeners(&[("0.0.0.0", 8080)]));
    });
    assert_cause(
        "another port",
        &moved,
        "not-listening supported",
        &["It listens on 8080."],
    );
}

fn down(active: &'static str, result: &'static str) -> Night {
    Night::quiet().from(State::Patched, |s| {
        s.page(&refused());
        s.sees("service", unit(active, result));
        s.steps.push(listeners(&[("0.0.0.0", 22)]));
    })
}

#[test]
fn a_service_that_is_down_has_a_reason_where_one_is_seen() {
    let stopped = down("inactive", "success");
    assert_cause(
        "stopped",
        &stopped,
        "service-down supported",
        &[
            "httpd is inactive. It ended without an error",
            "journalctl -u httpd",
        ],
    );
    let failed = || down("failed", "exit-code");
    assert_cause(
        "failed",
        &failed(),
        "service-down supported",
        &["is not known yet"],
    );
    let config = failed().from(State::Patched, |s| {
        s.steps.push(config_test(1, "AH00526: Syntax error on line 12 of /etc/httpd/conf.d/a.conf:\nInvalid command 'Foo'\n"));
    });
    assert_cause(
        "config",
        &config,
        "config supported",
        &[
            "`httpd -t` says `AH00526: Syntax error on line 12",
            "| httpd -t |",
        ],
    );
    let crashed = failed().from(State::Patched, |s| {
        s.steps
            .push(unit_step("failed", "core-dump", Some("dumped 11")));
    });
    assert_cause(
        "crash",
        &crashed,
        "service-crash supported",
        &["httpd died (dumped 11)", "coredumpctl"],
    );
    let killed = failed().from(State::Patched, |s| {
        s.steps
            .push(unit_step("failed", "oom-kill", Some("killed 9")));
    });
    assert_cause(
        "oom by systemd",
        &killed,
        "resource-oom supported",
        &["killed httpd for lack of memory"],
    );
}

#[test]
fn a_unit_that_was_down_all_along_is_not_what_failed() {
    let idle = Night::quiet()
        .from(State::Patched, |s| s.page(&status(403)))
        .from(State::Baseline, |s| {
            s.steps.push(unit_step("inactive", "success", None));
            let units = s.system().units.known().cloned().unwrap();
            let down = units.into_iter().map(|(name, mut unit)| {
                unit.active = "inactive".to_owned();
                (name, unit)
            });
            s.system().units = Reading::Known(down.collect());
        });
    assert_cause("403", &idle, "service-down suspected", &[]);
    let refused = idle.from(State::Patched, |s| s.page(&refused()));
    assert_cause("refused", &refused, "service-down suspected", &[]);
}

#[test]
fn a_configuration_that_nobody_loaded_explains_nothing() {
    let running = Night::quiet().from(State::Patched, |s| {
        s.page(&status(500));
        s.steps.push(config_test(
            1,
            "Syntax error on line 12 of /etc/httpd/conf.d/a.conf",
        ));
    });
    assert_cause("still running", &running, "config suspected", &[]);
}

fn kill(victim: &str) -> OomKill {
    OomKill {
        victim: victim.to_owned(),
        pid: 283,
        line: format!("Out of memory: Killed process 283 ({victim}) total-vm:1048576kB"),
    }
}

#[test]
fn a_lack_of_memory_or_room_is_told_when_it_is_new() {
    let killed = |victim: &'static str| {
        down("failed", "signal").from(State::Patched, move |s| {
            s.system().oom_kills = Reading::Known(vec![kill(victim)]);
        })
    };
    assert_cause(
        "httpd killed",
        &killed("httpd"),
        "resource-oom supported",
        &["Killed process 283 (httpd)"],
    );
    assert_cause(
        "another killed",
        &killed("mysqld"),
        "service-crash supported",
        &[],
    );
    let before = killed("httpd").at(State::Baseline, |s| {
        s.system().oom_kills = Reading::Known(vec![kill("httpd")]);
    });
    assert_cause("killed before", &before, "service-crash supported", &[]);
    let full = |s: &mut Seen| {
        s.page(&status(500));
        s.system().disks = Reading::Known(vec![disk("/", 41), disk("/var", 100)]);
    };
    let night = Night::quiet().from(State::Patched, full);
    assert_cause(
        "disk",
        &night,
        "resource-disk supported",
        &["`/var` is full, and was not at the baseline", "df -h /var"],
    );
    let always = night.clone().at(State::Baseline, |s| {
        s.system().disks = Reading::Known(vec![disk("/var", 100)]);
    });
    assert_cause_unknown("disk full before", &always);
    let said = always.from(State::Patched, |s| {
        s.steps
            .push(error_log(&["(28)No space left on device: could not write"]));
    });
    assert_cause(
        "the service says so",
        &said,
        "resource-disk supported",
        &["No space left on device"],
    );
    let nearly = Night::quiet().from(State::Patched, |s| {
        s.page(&status(500));
        s.system().disks = Reading::Known(vec![disk("/var", 99)]);
    });
    assert_cause_unknown("nearly full", &nearly);
}

const HTTPS: &str = "suite: httpd\ntitle: TLS\ndomains: [httpd_t]\n\
    rests_on: { certificates: [/etc/pki/tls/certs/localhost.crt] }\nchecks:\n  - id: root-page\n    \
    http: { url: \"https://{{ host }}/\", status: 200 }\n";

#[test]
fn a_certificate_is_judged_by_its_dates_and_by_its_clients() {
    let failing = |detail: &'static str| {
        with_suite(HTTPS).from(State::Patched, move |s| {
            s.sees("root-page", failed_saying(HttpPhase::Tls, detail));
        })
    };
    let expired = failing("handshake failed").from(State::Patched, |s| {
        s.system().certificates = Reading::Known(vec![certificate(1_361_400_000)]);
    });
    let texts = [
        "/etc/pki/tls/certs/localhost.crt` has expired",
        "openssl x509 -enddate -noout -in /etc/pki",
    ];
    assert_cause(
        "by its dates",
        &expired,
        "tls-certificate supported",
        &texts,
    );
    let said = failing("certificate has expired: error:0A000086");
    assert_cause(
        "by its client",
        &said,
        "tls-certificate supported",
        &["The client says `certificate has expired"],
    );
    assert_cause_unknown("another failure of TLS", &failing("no protocols available"));
}

#[test]
fn a_denial_that_shows_as_something_else_is_suspected_and_gives_way() {
    let stray = |night: Night| {
        night.from(State::Patched, |s| {
            s.log.push(avc(
                "getattr",
                "path=\"/root/.k5login\" dev=\"vda\" ino=9",
                "admin_home_t",
                "file",
                false,
            ));
        })
    };
    let failing = stray(Night::quiet().from(State::Patched, |s| s.page(&status(403))));
    assert_cause(
        "far from the docroot",
        &failing,
        "selinux-denial suspected",
        &["admin_home_t"],
    );
    let stopped = stray(down("inactive", "success"));
    assert_cause(
        "beside a stopped unit",
        &stopped,
        "service-down supported",
        &[],
    );
    let cut = stray(cut_off(HttpPhase::ConnectTimeout));
    assert_cause("beside a filter", &cut, "firewall suspected", &[]);
}

const REFUSED_FILE: &str =
    "(13)Permission denied: AH00132: file permissions deny server access: /var/www/html/index.html";

/// The page is refused, and the service says that it was refused too.
fn refused_file() -> Night {
    Night::quiet().from(State::Patched, |s| {
        s.page(&status(403));
        s.steps.push(error_log(&[REFUSED_FILE]));
    })
}

#[test]
fn file_permissions_are_to_blame_where_selinux_is_ruled_out() {
    let said = refused_file();
    assert_cause(
        "all read",
        &said,
        "permissions supported",
        &["namei -l /var/www/html/index.html"],
    );
    let blind = said.from(State::Patched, |s| {
        s.vectors = Reading::missing("no selinuxfs");
    });
    assert_cause(
        "vectors not read",
        &blind,
        "permissions suspected",
        &["not everything that would show one"],
    );
    let tried = blind.from(State::Patched, |s| {
        let page = [
            ("root-page", status(403), status(403)),
            ("root-page-local", status(403), status(403)),
        ];
        s.trial = Some(Trial::httpd(&page));
    });
    assert_cause(
        "the experiment turned nothing",
        &tried,
        "permissions supported",
        &["With the domain permissive it was refused all the same"],
    );
    let socket = Night::quiet().from(State::Patched, |s| {
        s.page(&mute());
        s.vectors = Reading::missing("no selinuxfs");
        s.steps.push(error_log(&[
            "(13)Permission denied: AH02179: apr_socket_accept: (client socket)",
        ]));
    });
    assert_cause(
        "a socket",
        &socket,
        "selinux-silent-denial suspected",
        &["file permissions do not do that"],
    );
}

/// Seen on a lab machine: a policy module with a type of its own for the page, and dontaudit.
#[test]
fn a_file_that_got_another_type_is_not_blamed_on_its_permissions() {
    let typed = refused_file()
        .at(State::Baseline, |s| {
            let labels = vec![label(PAGE, "httpd_sys_content_t", "httpd_sys_content_t")];
            s.policy().labels = Reading::Known(labels);
        })
        .from(State::Patched, |s| {
            let labels = vec![label(PAGE, "lab_hidden_t", "lab_hidden_t")];
            s.policy().labels = Reading::Known(labels);
        });
    assert_cause(
        "another type, as the policy wants",
        &typed,
        "selinux-silent-denial suspected",
        &["is of type lab_hidden_t, as the policy wants"],
    );
    let silent = "path file lab_hidden_t /var/www/html/index.html\nvectors begin 1\nav system_u:system_r:httpd_t:s0 \
                  system_u:object_r:lab_hidden_t:s0 file : 0 ffffffff 0 fffffffb 4 0\nvectors end 1\n";
    let answered = typed.clone().from(State::Patched, |s| {
        let Reading::Known(table) = &mut s.vectors else {
            panic!("the table is there")
        };
        let more = parse_vectors(silent).table;
        table.vectors.extend(more.vectors);
        table.labels.extend(more.labels);
    });
    assert_cause(
        "and the kernel says that it refuses it in silence",
        &answered,
        "selinux-silent-denial supported",
        &["The kernel says that it refuses httpd_t { getattr } on it"],
    );
    let page = [
        ("root-page", status(403), status(403)),
        ("root-page-local", status(403), status(403)),
    ];
    let tried = typed.from(State::Patched, |s| s.trial = Some(Trial::httpd(&page)));
    assert_cause(
        "and the experiment turned nothing",
        &tried,
        "permissions suspected",
        &["With the domain permissive it was refused all the same"],
    );
}

#[test]
fn settings_of_the_kernel_names_and_the_network() {
    let set = |name: &'static str, value: &'static str| {
        cut_off(HttpPhase::Refused).from(State::Patched, move |s| {
            let settings = [(name.to_owned(), value.to_owned())];
            s.system().sysctls = Reading::Known(settings.into());
            s.system().listeners = Reading::Known(vec![listener("::", 80)]);
            s.system().firewall = Reading::Known(vec![]);
        })
    };
    assert_cause(
        "bindv6only",
        &set("net.ipv6.bindv6only", "1"),
        "kernel-or-sysctl supported",
        &["is `1` and was `0`", "sysctl net.ipv6.bindv6only"],
    );
    assert_cause(
        "another setting",
        &set("net.core.somaxconn", "1"),
        "kernel-or-sysctl suspected",
        &[],
    );
    let unnamed = cut_off(HttpPhase::Dns);
    assert_cause(
        "dns",
        &unnamed,
        "dns supported",
        &["does not resolve", "getent hosts"],
    );
    let mut gone = cut_off(HttpPhase::ConnectTimeout).from(State::Patched, |s| {
        s.sees(
            "root-page-local",
            Observation::Errored {
                why: "lost".to_owned(),
            },
        );
        s.snapshot = None;
    });
    gone.lost = Some("no answer for 60s".to_owned());
    let (cause, text) = told(&gone);
    assert_eq!(cause, "network supported", "{text}");
    let rerouted = cut_off(HttpPhase::ConnectTimeout).from(State::Patched, |s| {
        s.system().routes = Reading::Known(vec![]);
        s.system().firewall = Reading::Known(vec![]);
    });
    assert_cause(
        "routes",
        &rerouted,
        "network suspected",
        &["has no route `default via"],
    );
}

const TOOL: &str = "suite: httpd\ntitle: A command\ndomains: [httpd_t]\nchecks:\n  - id: tool\n    \
    command: { run: apachectl status }\n";

#[test]
fn what_nothing_explains_is_unknown() {
    let night = with_suite(TOOL).from(State::Patched, |s| {
        s.sees("tool", command(1, "no such thing"));
    });
    assert_cause_unknown("a command", &night);
}
