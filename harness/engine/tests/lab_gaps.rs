//! Every gap of a window on a real host: provoked, named, and gone when it is mended.
//!
//! Needs images (`ci/lab/build`), QEMU and the right to make namespaces, and minutes of a processor.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the helpers of a test may panic and tell how far it came"
)]

use std::time::{Duration, Instant};

use lab_guest::{Guest, HOST, NONCE, OneHost};
use patchgate_core::{
    evidence::{
        capture::{LogSource, WindowCapture},
        coverage::{Coverage, Gap},
        segment::{AskedFrom, Segment},
        window::{Belongs, Expectations, WindowEvidence, examine},
    },
    id::{CheckId, CheckName, SuiteName},
};
use patchgate_engine::{
    host::Item,
    script::window::{read_segment, segment_item},
};

#[path = "support/lab_guest.rs"]
mod lab_guest;

/// What is done to a host before a window opens, while it is open, and after it was closed.
struct Case {
    /// The gaps that must come of it, and no others.
    gaps: &'static [&'static str],
    before: &'static str,
    inside: &'static str,
    after: &'static str,
}

const fn case(
    gaps: &'static [&'static str],
    before: &'static str,
    inside: &'static str,
    after: &'static str,
) -> Case {
    Case {
        gaps,
        before,
        inside,
        after,
    }
}

/// Puts a stand-in before auditctl, which fails for one option.
macro_rules! without {
    ($option:literal) => {
        concat!(
            "mv /usr/sbin/auditctl /usr/sbin/auditctl.real; printf '%s\\n' '#!/bin/sh' \
             '[ \"$1\" != ", $option, " ] || { echo \"Error - no permission\" >&2; exit 4; }' \
             'exec /usr/sbin/auditctl.real \"$@\"' >/usr/sbin/auditctl; chmod +x /usr/sbin/auditctl"
        )
    };
}

const WITH_AUDITCTL: &str = "mv -f /usr/sbin/auditctl.real /usr/sbin/auditctl";

const AUDITD: &str =
    "systemctl start auditd; until auditctl -s | grep -q 'pid [1-9]'; do sleep 0.1; done";

