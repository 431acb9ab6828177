//! The forms of audit text that the releases are known to print, statement by statement.
//!
//! Hosts, times and names are made up. Each row says what is claimed, the text, and what is read
//! from it, one line a decision, in the words of [`tell`].

#![expect(clippy::unwrap_used, reason = "tests unwrap")]

use std::fmt::Write;

use patchgate_core::evidence::{
    context::Context,
    denial::{AvcVerdict, Decider, Decision},
    event,
    mac_change::{MacChangeKind, mac_change},
    policy_error::{PolicyError, policy_error},
    record::{Framing, Grammar, Record, Stamp, parse},
};

/// One claim: what it is, the text, the decisions in it.
type Row = (&'static str, &'static str, &'static [&'static str]);

/// The tail of most records below.
const TAIL: &str = "scontext=u:r:a_t:s0 tcontext=u:object_r:b_t:s0 tclass=file";

/// What most framings are tested with.
const DENIED: &[&str] = &["denied {read} a_t b_t file"];

/// What is known of a decision; what is not known is left out.
fn tell(decision: &Decision) -> String {
    let verdict = match decision.verdict {
        AvcVerdict::Denied => "denied",
        AvcVerdict::Granted => "granted",
        AvcVerdict::Unknown => "unknown",
    };
    let decider = match decision.decider {
        Decider::Kernel => "",
        Decider::Userspace => "user ",
        Decider::Bounds => "bounds ",
        Decider::Relabel => "relabel ",
    };
    let mut text = format!("{decider}{verdict} {{{}}}", decision.permissions.join(" "));
    let type_of = |context: &Option<Context>| context.as_ref().map(|c| c.type_.clone());
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    for (name, value) in [
        ("", type_of(&decision.source)),
        ("", type_of(&decision.target)),
        ("", decision.class.clone()),
        ("pid=", number(decision.pid.map(u64::from))),
        ("comm=", decision.comm.clone()),
        ("exe=", decision.exe.clone()),
        ("path=", decision.path.clone()),
        ("name=", decision.name.clone()),
        ("dev=", decision.dev.clone()),
        ("ino=", number(decision.ino)),
        ("port=", number(decision.port.map(u64::from))),
        ("cap=", number(decision.capability.map(u64::from))),
        ("ioctl=", number(decision.ioctl.map(u64::from))),
        ("srawcon=", decision.source_on_disk.clone()),
        ("trawcon=", decision.target_on_disk.clone()),
        ("permissive=", decision.permissive.map(|p| p.to_string())),
        ("node=", decision.node.clone()),
        ("", (!decision.complete).then(|| "cut".to_owned())),
    ] {
        if let Some(value) = value {
            write!(text, " {name}{value}").unwrap();
        }
    }
    text
}

/// Holds each row against what is read with this grammar.
fn check(grammar: Grammar, rows: &[Row]) {
    for (claim, text, wanted) in rows {
        let text = text.replace("TAIL", TAIL);
        let decisions = event::decisions(&parse(&text, grammar));
        let found: Vec<String> = decisions.iter().map(tell).collect();
        assert_eq!(found, *wanted, "{claim}: {text}");
    }
}

fn one(text: &str, grammar: Grammar) -> Record<'_> {
    let records = parse(text, grammar);
    assert_eq!(records.len(), 1, "{text}: {records:?}");
    records[0]
}

const TYPES: &[Row] = &[
    (
        "by name",
        "type=AVC msg=audit(1.2:3): avc:  denied  { read } for  TAIL",
        DENIED,
    ),
    (
        "unknown",
        "type=UNKNOWN[1400] msg=audit(1.2:3): avc:  denied  { read } for  TAIL",
        DENIED,
    ),
    (
        "older auditd",
        "type=AUDIT1400 msg=audit(1.2:3): avc:  denied  { read } for  TAIL",
        DENIED,
    ),
    (
        "kernel",
        "type=1400 audit(1.2:3): avc:  denied  { read } for  TAIL",
        DENIED,
    ),
    (
        "EL5 kernel",
        "audit(1.2:3): avc:  denied  { read } for  TAIL",
        DENIED,
    ),
    (
        "EL5 kernel, userspace",
        "audit(1.2:3): user pid=18 uid=81 auid=500 msg='avc:  denied  { send_msg } for TAIL : \
         exe=\"/bin/dbus-daemon\" (sauid=81, hostname=?, addr=?, terminal=?)'",
        &["user denied {send_msg} a_t b_t file pid=18 exe=/bin/dbus-daemon"],
    ),
    (
        "damaged",
        "type=3D1400 audit(1.2:3): avc:  denied  { read } for  TAIL",
        DENIED,
    ),
    (
        "a number that nobody knows",
        "type=UNKNOWN[1323] msg=audit(1.2:3): fd=3 flags=0x2",
        &[],
    ),
    (
        "userspace by number",
        "type=1107 audit(1.2:3): pid=1 uid=0 msg='avc:  denied  { start } for  \
         scontext=u:r:a_t:s0 tcontext=u:object_r:b_t:s0 tclass=service'",
        &["user denied {start} a_t b_t service pid=1"],
    ),
];

