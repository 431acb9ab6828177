//! Inventory executables: run once for the groups, and once a host where they tell nothing of hosts.

use std::{
    path::{Path, absolute},
    process::{Command, Stdio},
};

use patchgate_core::inventory::{
    input::{Form, Part, Text},
    script,
};

use crate::error::CliError;

/// Runs an executable with `--list`, and with `--host` for every host where that is needed.
pub(super) fn run(path: &Path) -> Result<Part, CliError> {
    let text = output(path, &["--list"])?;
    if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text.text).is_err() {
        let message = format!("`{}` did not print a JSON object", text.file);
        let hint = "Ansible wants groups there: `{\"web\": {\"hosts\": [\"web1\"]}}`";
        return Err(CliError::usage(message).hint(hint));
    }
    let mut hosts = Vec::new();
    for host in script::hosts_to_ask(&text.text) {
        let of_host = output(path, &["--host", &host])?;
        hosts.push((host, of_host));
    }
    let form = Form::Script { hosts };
    Ok(Part { text, form })
}

/// What an executable prints on standard output; standard error goes through.
fn output(path: &Path, arguments: &[&str]) -> Result<Text, CliError> {
    let file = format!("{} {}", path.display(), arguments.join(" "));
    let failed = |why: String| CliError::usage(format!("`{file}` {why}"));
    let mut command = Command::new(absolute(path).unwrap_or_else(|_| path.to_owned()));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = command.output();
    let output = output.map_err(|e| failed(format!("cannot be run: {e}")))?;
    if !output.status.success() {
        return Err(failed(format!("failed: {}", output.status)));
    }
    let text = String::from_utf8(output.stdout);
    let text = text.map_err(|_| failed("printed what is not UTF-8".to_owned()))?;
    Ok(Text { file, text })
}