/// Everything that can be done to a live host, the cheap first.
const CASES: &[Case] = &[
    case(
        &["permissive-mode", "mode-changed"],
        "",
        "setenforce 0",
        "setenforce 1",
    ),
    case(&["mode-changed"], "", "setenforce 0; setenforce 1", ""),
    case(
        &["mode-unknown"],
        "",
        "mount --bind /dev/null /sys/fs/selinux/enforce",
        "umount /sys/fs/selinux/enforce",
    ),
    case(
        &["policy-errors"],
        "",
        "! printf bogus_u:bogus_r:bogus_t:s0 >/proc/self/attr/fscreate",
        "",
    ),
    case(&["policy-reloaded"], "", "load_policy", ""),
    case(
        &["boolean-changed"],
        "",
        "setsebool httpd_can_network_connect 1; setsebool httpd_can_network_connect 0",
        "",
    ),
    case(
        &["audit-tools-missing", "marker-not-written", "weak-source"],
        "mv /usr/sbin/auditctl /usr/sbin/auditctl.real",
        "",
        WITH_AUDITCTL,
    ),
    case(
        &["audit-status-unreadable"],
        without!("-s"),
        "",
        WITH_AUDITCTL,
    ),
    case(
        &["audit-rules-unreadable"],
        without!("-l"),
        "",
        WITH_AUDITCTL,
    ),
    case(
        &["marker-not-written", "weak-source"],
        without!("-m"),
        "",
        WITH_AUDITCTL,
    ),
    case(
        &[
            "audit-disabled",
            "audit-reconfigured",
            "marker-end-missing",
            "weak-source",
        ],
        "",
        "auditctl -e 0",
        "auditctl -e 1",
    ),
    case(
        &["audit-reconfigured"],
        "",
        "auditctl -b 8000; auditctl -b 8192",
        "",
    ),
    // What auditd leaves out for as long as its configuration says so, and nothing in between.
    case(
        &["records-missing"],
        "",
        "log=/var/log/audit/audit.log; conf=/etc/audit/auditd.conf; cp $conf /root/conf; \
         { grep -v ^write_logs /root/conf; echo write_logs = no; } >$conf; kill -HUP $(pidof auditd); n=0; \
         while n=$((n + 1)); auditctl -m left-out-$n; sleep 1; grep -q left-out-$n $log; do :; done; \
         cat /root/conf >$conf; rm /root/conf; n=$(grep -c DAEMON_CONFIG $log); kill -HUP $(pidof auditd); \
         until [ $(grep -c DAEMON_CONFIG $log) -gt $n ]; do sleep 0.1; done",
        "",
    ),
    case(
        &[],
        "",
        "log=/var/log/audit/audit.log; n=$(grep -c DAEMON_CONFIG $log); kill -HUP $(pidof auditd); \
         until [ $(grep -c DAEMON_CONFIG $log) -gt $n ]; do sleep 0.1; done",
        "",
    ),
    case(
        &["denials-excluded", "control-not-seen"],
        "auditctl -a always,exclude -F msgtype=AVC",
        "",
        "auditctl -d always,exclude -F msgtype=AVC",
    ),
    case(
        &["records-lost", "audit-reconfigured", "suppressed"],
        "",
        "auditctl -r 1; for n in 1 2 3 4 5 6; do auditctl -m $n; done; auditctl -r 0",
        "",
    ),
    case(
        &["records-missing"],
        "",
        "log=/var/log/audit/audit.log; cp $log /root/log; auditctl -m gone; \
         until grep -q text=gone $log; do sleep 0.1; done; cat /root/log >$log; rm /root/log",
        "",
    ),
    case(
        &["lost-counter-reset", "audit-reconfigured"],
        "",
        "auditctl --reset-lost",
        "",
    ),
    case(
        &["suppressed"],
        "",
        "echo '__ratelimit: 22683 callbacks suppressed' >/dev/kmsg",
        "",
    ),
    case(
        &["kernel-log-unreadable"],
        "mv /usr/bin/dmesg /usr/bin/dmesg.real",
        "",
        "mv /usr/bin/dmesg.real /usr/bin/dmesg",
    ),
    case(
        &["boot-unknown"],
        "mount --bind /dev/null /proc/sys/kernel/random/boot_id",
        "",
        "umount /proc/sys/kernel/random/boot_id",
    ),
    case(
        &["markers-confused"],
        "",
        "auditctl -m 'patchgate @NONCE@ @ID@ begin'",
        "",
    ),
    case(
        &["log-garbled"],
        "",
        "echo 'type=AVC msg=audit(136150' >>/var/log/audit/audit.log",
        "",
    ),
    case(
        &["clock-stepped"],
        "",
        "date -s \"@$(($(date +%s) + 3600))\"",
        "date -s \"@$(($(date +%s) - 3600))\"",
    ),
    case(
        &["marker-begin-missing", "log-rotated-away"],
        "",
        ": >/var/log/audit/audit.log",
        "",
    ),
    case(
        &["marker-begin-missing", "log-rotated-away"],
        "",
        "@ROTATE@; rm /var/log/audit/audit.log.1",
        "",
    ),
    case(
        &["marker-end-missing", "log-truncated"],
        "",
        // Blank lines are no records; they fill the log as records do.
        "head -c 9000000 /dev/zero | tr '\\0' '\\n' >>/var/log/audit/audit.log",
        "@ROTATE@",
    ),
    case(
        &["auditd-restarted", "audit-reconfigured"],
        "",
        "@AUDITD-KILLED@",
        "",
    ),
    case(
        &["log-unreadable", "weak-source"],
        "",
        "mv /var/log/audit/audit.log /var/log/audit/elsewhere",
        "mv /var/log/audit/elsewhere /var/log/audit/audit.log",
    ),
    case(
        &[
            "auditd-not-running",
            "auditd-restarted",
            "marker-end-missing",
            "weak-source",
        ],
        "",
        "systemctl stop auditd",
        AUDITD,
    ),
];