#[test]
fn a_type_is_a_name_a_number_or_nothing() {
    check(Grammar::Any, TYPES);
}

const FRAMINGS: &[Row] = &[
    (
        "grep -n",
        "212:type=AVC msg=audit(1.2:3): avc:  denied  { read } for  TAIL",
        DENIED,
    ),
    (
        "aggregated",
        "node=web1 type=AVC msg=audit(1.2:3): avc:  denied  { read } for  TAIL",
        &["denied {read} a_t b_t file node=web1"],
    ),
    (
        "aggregated, older",
        "host=web1 type=AVC msg=audit(1.2:3): avc:  denied  { read } for  TAIL",
        &["denied {read} a_t b_t file node=web1"],
    ),
    (
        "ausearch",
        "----\ntime->Fri Jun  7 11:19:01 2013\n\
         type=AVC msg=audit(1.2:3): avc:  denied  { read } for  TAIL",
        DENIED,
    ),
    (
        "ausearch -i",
        "type=AVC msg=audit(08.12.2025 11:19:01.243:3) : avc:  denied  { read } for  \
         comm=Web Content TAIL permissive=0 ",
        &["denied {read} a_t b_t file comm=Web Content permissive=false"],
    ),
    (
        "syslog",
        "<5>Mar 23 15:24:01 h kernel: type=1400 audit(1.2:3): avc:  denied  { read } for  TAIL",
        DENIED,
    ),
    (
        "dmesg",
        "[    9.012345] audit: type=1400 audit(1.2:3): avc:  denied  { read } for  TAIL",
        DENIED,
    ),
    (
        "dmesg with callers",
        "[ 8.58][   T61] audit: type=1400 audit(1.2:3): avc:  denied  { read } for  TAIL",
        DENIED,
    ),
    (
        "journal",
        "h audit[570]: AVC avc:  denied  { read } for  TAIL",
        DENIED,
    ),
    (
        "journal, userspace",
        "h audit[1]: USER_AVC pid=1 uid=0 msg='avc:  denied  { start } for  \
         scontext=u:r:a_t:s0 tcontext=u:object_r:b_t:s0 tclass=service exe=\"/x\"'",
        &["user denied {start} a_t b_t service pid=1 exe=/x"],
    ),
    (
        "journal, policy",
        "h audit: SELINUX_ERR op=security_bounded_transition seresult=denied \
         oldcontext=u:r:a_t:s0 newcontext=u:r:b_t:s0",
        &["bounds denied {} a_t b_t process"],
    ),
    (
        "glued into console text",
        "Starting x...[  12.3] audit: type=1400 audit(1.2:3): avc:  denied  { read } for  \
         TAIL permissive=0[  OK  ] Started x.",
        &["denied {read} a_t b_t file permissive=false"],
    ),
    (
        "glued, class last",
        "[ 1.2] type=1400 audit(1.2:3): avc:  denied  { read } for  TAIL[  OK  ]",
        DENIED,
    ),
];

#[test]
fn a_denial_is_read_in_every_framing() {
    check(Grammar::Any, FRAMINGS);
}

const PASTED: &[Row] = &[
    (
        "with a space",
        "type=AVC msg=audit(1.2:3): avc:  denied  { read } for  TAIL type=AVC \
         msg=audit(1.2:4): avc:  denied  { write } for  TAIL",
        &["denied {read} a_t b_t file", "denied {write} a_t b_t file"],
    ),
    (
        "without",
        "type=AVC msg=audit(1.2:3): avc:  denied  { read } for  TAIL permissive=0type=AVC \
         msg=audit(1.2:4): avc:  denied  { write } for  TAIL",
        &[
            "denied {read} a_t b_t file permissive=false",
            "denied {write} a_t b_t file",
        ],
    ),
    (
        "decisions alone",
        "avc:  denied  { read } for  TAIL avc:  denied  { write } for  TAIL",
        &["denied {read} a_t b_t file", "denied {write} a_t b_t file"],
    ),
];

#[test]
fn two_records_pasted_on_one_line_are_two() {
    check(Grammar::Any, PASTED);
}

