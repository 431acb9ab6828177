//! Which denied access shows as which symptom.

use super::{
    access::Access,
    scene::{Failure, Scene},
    sights::type_of,
};
use crate::{
    evidence::fingerprint::ObjectKind, observation::HttpPhase, outcome::SymptomKind,
    verdict::DeniedAccess,
};

/// Whether a denied access shows as this failure, with nothing else seen that speaks against it.
pub(super) fn explains(scene: &Scene<'_>, access: &Access, failure: &Failure<'_>) -> bool {
    let denial = &access.denial;
    match failure.kind {
        None => false,
        Some(SymptomKind::Http(phase)) => explains_phase(scene, access, failure, phase),
        Some(SymptomKind::HttpStatus) => match failure.status() {
            Some(500..=504) => is_upstream(denial) || reads_content(scene, access),
            Some(_) | None => reads_content(scene, access),
        },
        Some(SymptomKind::HttpBody) => reads_content(scene, access),
        Some(SymptomKind::ServiceState) => {
            stops_start(denial, &IP) || reads_at_start(scene, access)
        }
        // What is silenced is in no log.
        Some(SymptomKind::Denials) => !denial.silenced,
        Some(
            SymptomKind::CommandExit
            | SymptomKind::CommandOutput
            | SymptomKind::CommandDeadline
            | SymptomKind::ServiceEnabled
            | SymptomKind::SelinuxMode
            | SymptomKind::SelinuxBoolean,
        ) => false,
    }
}

fn explains_phase(
    scene: &Scene<'_>,
    access: &Access,
    failure: &Failure<'_>,
    phase: HttpPhase,
) -> bool {
    let denial = &access.denial;
    let tcp = denial.class == "tcp_socket";
    match phase {
        HttpPhase::FirstByteTimeout | HttpPhase::NoData | HttpPhase::Reset => {
            tcp && lost(denial, &["accept", "read", "write", "getattr", "setopt"])
        }
        HttpPhase::Refused => {
            let listened = failure.port().and_then(|p| scene.is_reachable(p));
            let starts =
                stops_start(denial, &IP[..1]) || is_down(scene) && reads_at_start(scene, access);
            listened != Some(true) && starts
        }
        HttpPhase::Body => tcp && lost(denial, &["write", "read"]),
        HttpPhase::Dns
        | HttpPhase::ConnectTimeout
        | HttpPhase::Unreachable
        | HttpPhase::Tls
        | HttpPhase::BodyTooLong
        | HttpPhase::Protocol
        | HttpPhase::Redirect => false,
    }
}

fn lost(denial: &DeniedAccess, perms: &[&str]) -> bool {
    denial.perms.iter().any(|p| perms.contains(&p.as_str()))
}

fn is_down(scene: &Scene<'_>) -> bool {
    scene.down().is_some()
}

/// The sockets on which clients are served, that of HTTP first. A service makes others, of netlink say, that
/// it gets on without.
const IP: [&str; 5] = [
    "tcp_socket",
    "udp_socket",
    "sctp_socket",
    "dccp_socket",
    "rawip_socket",
];

/// Without these nothing comes up on a port.
fn stops_start(denial: &DeniedAccess, sockets: &[&str]) -> bool {
    let perms = ["listen", "bind", "create", "name_bind", "node_bind"];
    sockets.contains(&denial.class.as_str()) && lost(denial, &perms)
}

/// The way to what stands behind the service: an application, a database.
fn is_upstream(denial: &DeniedAccess) -> bool {
    let socket = denial.class.ends_with("socket") && lost(denial, &["name_connect", "connectto"]);
    socket || denial.class == "sock_file" && lost(denial, &["write", "getattr"])
}

/// Whether it keeps the service from what it serves.
fn reads_content(scene: &Scene<'_>, access: &Access) -> bool {
    let perms = ["read", "open", "getattr", "search", "map", "execute"];
    is_file(access) && lost(&access.denial, &perms) && is_near(scene, access)
}

/// Whether the object has a place in the file system.
pub(super) fn is_file(access: &Access) -> bool {
    ObjectKind::of_class(&access.denial.class) == ObjectKind::File
}

