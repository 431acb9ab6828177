//! Inventory executables: run once for the groups, and once a host where they tell nothing of hosts.

use std::{
    io,
    os::unix::process::CommandExt as _,
    path::{Path, absolute},
    process::{Command, Output, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use patchgate_core::inventory::{
    input::{Form, Part, Text},
    script,
};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::CliError;

/// How long one call may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs an executable with `--list`, and with `--host` for every host where that is needed.
pub(super) fn run(path: &Path) -> Result<Part, CliError> {
    run_within(path, LIMIT)
}

fn run_within(path: &Path, limit: Duration) -> Result<Part, CliError> {
    let text = output(path, &["--list"], limit)?;
    if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text.text).is_err() {
        let message = format!("`{}` did not print a JSON object", text.file);
        let hint = "Ansible wants groups there: `{\"web\": {\"hosts\": [\"web1\"]}}`";
        return Err(CliError::usage(message).hint(hint));
    }
    let mut hosts = Vec::new();
    for host in script::hosts_to_ask(&text.text) {
        let of_host = output(path, &["--host", &host], limit)?;
        hosts.push((host, of_host));
    }
    let form = Form::Script { hosts };
    Ok(Part { text, form })
}

/// What an executable prints on standard output; standard error goes through.
fn output(path: &Path, arguments: &[&str], limit: Duration) -> Result<Text, CliError> {
    let file = format!("{} {}", path.display(), arguments.join(" "));
    let failed = |why: String| CliError::usage(format!("`{file}` {why}"));
    let mut command = Command::new(absolute(path).unwrap_or_else(|_| path.to_owned()));
    command.args(arguments);
    let ended = ended(command, limit).map_err(|e| failed(format!("cannot be run: {e}")))?;
    let Some(output) = ended else {
        let why = format!(
            "did not end within {} s and was killed",
            limit.as_secs_f64()
        );
        let hint = "`ansible-inventory --list --yaml` prints what it says as a file for `-i`";
        return Err(failed(why).hint(hint));
    };
    if !output.status.success() {
        return Err(failed(format!("failed: {}", output.status)));
    }
    let text = String::from_utf8(output.stdout);
    let text = text.map_err(|_| failed("printed what is not UTF-8".to_owned()))?;
    Ok(Text { file, text })
}

/// Runs a command in a process group of its own, to its end and that of its standard output; none where
/// that took too long and all of the group was killed.
fn ended(mut command: Command, limit: Duration) -> io::Result<Option<Output>> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .process_group(0);
    let child = command.spawn()?;
    let group = Pid::from_child(&child);
    let (tell, told) = channel();
    // Whoever waits no longer is not told.
    let _waiting = thread::spawn(move || tell.send(child.wait_with_output()));
    match told.recv_timeout(limit) {
        Ok(output) => output.map(Some),
        Err(RecvTimeoutError::Timeout) => {
            // It may have ended just now.
            let _killed = kill_process_group(group, Signal::KILL);
            Ok(None)
        }
        Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("nobody waited for it")),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use rustix::fs::{Mode, OFlags};

    use super::*;

    /// What an executable of these lines is told for taking longer than a tenth of a second.
    fn too_late(lines: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let (script, pipe) = (dir.path().join("slow"), dir.path().join("pipe"));
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let text = format!("#!/bin/sh\nexec 3>{}\n{lines}", pipe.display());
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let no_wait = OFlags::NONBLOCK | OFlags::RDONLY;
        let pipe = rustix::fs::open(&pipe, no_wait, Mode::empty()).unwrap();
        let error = run_within(&script, Duration::from_millis(100)).unwrap_err();
        // The pipe ends for its reader when the last process of the group is gone.
        rustix::fs::fcntl_setfl(&pipe, OFlags::empty()).unwrap();
        let (tell, told) = channel();
        let _reading = thread::spawn(move || tell.send(rustix::io::read(pipe, &mut [0; 1])));
        let left = told.recv_timeout(Duration::from_secs(30));
        assert_eq!(left, Ok(Ok(0)), "a process of the group is alive");
        let CliError::Usage { message, hint } = error else {
            panic!("{error:?}");
        };
        assert!(hint.is_some());
        message.replace(&dir.path().display().to_string(), "")
    }

    #[test]
    fn an_executable_that_does_not_end_is_killed_with_all_that_it_began() {
        for lines in [
            "sleep 600\n",
            "sleep 600 &\nwait\n",
            "sleep 600 &\necho '{}'\n",
            "exec >&-\nsleep 600 & wait\n",
        ] {
            let wanted = "`/slow --list` did not end within 0.1 s and was killed";
            assert_eq!(too_late(lines), wanted, "{lines}");
        }
    }
}