#[test]
fn the_time_of_an_event_is_read_where_it_is_one() {
    let stamp = |sec, ms, serial| Some(Stamp { sec, ms, serial });
    for (id, wanted) in [
        ("1364481363.243:24287", stamp(1_364_481_363, 243, 24_287)),
        ("10590262134.246:135", stamp(10_590_262_134, 246, 135)),
        (
            "1151434000.4294965869:2",
            stamp(1_151_434_000, 4_294_965_869, 2),
        ),
        ("0.0:4990", stamp(0, 0, 4990)),
        ("44.591:3", stamp(44, 591, 3)),
        ("", None),
        ("17", None),
        ("01/10/22 14:18:05.243:87", None),
        ("09/18/2024 14:18:05.243:87", None),
        ("3.10.2024 14:18:05.243:87", None),
        ("18/05/18 14:18:05.243:87", None),
        ("2018-08-09 14:18:05.243:87", None),
    ] {
        let text = format!("type=AVC msg=audit({id}): avc:  denied  {{ read }} for  {TAIL}");
        let record = one(&text, Grammar::Any);
        assert_eq!((record.stamp, record.id), (wanted, Some(id)));
    }
}

#[test]
fn a_broken_stamp_joins_nothing() {
    check(
        Grammar::Any,
        &[(
            "two records without an event",
            "type=1400 audit(): avc:  denied  { read } for  TAIL\n\
             type=1300 audit(): comm=\"x\" exe=\"/bin/x\"",
            &["denied {read} a_t b_t file"],
        )],
    );
}

const SPACING: &[Row] = &[
    (
        "one space, a space at the end",
        "type=AVC msg=audit(1.2:3): avc: denied { read } for pid=7 TAIL ",
        &["denied {read} a_t b_t file pid=7"],
    ),
    (
        "no space before the body",
        "type=AVC msg=audit(1.2:3):avc:  denied  { read write open } for  pid=7 TAIL",
        &["denied {read write open} a_t b_t file pid=7"],
    ),
    (
        "class before target",
        "type=AVC msg=audit(1.2:3): avc:  denied  { write } for dev=dm-0 name=root.lock \
         scontext=u:r:a_t:s0 tclass=file tcontext=u:object_r:b_t:s0",
        &["denied {write} a_t b_t file name=root.lock dev=dm-0"],
    ),
    (
        "a permission that the policy does not name",
        "type=USER_AVC msg=audit(1.2:3): pid=1 msg='avc:  denied  { 0x2 } for  TAIL exe=\"/x\"'",
        &["user denied {0x2} a_t b_t file pid=1 exe=/x"],
    ),
];

#[test]
fn a_body_may_be_spaced_and_ordered_in_any_way() {
    check(Grammar::AuditLog, SPACING);
}

const FIELDS: &[Row] = &[
    (
        "a capability, two spaces behind it",
        "type=AVC msg=audit(1.2:3): avc:  denied  { dac_override } for  pid=7 comm=\"x\" \
         capability=1  scontext=u:r:a_t:s0 tcontext=u:r:a_t:s0 tclass=capability",
        &["denied {dac_override} a_t a_t capability pid=7 comm=x cap=1"],
    ),
    (
        "an ioctl",
        "type=AVC msg=audit(1.2:3): avc:  denied  { ioctl } for  ioctlcmd=0x2a TAIL permissive=1",
        &["denied {ioctl} a_t b_t file ioctl=42 permissive=true"],
    ),
    (
        "an ioctl without 0x",
        "type=AVC msg=audit(1.2:3): avc:  denied  { ioctl } for  ioctlcmd=5451 TAIL",
        &["denied {ioctl} a_t b_t file ioctl=21585"],
    ),
    (
        "a port that is listened on",
        "type=AVC msg=audit(1.2:3): avc:  denied  { listen } for  lport=80 TAIL",
        &["denied {listen} a_t b_t file port=80"],
    ),
    (
        "a port that is connected to",
        "type=AVC msg=audit(1.2:3): avc:  denied  { name_connect } for  dest=443 TAIL",
        &["denied {name_connect} a_t b_t file port=443"],
    ),
    (
        "both ends of a packet",
        "type=AVC msg=audit(1.2:3): avc:  denied  { recv } for  saddr=192.0.2.1 src=5999 \
         daddr=192.0.2.2 dest=80 netif=eth0 TAIL",
        &["denied {recv} a_t b_t file port=80"],
    ),
    (
        "a bus name is no port",
        "type=USER_AVC msg=audit(1.2:3): pid=1 msg='avc:  denied  { send_msg } for \
         msgtype=method_call dest=:1.7 spid=70 tpid=71 TAIL exe=\"/x\"'",
        &["user denied {send_msg} a_t b_t file pid=70 exe=/x"],
    ),
    (
        "words in quotes",
        "type=AVC msg=audit(1.2:3): avc:  denied  { integrity } for  \
         lockdown_reason=\"unsigned module loading\" TAIL permissive=0",
        &["denied {integrity} a_t b_t file permissive=false"],
    ),
    (
        "an anonymous inode",
        "type=AVC msg=audit(1.2:3): avc:  denied  { create } for  anonclass=\"[io_uring]\" \
         scontext=u:r:a_t:s0 tcontext=u:object_r:b_t:s0 tclass=anon_inode permissive=0",
        &["denied {create} a_t b_t anon_inode permissive=false"],
    ),
    (
        "contexts that the policy does not know",
        "type=AVC msg=audit(1.2:3): avc:  denied  { read } for  TAIL permissive=0 \
         srawcon=\"u:r:gone_t:s0\" trawcon=6B75C5996563C3AD20C599C3AD7A656B",
        &[
            "denied {read} a_t b_t file srawcon=u:r:gone_t:s0 trawcon=kuřecí řízek \
             permissive=false",
        ],
    ),
    (
        "the same as kernels 5.1 to 5.3 wrote it",
        "type=AVC msg=audit(1.2:3): avc:  denied  { read } for  TAIL permissive=0 \
         srawcon=u:r:gone_t:s0 trawcon=kuřecí řízek",
        &[
            "denied {read} a_t b_t file srawcon=u:r:gone_t:s0 trawcon=kuřecí řízek \
             permissive=false",
        ],
    ),
];

