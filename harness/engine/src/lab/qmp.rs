//! QEMU's machine monitor: one JSON object a line over a UNIX socket.
//!
//! Protocol: <https://www.qemu.org/docs/master/interop/qmp-spec.html>.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    error::LabError,
    process::ProcessId,
    wait::{Deadline, wait_for},
};

/// An open monitor connection.
#[derive(Debug)]
pub(super) struct Qmp {
    stream: BufReader<UnixStream>,
}

impl Qmp {
    /// Connects to the machine of a process; every later answer must come within `limit` as well.
    pub(super) fn connect(
        socket: &Path,
        machine: ProcessId,
        limit: Duration,
    ) -> Result<Self, LabError> {
        let connect = || match UnixStream::connect(socket) {
            Ok(stream) => Ok(Some(stream)),
            Err(_) if machine.is_running() => Ok(None),
            Err(_) => Err(failed("connect", "the machine ended")),
        };
        let stream = wait_for(Deadline::after(limit), Duration::from_millis(20), connect)?
            .ok_or_else(|| failed("connect", "nobody listens"))?;
        stream
            .set_read_timeout(Some(limit))
            .map_err(|error| failed("connect", &error.to_string()))?;
        let mut monitor = Self {
            stream: BufReader::new(stream),
        };
        monitor.read("greeting")?;
        monitor.execute("qmp_capabilities", &json!({}))?;
        Ok(monitor)
    }

    /// Runs one command and gives its return value; events in between are passed over.
    pub(super) fn execute(&mut self, command: &str, arguments: &Value) -> Result<Value, LabError> {
        let line = format!(
            "{}\n",
            json!({ "execute": command, "arguments": arguments })
        );
        self.stream
            .get_mut()
            .write_all(line.as_bytes())
            .map_err(|error| failed(command, &error.to_string()))?;
        loop {
            if let Some(answer) = answer(command, &self.read(command)?)? {
                return Ok(answer);
            }
        }
    }

    /// The string under `status` of a query command.
    pub(super) fn status(&mut self, query: &str) -> Result<String, LabError> {
        let answer = self.execute(query, &json!({}))?;
        Ok(answer
            .get("status")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned())
    }

    fn read(&mut self, command: &str) -> Result<Value, LabError> {
        let mut line = String::new();
        let length = self
            .stream
            .read_line(&mut line)
            .map_err(|error| failed(command, &error.to_string()))?;
        if length == 0 {
            return Err(failed(command, "the machine ended"));
        }
        serde_json::from_str(&line).map_err(|error| failed(command, &error.to_string()))
    }
}

/// The return value of one message; `None` for an event.
fn answer(command: &str, message: &Value) -> Result<Option<Value>, LabError> {
    if let Some(error) = message.get("error") {
        let text = error
            .get("desc")
            .and_then(Value::as_str)
            .unwrap_or("refused");
        return Err(failed(command, text));
    }
    Ok(message.get("return").cloned())
}

fn failed(command: &str, detail: &str) -> LabError {
    LabError::Qmp {
        command: command.to_owned(),
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixListener, thread};

    use super::*;

    fn me() -> ProcessId {
        ProcessId::of(std::process::id()).unwrap()
    }

    #[test]
    fn nobody_waits_for_the_monitor_of_a_dead_machine() {
        let dir = tempfile::tempdir().unwrap();
        let dead = ProcessId {
            start: me().start + 1,
            ..me()
        };
        let error = Qmp::connect(&dir.path().join("qmp"), dead, Duration::from_secs(3600));
        assert!(
            error
                .unwrap_err()
                .to_string()
                .ends_with("the machine ended")
        );
    }

    fn scripted(lines: &'static [&'static str]) -> Result<Value, LabError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("qmp");
        let listener = UnixListener::bind(&path).unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            stream.write_all(text.as_bytes()).unwrap();
            let mut read = BufReader::new(stream);
            let mut line = String::new();
            while read.read_line(&mut line).is_ok_and(|n| n > 0) && line.lines().count() < 2 {}
        });
        let result = Qmp::connect(&path, me(), Duration::from_secs(20))
            .and_then(|mut monitor| monitor.execute("query-status", &json!({})));
        server.join().unwrap();
        result
    }

    #[test]
    fn events_between_command_and_answer_are_passed_over() {
        let got = scripted(&[
            r#"{"QMP":{"version":{}}}"#,
            r#"{"return":{}}"#,
            r#"{"event":"RESUME"}"#,
            r#"{"return":{"status":"running"}}"#,
        ]);
        assert_eq!(got.unwrap()["status"], "running");
    }

    #[test]
    fn a_refusal_is_told_in_the_monitors_words() {
        let got = scripted(&[
            r#"{"QMP":{"version":{}}}"#,
            r#"{"return":{}}"#,
            r#"{"error":{"class":"GenericError","desc":"no such thing"}}"#,
        ]);
        assert!(got.unwrap_err().to_string().ends_with("no such thing"));
    }

    #[test]
    fn a_closed_monitor_is_an_error_and_not_a_hang() {
        let got = scripted(&[r#"{"QMP":{"version":{}}}"#, r#"{"return":{}}"#]);
        assert!(got.unwrap_err().to_string().contains("query-status"));
    }
}
