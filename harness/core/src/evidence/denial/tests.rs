use super::{AvcVerdict, Decider, Decision, decisions};
use crate::evidence::{
    context::Context,
    event,
    record::{Grammar, parse},
};

fn all(text: &str) -> Vec<Decision> {
    event::decisions(&parse(text, Grammar::AuditLog))
}

fn one(text: &str) -> Decision {
    let mut found = all(text);
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    found.remove(0)
}

fn types(decision: &Decision) -> (&str, &str) {
    (
        type_name(decision.source.as_ref()),
        type_name(decision.target.as_ref()),
    )
}

fn type_name(context: Option<&Context>) -> &str {
    context.map_or("", |context| &context.type_)
}

#[test]
fn a_loud_denial_of_a_lab_guest_is_read_whole() {
    let text = include_str!("../../../tests/captured/audit/lab/loud.log");
    let found = all(text);
    assert_eq!(found.len(), 4);
    let first = &found[0];
    assert_eq!(first.permissions, ["getattr"]);
    assert_eq!(types(first), ("httpd_t", "shadow_t"));
    assert_eq!(first.class.as_deref(), Some("file"));
    assert_eq!(first.comm.as_deref(), Some("httpd"));
    assert_eq!(
        first.exe.as_deref(),
        Some("/usr/sbin/httpd"),
        "from the event's SYSCALL"
    );
    assert_eq!(first.path.as_deref(), Some("/var/www/html/loud.html"));
    assert_eq!(
        (first.dev.as_deref(), first.ino),
        (Some("vda"), Some(17035))
    );
    assert_eq!(first.permissive, Some(false));
    assert!(first.complete && first.is_denial());
    let spaced = found.last().unwrap();
    assert_eq!(
        spaced.path.as_deref(),
        Some("/var/www/html/with space.html"),
        "from hex"
    );
}

#[test]
fn the_denial_of_2013_shows_when_dontaudit_is_off() {
    let found = all(include_str!("../../../tests/captured/audit/lab/db.log"));
    let listen: Vec<_> = found
        .iter()
        .filter(|found| found.permissions == ["listen"])
        .collect();
    assert_eq!(listen.len(), 1);
    assert_eq!(types(listen[0]), ("httpd_t", "httpd_t"));
    assert_eq!(listen[0].class.as_deref(), Some("tcp_socket"));
    assert_eq!(listen[0].port, Some(80));
    assert_eq!(
        found.len(),
        8,
        "three events with three decisions each or one"
    );
}

#[test]
fn one_event_can_hold_several_decisions() {
    let text = include_str!("../../../tests/captured/audit/lab/db.log");
    let siginh: Vec<_> = all(text)
        .into_iter()
        .filter(|found| found.permissions == ["siginh"])
        .collect();
    assert_eq!(siginh.len(), 2);
    assert_eq!(
        siginh[0].comm.as_deref(),
        Some("setfiles"),
        "the AVC's own, not the SYSCALL's"
    );
}

#[test]
fn nothing_but_a_decision_is_one() {
    for line in [
        "type=USER_AVC msg=audit(1.2:3): pid=1 msg='avc:  received policyload notice (seqno=4)'",
        "type=USER_AVC msg=audit(1.2:3): pid=1 msg='avc:  received setenforce notice (enforcing=0)'",
        "type=USER_AVC msg=audit(1.2:3): pid=1 msg='avc:  op=load_policy lsm=selinux seqno=2 res=1'",
        "type=USER_AVC msg=audit(1.2:3): pid=1 msg='Unknown permission start for class system'",
        "type=AVC msg=audit(1.2:3): apparmor=\"DENIED\" operation=\"open\" profile=\"x\" name=\"/y\"",
        "type=AVC msg=audit(1.2:3): apparmor=\"STATUS\" operation=\"profile_load\"",
        "type=SELINUX_ERR msg=audit(1.2:3): op=security_compute_sid invalid_context=\"u:r:t:s0\"",
        "type=USER msg=audit(1.2:3): pid=1 msg='text=avc:  denied  { read } for  pid=1'",
        "type=USER_MAC_STATUS msg=audit(1.2:3): msg='avc:  op=setenforce lsm=selinux enforcing=0'",
    ] {
        assert!(all(line).is_empty(), "{line}");
    }
    assert!(all(include_str!("../../../tests/captured/audit/lab/mac.log")).is_empty());
    assert!(all(include_str!("../../../tests/captured/audit/lab/forged.log")).is_empty());
}

