"""Writes an audit.log of a busy server to standard output, always the same for the same size and seed.

usage: auditlog.py BYTES SEED DENIALS DIRECTORY     DIRECTORY: captured logs (harness/core/tests/captured/audit/lab)

The records are those of the captured logs and of EVENTS below, event by event, with new times, serials, processes
and inodes. Of 1000 events DENIALS are denials, one in twenty of them of dbus or systemd; 5 are changes of policy and
settings, and one is a SELINUX_ERR. Of the rest three in four are watched system calls, and one is a login, a service or
another user record. The records of every 40th event are mixed with those of the one before, as two processors mix them.
"""

import pathlib
import random
import re
import sys

SERVICE = "auid=4294967295 ses=4294967295 subj=system_u:system_r:init_t:s0"
DBUS = "auid=4294967295 ses=4294967295 subj=system_u:system_r:system_dbusd_t:s0-s0:c0.c1023"
SSHD = "auid=1000 ses=7 subj=system_u:system_r:sshd_t:s0-s0:c0.c1023"
TAIL = "hostname=198.51.100.7 addr=198.51.100.7 terminal=ssh res=success'\x1dUID=\"root\" AUID=\"deploy\""
OBJECT = "ouid=0 ogid=0 rdev=00:00 obj=system_u:object_r:etc_t:s0"
CAPS = "cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\x1dOUID=\"root\" OGID=\"root\""