#[test]
fn the_fields_that_tell_what_was_wanted_are_read() {
    check(Grammar::AuditLog, FIELDS);
}

const UNTRUSTED: &[Row] = &[
    (
        "quoted digits are no hex, hex may begin with a NUL",
        "type=AVC msg=audit(1.2:3): avc:  denied  { connectto } for  comm=\"4142\" \
         path=002F746D702F73 TAIL",
        &["denied {connectto} a_t b_t file comm=4142 path=\0/tmp/s"],
    ),
    (
        "what was deleted",
        "type=AVC msg=audit(1.2:3): avc:  denied  { read } for  \
         path=2F746D702F62202864656C6574656429 TAIL",
        &["denied {read} a_t b_t file path=/tmp/b (deleted)"],
    ),
    (
        "numbers stay numbers",
        "type=AVC msg=audit(1.2:3): avc:  denied  { read } for  pid=4142 ino=4142 TAIL",
        &["denied {read} a_t b_t file pid=4142 ino=4142"],
    ),
    (
        "what is not there",
        "type=AVC msg=audit(1.2:3): avc:  denied  { read } for  comm=(null) name=? TAIL",
        &["denied {read} a_t b_t file"],
    ),
    (
        "the kernel puts no space in quotes, so that no name looks like a decision",
        "type=AVC msg=audit(1.2:3): avc:  denied  { read } for  name=\"avc:denied{x}\" TAIL",
        &["denied {read} a_t b_t file name=avc:denied{x}"],
    ),
    (
        "quotes hide pairs",
        "type=AVC msg=audit(1.2:3): avc:  denied  { read } for  TAIL comm=\"tclass=x\"",
        &["denied {read} a_t b_t file comm=tclass=x"],
    ),
];

#[test]
fn untrusted_values_are_quoted_or_hex_and_others_are_not() {
    check(Grammar::AuditLog, UNTRUSTED);
}

#[test]
fn a_context_keeps_its_level_as_it_is() {
    for level in [
        "s0",
        "s0-s0:c0.c1023",
        "s0:c218,c875",
        "s0-s0:c0,c100,c200",
        "SystemLow-SystemHigh",
    ] {
        let context = Context::parse(&format!("u:r:t:{level}")).unwrap();
        assert_eq!(context.level.as_deref(), Some(level));
    }
    assert_eq!(Context::parse("u:r:untrusted_app").unwrap().level, None);
}