/// What no live host can be brought to, and what tests it instead: core's `evidence::window` tests.
const NOT_LIVE: &[(&str, &str)] = &[
    (
        "not-collected",
        "there is no host to look at: `each_trouble_is_one_gap_with_its_own_name`, and the scenarios of lost hosts",
    ),
    ("selinux-absent", "needs another kernel: `each_trouble_…`"),
    (
        "selinux-disabled",
        "needs another boot, and then the host serves no suite: `each_trouble_…`",
    ),
    (
        "selinux-unknown",
        "an answer that broke off: `each_trouble_…`",
    ),
    (
        "clock-unknown",
        "a host without /proc/uptime: `each_trouble_…`",
    ),
    (
        "serials-restarted",
        "a machine that goes back to a saved state: `each_trouble_…`",
    ),
    (
        "control-unknown",
        "a shell that died amid it: `each_trouble_…`",
    ),
];

/// What happens to a log without anything being lost.
const FOLLOWED: &[(&str, &str, &str, &str)] = &[
    (
        "rotated three times",
        "",
        "@ROTATE@; @ROTATE@; @ROTATE@",
        "",
    ),
    (
        "rotated and compressed",
        "",
        "@ROTATE@; gzip /var/log/audit/audit.log.1",
        "rm /var/log/audit/audit.log.1.gz",
    ),
    (
        "kept elsewhere",
        "sed -i 's,^log_file.*,log_file = /var/log/audit/other.log,' /etc/audit/auditd.conf; @RESTART@",
        "@ROTATE-OTHER@",
        "",
    ),
    (
        "deleted under auditd",
        "rm /var/log/audit/other.log",
        "",
        "",
    ),
    (
        "not where the configuration says by now",
        "sed -i 's,^log_file.*,log_file = /var/log/audit/audit.log,' /etc/audit/auditd.conf",
        "",
        "@RESTART@",
    ),
];

/// The words of the scripts that stand for more.
fn script(text: &str, id: &str) -> String {
    let rotate = |log: &str| {
        format!(
            "{{ i=$(stat -c %i {log}); kill -USR1 $(pidof auditd); \
             until j=$(stat -c %i {log} 2>/dev/null) && [ $j != $i ]; do sleep 0.05; done; }}"
        )
    };
    let again = "until q=$(pidof auditd) && [ $q != $p ] && auditctl -s | grep -q \"^pid $q\\$\"; do sleep 0.1; done";
    text.replace("@NONCE@", NONCE)
        .replace("@ID@", id)
        .replace("@ROTATE@", &rotate("/var/log/audit/audit.log"))
        .replace("@ROTATE-OTHER@", &rotate("/var/log/audit/other.log"))
        .replace(
            "@AUDITD-KILLED@",
            &format!("p=$(pidof auditd); kill -9 $p; {again}"),
        )
        .replace(
            "@RESTART@",
            &format!("p=$(pidof auditd); systemctl restart auditd; {again}"),
        )
}

fn look(capture: &WindowCapture) -> WindowEvidence {
    examine(capture, Expectations::default())
}

fn names(evidence: &WindowEvidence) -> Vec<&'static str> {
    evidence.coverage.gaps().iter().map(Gap::name).collect()
}

/// A window that opens after a script, and in which nothing happens, is complete.
async fn assert_complete_after(guest: &mut Guest, before: &str, what: &str) {
    let open = guest.open_after(&script(before, "")).await;
    let evidence = look(&guest.close(open).await);
    assert_eq!(evidence.coverage, Coverage::Complete, "after {what}");
    assert_eq!(evidence.notes, [], "after {what}");
}

/// A window between two scripts.
async fn window(guest: &mut Guest, before: &str, inside: &str) -> WindowCapture {
    let open = guest.open_after(&script(before, "")).await;
    let inside = script(inside, &open.id);
    guest.close_after(&inside, open).await
}