# What the captured logs do not hold, by group.
EVENTS = {
    "watched": [
        [
            "type=SYSCALL msg=audit(@): arch=c000003e syscall=257 success=yes exit=3 a0=ffffff9c a1=7ffd6a0fe7a3 "
            "a2=241 a3=1b6 items=2 ppid=1811 pid=2207 auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 "
            "fsgid=0 tty=pts0 ses=7 comm=\"vim\" exe=\"/usr/bin/vim\" "
            "subj=unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023 key=\"etc\"\x1dARCH=x86_64 SYSCALL=openat "
            "AUID=\"deploy\" UID=\"root\" GID=\"root\" EUID=\"root\" SUID=\"root\" FSUID=\"root\" EGID=\"root\"",
            "type=CWD msg=audit(@): cwd=\"/etc/httpd/conf.d\"",
            f"type=PATH msg=audit(@): item=0 name=\"/etc/httpd/conf.d/\" inode=33575 dev=fd:00 mode=040755 {OBJECT} "
            f"nametype=PARENT {CAPS}",
            f"type=PATH msg=audit(@): item=1 name=\"shop.conf\" inode=33811 dev=fd:00 mode=0100644 {OBJECT} "
            f"nametype=NORMAL {CAPS}",
            "type=PROCTITLE msg=audit(@): proctitle=76696D002F6574632F68747470642F636F6E662E642F73686F702E636F6E66",
        ],
        [
            "type=SYSCALL msg=audit(@): arch=c000003e syscall=59 success=yes exit=0 a0=55d2c8a3b6d0 a1=55d2c8a3c0f0 "
            "a2=55d2c8a39a40 a3=8 items=2 ppid=2110 pid=2244 auid=1000 uid=1000 gid=1000 euid=0 suid=0 fsuid=0 "
            "egid=0 sgid=0 fsgid=0 tty=pts1 ses=9 comm=\"sudo\" exe=\"/usr/bin/sudo\" "
            "subj=unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023 key=\"root-commands\"\x1dARCH=x86_64 "
            "SYSCALL=execve AUID=\"deploy\" UID=\"deploy\" GID=\"deploy\" EUID=\"root\" SUID=\"root\" FSUID=\"root\"",
            "type=EXECVE msg=audit(@): argc=4 a0=\"sudo\" a1=\"systemctl\" a2=\"reload\" a3=\"httpd\"",
            "type=CWD msg=audit(@): cwd=\"/home/deploy\"",
            f"type=PATH msg=audit(@): item=0 name=\"/usr/bin/sudo\" inode=8390 dev=fd:00 mode=0104111 {OBJECT} "
            f"nametype=NORMAL {CAPS}",
            f"type=PATH msg=audit(@): item=1 name=\"/lib64/ld-linux-x86-64.so.2\" inode=9535 dev=fd:00 mode=0100755 "
            f"{OBJECT} nametype=NORMAL {CAPS}",
            "type=PROCTITLE msg=audit(@): proctitle=7375646F0073797374656D63746C0072656C6F6164006874747064",
        ],
    ],
    "user": [
        [f"type=SERVICE_START msg=audit(@): pid=1 uid=0 {SERVICE} msg='unit=dnf-makecache comm=\"systemd\" "
         "exe=\"/usr/lib/systemd/systemd\" hostname=? addr=? terminal=? res=success'\x1dUID=\"root\" AUID=\"unset\""],
        [f"type=USER_ACCT msg=audit(@): pid=2311 uid=0 {SSHD} msg='op=PAM:accounting grantors=pam_unix,pam_localuser "
         f"acct=\"deploy\" exe=\"/usr/sbin/sshd\" {TAIL}"],
        [f"type=CRED_ACQ msg=audit(@): pid=2311 uid=0 {SSHD} msg='op=PAM:setcred grantors=pam_env,pam_unix "
         f"acct=\"deploy\" exe=\"/usr/sbin/sshd\" {TAIL}"],
        [f"type=USER_START msg=audit(@): pid=2311 uid=0 {SSHD} msg='op=PAM:session_open grantors=pam_selinux,"
         f"pam_loginuid,pam_keyinit,pam_limits,pam_systemd,pam_unix acct=\"deploy\" exe=\"/usr/sbin/sshd\" {TAIL}"],
        [f"type=CRYPTO_KEY_USER msg=audit(@): pid=2312 uid=0 {SSHD} msg='op=destroy kind=server fp=SHA256:5f:3a:9c:0e "
         f"direction=? spid=2312 suid=0 exe=\"/usr/sbin/sshd\" {TAIL}"],
    ],
    "denial": [
        [
            "type=AVC msg=audit(@): avc:  denied  { name_connect } for  pid=2401 comm=\"php-fpm\" dest=6379 "
            "scontext=system_u:system_r:httpd_t:s0 tcontext=system_u:object_r:redis_port_t:s0 tclass=tcp_socket "
            "permissive=0",
            "type=SYSCALL msg=audit(@): arch=c000003e syscall=42 success=no exit=-13 a0=8 a1=7f21ac01b130 a2=10 a3=0 "
            "items=0 ppid=2390 pid=2401 auid=4294967295 uid=48 gid=48 euid=48 suid=48 fsuid=48 egid=48 sgid=48 "
            "fsgid=48 tty=(none) ses=4294967295 comm=\"php-fpm\" exe=\"/usr/sbin/php-fpm\" "
            "subj=system_u:system_r:httpd_t:s0 key=(null)\x1dARCH=x86_64 SYSCALL=connect AUID=\"unset\" UID=\"apache\"",
            "type=PROCTITLE msg=audit(@): proctitle=7068702D66706D3A20706F6F6C20777777",
        ],
        [
            "type=AVC msg=audit(@): avc:  denied  { read open } for  pid=2402 comm=\"httpd\" path=\"/srv/shop/a b\" "
            "dev=\"dm-0\" ino=917612 scontext=system_u:system_r:httpd_t:s0 "
            "tcontext=unconfined_u:object_r:user_home_t:s0 tclass=file permissive=0",
        ],
    ],
    "user-denial": [
        [f"type=USER_AVC msg=audit(@): pid=1 uid=0 {SERVICE} msg='avc:  denied  {{ start }} for auid=1000 uid=0 gid=0 "
         "path=\"/usr/lib/systemd/system/httpd.service\" cmdline=\"systemctl start httpd\" "
         "function=\"mac_selinux_access_check\" scontext=staff_u:staff_r:staff_t:s0 "
         "tcontext=system_u:object_r:httpd_unit_file_t:s0 tclass=service permissive=0 "
         "exe=\"/usr/lib/systemd/systemd\" sauid=0 hostname=? addr=? terminal=?'\x1dUID=\"root\" AUID=\"unset\""],
        [f"type=USER_AVC msg=audit(@): pid=701 uid=81 {DBUS} msg='avc:  denied  {{ send_msg }} for  "
         "scontext=system_u:system_r:httpd_t:s0 tcontext=system_u:system_r:systemd_logind_t:s0 tclass=dbus permissive=0 "
         "exe=\"/usr/bin/dbus-broker\" sauid=81 hostname=? addr=? terminal=?'\x1dUID=\"dbus\" AUID=\"unset\""],
    ],
    "error": [
        ["type=SELINUX_ERR msg=audit(@): op=security_bounded_transition seresult=denied "
         "oldcontext=system_u:system_r:init_t:s0 newcontext=system_u:system_r:httpd_t:s0"],
        ["type=SELINUX_ERR msg=audit(@): op=security_compute_sid "
         "invalid_context=\"staff_u:staff_r:httpd_t:s0\" scontext=staff_u:staff_r:staff_t:s0 "
         "tcontext=system_u:object_r:httpd_exec_t:s0 tclass=process"],
    ],
}
STAMP = re.compile(r"audit\(([^)]*)\)")
NUMBER = re.compile(r"\b(p?pid|ino|inode|a1|exit)=(\d+)\b")
VARIANTS = 50


