//! The check kind `command`: a command on the host, its exit status and its output.

use serde::{Deserialize, Serialize};

use crate::source::reader::{Field, Reader};

/// The longest script, in bytes: it travels on one line of `sh`.
const MAX_SCRIPT: usize = 64 << 10;

/// A command and what it must do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The script, run by `/bin/sh` with a clean environment.
    pub run: String,
    /// The expected exit status.
    pub exit: u8,
    /// What standard output must hold, each of them.
    pub stdout_contains: Vec<String>,
}

impl Command {
    /// Reads the map under `command:`, all but `within`.
    pub(super) fn read(reader: &Reader<'_>) -> Option<Self> {
        let run = reader.required("run").and_then(|f| read_run(&f));
        let exit = reader.optional("exit");
        let stdout = reader.optional("stdout");
        reader.not_built(&["stderr", "stdin", "user", "env"]);
        Some(Self {
            exit: exit.map_or(Some(0), |f| u8::try_from(f.integer(0..=255)?).ok())?,
            stdout_contains: stdout.map_or(Some(Vec::new()), |f| read_stdout(&f))?,
            run: run?,
        })
    }
}

fn read_run(field: &Field<'_>) -> Option<String> {
    field.parsed("a script of at most 64 KiB for `sh`", |text| {
        let fine = !text.trim().is_empty() && text.len() <= MAX_SCRIPT && !text.contains('\0');
        fine.then(|| text.to_owned())
    })
}

fn read_stdout(field: &Field<'_>) -> Option<Vec<String>> {
    let reader = field.map("`stdout`")?;
    let contains = reader.optional("contains");
    reader.not_built(&["is", "lacks", "matches", "json"]);
    reader.finish();
    let items = contains.map_or_else(Vec::new, |f| f.list_or_one());
    items.iter().map(|f| f.text().map(str::to_owned)).collect()
}
