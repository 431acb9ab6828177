//! A pretend kernel's answers about access vectors; the figures are those of a real one.

use std::{collections::BTreeSet, fmt::Write as _};

use patchgate_core::evidence::access::Query;

/// Permission values of `tcp_socket`, as the kernel of the lab gives them.
const TCP_SOCKET: &str = include_str!("../../core/tests/captured/audit/lab/tcp_socket.perms");

/// Permission values of the other classes that are asked about: enough to tell them apart.
const OTHERS: [&str; 6] = ["read", "write", "getattr", "open", "append", "execute"];

/// What a policy allows `httpd_t` on its own TCP sockets, and what it lets be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Permissions given.
    pub(crate) allowed: u32,
    /// Permissions whose refusal is logged.
    pub(crate) auditdeny: u32,
    /// The number of its load.
    pub(crate) seqno: u32,
}

/// Bit of `listen` in `tcp_socket`.
const LISTEN: u32 = 1 << 13;
/// Bit of `accept` in `tcp_socket`.
const ACCEPT: u32 = 1 << 14;

impl Policy {
    /// The policy before the incident: measured.
    pub(crate) const GOOD: Self = Self {
        allowed: 0x3_fa3f,
        auditdeny: 0xffff_ffff,
        seqno: 1,
    };

    /// The policy of February 2013: measured. Listen and accept are gone, and silenced.
    pub(crate) const FEBRUARY: Self = Self {
        allowed: 0x3_9a3f,
        auditdeny: 0xffff_9fff,
        seqno: 8,
    };

    pub(crate) fn may_listen(self) -> bool {
        self.allowed & LISTEN != 0
    }

    pub(crate) fn logs_listen(self) -> bool {
        self.auditdeny & LISTEN != 0
    }

    pub(crate) fn logs_accept(self) -> bool {
        self.auditdeny & ACCEPT != 0
    }

    pub(crate) fn may_accept(self) -> bool {
        self.allowed & ACCEPT != 0
    }
}

/// Something that a domain is found to use.
pub(crate) struct Used {
    pub(crate) domain: String,
    pub(crate) path: String,
    pub(crate) type_: &'static str,
    pub(crate) class: &'static str,
}

/// The whole answer of the vector script: to what it knows beforehand, and to what it finds.
pub(crate) fn answer(policy: Policy, known: &[Query], used: &[Used]) -> String {
    let found = used.iter().map(|u| {
        let source = format!("system_u:system_r:{}:s0", u.domain);
        let target = format!("system_u:object_r:{}:s0", u.type_);
        Query::new(&source, &target, u.class).expect("they are plain words")
    });
    let queries: BTreeSet<_> = known.iter().cloned().chain(found).collect();
    let classes: BTreeSet<_> = queries.iter().map(Query::class).collect();
    let paths = used.iter().map(|u| (&u.path, u.type_, u.class));
    let paths: BTreeSet<_> = paths.collect();
    let mut text = String::new();
    for (path, type_, class) in paths {
        let _ = writeln!(text, "path {class} {type_} {path}");
    }
    let _ = writeln!(text, "vectors begin {}", queries.len());
    for (index, class) in classes.into_iter().enumerate() {
        let _ = writeln!(text, "class {class} {}", index + 1);
        text += &permissions(class);
        for query in queries.iter().filter(|q| q.class() == class) {
            text += &vector(policy, query);
        }
    }
    let _ = writeln!(text, "vectors end {}", queries.len());
    text
}

fn permissions(class: &str) -> String {
    if class == "tcp_socket" {
        let lines = TCP_SOCKET.lines();
        return lines.map(|l| format!("perm tcp_socket {l}\n")).collect();
    }
    let numbered = OTHERS.iter().zip(1..);
    numbered
        .map(|(name, n)| format!("perm {class} {name} {n}\n"))
        .collect()
}

fn vector(policy: Policy, query: &Query) -> String {
    let own = query.source() == query.target() && query.class() == "tcp_socket";
    let Policy {
        allowed,
        auditdeny,
        seqno,
    } = policy;
    let masks = match own {
        true => format!("{allowed:x} ffffffff 0 {auditdeny:x}"),
        false => "5 ffffffff 0 ffffffff".to_owned(),
    };
    format!("av {query} : {masks} {seqno} 0\n")
}
