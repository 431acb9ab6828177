//! The control through bash's `/dev/tcp`, where the host has no curl: plain HTTP only.
//!
//! The request is HTTP/1.0, so that the answer is ended by its length or by the connection.

use std::time::Duration;

use patchgate_core::observation::{HttpEnd, HttpPhase};

use super::{
    LocalError, LocalProbe,
    answer::{self, LastWords, Told},
    failed, quote,
};
use crate::probe::http::{USER_AGENT, host_header};

/// Stands before the answer when the connection stood.
const CONNECTED: &[u8] = b"@connected\n";

/// The branch of the script that uses bash.
pub(super) fn script(probe: &LocalProbe) -> String {
    if probe.url.scheme() != "http" {
        return "echo tool=none".to_owned();
    }
    let (port, seconds) = (probe.port(), probe.seconds());
    let lines: Vec<_> = request(probe).iter().map(|l| quote(l)).collect();
    let inner = quote(&format!(
        "trap '' PIPE; exec 4<>/dev/tcp/127.0.0.1/{port} || exit 1; echo @connected; \
         printf '%s\\r\\n' \"$@\" >&4; cat <&4"
    ));
    format!(
        "echo tool=bash; date +%s%N\n\
         pg_pack timeout {seconds} bash -c {inner} bash {}\n\
         date +%s%N",
        lines.join(" ")
    )
}

fn request(probe: &LocalProbe) -> [String; 6] {
    let url = &probe.url;
    let query = url.query().map(|q| format!("?{q}")).unwrap_or_default();
    [
        format!("GET {}{query} HTTP/1.0", url.path()),
        format!("Host: {}", host_header(url)),
        format!("User-Agent: {USER_AGENT}"),
        "Accept: */*".to_owned(),
        "Connection: close".to_owned(),
        String::new(),
    ]
}

/// Reads what bash brought: two times in nanoseconds, and the packed answer between them.
pub(super) fn read(probe: &LocalProbe, told: &str) -> Result<Told, LocalError> {
    let (from, rest) = told.split_once('\n').unwrap_or_default();
    let (packed, to) = rest.trim_end().rsplit_once('\n').unwrap_or_default();
    let (Ok(from), Ok(to)) = (from.parse::<u64>(), to.parse::<u64>()) else {
        return Err(LocalError::Output("bash's times are missing"));
    };
    let elapsed = Duration::from_nanos(to.saturating_sub(from));
    let raw = answer::unpack(packed)?;
    let Some((raw, words)) = answer::last_words(&raw) else {
        let raw = raw.strip_prefix(CONNECTED).unwrap_or(&raw);
        return answer::cut(probe, raw);
    };
    let end = match raw.strip_prefix(CONNECTED) {
        Some(answer) => connected(probe, &words, answer)?,
        None => not_connected(&words)?,
    };
    Ok(Told { end, elapsed })
}

fn not_connected(LastWords { rc, said }: &LastWords) -> Result<HttpEnd, LocalError> {
    let phase = match rc {
        124 => HttpPhase::ConnectTimeout,
        _ if said.contains("refused") => HttpPhase::Refused,
        _ if said.contains("reset by peer") => HttpPhase::Reset,
        _ if said.contains("timed out") => HttpPhase::ConnectTimeout,
        _ if said.contains("route") || said.contains("nreachable") => HttpPhase::Unreachable,
        _ => return Err(LocalError::Bash(*rc, said.clone())),
    };
    Ok(failed(phase, said, 0))
}

/// What bash's status and complaints mean once the connection stood. A write that fails makes no
/// status of its own, and a broken pipe is no failure: the answer may have come.
fn connected(
    probe: &LocalProbe,
    LastWords { rc, said }: &LastWords,
    answer: &[u8],
) -> Result<HttpEnd, LocalError> {
    let bytes = answer.len() as u64;
    let phase = match (rc, bytes) {
        (_, _) if said.contains("reset by peer") => HttpPhase::Reset,
        (124, 0) => HttpPhase::FirstByteTimeout,
        (124, _) => HttpPhase::Body,
        (0, 0) => HttpPhase::NoData,
        (0, _) => return by_length(probe, answer),
        (_, _) => return Err(LocalError::Bash(*rc, said.clone())),
    };
    Ok(failed(phase, said, bytes))
}

/// Holds the body against the length that its head announces.
fn by_length(probe: &LocalProbe, raw: &[u8]) -> Result<HttpEnd, LocalError> {
    let Some((head, body)) = answer::split_head(raw) else {
        return answer::whole(probe, raw);
    };
    if head.field("transfer-encoding").is_some() {
        return Err(LocalError::Output(
            "the answer is chunked, against HTTP/1.0",
        ));
    }
    let announced = head.field("content-length").and_then(|n| n.parse().ok());
    match announced.unwrap_or(body.len()) {
        n if n > body.len() => {
            let detail = format!("{} of {n} bytes came", body.len());
            Ok(failed(HttpPhase::Body, detail, raw.len() as u64))
        }
        n => answer::whole(probe, &raw[..raw.len() - body.len() + n]),
    }
}