#[test]
fn a_grant_is_no_denial() {
    let grant = one(
        "type=AVC msg=audit(1.2:3): avc:  granted  { load_policy } for  pid=1 \
        comm=\"load_policy\" scontext=u:r:load_policy_t:s0 tcontext=u:r:security_t:s0 \
        tclass=security",
    );
    assert_eq!(grant.verdict, AvcVerdict::Granted);
    assert!(!grant.is_denial() && grant.complete);
}

#[test]
fn user_decisions_of_every_generation_are_read() {
    for (line, exe, permissive) in [
        (
            "type=USER_AVC msg=audit(1163772866.369:8084): user pid=6659 uid=81 auid=500 \
             subj=u:r:d_t:s0 msg='avc:  denied  { send_msg } for msgtype=signal \
             dest=org.freedesktop.DBus spid=6687 tpid=3866 scontext=u:r:a_t:s0 \
             tcontext=u:r:b_t:s0 tclass=dbus : exe=\"/bin/dbus-daemon\" (sauid=81, hostname=?, \
             addr=?, terminal=?)'",
            "/bin/dbus-daemon",
            None,
        ),
        (
            "type=USER_AVC msg=audit(1400000000.1:8): pid=612 uid=81 auid=4294967295 \
             ses=4294967295 subj=u:r:d_t:s0 msg='avc:  denied  { send_msg } for msgtype=error \
             dest=:1.7 spid=6687 tpid=3866 scontext=u:r:a_t:s0 tcontext=u:r:b_t:s0 \
             tclass=dbus  exe=\"/usr/bin/dbus-daemon\" sauid=81 hostname=? addr=? terminal=?'",
            "/usr/bin/dbus-daemon",
            None,
        ),
        (
            "type=USER_AVC msg=audit(1600000000.1:8): pid=1 uid=0 auid=4294967295 \
             ses=4294967295 subj=u:r:init_t:s0 msg='avc:  denied  { start } for auid=n/a uid=0 \
             gid=0 path=\"/usr/lib/systemd/system/httpd.service\" cmdline=\"systemctl start \
             scontext=u:r:forged_t:s0\" function=\"mac_selinux_filter\" scontext=u:r:a_t:s0 \
             tcontext=u:r:b_t:s0 tclass=service permissive=0 exe=\"/usr/lib/systemd/systemd\" \
             sauid=0 hostname=? addr=? terminal=?'\u{1d}UID=\"root\" AUID=\"unset\"",
            "/usr/lib/systemd/systemd",
            Some(false),
        ),
        (
            "type=USER_AVC msg=audit(1600000000.1:9): pid=700 uid=81 msg='avc:  denied  \
             { acquire_svc } for  scontext=u:r:a_t:s0 tcontext=u:r:b_t:s0 tclass=dbus \
             permissive=1 exe=\"/usr/bin/dbus-broker\" sauid=81 hostname=? addr=? \
             terminal=?'UID=\"dbus\" AUID=\"unset\" SAUID=\"dbus\"",
            "/usr/bin/dbus-broker",
            Some(true),
        ),
    ] {
        let found = one(line);
        assert_eq!(found.decider, Decider::Userspace);
        assert_eq!(types(&found), ("a_t", "b_t"), "{line}");
        assert_eq!(found.exe.as_deref(), Some(exe));
        assert_eq!(found.permissive, permissive, "{line}");
        assert!(found.complete && found.pid.is_some());
    }
}

#[test]
fn a_client_cannot_add_a_second_decision_to_a_user_record() {
    let found = one(
        "type=USER_AVC msg=audit(1.2:8): pid=1 msg='avc:  denied  { start } for \
        cmdline=\"x\" avc:  denied  { stop } for y\" scontext=u:r:a_t:s0 tcontext=u:r:b_t:s0 \
        tclass=service exe=\"/usr/lib/systemd/systemd\"'",
    );
    assert_eq!(found.permissions, ["start"]);
}

#[test]
fn fields_may_stand_in_any_order_with_any_spacing() {
    let found = one(
        "type=AVC msg=audit(1166045975.667:1129): avc: denied { write } for comm=local \
        dev=dm-0 name=root.lock pid=10581 scontext=system_u:system_r:postfix_local_t:s0 \
        tclass=file tcontext=system_u:object_r:mail_spool_t:s0 ",
    );
    assert_eq!(types(&found), ("postfix_local_t", "mail_spool_t"));
    assert_eq!(
        (found.comm.as_deref(), found.dev.as_deref()),
        (Some("local"), Some("dm-0"))
    );
    assert_eq!(
        (found.permissive, found.complete),
        (None, true),
        "EL6 does not say"
    );
}

