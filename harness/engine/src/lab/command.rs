//! Running a program to its end with a deadline.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use super::{
    error::LabError,
    wait::{Deadline, wait_for},
};

const POLL: Duration = Duration::from_millis(10);

/// How a program ended and what it wrote.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) status: ExitStatus,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Finished {
    /// The last line of what it wrote to standard error, else its exit status.
    pub(super) fn last_words(&self) -> String {
        let line = self
            .stderr
            .lines()
            .rev()
            .find(|line| !line.trim().is_empty());
        line.map_or_else(|| self.status.to_string(), |line| line.trim().to_owned())
    }
}

/// Runs a program without input; kills it when the deadline passes.
pub(super) fn run(command: &mut Command, limit: Duration) -> Result<Finished, LabError> {
    let what = describe(command);
    // Files and not pipes: a daemon that keeps a pipe open would hold the caller.
    let stdout = tempfile::tempfile().map_err(|error| failed(&what, &error))?;
    let stderr = tempfile::tempfile().map_err(|error| failed(&what, &error))?;
    let mut child = spawn(command, &what, &stdout, &stderr)?;
    let status = wait(&mut child, &what, limit)?;
    Ok(Finished {
        status,
        stdout: read(stdout).map_err(|error| failed(&what, &error))?,
        stderr: read(stderr).map_err(|error| failed(&what, &error))?,
    })
}

/// Runs a program that must succeed and gives its standard output.
pub(super) fn run_ok(command: &mut Command, limit: Duration) -> Result<String, LabError> {
    let finished = run(command, limit)?;
    if finished.status.success() {
        return Ok(finished.stdout);
    }
    Err(LabError::Command {
        what: describe(command),
        detail: finished.last_words(),
    })
}

/// Waits for a child with a deadline; kills it when that passes.
pub(super) fn wait(child: &mut Child, what: &str, limit: Duration) -> Result<ExitStatus, LabError> {
    let status = wait_for(Deadline::after(limit), POLL, || child.try_wait())
        .map_err(|error| failed(what, &error))?;
    if let Some(status) = status {
        return Ok(status);
    }
    child
        .kill()
        .and_then(|()| child.wait())
        .map_err(|error| failed(what, &error))?;
    Err(LabError::Command {
        what: what.to_owned(),
        detail: format!("no end after {} s", limit.as_secs()),
    })
}

/// The program and its first arguments, for messages.
pub(super) fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    let text = words.join(" ");
    match text.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn spawn(
    command: &mut Command,
    what: &str,
    stdout: &File,
    stderr: &File,
) -> Result<Child, LabError> {
    let stdio = |file: &File| file.try_clone().map(Stdio::from);
    let stdout = stdio(stdout).map_err(|error| failed(what, &error))?;
    let stderr = stdio(stderr).map_err(|error| failed(what, &error))?;
    command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    command.spawn().map_err(|error| failed(what, &error))
}

fn read(mut file: File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn failed(what: &str, error: &io::Error) -> LabError {
    LabError::Command {
        what: what.to_owned(),
        detail: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    #[test]
    fn gives_what_the_program_wrote() {
        let got = run_ok(Command::new("echo").arg("word"), LIMIT).unwrap();
        assert_eq!(got, "word\n");
    }

    #[test]
    fn a_failed_program_is_told_by_its_last_words() {
        let error = run_ok(
            Command::new("sh").args(["-c", "echo first >&2; echo last >&2; exit 3"]),
            LIMIT,
        );
        let text = error.unwrap_err().to_string();
        assert!(text.ends_with("failed: last"), "{text}");
    }

    #[test]
    fn a_program_without_end_is_killed_at_the_deadline() {
        let error = run(
            Command::new("tail").args(["-f", "/dev/null"]),
            Duration::from_millis(50),
        );
        let text = error.unwrap_err().to_string();
        assert!(text.contains("no end after"), "{text}");
    }
}
