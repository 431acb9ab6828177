//! The real program, run in a directory of its own and with an environment that holds nothing else.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

/// A directory to run the program in; gone when dropped.
#[must_use]
pub(crate) struct Place {
    dir: tempfile::TempDir,
    /// The command that the program is started through; empty where by itself.
    through: Vec<String>,
}

/// What the program did.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code; none where a signal ended it.
    pub(crate) code: Option<i32>,
    /// Its standard output.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
}

impl Ended {
    /// Takes what a process left.
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Fails unless the program ended with this code.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout:\n{}\nstderr:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Fails unless both outputs together hold each of these texts.
    #[track_caller]
    pub(crate) fn telling(self, texts: &[&str]) -> Self {
        let all = self.all();
        for text in texts {
            assert!(all.contains(text), "`{text}` is not told:\n{all}");
        }
        self
    }

    /// Both outputs.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl Place {
    /// An empty directory, where the program is started through a command that runs what its further
    /// arguments say; by itself where there is none.
    pub(crate) fn new(command: &[&str]) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            through: command.iter().copied().map(str::to_owned).collect(),
        }
    }

    /// Writes a file.
    pub(crate) fn with(self, name: &str, text: &str) -> Self {
        fs::write(self.path(name), text).unwrap();
        self
    }

    /// The path of a file.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The text of a file.
    #[track_caller]
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// The program with these arguments, separated by spaces, ready to be started.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let program = env!("CARGO_BIN_EXE_patchgate");
        let mut words = self.through.iter().map(String::as_str).chain([program]);
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .args(arguments.split_whitespace())
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", self.dir.path())
            .env("COLUMNS", "100")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &str) -> Ended {
        Ended::of(&self.command(arguments).output().unwrap())
    }
}
