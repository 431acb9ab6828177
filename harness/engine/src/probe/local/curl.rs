//! The control through the host's curl, from 7.19 (Enterprise Linux 6) on.

use std::time::Duration;

use patchgate_core::observation::{HttpEnd, HttpPhase};

use super::{
    LocalError, LocalProbe, MARK,
    answer::{self, Told, word},
    failed, quote,
};
use crate::probe::http::{USER_AGENT, host, host_header};

/// What curl is to say of the transfer.
const SAY: &str = "connect=%{time_connect} first=%{time_starttransfer} total=%{time_total} \
                   body=%{size_download} head=%{size_header}";

/// The branch of the script that uses curl.
///
/// Plain HTTP goes to 127.0.0.1 with the name in `Host`, which every curl can. TLS needs the name in
/// the handshake too, hence `--resolve` (from 7.21.3; `--http1.1` is from 7.33). Without it a
/// certificate cannot be verified; where none is to be, the address does.
pub(super) fn script(probe: &LocalProbe) -> String {
    let by_address = run(probe, &by_address(probe));
    if probe.url.scheme() == "http" {
        return by_address;
    }
    let (name, port) = (host(&probe.url), probe.port());
    let resolve = quote(&format!("{name}:{port}:127.0.0.1"));
    let url = quote(probe.url.as_str());
    let by_name = run(probe, &format!("--http1.1 --resolve {resolve} {url}"));
    let otherwise = match probe.request.verify_tls {
        true => "echo tool=curl-old".to_owned(),
        false => by_address,
    };
    format!(
        "if curl -q --http1.1 --resolve {resolve} --version >/dev/null 2>&1; then\n\
         {by_name}\n\
         else\n\
         {otherwise}\n\
         fi"
    )
}

fn by_address(probe: &LocalProbe) -> String {
    let mut url = probe.url.clone();
    // A URL with a host takes any other host.
    let changed = url.set_host(Some("127.0.0.1"));
    debug_assert!(changed.is_ok(), "{url}");
    let header = quote(&format!("Host: {}", host_header(&probe.url)));
    format!("-H {header} {}", quote(url.as_str()))
}

fn run(probe: &LocalProbe, to: &str) -> String {
    let insecure = match probe.request.verify_tls {
        true => "",
        false => " -k",
    };
    let (seconds, agent) = (probe.seconds(), quote(USER_AGENT));
    let say = quote(&format!("{MARK}{SAY}\n"));
    format!(
        "echo tool=curl\n\
         {{ curl -q -g -sS -i --noproxy '*' --max-time {seconds} -A {agent}{insecure} -w {say} \
         {to} 2>&1; echo \" rc=$?\"; }} | pg_pack"
    )
}

/// What curl says of a transfer.
struct Facts {
    connected: bool,
    /// Bytes of the answer, head included.
    bytes: u64,
    total: Duration,
}

impl Facts {
    fn read(words: &str) -> Option<Self> {
        let seconds = |key| word(words, key)?.parse::<f64>().ok();
        let bytes = |key| Some(word(words, key)?.parse::<f64>().ok()? as u64);
        Some(Self {
            connected: seconds("connect")? > 0.0,
            bytes: bytes("head")? + bytes("body")?,
            total: Duration::try_from_secs_f64(seconds("total")?).ok()?,
        })
    }
}

/// Reads what curl brought.
pub(super) fn read(probe: &LocalProbe, raw: &[u8]) -> Result<Told, LocalError> {
    let Some((answer, words)) = answer::last_words(raw) else {
        return answer::cut(probe, raw);
    };
    let facts = Facts::read(&words).ok_or(LocalError::Output("curl's figures are missing"))?;
    let rc = word(&words, "rc").and_then(|rc| rc.parse().ok());
    let end = match rc.ok_or(LocalError::Output("curl's status is missing"))? {
        0 => answer::whole(probe, answer)?,
        rc => failure(rc, complaint(answer, &words), &facts)?,
    };
    Ok(Told {
        end,
        elapsed: facts.total,
    })
}

/// The first line of curl's complaint, which old versions print before the figures and new ones after.
fn complaint(answer: &[u8], words: &str) -> String {
    let line = |text: &str| {
        let from = &text[text.rfind("curl: (")?..];
        Some(from.lines().next().unwrap_or(from).trim().to_owned())
    };
    let answer = || line(&String::from_utf8_lossy(answer));
    line(words).or_else(answer).unwrap_or_default()
}

/// What curl's exit status and words mean. A handshake that gets no answer is a late first byte; curl
/// does not tell one that stalled half-way.
fn failure(rc: u8, said: String, facts: &Facts) -> Result<HttpEnd, LocalError> {
    let told = |what: &str| said.contains(what);
    let phase = match (rc, facts.bytes) {
        (6, _) => HttpPhase::Dns,
        (7, _) if told("o route") || told("nreachable") => HttpPhase::Unreachable,
        (7, _) if told("timed out") => HttpPhase::ConnectTimeout,
        // curl 7.19 gives no reason; 127.0.0.1 has hardly another.
        (7, _) => HttpPhase::Refused,
        // Old curls count in milliseconds, in which a connection to 127.0.0.1 takes none.
        (28, _) if !facts.connected && !told("Operation timed out") => HttpPhase::ConnectTimeout,
        (28, 0) => HttpPhase::FirstByteTimeout,
        (28, _) => HttpPhase::Body,
        (35 | 52 | 55 | 56, _) if told("reset by peer") || told("errno 104") => HttpPhase::Reset,
        (35, _) if told("SSL_ERROR_SYSCALL") || told("unexpected eof") => HttpPhase::NoData,
        (35 | 51 | 53 | 54 | 58 | 59 | 60 | 66 | 77 | 80 | 83 | 90 | 91, _) => HttpPhase::Tls,
        (52 | 55, _) | (56, 0) => HttpPhase::NoData,
        (1 | 8, _) => HttpPhase::Protocol,
        (56, _) if told("chunk") || told("header") => HttpPhase::Protocol,
        (18 | 56, _) => HttpPhase::Body,
        (_, _) => return Err(LocalError::Curl(rc, said)),
    };
    Ok(failed(phase, said, facts.bytes))
}
