//! The check kind `command`: a command on the host, its exit status and its output.
//!
//! ```yaml
//! - id: config-syntax
//!   command:
//!     run: httpd -t 2>&1         # for `sh`, on the host
//!     exit: 0                    # 0 unless said
//!     stdout: { contains: Syntax OK }
//!     within: 10s
//! ```

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
        let exit = reader.or_default("exit", 0, read_exit);
        let stdout_contains = reader.or_default("stdout", Vec::new(), read_stdout);
        Some(Self {
            run: run?,
            exit: exit?,
            stdout_contains: stdout_contains?,
        })
    }
}

fn read_exit(field: &Field<'_>) -> Option<u8> {
    u8::try_from(field.integer(0..=255)?).ok()
}

fn read_run(field: &Field<'_>) -> Option<String> {
    field.parsed("a script of at most 64 KiB for `sh`", |text| {
        let fine = !text.trim().is_empty() && text.len() <= MAX_SCRIPT && !text.contains('\0');
        fine.then(|| text.to_owned())
    })
}

fn read_stdout(field: &Field<'_>) -> Option<Vec<String>> {
    let reader = field.map("`stdout`")?;
    let contains = reader.or_default("contains", Vec::new(), |field| {
        let items = field.list_or_one();
        let read: Vec<_> = items.iter().map(|f| f.text().map(str::to_owned)).collect();
        read.into_iter().collect()
    });
    reader.not_built(&["lacks", "matches", "json"]);
    reader.finish();
    contains
}