/// Whether it keeps a service from starting, by what the service itself says of it.
fn reads_at_start(scene: &Scene<'_>, access: &Access) -> bool {
    let perms = [
        "read", "open", "getattr", "search", "map", "execute", "write", "append", "create",
        "add_name",
    ];
    let file = is_file(access) && lost(&access.denial, &perms);
    file && is_near(scene, access) && complains(scene)
}

/// Whether the service, or its check of the configuration, says that something was refused.
fn complains(scene: &Scene<'_>) -> bool {
    let text = "Permission denied";
    let tested = scene.config_tests().any(|t| t.output.contains(text));
    tested || scene.line_with(&[text]).is_some()
}

/// Whether the object is of what the suite says that it rests on, as far as either is known.
fn is_near(scene: &Scene<'_>, access: &Access) -> bool {
    let paths = &scene.suite.rests_on.paths;
    paths.is_empty() || full_path(access).is_none_or(|path| paths.iter().any(|p| is_under(path, p)))
}

/// Whether the object is known to be of what the suite says that it rests on.
pub(super) fn is_surely_near(scene: &Scene<'_>, access: &Access) -> bool {
    near_path(scene, access).is_some()
}

/// Whether the object may have got its type since the checks passed, as ports, peers and files do: what was
/// denied of others of the type then was not denied of this one. Of a file that the suite rests on it is known;
/// one whose place nobody knows may be such a file.
pub(super) fn may_be_retyped(scene: &Scene<'_>, access: &Access) -> bool {
    if !is_file(access) {
        return lost(&access.denial, &TO_PEERS);
    }
    if has_no_place(access) {
        return false;
    }
    let Some(path) = near_path(scene, access) else {
        let unnamed = scene.suite.rests_on.paths.is_empty();
        return !is_home_of_root(access) && (unnamed || full_path(access).is_none());
    };
    let target = Some(access.denial.target.as_str());
    let before = scene.policy_before().and_then(|(_, p)| p.labels.known());
    let mut before = before.into_iter().flatten();
    !before.any(|label| label.path == path && type_of(&label.is) == target)
}

/// What is done to a port, or to another process, whose type is its own.
const TO_PEERS: [&str; 7] = [
    "name_bind",
    "name_connect",
    "connectto",
    "sendto",
    "send_msg",
    "recvfrom",
    "transition",
];

/// Whether the object lies below no path: a file system as such, a descriptor, a pipe.
fn has_no_place(access: &Access) -> bool {
    let class = ["filesystem", "fd", "anon_inode"].contains(&access.denial.class.as_str());
    let path = access.path.as_deref().unwrap_or_default();
    class || path.starts_with("pipe:[") || path.starts_with("socket:[")
}

/// Libraries look for root's home, of which the record has the name only.
fn is_home_of_root(access: &Access) -> bool {
    access.denial.class == "dir" && access.path.as_deref() == Some("root")
}

/// The path of an object that the suite rests on: the full one, or where the record has the last part only,
/// that of a file of the name and type that was seen there.
fn near_path<'a>(scene: &Scene<'a>, access: &'a Access) -> Option<&'a str> {
    let paths = &scene.suite.rests_on.paths;
    let near = |path: &&str| paths.iter().any(|p| is_under(path, p));
    if let Some(path) = full_path(access) {
        return Some(path).filter(near);
    }
    let labels = scene.policy().and_then(|(_, p)| p.labels.known());
    let named = labels.into_iter().flatten().filter(|label| {
        let name = label.path.rsplit('/').next();
        name == access.path.as_deref() && type_of(&label.is) == Some(&access.denial.target)
    });
    named.map(|label| label.path.as_str()).find(near)
}

/// The full path. A record calls the top of any file system `/`, also that of `proc`.
fn full_path(access: &Access) -> Option<&str> {
    let path = access.path.as_deref();
    path.filter(|p| p.starts_with('/') && *p != "/")
}

/// Whether a path is this one, lies below it, or leads to it.
pub(in crate::judge) fn is_under(path: &str, top: &str) -> bool {
    let below = |long: &str, short: &str| {
        let short = short.trim_end_matches('/');
        long == short
            || long
                .strip_prefix(short)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    below(path, top) || below(top, path)
}