#[test]
fn a_record_without_its_end_is_a_denial_with_unknown_contexts() {
    let found = one(
        "type=AVC msg=audit(1.2:3): avc:  denied  { read } for  pid=1 comm=\"x\" \
        dev=\"vda\" ino=1454",
    );
    assert_eq!(
        (found.source.as_ref(), found.target.as_ref(), found.complete),
        (None, None, false)
    );
    assert_eq!(found.comm.as_deref(), Some("x"));
    let inside = one(
        "type=AVC msg=audit(1.2:3): avc:  denied  { read } for  pid=1 \
        scontext=u:r:httpd_t:s0 tcontext=system_u:object_r:httpd_sys",
    );
    assert_eq!(types(&inside), ("httpd_t", ""), "a cut type is no type");
}

#[test]
fn a_record_cut_before_its_verdict_counts_as_a_denial() {
    for body in ["", "av", "avc:", "avc:  den", "avc:  gr"] {
        let found = one(&format!("type=AVC msg=audit(1.2:3): {body}"));
        assert_eq!(found.verdict, AvcVerdict::Unknown, "{body}");
        assert!(found.is_denial() && !found.complete);
    }
}

#[test]
fn a_denied_bounded_transition_leaves_no_avc_and_is_a_denial_all_the_same() {
    let found = one(
        "type=SELINUX_ERR msg=audit(1.2:3): op=security_bounded_transition \
        seresult=denied oldcontext=u:r:init_t:s0 newcontext=u:r:httpd_t:s0",
    );
    assert_eq!(
        (found.decider, types(&found)),
        (Decider::Bounds, ("init_t", "httpd_t"))
    );
}

#[test]
fn el5_takes_the_path_from_its_own_record_and_later_ones_from_path_and_cwd() {
    let avc = "avc:  denied  { read } for  pid=1 comm=\"x\" name=\"b\" dev=dm-0 ino=9 \
        scontext=u:r:a_t:s0 tcontext=u:r:b_t:s0 tclass=file";
    let el5 = format!(
        "type=AVC msg=audit(1.2:3): {avc}\ntype=AVC_PATH msg=audit(1.2:3):  path=\"/a/b\"\n\
         type=AVC_PATH msg=audit(1.2:4):  path=\"/other\""
    );
    assert_eq!(one(&el5).path.as_deref(), Some("/a/b"));
    let el6 = format!(
        "type=AVC msg=audit(1.2:3): {avc}\ntype=CWD msg=audit(1.2:3):  cwd=\"/root\"\n\
         type=PATH msg=audit(1.2:3): item=0 name=\"c/\" inode=5\n\
         type=PATH msg=audit(1.2:3): item=1 name=\"c/b\" inode=9"
    );
    assert_eq!(one(&el6).path.as_deref(), Some("/root/c/b"));
}

#[test]
fn events_of_different_nodes_are_not_joined() {
    let text = "node=a type=AVC msg=audit(1.2:3): avc:  denied  { read } for  pid=1\n\
        node=b type=SYSCALL msg=audit(1.2:3): comm=\"x\" exe=\"/bin/x\"";
    assert_eq!(one(text).exe, None);
}

#[test]
fn decisions_of_one_record_need_no_event() {
    let records = parse(
        "audit[570]: AVC avc:  denied  { module_load } for  pid=570 \
        comm=\"(udev-worker)\" scontext=u:r:udev_t:s0 tcontext=u:r:user_home_t:s0 \
        tclass=system permissive=0",
        Grammar::KernelLog,
    );
    let found = decisions(&records[0]);
    assert_eq!(found[0].comm.as_deref(), Some("(udev-worker)"));
    assert_eq!(found[0].stamp, None);
}

#[test]
fn the_documented_forms_of_el5_to_el7_are_read() {
    let el5 = all(include_str!(
        "../../../tests/captured/audit/documented/el5-audit.log"
    ));
    assert_eq!(el5.len(), 2);
    assert_eq!(el5[0].path.as_deref(), Some("/var/www/html/index.html"));
    assert_eq!(el5[0].exe.as_deref(), Some("/usr/sbin/httpd"));
    let kernel = |text: &str| event::decisions(&parse(text, Grammar::KernelLog));
    let el6 = kernel(include_str!(
        "../../../tests/captured/audit/documented/el6-messages"
    ));
    assert_eq!(el6.len(), 2);
    assert_eq!((el6[0].port, el6[0].complete), (Some(8009), true));
    assert_eq!(
        (el6[1].comm.as_deref(), el6[1].complete),
        (Some("httpd"), false)
    );
    let el7 = kernel(include_str!(
        "../../../tests/captured/audit/documented/el7-dmesg"
    ));
    assert_eq!(el7.len(), 2);
    assert_eq!(types(&el7[1]), ("logrotate_t", "httpd_unit_file_t"));
}