/// Provokes gaps and sees their names, and no others: so that those of the case before are mended too.
async fn provoke(guest: &mut Guest, case: &Case) {
    let began = Instant::now();
    let evidence = look(&window(guest, case.before, case.inside).await);
    let mut found = names(&evidence);
    found.dedup();
    // Without auditd the kernel writes to its ring, of which it leaves out what is too much.
    if case.gaps.contains(&"weak-source") {
        found.retain(|name| *name != "suppressed");
    }
    assert_eq!(
        found, case.gaps,
        "`{}`: {:?}",
        case.inside, evidence.coverage
    );
    if !case.after.is_empty() {
        guest.sh(&script(case.after, "")).await;
    }
    println!("{found:?}: {:.1} s", began.elapsed().as_secs_f64());
}

/// Whatever happens to the log, it is followed.
async fn assert_followed(guest: &mut Guest) {
    for (what, before, inside, after) in FOLLOWED {
        let began = Instant::now();
        let evidence = look(&window(guest, before, inside).await);
        assert_eq!(evidence.coverage, Coverage::Complete, "{what}");
        guest.sh(&script(after, "")).await;
        println!("{what}: {:.1} s", began.elapsed().as_secs_f64());
    }
}

/// A page that httpd may not read, and a request for it.
const DENIED: &str = "curl -s -o /dev/null http://127.0.0.1/denied.html";

async fn make_denied_page(guest: &mut Guest) {
    guest
        .sh("cd /var/www/html && echo x >denied.html && chcon -t shadow_t denied.html")
        .await;
}

fn check(name: &str) -> CheckId {
    CheckId {
        suite: SuiteName::new("lab").unwrap(),
        check: CheckName::new(name).unwrap(),
    }
}

/// A denial belongs to the check during which it was made, and nothing more goes to and fro for it.
async fn assert_segments_tell(guest: &mut Guest) {
    let mut open = guest.open().await;
    let before = guest.batches;
    let scripts = ["true", DENIED, "true"];
    let mut items = Vec::new();
    for (script, number) in scripts.iter().zip(1..) {
        items.push(segment_item(NONCE, &open.id, number));
        items.push(Item::new(*script, Duration::from_secs(30)));
    }
    items.push(segment_item(NONCE, &open.id, 4));
    let replies = guest.batch(items).await;
    assert_eq!(guest.batches, before + 1);
    let segment = |number: u32, checks: &[&str]| Segment {
        number,
        asked_from: AskedFrom::Host,
        checks: checks.iter().map(|name| check(name)).collect(),
        marker: read_segment(&replies[2 * (number as usize - 1)]),
    };
    open.segments = vec![
        segment(1, &["a"]),
        segment(2, &["b"]),
        segment(3, &["c"]),
        segment(4, &["d", "e"]),
    ];
    guest.sh(DENIED).await;
    let evidence = look(&guest.close(open).await);
    assert_eq!(evidence.coverage, Coverage::Complete);
    let denials = |name| {
        let denials = evidence.denials_of(&check(name));
        let denials = denials
            .known()
            .unwrap_or_else(|| panic!("{name}: {denials:?}"));
        denials
            .iter()
            .map(|d| d.path.clone().unwrap())
            .collect::<Vec<_>>()
    };
    let page = "/var/www/html/denied.html";
    for (name, denied) in [
        ("a", false),
        ("b", true),
        ("c", false),
        ("d", true),
        ("e", true),
    ] {
        let found = denials(name);
        assert_eq!(!found.is_empty(), denied, "{name}: {found:?}");
        assert!(found.iter().all(|path| path == page), "{found:?}");
    }
    assert!(
        !evidence.belongs.contains(&Belongs::Nowhere),
        "{:?}",
        evidence.belongs
    );
}