const EVENTS: &[Row] = &[
    (
        "an event of three, reversed as ausearch prints it",
        "type=PATH msg=audit(1.2:3): item=0 name=\"/usr/bin/b\" inode=9 dev=fe:00\n\
         type=CWD msg=audit(1.2:3):  cwd=\"/\"\n\
         type=SYSCALL msg=audit(1.2:3): arch=c000003e comm=\"x\" exe=\"/usr/bin/x\"\n\
         type=AVC msg=audit(1.2:3): avc:  denied  { entrypoint } for  ino=9 TAIL\n\
         type=AVC msg=audit(1.2:3): avc:  granted  { transition } for  comm=\"y\" TAIL\n\
         type=AVC msg=audit(1.2:3): avc:  denied  { use } for  pid=8 TAIL",
        &[
            "denied {entrypoint} a_t b_t file comm=x exe=/usr/bin/x path=/usr/bin/b ino=9",
            "granted {transition} a_t b_t file comm=y exe=/usr/bin/x",
            "denied {use} a_t b_t file pid=8 comm=x exe=/usr/bin/x",
        ],
    ),
    (
        "the same serial at another time or on another node is another event",
        "type=AVC msg=audit(1.2:3): avc:  denied  { read } for  TAIL\n\
         type=SYSCALL msg=audit(9.2:3): exe=\"/bin/x\"\n\
         node=n type=SYSCALL msg=audit(1.2:3): exe=\"/bin/y\"",
        &["denied {read} a_t b_t file"],
    ),
    (
        "serials and times that run backwards, records in between",
        "type=AVC msg=audit(5.0:9): avc:  denied  { read } for  TAIL\n\
         type=AVC msg=audit(4.0:8): avc:  denied  { write } for  TAIL\n\
         type=SYSCALL msg=audit(5.0:9): exe=\"/bin/nine\"\n\
         type=SYSCALL msg=audit(4.0:8): exe=\"/bin/eight\"",
        &[
            "denied {read} a_t b_t file exe=/bin/nine",
            "denied {write} a_t b_t file exe=/bin/eight",
        ],
    ),
    (
        "the path of EL5",
        "type=AVC msg=audit(1.2:3): avc:  denied  { read } for  name=\"b\" dev=dm-0 TAIL\n\
         type=AVC_PATH msg=audit(1.2:3):  path=\"/a/b\"",
        &["denied {read} a_t b_t file path=/a/b name=b dev=dm-0"],
    ),
    (
        "enrichment tells nothing",
        "type=AVC msg=audit(1.2:3): avc:  denied  { read } for  TAIL permissive=0\n\
         type=SYSCALL msg=audit(1.2:3): exe=\"/bin/x\" key=(null)\u{1d}exe=\"/bin/y\"",
        &["denied {read} a_t b_t file exe=/bin/x permissive=false"],
    ),
];

#[test]
fn one_event_may_hold_several_decisions_and_lack_all_other_records() {
    check(Grammar::AuditLog, EVENTS);
}

const USERSPACE: &[Row] = &[
    (
        "dbus of EL5",
        "type=USER_AVC msg=audit(1.2:3): user pid=18 uid=81 auid=500 subj=u:r:d_t:s0 \
         msg='avc:  denied  { send_msg } for msgtype=signal interface=org.a.B member=C \
         dest=org.a.D spid=70 tpid=71 TAIL : exe=\"/bin/dbus-daemon\" (sauid=81, hostname=?, \
         addr=?, terminal=?)'",
        &["user denied {send_msg} a_t b_t file pid=70 exe=/bin/dbus-daemon"],
    ),
    (
        "dbus of EL7: two spaces, no mode",
        "type=USER_AVC msg=audit(1.2:3): pid=18 uid=81 auid=4294967295 ses=4294967295 \
         subj=u:r:d_t:s0 msg='avc:  denied  { send_msg } for msgtype=error dest=:1.7 spid=70 \
         TAIL  exe=\"/usr/bin/dbus-daemon\" sauid=81 hostname=? addr=? terminal=?'",
        &["user denied {send_msg} a_t b_t file pid=70 exe=/usr/bin/dbus-daemon"],
    ),
    (
        "dbus-broker of EL8, enriched",
        "type=USER_AVC msg=audit(1.2:3): pid=18 uid=81 auid=4294967295 ses=4294967295 \
         subj=u:r:d_t:s0 msg='avc:  denied  { send_msg } for  TAIL permissive=0 \
         exe=\"/usr/bin/dbus-broker\" sauid=81 hostname=? addr=? terminal=?'\u{1d}UID=\"dbus\"",
        &["user denied {send_msg} a_t b_t file pid=18 exe=/usr/bin/dbus-broker permissive=false"],
    ),
    (
        "enrichment that was pasted without its byte",
        "type=USER_AVC msg=audit(1.2:3): pid=18 msg='avc:  denied  { send_msg } for  TAIL \
         permissive=0 exe=\"/usr/bin/dbus-broker\" terminal=?'UID=\"dbus\" UID=\"dbus\"",
        &["user denied {send_msg} a_t b_t file pid=18 exe=/usr/bin/dbus-broker permissive=false"],
    ),
    (
        "systemd: the client's own words in between",
        "type=USER_AVC msg=audit(1.2:3): pid=1 uid=0 msg='avc:  denied  { status } for \
         auid=n/a uid=0 gid=0 path=\"/etc/a.service\" cmdline=\"x tclass=y = z\" \
         function=\"reply_unit_path\" TAIL permissive=1 exe=\"/usr/lib/systemd/systemd\" \
         sauid=0 hostname=? addr=? terminal=?'",
        &[
            "user denied {status} a_t b_t file pid=1 exe=/usr/lib/systemd/systemd \
             path=/etc/a.service permissive=true",
        ],
    ),
    (
        "systemd: no command line",
        "type=USER_AVC msg=audit(1.2:3): pid=1 uid=0 msg='avc:  denied  { status } for \
         auid=n/a uid=0 gid=0 path=\"/etc/a.service\" cmdline=\"\" TAIL exe=\"/x\"'",
        &["user denied {status} a_t b_t file pid=1 exe=/x path=/etc/a.service"],
    ),
    (
        "an X server",
        "type=USER_AVC msg=audit(1.2:3): user pid=11 uid=0 msg='avc:  denied  { read } for \
         request=X11:GetProperty comm=X-setest resid=3c00001 restype=<unknown> \
         scontext=u:u:x_paste_t tcontext=u:u:unconfined_t tclass=x_resource : \
         exe=\"/usr/bin/Xorg\" sauid=0 hostname=? addr=? terminal=?'",
        &[
            "user denied {read} x_paste_t unconfined_t x_resource pid=11 comm=X-setest exe=/usr/bin/Xorg",
        ],
    ),
];

