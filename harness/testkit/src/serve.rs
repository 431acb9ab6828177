//! What a web client gets, remote or on the host itself.

use std::time::Duration;

use patchgate_core::observation::{HttpAnswer, HttpEnd, HttpFailure, HttpPhase, HttpSeen};

/// What a request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// A page with this status.
    Page(u16),
    /// A failure in this phase, after this many milliseconds.
    Failed(HttpPhase, u64),
}

const BODY: &str = "patchgate works\n";

impl Served {
    /// What a client at the other end of a network sees.
    pub(crate) fn seen(self, peer: &str) -> HttpSeen {
        let (millis, end) = match self {
            Self::Page(status) => (12, HttpEnd::Answered(page(status))),
            Self::Failed(phase, millis) => (millis, HttpEnd::Failed(failure(phase))),
        };
        HttpSeen {
            peer: Some(peer.to_owned()),
            elapsed: Duration::from_millis(millis),
            end,
        }
    }

    /// What the control's script prints: curl's words, packed.
    pub(crate) fn printed(self) -> String {
        let raw = match self {
            Self::Page(status) => {
                let head = format!("HTTP/1.1 {status} X\r\nServer: Apache\r\n\r\n");
                format!(
                    "{head}{BODY}\n@figures connect=0.001 first=0.002 total=0.003 body={} head={}\n@patchgate rc=0\n",
                    BODY.len(),
                    head.len()
                )
            }
            Self::Failed(phase, millis) => {
                let (rc, words) = complaint(phase);
                let total = Duration::from_millis(millis).as_secs_f64();
                let connect = if rc == 7 { 0.0 } else { 0.001 };
                format!(
                    "\n@figures connect={connect} first=0 total={total} body=0 head=0\n@patchgate rc={rc}\ncurl: ({rc}) {words}\n"
                )
            }
        };
        format!(
            "tool=curl\n{}\n",
            openssl::base64::encode_block(raw.as_bytes())
        )
    }
}

fn page(status: u16) -> HttpAnswer {
    HttpAnswer {
        status,
        server: Some("Apache".to_owned()),
        location: None,
        bytes: BODY.len() as u64,
        sha256: None,
        contained: Vec::new(),
    }
}

fn failure(phase: HttpPhase) -> HttpFailure {
    HttpFailure {
        phase,
        detail: phase.symptom().to_owned(),
        bytes: 0,
    }
}

/// curl's status and words for the failures that a host by itself can show.
fn complaint(phase: HttpPhase) -> (u8, &'static str) {
    match phase {
        HttpPhase::Refused => (7, "Failed to connect: Connection refused"),
        HttpPhase::FirstByteTimeout => (28, "Operation timed out with 0 bytes received"),
        HttpPhase::NoData => (52, "Empty reply from server"),
        HttpPhase::Reset => (56, "Recv failure: Connection reset by peer"),
        HttpPhase::Dns
        | HttpPhase::ConnectTimeout
        | HttpPhase::Unreachable
        | HttpPhase::Tls
        | HttpPhase::Body
        | HttpPhase::BodyTooLong
        | HttpPhase::Protocol
        | HttpPhase::Redirect => (7, "Failed to connect: Connection timed out"),
    }
}