/// Without auditd denials are found in the journal, and without that in the kernel ring; what they miss
/// nobody knows, and that is said.
async fn assert_other_logs_are_read(guest: &mut Guest) {
    // The kernel would leave out of its ring what comes too fast.
    guest
        .sh("systemctl stop auditd; echo 0 >/proc/sys/kernel/printk_ratelimit")
        .await;
    for (hide, source, show) in [
        ("", LogSource::Journal, ""),
        (
            "mv /usr/bin/journalctl /usr/bin/journalctl.real",
            LogSource::KernelRing,
            "mv /usr/bin/journalctl.real /usr/bin/journalctl",
        ),
    ] {
        let capture = window(guest, hide, DENIED).await;
        guest.sh(show).await;
        let evidence = look(&capture);
        println!("{source:?}: {:?}", names(&evidence));
        assert_eq!(capture.beside.len(), 1);
        assert_eq!(
            capture.beside[0].source, source,
            "{:?}",
            capture.beside[0].trouble
        );
        assert!(
            names(&evidence).contains(&"weak-source"),
            "{:?}",
            evidence.coverage
        );
        let denied = |d: &&patchgate_core::evidence::denial::Decision| {
            d.path.as_deref() == Some("/var/www/html/denied.html")
        };
        assert!(
            evidence.denials().any(|d| denied(&d)),
            "{:?}",
            evidence.decisions
        );
        let ours = evidence.denials().filter(|d| {
            d.comm
                .as_deref()
                .is_some_and(|c| c.starts_with("patchgate-"))
        });
        assert_eq!(ours.count(), 0, "the control is no denial of the host's");
    }
    guest.sh("echo 5 >/proc/sys/kernel/printk_ratelimit").await;
    guest.sh(AUDITD).await;
    assert_complete_after(guest, "", "reading other logs").await;
}

/// Where the policy hides what could be provoked, that is said, and is no gap.
async fn assert_control_may_be_impossible(guest: &mut Guest) {
    let policy = "(dontaudit unconfined_t init_t (process (dyntransition)))";
    guest
        .sh(&format!(
            "echo '{policy}' >/root/pg_hidden.cil; semodule -i /root/pg_hidden.cil"
        ))
        .await;
    let evidence = look(&window(guest, "", "").await);
    guest
        .sh("semodule -r pg_hidden; rm /root/pg_hidden.cil")
        .await;
    assert_eq!(evidence.coverage, Coverage::Complete);
    let notes: Vec<String> = evidence.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "no denial could be provoked at the begin of the window: a dontaudit rule hides dyntransition"
        ]
    );
    assert_complete_after(guest, "", "a control that was impossible").await;
}

/// One test, because a guest is expensive.
#[test]
fn nightly_every_gap_is_seen_on_a_real_host_and_gone_when_it_is_mended() {
    assert_every_gap_is_accounted_for();
    let one = OneHost::up("pggaps");
    let began = Instant::now();
    one.block_on(async {
        let mut guest = one.connect().await;
        assert_complete_after(&mut guest, "", "nothing").await;
        make_denied_page(&mut guest).await;
        assert_segments_tell(&mut guest).await;
        assert_followed(&mut guest).await;
        for cases in CASES.chunks(6) {
            for case in cases {
                provoke(&mut guest, case).await;
            }
            assert_complete_after(&mut guest, "", "some gaps").await;
        }
        assert_other_logs_are_read(&mut guest).await;
        assert_control_may_be_impossible(&mut guest).await;
    });
    println!("{HOST}: {:.0} s", began.elapsed().as_secs_f64());
}

/// It takes a minute, and the connection with it.
#[test]
fn a_reboot_inside_a_window_is_seen() {
    let one = OneHost::up("pggaps");
    one.block_on(async {
        let mut guest = one.connect().await;
        let boot = guest.boot().await.unwrap();
        let open = guest.open().await;
        guest.sh("systemctl --no-block reboot").await;
        let mut guest = one.connect_to_another_boot(&boot).await;
        let evidence = look(&guest.close(open).await);
        let found = names(&evidence);
        assert!(found.contains(&"boot-changed"), "{:?}", evidence.coverage);
        assert!(!found.contains(&"clock-stepped") && !found.contains(&"serials-restarted"));
        assert_complete_after(&mut guest, "", "a reboot").await;
    });
}

/// No gap is forgotten: each is provoked here, or it is said why not.
fn assert_every_gap_is_accounted_for() {
    let live = CASES.iter().flat_map(|case| case.gaps).copied();
    let mut known: Vec<&str> = live
        .chain(NOT_LIVE.iter().map(|(gap, _)| *gap))
        .chain(["boot-changed"])
        .collect();
    known.sort_unstable();
    known.dedup();
    let mut all = Gap::NAMES.to_vec();
    all.sort_unstable();
    assert_eq!(known, all);
}