#[test]
fn userspace_decides_in_many_forms() {
    check(Grammar::AuditLog, USERSPACE);
}

const NO_DENIALS: &[Row] = &[
    (
        "policyload",
        "type=USER_AVC msg=audit(1.2:3): pid=1 msg='avc:  received policyload notice (seqno=4)'",
        &[],
    ),
    (
        "setenforce",
        "type=USER_AVC msg=audit(1.2:3): pid=1 msg='avc:  received setenforce notice \
         (enforcing=0)  exe=\"/usr/lib/systemd/systemd\"'",
        &[],
    ),
    (
        "AppArmor denies",
        "type=AVC msg=audit(1.2:3): apparmor=\"DENIED\" operation=\"open\" name=\"/y\"",
        &[],
    ),
    (
        "AppArmor allows",
        "type=AVC msg=audit(1.2:3): apparmor=\"ALLOWED\" operation=\"open\" name=\"/y\"",
        &[],
    ),
    (
        "AppArmor tells",
        "type=AVC msg=audit(1.2:3): apparmor=\"STATUS\" operation=\"profile_load\"",
        &[],
    ),
    (
        "a grant is shown as one",
        "type=AVC msg=audit(1.2:3): avc:  granted  { load_policy } for  pid=1 TAIL",
        &["granted {load_policy} a_t b_t file pid=1"],
    ),
    (
        "what a user says is not what the kernel says",
        "type=USER msg=audit(1.2:3): pid=1 msg='type=1400 audit(1.2:3): x type=AVC \
         msg=audit(1.2:3): avc:  denied  { read } for  TAIL'",
        &[],
    ),
];

#[test]
fn what_is_no_denial_is_none() {
    check(Grammar::AuditLog, NO_DENIALS);
}

/// What is known of an error of the security server.
fn tell_error(error: &PolicyError) -> String {
    let mut text = error.operation.clone();
    for (name, value) in [
        ("", error.denied.map(|denied| format!("denied={denied}"))),
        ("reason=", error.reason.clone()),
        ("invalid=", error.invalid_context.clone()),
        ("", error.source.clone()),
        ("", error.target.clone()),
        ("task=", error.task.clone()),
        ("", error.class.clone()),
    ] {
        if let Some(value) = value {
            write!(text, " {name}{value}").unwrap();
        }
    }
    let taken = error.permissions.iter();
    taken.fold(text, |text, permission| text + " -" + permission)
}

