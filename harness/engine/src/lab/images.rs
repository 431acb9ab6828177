//! The images that guests run, and the script that makes them.

use std::{
    env,
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    command,
    dirs::LabDirs,
    error::LabError,
    hosts::Flavour,
    progress::{Progress, Report},
    wait::{Deadline, wait_for},
};

/// A build from nothing takes four minutes on two idle cores; busy ones need several times that.
const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);

/// One flavour's image.
#[derive(Clone, Debug)]
pub(super) struct Image {
    /// Whose it is.
    pub(super) flavour: Flavour,
    /// The disk, raw.
    pub(super) disk: PathBuf,
    /// The kernel.
    pub(super) kernel: PathBuf,
    /// The initial RAM disk.
    pub(super) initrd: PathBuf,
    /// The hash of everything that went into it.
    pub(super) key: String,
    /// Public host keys, each `KEYTYPE BASE64`.
    pub(super) host_keys: Vec<String>,
}

impl Image {
    /// Finds the files of a flavour; all of them must be there.
    pub(super) fn load(dirs: &LabDirs, flavour: Flavour) -> Result<Self, LabError> {
        let file = |suffix: &str| existing(dirs.images().join(format!("{flavour}.{suffix}")));
        let key_file = file("key")?;
        let host_keys_file = file("hostkeys")?;
        let ssh_key = existing(dirs.ssh_key())?;
        File::open(&ssh_key).map_err(LabError::io("read", ssh_key))?;
        Ok(Self {
            flavour,
            disk: file("raw")?,
            kernel: file("vmlinuz")?,
            initrd: file("initrd")?,
            key: lines(&key_file)?.remove(0),
            host_keys: lines(&host_keys_file)?,
        })
    }
}

/// The initial RAM disk of the accelerator probe: it prints a word and powers off.
pub(super) fn probe_initrd(dirs: &LabDirs) -> Result<PathBuf, LabError> {
    existing(dirs.images().join("probe.initrd"))
}

fn existing(path: PathBuf) -> Result<PathBuf, LabError> {
    if path.is_file() {
        Ok(path)
    } else {
        Err(LabError::ImageMissing { path })
    }
}

/// The lines of a small file, at least one.
fn lines(path: &Path) -> Result<Vec<String>, LabError> {
    let text = fs::read_to_string(path).map_err(LabError::io("read", path))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    if lines.is_empty() {
        return Err(LabError::ImageDamaged {
            path: path.to_owned(),
        });
    }
    Ok(lines)
}

/// Runs `ci/lab/build` for these flavours when there is one; the script knows what is fresh.
pub(super) fn build(
    dirs: &LabDirs,
    flavours: &[Flavour],
    report: Report<'_>,
) -> Result<(), LabError> {
    let here = env::current_dir().map_err(LabError::io("read", "."))?;
    let Some(script) = find_script(env::var_os("PATCHGATE_LAB_BUILD").map(PathBuf::from), &here)
    else {
        return Ok(());
    };
    fs::create_dir_all(dirs.logs()).map_err(LabError::io("create", dirs.logs()))?;
    report(&Progress::BuildStarted {
        script: script.clone(),
    });
    run_script(&script, dirs, flavours, report)
}

/// The script that was named, else `ci/lab/build` here or in a parent directory.
fn find_script(named: Option<PathBuf>, here: &Path) -> Option<PathBuf> {
    let named = named.filter(|path| !path.as_os_str().is_empty());
    named.or_else(|| {
        let found = here.ancestors().map(|dir| dir.join("ci/lab/build"));
        found.into_iter().find(|path| path.is_file())
    })
}

fn run_script(
    script: &Path,
    dirs: &LabDirs,
    flavours: &[Flavour],
    report: Report<'_>,
) -> Result<(), LabError> {
    let log = dirs.logs().join("build.log");
    let output = File::create(&log).map_err(LabError::io("create", &log))?;
    let errors = output.try_clone().map_err(LabError::io("open", &log))?;
    let mut child = Command::new(script)
        .args(flavours.iter().map(|flavour| flavour.as_str()))
        .env("PATCHGATE_CACHE", dirs.cache())
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .map_err(LabError::io("run", script))?;
    let mut tail = Tail::open(&log)?;
    let end = wait_for(
        Deadline::after(BUILD_LIMIT),
        Duration::from_millis(100),
        || {
            let end = child.try_wait().map_err(LabError::io("wait for", script))?;
            tail.forward(report)?;
            Ok::<_, LabError>(end)
        },
    )?;
    let status = match end {
        Some(status) if status.success() => return Ok(()),
        Some(status) => status.to_string(),
        None => stop(&mut child)?,
    };
    let script = script.to_owned();
    Err(LabError::BuildFailed {
        script,
        status,
        tail: last_lines(&log, 5),
        log,
    })
}

