//! The access vectors of watched domains, as the kernel answers them: about what their processes are
//! found to use, what the suites rest on, and some lists.

mod shell;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};

use patchgate_core::{
    evidence::{
        access::{Query, VectorTable},
        vectors::parse_vectors,
    },
    reading::Reading,
    suite::{Suite, VectorTarget},
};

use super::answer;
use crate::host::{Item, Reply, quote};

/// Classes that a domain has objects of itself: its sockets, its processes, its pipes. Some of them many
/// services try in vain, which policies hide; the baseline's answers tell an experiment so.
const OWN: [&str; 15] = [
    "tcp_socket",
    "udp_socket",
    "unix_stream_socket",
    "unix_dgram_socket",
    "netlink_route_socket",
    "process",
    "capability",
    "capability2",
    "netlink_audit_socket",
    "netlink_selinux_socket",
    "fifo_file",
    "file",
    "sem",
    "shm",
    "msgq",
];

/// What follows a domain's stem in the names of the types that are its own; each is asked about as file
/// and as directory. They are there also when the service is not.
const FILES: [&str; 9] = [
    "exec_t",
    "config_t",
    "modules_t",
    "log_t",
    "var_run_t",
    "var_lib_t",
    "tmp_t",
    "cache_t",
    "sys_content_t",
];

/// The types that every network service uses, and the class of the use; the last few are what libraries
/// look at in vain.
const COMMON: [(&str, &str); 14] = [
    ("http_port_t", "tcp_socket"),
    ("http_cache_port_t", "tcp_socket"),
    ("unreserved_port_t", "tcp_socket"),
    ("ephemeral_port_t", "tcp_socket"),
    ("reserved_port_t", "tcp_socket"),
    ("hi_reserved_port_t", "tcp_socket"),
    ("node_t", "tcp_socket"),
    ("lib_t", "file"),
    ("cert_t", "file"),
    ("etc_t", "file"),
    ("urandom_device_t", "chr_file"),
    ("home_root_t", "dir"),
    ("admin_home_t", "dir"),
    ("user_home_dir_t", "dir"),
];

/// How many targets of one class and domain stand in one line of the script.
const A_LINE: usize = 100;

/// The parts of a host's file system that the script reads; others in tests.
struct Roots<'a> {
    proc: &'a str,
    selinux: &'a str,
    /// One question to the kernel.
    kernel: &'a str,
}

const REAL: Roots<'_> = Roots {
    proc: "/proc",
    selinux: "/sys/fs/selinux /selinux",
    kernel: shell::KERNEL,
};

/// Asks the kernel about the domains of the suites. What was answered at the baseline is asked again,
/// whatever is found by then: only the same question shows a loss.
#[must_use]
pub fn item(suites: &[Suite], answered: &[Query]) -> Item {
    Item {
        cap: 4 << 20,
        ..Item::new(script(&REAL, suites, answered), Duration::from_secs(60))
    }
}

fn script(roots: &Roots<'_>, suites: &[Suite], answered: &[Query]) -> String {
    let queries = queries(suites, answered);
    let mut text = format!("P={} R='{}' nl='\n' tab='\t'\n", roots.proc, roots.selinux);
    text += shell::FIND;
    let watched: BTreeSet<&str> = domains_of(suites).collect();
    let watched: Vec<&str> = watched.into_iter().collect();
    let _ = writeln!(text, "watched=' {} '", watched.join(" "));
    let _ = writeln!(text, "all='{}' n_all={}", lines(&queries), queries.len());
    text += &rests(suites);
    for part in [shell::USES, shell::LABELS, shell::MORE, shell::ASK] {
        text += &shell::filled(part, roots.kernel);
    }
    text
}

fn domains_of(suites: &[Suite]) -> impl Iterator<Item = &str> {
    suites
        .iter()
        .flat_map(|s| s.domains.iter().map(String::as_str))
}

