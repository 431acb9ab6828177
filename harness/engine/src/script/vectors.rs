//! The access vectors of watched domains, as the kernel answers them.

use std::time::Duration;

use patchgate_core::{
    evidence::{
        access::{Query, VectorTable},
        vectors::{parse_vectors, vector_script},
    },
    reading::Reading,
};

use super::answer;
use crate::host::{Item, Reply};

/// Classes that a domain has objects of itself: its sockets, its processes, its pipes.
const OWN: [&str; 12] = [
    "tcp_socket",
    "udp_socket",
    "unix_stream_socket",
    "unix_dgram_socket",
    "netlink_route_socket",
    "process",
    "capability",
    "fifo_file",
    "file",
    "sem",
    "shm",
    "msgq",
];

/// What follows a domain's stem in the names of the types that are its own, and their classes.
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

/// The types that every network service uses, and the class of the use.
const COMMON: [(&str, &str); 8] = [
    ("http_port_t", "tcp_socket"),
    ("http_cache_port_t", "tcp_socket"),
    ("unreserved_port_t", "tcp_socket"),
    ("node_t", "tcp_socket"),
    ("lib_t", "file"),
    ("cert_t", "file"),
    ("etc_t", "file"),
    ("urandom_device_t", "chr_file"),
];

/// The queries for some domains.
#[must_use]
pub fn queries(domains: &[String]) -> Vec<Query> {
    domains.iter().flat_map(|d| queries_of(d)).collect()
}

fn queries_of(domain: &str) -> Vec<Query> {
    let stem = domain.strip_suffix("_t").unwrap_or(domain);
    let source = context(domain);
    let object = |kind: &str| format!("system_u:object_r:{kind}:s0");
    let mut pairs: Vec<(String, &str)> = OWN.iter().map(|c| (source.clone(), *c)).collect();
    for kind in FILES {
        let target = object(&format!("{stem}_{kind}"));
        pairs.extend([(target.clone(), "file"), (target, "dir")]);
    }
    pairs.extend(COMMON.iter().map(|(kind, class)| (object(kind), *class)));
    pairs
        .iter()
        .filter_map(|(target, class)| Query::new(&source, target, class).ok())
        .collect()
}

/// Asks the kernel.
#[must_use]
pub fn item(domains: &[String]) -> Item {
    let script = format!(
        "[ -e /sys/fs/selinux/access ] || [ -e /selinux/access ] || {{ echo 'there is no selinuxfs' >&2; exit 1; }}\n{}",
        vector_script(&queries(domains))
    );
    Item {
        cap: 2 << 20,
        ..Item::new(script, Duration::from_secs(60))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_of_which_the_kernel_tells_nothing_is_missing() {
        let mut reply = Reply::silent(crate::host::Exit::Code(0));
        let own = context("httpd_t");
        let told = format!(
            "vectors begin 1\nclass tcp_socket 7\nperm tcp_socket listen 14\n\
             av {own} {own} tcp_socket : 3fa3f ffffffff 0 ffffffff 1 0\nvectors end 1\n"
        );
        reply.stdout.bytes = told.into_bytes();
        let domain = |name: &str| [name.to_owned()];
        assert!(read(&domain("httpd_t"), &reply).known().is_some());
        let why = read(&domain("htpd_t"), &reply);
        assert_eq!(why.why(), Some("the kernel tells nothing of htpd_t"));
    }

    #[test]
    fn the_sockets_of_a_domain_are_watched() {
        let all = queries(&["httpd_t".to_owned()]);
        let own = Query::new(
            "system_u:system_r:httpd_t:s0",
            "system_u:system_r:httpd_t:s0",
            "tcp_socket",
        );
        assert!(all.contains(&own.unwrap()));
        assert_eq!(all.len(), OWN.len() + 2 * FILES.len() + COMMON.len());
    }
}
