//! The control through the host's curl, from 7.19 (Enterprise Linux 6) on.

use std::time::Duration;

use patchgate_core::observation::HttpPhase;

use super::{
    LocalError, LocalProbe,
    answer::{self, LastWords, Told, word},
    failed, quote,
};
use crate::probe::http::{USER_AGENT, host, host_header};

/// What curl puts behind an answer.
const FIGURES: &str = "\n@figures ";
/// What curl is to say there of the transfer.
const SAY: &str = "total=%{time_total} body=%{size_download} head=%{size_header}";

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
    let say = quote(&format!("{FIGURES}{SAY}"));
    format!(
        "echo tool=curl\n\
         pg_pack curl -q -g -sS -v -i --noproxy '*' --max-time {seconds} -A {agent}{insecure} \
         -w {say} {to}"
    )
}

/// What curl says of a transfer.
struct Facts {
    /// Bytes of the answer, head included.
    bytes: u64,
    total: Duration,
}

impl Facts {
    fn read(figures: &[u8]) -> Option<Self> {
        let figures = String::from_utf8_lossy(figures);
        let number = |key| word(&figures, key)?.parse::<f64>().ok();
        Some(Self {
            bytes: (number("head")? + number("body")?) as u64,
            total: Duration::try_from_secs_f64(number("total")?).ok()?,
        })
    }
}

/// Reads what curl brought.
pub(super) fn read(probe: &LocalProbe, raw: &[u8]) -> Result<Told, LocalError> {
    let Some((raw, LastWords { rc, said })) = answer::last_words(raw) else {
        return answer::cut(probe, raw);
    };
    let figures = answer::split_last(raw, FIGURES);
    let Some((answer, facts)) = figures.and_then(|(a, f)| Some((a, Facts::read(f)?))) else {
        return Err(LocalError::Curl(rc, complaint(&said)));
    };
    let end = match rc {
        0 => answer::whole(probe, answer)?,
        rc => match phase(rc, &said, facts.bytes) {
            Some(phase) => failed(phase, complaint(&said), facts.bytes),
            None => return Err(LocalError::Curl(rc, complaint(&said))),
        },
    };
    Ok(Told {
        end,
        elapsed: facts.total,
    })
}

/// The line that is meant for people.
fn complaint(said: &str) -> String {
    let line = said.lines().find(|line| line.starts_with("curl: ("));
    line.unwrap_or(said).trim().to_owned()
}

/// What curl's exit status and notes mean; none where they say nothing of the service.
///
/// The notes tell what the status does not: why a connection failed, and whether it stood when time
/// ran out. A TLS handshake that gets no answer is a late first byte; one that stalls half-way cannot
/// be told from it.
fn phase(rc: u8, said: &str, bytes: u64) -> Option<HttpPhase> {
    let told = |what: &str| said.contains(what);
    let stood = told("Connected to") || told("... connected") || told("Operation timed out");
    Some(match (rc, bytes) {
        (6, _) => HttpPhase::Dns,
        (7, _) if told("refused") => HttpPhase::Refused,
        (7, _) if told("o route") || told("nreachable") => HttpPhase::Unreachable,
        // It stood, and was gone when curl looked.
        (7, _) if told("reset by peer") || told("not connected") => HttpPhase::Reset,
        (7, _) if told("timed out") => HttpPhase::ConnectTimeout,
        (28, _) if !stood => HttpPhase::ConnectTimeout,
        (28, 0) => HttpPhase::FirstByteTimeout,
        (28, _) => HttpPhase::Body,
        (35 | 52 | 55 | 56, _) if told("reset by peer") || told("errno 104") => HttpPhase::Reset,
        (35, _) if told("SSL_ERROR_SYSCALL") || told("unexpected eof") => HttpPhase::NoData,
        (35 | 51 | 53 | 54 | 58 | 59 | 60 | 66 | 77 | 80 | 83 | 90 | 91, _) => HttpPhase::Tls,
        (52 | 55, _) | (56, 0) => HttpPhase::NoData,
        (1 | 8, _) => HttpPhase::Protocol,
        (56, _) if told("chunk") || told("header") => HttpPhase::Protocol,
        (18 | 56, _) => HttpPhase::Body,
        (_, _) => return None,
    })
}