def captured(directory):
    """The events of the captured logs, by group."""
    events = {}
    for path in sorted(pathlib.Path(directory).glob("*.log")):
        for line in path.read_text().splitlines():
            stamp = STAMP.search(line)
            if stamp:
                events.setdefault((path, stamp.group(1)), []).append(STAMP.sub("audit(@)", line, count=1))
    groups = {"denial": [], "user": [], "change": []}
    for records in events.values():
        groups[group(records)].append(records)
    return groups


def group(records):
    """The group of a captured event; what is no denial and no user record changed something."""
    if any(record.startswith("type=AVC") for record in records):
        return "denial"
    return "user" if len(records) == 1 and "msg='" in records[0] else "change"


def varied(records, dice):
    """The event with other processes and inodes, the same in all of its records."""
    numbers = {}

    def another(match):
        if match.group(2) in ("0", "1"):
            return match.group(0)
        return f"{match.group(1)}={numbers.setdefault(match.group(2), dice.randrange(300, 4194304))}"

    return [NUMBER.sub(another, record).encode() for record in records]


def mixed(first, second):
    """The records of two events, turn by turn."""
    longest = max(len(first), len(second))
    return [records[n] for n in range(longest) for records in (first, second) if n < len(records)]


def pool(directory, dice):
    """All variants of all events by group, each event split where its stamps belong."""
    groups = captured(directory)
    for name, events in EVENTS.items():
        groups.setdefault(name, []).extend(events)
    return {
        name: [[r.split(b"@", 1) for r in varied(event, dice)] for event in events for _ in range(VARIANTS)]
        for name, events in groups.items()
    }


def stamped(event, millis, serial):
    """The records of an event with their stamp."""
    stamp = b"%d.%03d:%d" % (millis // 1000, millis % 1000, serial)
    return [stamp.join(record) + b"\n" for record in event]


def main(size, seed, denials, directory):
    """Writes whole events until `size` bytes are written."""
    dice = random.Random(seed)
    events = pool(directory, dice)
    rest = 1000 - denials - 6
    names = ["watched", "user", "denial", "user-denial", "change", "error"]
    weights = [rest * 3 / 4, rest / 4, denials * 19 / 20, denials / 20, 5, 1]
    millis, serial, written = 1_795_300_000_000, 100, 0
    while written < size:
        block = []
        for name in dice.choices(names, weights, k=4000):
            millis, serial = millis + dice.randrange(40), serial + 1
            records = stamped(dice.choice(events[name]), millis, serial)
            block.append(records if serial % 40 or not block else mixed(block.pop(), records))
        text = b"".join(record for records in block for record in records)
        written += len(text)
        sys.stdout.buffer.write(text)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
