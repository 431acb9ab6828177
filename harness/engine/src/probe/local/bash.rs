//! The control through bash's `/dev/tcp`, where the host has no curl: plain HTTP only.
//!
//! The request is HTTP/1.0, so that the answer is ended by its length or by the connection.

use std::time::Duration;

use patchgate_core::observation::{HttpEnd, HttpPhase};

use super::{
    LocalError, LocalProbe, MARK,
    answer::{self, Told, word},
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
        "trap '' PIPE; exec 3<>/dev/tcp/127.0.0.1/{port}; echo @connected; \
         printf '%s\\r\\n' \"$@\" >&3; cat <&3"
    ));
    format!(
        "echo tool=bash\n\
         {{ pg_t=$(date +%s%N); timeout {seconds} bash -c {inner} bash {lines} 2>&1; \
         printf '{mark}rc=%s from=%s to=%s' $? \"$pg_t\" \"$(date +%s%N)\"; }} | pg_pack",
        lines = lines.join(" "),
        mark = MARK.replace('\n', "\\n"),
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

/// Reads what bash brought.
pub(super) fn read(probe: &LocalProbe, raw: &[u8]) -> Result<Told, LocalError> {
    let Some((said, words)) = answer::last_words(raw) else {
        return answer::cut(probe, raw.strip_prefix(CONNECTED).unwrap_or(raw));
    };
    let number = |key| word(&words, key)?.parse::<u64>().ok();
    let (Some(rc), Some(from), Some(to)) = (number("rc"), number("from"), number("to")) else {
        return Err(LocalError::Output("bash's figures are missing"));
    };
    let end = match said.strip_prefix(CONNECTED) {
        Some(answer) => connected(probe, rc, answer)?,
        None => not_connected(rc, said)?,
    };
    Ok(Told {
        end,
        elapsed: Duration::from_nanos(to.saturating_sub(from)),
    })
}

fn not_connected(rc: u64, said: &[u8]) -> Result<HttpEnd, LocalError> {
    let said = String::from_utf8_lossy(said).trim().to_owned();
    let phase = match rc {
        124 => HttpPhase::ConnectTimeout,
        _ if said.contains("refused") => HttpPhase::Refused,
        _ if said.contains("timed out") => HttpPhase::ConnectTimeout,
        _ if said.contains("route") || said.contains("nreachable") => HttpPhase::Unreachable,
        _ => {
            return Err(LocalError::Output(
                "bash could not connect, and why is unknown",
            ));
        }
    };
    Ok(failed(phase, said, 0))
}

fn connected(probe: &LocalProbe, rc: u64, answer: &[u8]) -> Result<HttpEnd, LocalError> {
    let bytes = answer.len() as u64;
    // The complaint stands at the end; before it may be a part of an answer.
    let tail = String::from_utf8_lossy(&answer[answer.len().saturating_sub(200)..]);
    let phase = match (rc, bytes) {
        (_, _) if rc != 124 && tail.contains("onnection reset by peer") => HttpPhase::Reset,
        (124, 0) => HttpPhase::FirstByteTimeout,
        (124, _) => HttpPhase::Body,
        (0, 0) => HttpPhase::NoData,
        (0, _) => return by_length(probe, answer),
        (_, _) if tail.contains("Broken pipe") => HttpPhase::NoData,
        (_, _) => return Err(LocalError::Output("bash failed, and why is unknown")),
    };
    Ok(failed(phase, tail.trim(), bytes))
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