/// The questions that are known beforehand: the lists, those of the suites, and the baseline's.
fn queries(suites: &[Suite], answered: &[Query]) -> BTreeSet<Query> {
    let of_suite = |s: &Suite| {
        let of_domain = |d: &String| listed(d, &s.vectors);
        s.domains.iter().flat_map(of_domain).collect::<Vec<_>>()
    };
    let listed = suites.iter().flat_map(of_suite);
    listed.chain(answered.iter().cloned()).collect()
}

fn listed(domain: &str, targets: &[VectorTarget]) -> Vec<Query> {
    let stem = domain.strip_suffix("_t").unwrap_or(domain);
    let source = context(domain);
    let mut pairs: Vec<(String, &str)> = OWN.iter().map(|c| (source.clone(), *c)).collect();
    for kind in FILES {
        let target = object(&format!("{stem}_{kind}"));
        pairs.extend([(target.clone(), "file"), (target, "dir")]);
    }
    pairs.extend(COMMON.iter().map(|(kind, class)| (object(kind), *class)));
    let more = targets.iter().map(|t| match t.target == domain {
        true => (source.clone(), t.class.as_str()),
        false => (object(&t.target), t.class.as_str()),
    });
    pairs.extend(more);
    pairs
        .iter()
        .filter_map(|(target, class)| Query::new(&source, target, class).ok())
        .collect()
}

/// `CLASS SOURCE TARGET…`, the usual context of an object as its type alone.
fn lines(queries: &BTreeSet<Query>) -> String {
    let mut targets: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for query in queries {
        let usual = query.target().strip_prefix("system_u:object_r:");
        let usual = usual.and_then(|t| t.strip_suffix(":s0"));
        let type_ = usual.filter(|t| !t.contains(':'));
        let line = targets.entry((query.class(), query.source())).or_default();
        line.push(type_.unwrap_or(query.target()));
    }
    let mut text = String::new();
    for ((class, source), targets) in targets {
        for some in targets.chunks(A_LINE) {
            let _ = writeln!(text, "{class} {source} {}", some.join(" "));
        }
    }
    text
}

/// The paths that the suites rest on, with their domains, and what lists them. `ls` heads each of several
/// directories with its name.
fn rests(suites: &[Suite]) -> String {
    let mut known = String::new();
    let mut list = String::new();
    for suite in suites.iter().filter(|s| !s.domains.is_empty()) {
        for path in &suite.rests_on.paths {
            let path = match path.trim_end_matches('/') {
                "" => "/",
                path => path,
            };
            for domain in &suite.domains {
                let _ = writeln!(known, "//rest {domain} {path}");
            }
            list = list + " " + &quote::sh(path);
        }
    }
    let list = match list.as_str() {
        "" => ":".to_owned(),
        list => format!("ls -aU1 -- /dev/null{list}"),
    };
    format!("rests={}\nlist() {{ {list}; }}\n", quote::sh(&known))
}

/// Reads the answers; a table that is not whole is missing, and so is one that does not tell what a
/// watched domain may do with its own sockets: the domain is misspelt, or nobody may ask.
#[must_use]
pub fn read(domains: &[String], reply: &Reply) -> Reading<VectorTable> {
    let reading = match answer(reply) {
        Reading::Missing { why } => return Reading::Missing { why },
        Reading::Known(text) => parse_vectors(&text),
    };
    if !reading.complete {
        return Reading::missing("the kernel's answers are not whole");
    }
    match domains.iter().find(|d| !tells_of(&reading.table, d)) {
        Some(domain) => Reading::missing(format!("the kernel tells nothing of {domain}")),
        None => Reading::Known(reading.table),
    }
}

fn tells_of(table: &VectorTable, domain: &str) -> bool {
    let own = context(domain);
    Query::new(&own, &own, OWN[0]).is_ok_and(|query| table.vectors.contains_key(&query))
}

fn context(domain: &str) -> String {
    format!("system_u:system_r:{domain}:s0")
}

fn object(kind: &str) -> String {
    format!("system_u:object_r:{kind}:s0")
}

#[cfg(test)]
mod tests;