/// Ends a build that is over time, in order: it has mounts to undo.
fn stop(child: &mut Child) -> Result<String, LabError> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    // A refusal means that it ended just now.
    let _sent = pid.map(|pid| kill_process(pid, Signal::TERM));
    command::wait(child, "ci/lab/build", Duration::from_secs(60))?;
    Ok(format!("no end after {} s", BUILD_LIMIT.as_secs()))
}

/// The last lines of a log, for a message; empty when it cannot be read.
pub(super) fn last_lines(log: &Path, count: usize) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let clean = |line: &str| line.chars().filter(|c| !c.is_control()).collect::<String>();
    let lines: Vec<String> = text
        .lines()
        .map(clean)
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// Follows a growing log line by line.
struct Tail {
    file: File,
    path: PathBuf,
    partial: Vec<u8>,
}

impl Tail {
    fn open(path: &Path) -> Result<Self, LabError> {
        let mut file = File::open(path).map_err(LabError::io("open", path))?;
        file.seek(SeekFrom::Start(0))
            .map_err(LabError::io("read", path))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            partial: Vec::new(),
        })
    }

    fn forward(&mut self, report: Report<'_>) -> Result<(), LabError> {
        self.file
            .read_to_end(&mut self.partial)
            .map_err(LabError::io("read", &self.path))?;
        while let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            report(&Progress::BuildSaid { line });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt, sync::Mutex};

    use super::*;

    fn script(dir: &Path, text: &str) -> PathBuf {
        let path = dir.join("build");
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn dirs(dir: &Path) -> LabDirs {
        let dirs = LabDirs::below(dir).unwrap();
        fs::create_dir_all(dirs.logs()).unwrap();
        dirs
    }

    #[test]
    fn every_line_of_the_build_is_forwarded_once() {
        let dir = tempfile::tempdir().unwrap();
        let told = Mutex::new(Vec::new());
        let report = |progress: &Progress| told.lock().unwrap().push(progress.to_string());
        let script = script(
            dir.path(),
            "echo one; echo two >&2; echo \"$PATCHGATE_CACHE\" $*",
        );
        let dirs = dirs(dir.path());
        run_script(&script, &dirs, &[Flavour::Rebuild], &report).unwrap();
        let cache = format!("Images: {} rebuild", dirs.cache().display());
        assert_eq!(
            *told.lock().unwrap(),
            ["Images: one", "Images: two", &cache]
        );
    }

    #[test]
    fn a_failed_build_shows_its_last_lines_and_where_the_log_is() {
        let dir = tempfile::tempdir().unwrap();
        let script = script(dir.path(), "echo no disk; exit 4");
        let error = run_script(&script, &dirs(dir.path()), &[], &|_| ()).unwrap_err();
        assert!(
            error.to_string().ends_with("(exit status: 4)\nno disk"),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("logs/build.log"));
    }

    #[test]
    fn the_build_script_is_found_from_below() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join("a/b");
        fs::create_dir_all(&below).unwrap();
        assert_eq!(find_script(None, &below), None);
        let script = dir.path().join("ci/lab/build");
        fs::create_dir_all(script.parent().unwrap()).unwrap();
        fs::write(&script, "").unwrap();
        assert_eq!(find_script(None, &below), Some(script.clone()));
        assert_eq!(find_script(Some(PathBuf::new()), &below), Some(script));
        assert_eq!(
            find_script(Some("/other".into()), &below),
            Some("/other".into())
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = Image::load(&dirs(dir.path()), Flavour::Rebuild).unwrap_err();
        assert!(
            error.to_string().contains("images/rebuild.key` is missing"),
            "{error}"
        );
    }

    #[test]
    fn last_lines_leave_out_what_would_disturb_a_terminal() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        fs::write(&log, b"a\nb\x1b[1m\r\n\nc\xff\n").unwrap();
        assert_eq!(last_lines(&log, 2), "b[1m\nc\u{fffd}");
        assert_eq!(last_lines(&dir.path().join("none"), 2), "");
    }
}
