//! The control: the same request, made on the host itself to 127.0.0.1.
//!
//! It answers one question: does the service answer at all, when no network lies between? It is no
//! remote client and never counts as one. Nothing is installed for it: it uses the host's `curl` or,
//! for plain HTTP, `bash`. Nothing here runs anything: a probe gives the script and reads what came of
//! it. No file is written on the host, for its disk may be full; the answer comes back in base64.

mod answer;
mod bash;
mod curl;

use std::time::Duration;

use patchgate_core::observation::{
    CommandEnd, CommandSeen, HttpEnd, HttpFailure, HttpPhase, HttpSeen,
};
use reqwest::Url;

use self::answer::Told;
use super::{
    HttpRequest, ProbeError,
    http::{follow, parse_url},
    wire::Trouble,
};

/// The longest body that the control carries over, in bytes.
const BODY_CAP: u64 = 256 * 1024;
/// Room for an answer's head, in bytes.
const HEAD_CAP: u64 = 64 * 1024;
/// Runs a command whose output is the answer, and puts behind it how it ended and what it said on
/// standard error. Of curl's notes only its own (`*`) and its complaint are kept.
const PACK: &str = r#"pg_pack() {
  { pg_said=$("$@" 2>&1 >&3 3>&-); pg_rc=$?
    printf '\n@patchgate rc=%s\n' "$pg_rc"
    printf '%s\n' "$pg_said" | sed -n '/^[*]/p; /^curl:/p; /^bash:/p; /^cat:/p'
  } 3>&1 | pg_cut
}"#;
/// What separates the answer from what the tool says of it.
const MARK: &str = "\n@patchgate ";

/// A request to be made on the host.
#[derive(Clone, Debug)]
pub struct LocalProbe {
    request: HttpRequest,
    url: Url,
    followed: u8,
    spent: Duration,
}

/// What to do after an answer.
#[derive(Clone, Debug)]
pub enum Next {
    /// This is what the control saw.
    Done(HttpSeen),
    /// The answer redirects: this request is to be made.
    Again(LocalProbe),
}

/// Why the control could not be made; it says nothing of the service.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocalError {
    /// The host has no tool for it.
    #[error("no HTTP client on the host: neither curl nor, for plain HTTP, bash")]
    NoClient,
    /// The host's curl is older than 7.33 and cannot connect to 127.0.0.1 by the name that the
    /// certificate is for.
    #[error("the host's curl is too old to verify a certificate on 127.0.0.1")]
    OldCurl,
    /// The script ran out of time, or ended otherwise than it can.
    #[error("the control's script ended as {0:?}")]
    Script(CommandEnd),
    /// curl failed for a reason of its own.
    #[error("curl failed on the host with status {0}: {1}")]
    Curl(u8, String),
    /// bash failed for a reason of its own.
    #[error("bash failed on the host with status {0}: {1}")]
    Bash(u8, String),
    /// The check allows more than the control carries, and more came.
    #[error("the body is too long for the control, which carries {BODY_CAP} bytes")]
    TooLong,
    /// What the script printed is not what it prints.
    #[error("the control's output cannot be read: {0}")]
    Output(&'static str),
}

impl LocalProbe {
    /// Makes the control of a request.
    ///
    /// # Errors
    /// [`ProbeError::Url`] when the URL cannot be asked for.
    pub fn new(request: &HttpRequest) -> Result<Self, ProbeError> {
        Ok(Self {
            url: parse_url(&request.url)?,
            request: request.clone(),
            followed: 0,
            spent: Duration::ZERO,
        })
    }

    /// A POSIX `sh` script that makes the request once; it ends by itself when the deadline has
    /// passed, rounded up to a second.
    #[must_use]
    pub fn script(&self) -> String {
        let cut = self.cap() + HEAD_CAP;
        let curl = curl::script(self);
        let bash = bash::script(self);
        format!(
            "LC_ALL=C; export LC_ALL\n\
             {PACK}\n\
             pg_cut() {{ head -c {cut} | base64; }}\n\
             if command -v curl >/dev/null 2>&1; then\n{curl}\n\
             elif command -v bash >/dev/null 2>&1; then\n{bash}\n\
             else echo tool=none\n\
             fi\n"
        )
    }

    /// Reads what the script's run gave.
    ///
    /// # Errors
    /// When the control could not be made.
    pub fn read(&self, ran: &CommandSeen) -> Result<HttpSeen, LocalError> {
        if ran.end != CommandEnd::Exited(0) {
            return Err(LocalError::Script(ran.end));
        }
        if ran.dropped > 0 {
            return Err(LocalError::TooLong);
        }
        let (tool, packed) = ran.stdout.split_once('\n').unwrap_or((&ran.stdout, ""));
        let told = match tool {
            "tool=curl" => curl::read(self, &answer::unpack(packed)?)?,
            "tool=bash" => bash::read(self, packed)?,
            "tool=curl-old" => return Err(LocalError::OldCurl),
            "tool=none" => return Err(LocalError::NoClient),
            _ => return Err(LocalError::Output("it names no tool")),
        };
        Ok(self.seen(told))
    }

    /// Decides whether an answer is to be followed, as for a remote client.
    #[must_use]
    pub fn next(&self, seen: HttpSeen) -> Next {
        let HttpEnd::Answered(answer) = &seen.end else {
            return Next::Done(seen);
        };
        match follow(&self.request, &self.url, self.followed, answer) {
            Ok(Some(url)) => Next::Again(Self {
                request: self.request.clone(),
                url,
                followed: self.followed + 1,
                spent: seen.elapsed,
            }),
            Err(Trouble::Theirs(failure)) => Next::Done(HttpSeen {
                end: HttpEnd::Failed(failure),
                ..seen
            }),
            Ok(None) | Err(Trouble::Ours(_)) => Next::Done(seen),
        }
    }

    fn seen(&self, told: Told) -> HttpSeen {
        HttpSeen {
            peer: Some(format!("127.0.0.1:{}", self.port())),
            elapsed: self.spent + told.elapsed,
            end: told.end,
        }
    }

    fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(80)
    }

    /// How much of a body is let through: one byte more than is allowed shows that it is too long.
    fn cap(&self) -> u64 {
        self.request.body_limit.min(BODY_CAP) + 1
    }

    /// What is left of the deadline, in whole seconds: curl before 7.32 takes no fractions.
    fn seconds(&self) -> u64 {
        let left = self.request.deadline.saturating_sub(self.spent);
        left.as_millis().div_ceil(1000).max(1) as u64
    }

    /// The answer is longer than was let through.
    fn too_long(&self, bytes: u64) -> Result<HttpEnd, LocalError> {
        if self.request.body_limit > BODY_CAP {
            return Err(LocalError::TooLong);
        }
        let detail = format!("the body goes on after {} bytes", self.request.body_limit);
        Ok(failed(HttpPhase::BodyTooLong, detail, bytes))
    }
}

fn failed(phase: HttpPhase, detail: impl Into<String>, bytes: u64) -> HttpEnd {
    HttpEnd::Failed(HttpFailure {
        phase,
        detail: detail.into(),
        bytes,
    })
}

/// Quotes a word for `sh`.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
