//! Logging in to a guest from the client's side, with pinned host keys.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    process::{ChildStdin, Command, Stdio},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    command::{self, Finished},
    error::LabError,
    net::{Net, Place},
    tools::tool,
    wait::{Deadline, wait_for},
};

/// How to reach one guest.
#[derive(Clone, Debug)]
pub(super) struct Login<'a> {
    /// The network.
    pub(super) net: &'a Net,
    /// The guest's address.
    pub(super) address: &'a str,
    /// The private key.
    pub(super) key: &'a Path,
    /// The file with its host keys.
    pub(super) known_hosts: &'a Path,
}

impl Login<'_> {
    /// The command that runs `words` in the guest as root; a shell if there are none.
    pub(super) fn command(&self, words: &[&str]) -> Result<Command, LabError> {
        let mut command = self.net.enter(Place::Client)?;
        // Found here and not by `nsenter`, so that both search the same directories.
        command
            .arg(tool("ssh").get_program())
            .args(["-F", "/dev/null", "-i"])
            .arg(self.key);
        for option in self.options() {
            command.args(["-o", &option]);
        }
        command.arg(format!("root@{}", self.address)).args(words);
        Ok(command)
    }

    /// A busy guest accepts a connection and then says nothing for long: hence the 30 s.
    fn options(&self) -> [String; 8] {
        [
            "IdentitiesOnly=yes".to_owned(),
            "BatchMode=yes".to_owned(),
            "StrictHostKeyChecking=yes".to_owned(),
            format!("UserKnownHostsFile=\"{}\"", self.known_hosts.display()),
            "GlobalKnownHostsFile=/dev/null".to_owned(),
            "ConnectTimeout=30".to_owned(),
            "ServerAliveInterval=15".to_owned(),
            "LogLevel=ERROR".to_owned(),
        ]
    }

    /// Runs a shell script in the guest.
    pub(super) fn run(&self, script: &str, limit: Duration) -> Result<Finished, LabError> {
        command::run(&mut self.command(&[script])?, limit)
    }

    /// Runs a shell script that must succeed, and gives its output.
    pub(super) fn run_ok(&self, script: &str, limit: Duration) -> Result<String, LabError> {
        let finished = self.run(script, limit)?;
        if finished.status.success() {
            return Ok(finished.stdout);
        }
        Err(LabError::Command {
            what: script.to_owned(),
            detail: finished.last_words(),
        })
    }

    /// Gives a restored guest the time and its name.
    ///
    /// The time is sent when the guest is seen to wait for it: the login itself takes up to
    /// seconds, and the guest's clock would be late by as much.
    pub(super) fn set_clock_and_name(&self, name: &str, limit: Duration) -> Result<(), LabError> {
        let deadline = Deadline::after(limit);
        let script = format!("echo up; read -r now && date -s \"@$now\" && hostname {name}");
        let mut command = self.command(&[&script])?;
        let failed = |error: io::Error| LabError::Command {
            what: "ssh".to_owned(),
            detail: error.to_string(),
        };
        let output = tempfile::tempfile().map_err(failed)?;
        let errors = output.try_clone().map_err(failed)?;
        let stdout = output.try_clone().map_err(failed)?;
        command.stdin(Stdio::piped()).stdout(stdout).stderr(errors);
        let mut child = command.spawn().map_err(failed)?;
        let stdin = child.stdin.take();
        let greeted = wait_for(deadline, Duration::from_millis(5), || {
            let wrote = output.metadata()?.len() > 0;
            Ok((wrote || child.try_wait()?.is_some()).then_some(()))
        });
        greeted.and_then(|_| send_time(stdin)).map_err(failed)?;
        let status = command::wait(&mut child, "ssh", deadline.left())?;
        if status.success() {
            return Ok(());
        }
        Err(LabError::Command {
            what: "ssh".to_owned(),
            detail: words_of(output),
        })
    }
}

/// Writes the time; a guest that hung up shows by its exit status.
fn send_time(stdin: Option<ChildStdin>) -> io::Result<()> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let sent = stdin.map_or(Ok(()), |mut pipe| {
        writeln!(pipe, "{:.3}", now.as_secs_f64())
    });
    match sent {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn words_of(mut file: File) -> String {
    use std::io::{Read, Seek, SeekFrom};
    let mut bytes = Vec::new();
    let read = file
        .seek(SeekFrom::Start(0))
        .and_then(|_| file.read_to_end(&mut bytes));
    let text = String::from_utf8_lossy(&bytes);
    match read {
        Ok(_) => text.lines().last().unwrap_or("no answer").trim().to_owned(),
        Err(error) => error.to_string(),
    }
}
