//! One command on one channel, pushed on step by step without ever waiting.

use std::{
    io::{self, Read as _, Write as _},
    time::Duration,
};

use ssh2::{Channel, ErrorCode, Session};

use super::wire::again;
use crate::host::frame::Collector;

/// How many reads of one stream a step makes at most, so that an endless writer cannot keep the
/// clock from being looked at.
const READS: usize = 32;

/// libssh2: the server opens no (more) channel, as beyond `MaxSessions`.
const CHANNEL_FAILURE: i32 = -21;

/// libssh2: the server does not run the command.
const CHANNEL_REQUEST_DENIED: i32 = -22;

/// Why a step could not be made.
#[derive(Debug)]
pub(super) enum Broken {
    /// The server said no; the connection is as good as before.
    Refused(ssh2::Error),
    /// The connection is of no more use.
    Transport(String),
}

impl From<ssh2::Error> for Broken {
    fn from(error: ssh2::Error) -> Self {
        match error.code() {
            ErrorCode::Session(CHANNEL_FAILURE | CHANNEL_REQUEST_DENIED) => Self::Refused(error),
            ErrorCode::Session(_) | ErrorCode::SFTP(_) => Self::Transport(error.to_string()),
        }
    }
}

/// A command whose script goes down standard input.
pub(super) struct Exec {
    command: String,
    script: Vec<u8>,
    sent: usize,
    stage: Stage,
    channel: Option<Channel>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The channel is being opened.
    Open,
    /// The command was asked for.
    Asked,
    /// The server took the command.
    Taken,
    /// The server has sent all that it will send.
    Ended,
}

impl Exec {
    pub(super) fn new(command: &str, script: String) -> Self {
        Self {
            command: command.to_owned(),
            script: script.into_bytes(),
            sent: 0,
            stage: Stage::Open,
            channel: None,
        }
    }

    /// Goes as far as possible; says whether anything moved.
    pub(super) fn step(
        &mut self,
        session: &Session,
        sink: &mut Collector,
        at: Duration,
        buffer: &mut [u8],
    ) -> Result<bool, Broken> {
        let mut moved = self.open(session)?;
        let Some(channel) = &mut self.channel else {
            return Ok(moved);
        };
        if self.stage == Stage::Asked && again(channel.exec(&self.command))?.is_some() {
            self.stage = Stage::Taken;
            moved = true;
        }
        if self.stage == Stage::Taken {
            // Not earlier: sshd opens the window for standard input only when the command runs.
            moved |= send(channel, &self.script, &mut self.sent)?;
            moved |= pump(&mut channel.stream(0), buffer, |bytes| {
                sink.feed_stdout(bytes, at);
            })?;
            moved |= pump(&mut channel.stderr(), buffer, |bytes| {
                sink.feed_stderr(bytes);
            })?;
            if channel.eof() {
                self.stage = Stage::Ended;
                moved = true;
            }
        }
        Ok(moved)
    }

    fn open(&mut self, session: &Session) -> Result<bool, Broken> {
        if self.stage != Stage::Open {
            return Ok(false);
        }
        let Some(channel) = again(session.channel_session())? else {
            return Ok(false);
        };
        self.channel = Some(channel);
        self.stage = Stage::Asked;
        Ok(true)
    }

    /// Says whether the server has answered at all.
    pub(super) fn is_open(&self) -> bool {
        self.stage != Stage::Open
    }

    /// Says whether nothing more will come.
    pub(super) fn has_ended(&self) -> bool {
        self.stage == Stage::Ended
    }

    /// Says whether the whole script has been handed to the connection: from then on the host may
    /// be running it. A torn script runs nothing.
    pub(super) fn is_sent(&self) -> bool {
        self.sent >= self.script.len()
    }

    /// Asks for the channel's end; true when the server has agreed.
    pub(super) fn close(&mut self) -> bool {
        match &mut self.channel {
            Some(channel) => !matches!(again(channel.close()), Ok(None)),
            None => true,
        }
    }

    /// Returns the signal that ended the command's process, as sshd has told it. This is a message
    /// of its own, unlike the exit status, which libssh2 gives as 0 when it never came.
    pub(super) fn signal(&self) -> Option<String> {
        self.channel.as_ref()?.exit_signal().ok()?.exit_signal
    }
}

/// Sends what is left of the script, then its end; `sent` counts one past the script after that.
fn send(channel: &mut Channel, script: &[u8], sent: &mut usize) -> Result<bool, Broken> {
    let before = *sent;
    while *sent < script.len() {
        match unblock(channel.write(&script[*sent..]))? {
            Some(count) if count > 0 => *sent += count,
            Some(_) | None => return Ok(*sent > before),
        }
    }
    if *sent == script.len() && again(channel.send_eof())?.is_some() {
        *sent += 1;
    }
    Ok(*sent > before)
}

/// Hands over what has arrived on one stream.
fn pump(
    stream: &mut ssh2::Stream,
    buffer: &mut [u8],
    mut take: impl FnMut(&[u8]),
) -> Result<bool, Broken> {
    let mut moved = false;
    for _ in 0..READS {
        match unblock(stream.read(buffer))? {
            Some(count) if count > 0 => take(&buffer[..count]),
            Some(_) | None => break,
        }
        moved = true;
    }
    Ok(moved)
}

fn unblock(result: io::Result<usize>) -> Result<Option<usize>, Broken> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        // ssh2 turns its errors into `io::Error`s for streams; the text is all that is left.
        Err(error) => Err(Broken::Transport(error.to_string())),
    }
}
