//! Which denied access shows as which symptom.

use super::{
    access::Access,
    scene::{Failure, Scene},
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
            Some(502..=504) => is_upstream(denial) || reads_content(scene, access),
            Some(_) | None => reads_content(scene, access),
        },
        Some(SymptomKind::HttpBody) => reads_content(scene, access),
        Some(SymptomKind::ServiceState) => stops_start(denial) || reads_at_start(scene, access),
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
            let starts = stops_start(denial) || is_down(scene) && reads_at_start(scene, access);
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

/// Without these nothing comes up on a port.
fn stops_start(denial: &DeniedAccess) -> bool {
    let perms = ["listen", "bind", "create", "name_bind", "node_bind"];
    denial.class.ends_with("socket") && lost(denial, &perms)
}

/// The way to what stands behind a proxy.
fn is_upstream(denial: &DeniedAccess) -> bool {
    let socket = denial.class.ends_with("socket") && lost(denial, &["name_connect", "connectto"]);
    socket || denial.class == "sock_file" && lost(denial, &["write", "getattr"])
}

/// Whether it keeps the service from what it serves.
fn reads_content(scene: &Scene<'_>, access: &Access) -> bool {
    let perms = ["read", "open", "getattr", "search", "map", "execute"];
    let denial = &access.denial;
    !denial.class.ends_with("socket") && lost(denial, &perms) && is_near(scene, access)
}

/// Whether it keeps a service from starting, by what the service itself says of it.
fn reads_at_start(scene: &Scene<'_>, access: &Access) -> bool {
    let perms = [
        "read", "open", "getattr", "search", "map", "execute", "write", "append", "create",
        "add_name",
    ];
    let file = ObjectKind::of_class(&access.denial.class) == ObjectKind::File;
    file && lost(&access.denial, &perms) && is_near(scene, access) && complains(scene)
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
    let paths = &scene.suite.rests_on.paths;
    full_path(access).is_some_and(|path| paths.iter().any(|p| is_under(path, p)))
}

fn full_path(access: &Access) -> Option<&str> {
    access.path.as_deref().filter(|p| p.starts_with('/'))
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