const ERRORS: &[(&str, &str)] = &[
    (
        "op=security_compute_sid invalid_context=u:r:c_t:s0 scontext=u:r:a_t:s0 \
         tcontext=u:r:b_t:s0 tclass=process",
        "security_compute_sid invalid=u:r:c_t:s0 u:r:a_t:s0 u:r:b_t:s0 process",
    ),
    (
        "op=security_compute_sid invalid_context=\"u:r:c_t:s0\" scontext=u:r:a_t:s0 \
         tcontext=u:r:b_t:s0 tclass=process",
        "security_compute_sid invalid=u:r:c_t:s0 u:r:a_t:s0 u:r:b_t:s0 process",
    ),
    (
        "security_compute_sid:  invalid context u:r:c_t:s0 for scontext=u:r:a_t:s0 \
         tcontext=u:r:b_t:s0 tclass=process",
        "security_compute_sid invalid=u:r:c_t:s0 u:r:a_t:s0 u:r:b_t:s0 process",
    ),
    (
        "op=security_bounded_transition seresult=denied oldcontext=u:r:a_t:s0 \
         newcontext=u:r:b_t:s0",
        "security_bounded_transition denied=true u:r:a_t:s0 u:r:b_t:s0",
    ),
    (
        "op=security_bounded_transition result=denied oldcontext=u:r:a_t:s0 \
         newcontext=u:r:b_t:s0",
        "security_bounded_transition denied=true u:r:a_t:s0 u:r:b_t:s0",
    ),
    (
        "op=security_validate_transition seresult=denied oldcontext=u:r:a_t:s0 \
         newcontext=u:r:b_t:s0 taskcontext=u:r:c_t:s0 tclass=file",
        "security_validate_transition denied=true u:r:a_t:s0 u:r:b_t:s0 task=u:r:c_t:s0 file",
    ),
    (
        "security_validate_transition:  denied for oldcontext=u:r:a_t:s0 \
         newcontext=u:r:b_t:s0 taskcontext=u:r:c_t:s0 tclass=file",
        "security_validate_transition denied=true u:r:a_t:s0 u:r:b_t:s0 task=u:r:c_t:s0 file",
    ),
    (
        "op=security_compute_av reason=bounds scontext=u:r:a_t:s0-s0:c0,c100,c200 \
         tcontext=u:r:b_t:s0 tclass=dir perms=ioctl,read,lock",
        "security_compute_av reason=bounds u:r:a_t:s0-s0:c0,c100,c200 u:r:b_t:s0 dir -ioctl -read \
         -lock",
    ),
    (
        "op=setxattr invalid_context=\"u:r:gone_t:s0\"",
        "setxattr invalid=u:r:gone_t:s0",
    ),
    (
        "op=fscreate invalid_context=\"u:r:gone_t:s0\"",
        "fscreate invalid=u:r:gone_t:s0",
    ),
    ("", ""),
];

#[test]
fn the_security_server_s_own_errors_are_read() {
    for (body, wanted) in ERRORS {
        let text = format!("type=SELINUX_ERR msg=audit(1.2:3): {body}");
        let found = policy_error(&one(&text, Grammar::AuditLog)).unwrap();
        assert_eq!(tell_error(&found), *wanted, "{text}");
    }
}

const TRANSITIONS: &[Row] = &[
    (
        "bounds",
        "type=SELINUX_ERR msg=audit(1.2:3): op=security_bounded_transition seresult=denied \
         oldcontext=u:r:a_t:s0 newcontext=u:r:b_t:s0",
        &["bounds denied {} a_t b_t process"],
    ),
    (
        "bounds of EL6",
        "type=SELINUX_ERR msg=audit(1.2:3): op=security_bounded_transition result=denied \
         oldcontext=u:r:a_t:s0 newcontext=u:r:b_t:s0",
        &["bounds denied {} a_t b_t process"],
    ),
    (
        "a new label",
        "type=SELINUX_ERR msg=audit(1.2:3): op=security_validate_transition seresult=denied \
         oldcontext=u:r:a_t:s0 newcontext=u:r:b_t:s0 taskcontext=u:r:c_t:s0 tclass=file",
        &["relabel denied {} a_t b_t file"],
    ),
    (
        "cut",
        "type=SELINUX_ERR msg=audit(1.2:3): op=security_bounded_transition seresult=denied \
         oldcontext=u:r:a_t:s0",
        &["bounds denied {} a_t process cut"],
    ),
    (
        "others are no denials by themselves",
        "type=SELINUX_ERR msg=audit(1.2:3): op=security_compute_av reason=bounds \
         scontext=u:r:a_t:s0 tcontext=u:r:b_t:s0 tclass=dir perms=ioctl,read",
        &[],
    ),
];

#[test]
fn a_transition_that_is_denied_leaves_no_avc_and_is_a_denial_all_the_same() {
    check(Grammar::AuditLog, TRANSITIONS);
}

