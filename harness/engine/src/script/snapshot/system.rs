//! The system around the services.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use patchgate_core::{
    reading::Reading,
    snapshot::{
        read::{certificates, disks, firewall, listeners, oom, routes, units},
        system::{Certificate, Disk, Listener, OomKill, SystemSnapshot, UnitState},
    },
};

use super::{
    Watched,
    sections::{Said, Sections, prelude},
};
use crate::host::{Item, Reply, quote};

/// Kernel settings that services feel.
const SYSCTLS: [&str; 17] = [
    "fs.file-max",
    "kernel.panic",
    "kernel.panic_on_oops",
    "kernel.randomize_va_space",
    "kernel.threads-max",
    "net.core.somaxconn",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.icmp_echo_ignore_all",
    "net.ipv4.ip_forward",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_nonlocal_bind",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_timestamps",
    "net.ipv6.conf.all.disable_ipv6",
    "vm.overcommit_memory",
    "vm.panic_on_oom",
];

/// Clock, sockets, packet filter, routes and the kernel's log.
///
/// Rules of the old tables are asked for only where the kernel has such tables, so that asking does
/// not bring them up; elsewhere, and where there is no nft, iptables is asked and shows nft's.
const SYSTEM: &str = r#"
say clock date +%s
if has ss; then say listeners ss -ltnp
else
  case $(uname -m) in
    s390*|ppc|ppc64) echo 'listeners!there is no ss';;
    *) say sockets awk '$4 == "0A" { print $2 }' /proc/net/tcp /proc/net/tcp6;;
  esac
fi
if has nft; then most nft nft -s list ruleset; fi
for v in '' 6; do
  t=; read -r t <"/proc/net/ip${v}_tables_names"
  if [ -n "$t" ] || ! has nft; then
    for c in "ip${v}tables-legacy-save" "ip${v}tables-save"; do
      has $c && { most "ip${v}tables" $c; break; }
    done
  fi
done 2>/dev/null
echo firewall=ok
say routes ip -o route
say routes6 ip -o -6 route
d=$(dmesg 2>&1); rc=$?
if [ $rc -ne 0 ]; then echo "oom!${d%%"$nl"*}"
else
  case $d in *'Linux version '*) echo boot=1;; *) echo boot=0;; esac
  case $d in
    *'illed process'*|*oom-kill:*) d=$(printf '%s\n' "$d" | grep -aE 'Killed process|oom-kill:' | tail -n 500);;
    *) d=;;
  esac
  printf '@oom 0 %s\n%s\n' ${#d} "$d"
fi
d=
while read -r k v; do [ "$k" = oom_kill ] && printf 'oom_kill=%s\n' "$v"; done </proc/vmstat 2>/dev/null
"#;

/// systemd in two calls: which units have failed, and how they and the watched ones are. Before systemd
/// `service` says by its exit status how each watched one is.
fn unit_script(units: &[String]) -> String {
    let quoted: Vec<_> = units.iter().map(|u| quote::sh(u)).collect();
    let quoted = quoted.join(" ");
    format!(
        r#"
set -- {quoted}
if has systemctl; then
  say failed systemctl list-units --state=failed --no-legend --plain --full --no-pager
  [ $rc -ne 0 ] || while read -r a b v; do
    case $a in *.*) set -- "$@" "$a";; *) case $b in *.*) set -- "$@" "$b";; esac;; esac
  done <<END
$out
END
  [ $# -eq 0 ] || say units systemctl show -p Id -p ActiveState -p SubState -p Result -- "$@"
elif has service; then
  for u do service "$u" status >/dev/null 2>&1; echo "sysv:$? $u"; done
  echo sysvs=ok
else echo 'failed!there is neither systemctl nor service'; fi
"#
    )
}

/// Not with builtins: dash reads byte by byte, and the kernel gives numbers in one piece only.
fn sysctl_script() -> String {
    let files: Vec<_> = SYSCTLS.iter().map(|name| name.replace('.', "/")).collect();
    format!(
        "cd /proc/sys && say sysctls grep -sH . {}\ncd /\n",
        files.join(" ")
    )
}

/// The first certificate of each file and nothing else of it: there may be a private key beside it.
fn certificate_script(paths: &[String]) -> String {
    let mut script = String::new();
    for (n, path) in paths.iter().enumerate() {
        let path = quote::sh(path);
        let _ = writeln!(
            script,
            "[ -e {path} ] && say certificate{n} sed -n '/-BEGIN CERTIFICATE-/,/-END CERTIFICATE-/{{p;/-END CERTIFICATE-/q;}}' {path}"
        );
    }
    script + "echo certificates=ok\n"
}

/// Last, because a file system that hangs takes the rest of the item with it.
const DISKS: &str = r"
say mounts cat /proc/mounts
say blocks df -P -l
say inodes df -P -i -l
exit 0
";

/// Asks for the system.
pub(super) fn item(watched: &Watched) -> Item {
    let script = [
        prelude(),
        SYSTEM.to_owned(),
        sysctl_script(),
        unit_script(&watched.units),
        certificate_script(&watched.certificates),
        DISKS.to_owned(),
    ]
    .concat();
    Item {
        cap: 2 << 20,
        ..Item::new(script, Duration::from_secs(60))
    }
}

/// Reads the answer.
pub(super) fn read(watched: &Watched, reply: &Reply) -> Reading<SystemSnapshot> {
    let said = match Sections::of(reply) {
        Ok(said) => said,
        Err(why) => return Reading::Missing { why },
    };
    Reading::Known(SystemSnapshot {
        listeners: listeners(&said),
        firewall: firewall(&said),
        units: units(watched, &said),
        disks: disks(&said),
        oom_kills: oom_kills(&said),
        sysctls: sysctls(&said),
        routes: routes(&said),
        certificates: certificates(watched, &said),
        clock: said
            .text("clock")
            .and_parse(|t| t.trim().parse().ok(), "date says no number"),
    })
}

/// A reading of which the parser says in words what it could not read.
fn parsed<T, U>(reading: Reading<T>, parse: impl FnOnce(&T) -> Result<U, String>) -> Reading<U> {
    match reading {
        Reading::Known(value) => match parse(&value) {
            Ok(parsed) => Reading::Known(parsed),
            Err(why) => Reading::Missing { why },
        },
        Reading::Missing { why } => Reading::Missing { why },
    }
}

fn listeners(said: &Sections) -> Reading<Vec<Listener>> {
    let odd = |line: String| format!("no known form: {line}");
    if said.asked("sockets") {
        return parsed(said.text("sockets"), |t| listeners::of_proc(t).map_err(odd));
    }
    parsed(said.text("listeners"), |t| listeners::of_ss(t).map_err(odd))
}

/// Every packet filter that was asked must have answered.
fn firewall(said: &Sections) -> Reading<Vec<String>> {
    type Read = fn(&str) -> Vec<String>;
    let readers: [(&str, Read); 3] = [
        ("nft", firewall::of_nft),
        ("iptables", |t| firewall::of_iptables("ip", t)),
        ("ip6tables", |t| firewall::of_iptables("ip6", t)),
    ];
    let asked: Vec<_> = readers.iter().filter(|(key, _)| said.asked(key)).collect();
    if asked.is_empty() {
        return said
            .value("firewall")
            .and_parse(|_| None, "there is neither nft nor iptables-save");
    }
    let mut rules = Vec::new();
    for (key, read) in asked {
        match said.text(key) {
            Reading::Known(text) => rules.extend(read(&text)),
            Reading::Missing { why } => return Reading::missing(format!("{key}: {why}")),
        }
    }
    Reading::Known(rules)
}

fn units(watched: &Watched, said: &Sections) -> Reading<BTreeMap<String, UnitState>> {
    if let Reading::Known(lines) = said.list("sysv", "sysvs") {
        let unit = |line: &&str| {
            let (exit, name) = line.split_once(' ')?;
            Some((name.to_owned(), units::of_status(exit.parse().ok()?)?))
        };
        return Reading::Known(lines.iter().filter_map(unit).collect());
    }
    let failed = match said.text("failed") {
        Reading::Known(text) => units::failed(&text),
        Reading::Missing { why } => return Reading::Missing { why },
    };
    let asked: Vec<String> = watched.units.iter().cloned().chain(failed).collect();
    if asked.is_empty() {
        return Reading::Known(BTreeMap::new());
    }
    parsed(said.text("units"), |t| units::of_systemctl(&asked, t))
}

/// df fails when it could not look at one of many file systems, and has told of all others.
fn disks(said: &Sections) -> Reading<Vec<Disk>> {
    let text = |key| {
        said.said(key)
            .known()
            .map(|s: &Said| s.text.clone())
            .unwrap_or_default()
    };
    parsed(said.said("blocks"), |blocks| {
        let disks = disks::of_df(&blocks.text, &text("inodes"), &text("mounts"));
        disks.map_err(|_| blocks.failure())
    })
}

/// That there was none is said only where the kernel's count says so, or its log goes back to the boot.
fn oom_kills(said: &Sections) -> Reading<Vec<OomKill>> {
    let kills = match said.text("oom") {
        Reading::Known(text) => oom::kills(&text),
        Reading::Missing { why } => return Reading::Missing { why },
    };
    let counted: Option<u64> = said.value("oom_kill").known().and_then(|n| n.parse().ok());
    let whole = said.value("boot").known() == Some(&"1");
    match counted {
        _ if !kills.is_empty() => Reading::Known(kills),
        Some(0) => Reading::Known(kills),
        Some(n) => Reading::missing(format!(
            "the kernel counts {n} since boot, and its log no longer names them"
        )),
        None if whole => Reading::Known(kills),
        None => Reading::missing("the kernel's log no longer goes back to the boot"),
    }
}

/// grep fails when the kernel does not have one of them, and has told of all others.
fn sysctls(said: &Sections) -> Reading<BTreeMap<String, String>> {
    let one = |line: &str| {
        let (file, value) = line.split_once(':')?;
        let words: Vec<_> = value.split_whitespace().collect();
        Some((file.replace('/', "."), words.join(" ")))
    };
    parsed(said.said("sysctls"), |grep| {
        let all: BTreeMap<_, _> = grep.text.lines().filter_map(one).collect();
        if all.is_empty() {
            Err(grep.failure())
        } else {
            Ok(all)
        }
    })
}

/// A kernel without IPv6 has no such routes.
fn routes(said: &Sections) -> Reading<Vec<String>> {
    let six = said.text("routes6").known().cloned().unwrap_or_default();
    said.text("routes").and_parse(
        |four| Some(routes::of_ip(&format!("{four}\n{six}"))),
        "never",
    )
}

fn certificates(watched: &Watched, said: &Sections) -> Reading<Vec<Certificate>> {
    if let Reading::Missing { why } = said.value("certificates") {
        return Reading::Missing { why };
    }
    let mut all = Vec::new();
    for (n, path) in watched.certificates.iter().enumerate() {
        let key = format!("certificate{n}");
        if !said.asked(&key) {
            continue;
        }
        let read = parsed(said.text(&key), |t| certificates::of_pem(path, t));
        match read {
            Reading::Known(certificate) => all.push(certificate),
            Reading::Missing { why } => return Reading::missing(format!("{path}: {why}")),
        }
    }
    Reading::Known(all)
}