#[test]
fn changes_of_policy_and_mode_are_read_in_every_form() {
    let mode = |enforcing: bool, was_enforcing: bool| MacChangeKind::Mode {
        enforcing: Some(enforcing),
        was_enforcing: Some(was_enforcing),
    };
    for (text, wanted) in [
        (
            "type=MAC_POLICY_LOAD msg=audit(1.2:3): policy loaded auid=0 ses=2",
            MacChangeKind::PolicyLoad,
        ),
        (
            "type=MAC_POLICY_LOAD msg=audit(1.2:3): auid=0 ses=2 lsm=selinux res=1",
            MacChangeKind::PolicyLoad,
        ),
        (
            "[ 3.5] type=1403 audit(1.2:3): policy loaded auid=4294967295 ses=4294967295",
            MacChangeKind::PolicyLoad,
        ),
        (
            "audit(1.2:3): policy loaded auid=4294967295",
            MacChangeKind::PolicyLoad,
        ),
        (
            "type=MAC_STATUS msg=audit(1.2:3): enforcing=1 old_enforcing=0 auid=0 ses=2",
            mode(true, false),
        ),
        (
            "type=MAC_STATUS msg=audit(1.2:3): enforcing=0 old_enforcing=1 auid=0 ses=2 enabled=1 \
             old-enabled=1 lsm=selinux res=1\u{1d}AUID=\"root\"",
            mode(false, true),
        ),
        (
            "type=1404 audit(1.2:3): enforcing=1 old_enforcing=0",
            mode(true, false),
        ),
        (
            "audit(1.2:3): enforcing=1 old_enforcing=0 auid=4294967295",
            mode(true, false),
        ),
    ] {
        let record = one(text, Grammar::KernelLog);
        assert_eq!(mac_change(&record).unwrap().kind, wanted, "{text}");
    }
}

const CUT: &[Row] = &[
    (
        "before its contexts",
        "[ 9.0] type=1400 audit(1.2:3): avc:  denied  { read } for  pid=7 dev=\"vda\" ino=1454",
        &["denied {read} pid=7 dev=vda ino=1454 cut"],
    ),
    (
        "inside of a context",
        "[ 9.0] type=1400 audit(1.2:3): avc:  denied  { read } for  scontext=u:r:a_t:s0 \
         tcontext=u:object_r:b_",
        &["denied {read} a_t cut"],
    ),
    (
        "inside of the class",
        "[ 9.0] type=1400 audit(1.2:3): avc:  denied  { bind } for  scontext=u:r:a_t:s0 \
         tcontext=u:object_r:b_t:s0 tclass=tcp_so",
        &["denied {bind} a_t b_t cut"],
    ),
    (
        "inside of the mode",
        "[ 9.0] type=1400 audit(1.2:3): avc:  denied  { read } for  TAIL permissive=",
        &["denied {read} a_t b_t file"],
    ),
    (
        "by a pager",
        "h audit[1]: AVC avc:  denied  { read } for  scontext=u:r:a_t:s0 \
         tcontext=u:object_r:b_t:s0 tclass=fi>",
        &["denied {read} a_t b_t cut"],
    ),
    (
        "by a pager, earlier",
        "h audit[1]: AVC avc:  denied  { read } for  scontext=u:r:a_t:s0 tcontext=u:obj>",
        &["denied {read} a_t cut"],
    ),
    (
        "inside of the permissions",
        "[ 9.0] type=1400 audit(1.2:3): avc:  denied  { read wri",
        &["denied {read wri} cut"],
    ),
    (
        "before its verdict",
        "[ 9.0] type=1400 audit(1.2:3): avc:  den",
        &["unknown {} cut"],
    ),
];

const CUT_IN_A_LOG: &[Row] = &[
    (
        "before its verdict",
        "type=AVC msg=audit(1.2:3): ",
        &["unknown {} cut"],
    ),
    (
        "by a line end",
        "type=AVC msg=audit(1.2:3): avc:  denied  { bind } for  scontext=u:r:a_t:s0 \
         tcontext=u:object_r:b_t:s0 tclass=tcp_s\nocket",
        &["denied {bind} a_t b_t cut"],
    ),
    (
        "userspace, inside of its text",
        "type=USER_AVC msg=audit(1.2:3): pid=1 msg='avc:  denied  { start } for  auid=0",
        &["user denied {start} pid=1 cut"],
    ),
];

#[test]
fn a_record_that_was_cut_is_kept_and_claims_nothing_that_it_does_not_say() {
    check(Grammar::KernelLog, CUT);
    check(Grammar::AuditLog, CUT_IN_A_LOG);
}

#[test]
fn text_that_nothing_is_made_of_is_kept() {
    let text = "----\nocket\ntype=AVC msg=aud\n\u{0}\u{0}\u{0}type=DAEMON_START msg=audit(1.2:3): op=start";
    let records = parse(text, Grammar::AuditLog);
    let kept: Vec<(&str, Framing)> = records.iter().map(|r| (r.raw, r.framing)).collect();
    let wanted = [
        ("----", Framing::None),
        ("ocket", Framing::None),
        ("type=AVC msg=aud", Framing::None),
        ("\u{0}\u{0}\u{0}", Framing::None),
        (
            "type=DAEMON_START msg=audit(1.2:3): op=start",
            Framing::AuditLog,
        ),
    ];
    assert_eq!(kept, wanted);
}
