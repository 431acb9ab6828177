//! The programs that the lab calls, and whether this machine can run it.

use std::{
    env,
    ffi::OsStr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::{command, error::LabError};

/// Directories that are searched after PATH: a user's PATH often has no `sbin`.
const MORE_DIRS: [&str; 4] = ["/usr/sbin", "/sbin", "/usr/bin", "/usr/libexec"];

/// Every program besides QEMU's machine, with the packages that bring it.
const TOOLS: [(&str, &str); 5] = [
    (
        "qemu-img",
        "qemu-utils (Debian, Ubuntu) or qemu-img (Enterprise Linux, Fedora)",
    ),
    (
        "ip",
        "iproute2 (Debian, Ubuntu) or iproute (Enterprise Linux, Fedora)",
    ),
    ("nsenter", "util-linux"),
    ("setsid", "util-linux"),
    (
        "ssh",
        "openssh-client (Debian, Ubuntu) or openssh-clients (Enterprise Linux, Fedora)",
    ),
];

/// What was found on this machine.
#[derive(Clone, Debug)]
pub(super) struct Tools {
    /// QEMU's machine.
    pub(super) qemu: PathBuf,
    /// Its first line of `--version`.
    pub(super) qemu_version: String,
}

impl Tools {
    /// Looks for everything; the first thing that is missing is the error.
    pub(super) fn find() -> Result<Self, LabError> {
        check_platform(env::consts::OS, env::consts::ARCH)?;
        let path = env::var_os("PATH").unwrap_or_default();
        let find = |names: &[&str]| search(names, &path);
        let qemu = find(&["qemu-system-x86_64", "qemu-kvm"]).ok_or(LabError::ToolMissing {
            tool: "qemu-system-x86_64",
            packages: "qemu-system-x86 (Debian, Ubuntu), qemu-kvm (Enterprise Linux) or \
                       qemu-system-x86-core (Fedora)",
        })?;
        for (tool, packages) in TOOLS {
            find(&[tool]).ok_or(LabError::ToolMissing { tool, packages })?;
        }
        let version = command::run_ok(
            Command::new(&qemu).arg("--version"),
            Duration::from_secs(30),
        )?;
        let qemu_version = version.lines().next().unwrap_or_default().to_owned();
        Ok(Self { qemu, qemu_version })
    }
}

fn check_platform(os: &'static str, arch: &'static str) -> Result<(), LabError> {
    match (os, arch) {
        ("linux", "x86_64") => Ok(()),
        (os, arch) => Err(LabError::Platform { os, arch }),
    }
}

/// The first of `names` in PATH, then in the further directories.
fn search(names: &[&str], path: &OsStr) -> Option<PathBuf> {
    let dirs: Vec<PathBuf> = env::split_paths(path)
        .chain(MORE_DIRS.map(PathBuf::from))
        .collect();
    let files = names
        .iter()
        .flat_map(|name| dirs.iter().map(move |dir| dir.join(name)));
    files.into_iter().find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// A command for a tool of the list, found where [`Tools::find`] looks.
pub(super) fn tool(name: &str) -> Command {
    let path = env::var_os("PATH").unwrap_or_default();
    Command::new(search(&[name], &path).unwrap_or_else(|| PathBuf::from(name)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_linux_on_x86_64_will_do() {
        assert!(check_platform("linux", "x86_64").is_ok());
        let error = check_platform("macos", "aarch64").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the lab needs Linux on x86-64, and this is macos on aarch64"
        );
        assert!(error.hint().unwrap().contains("inventory"));
    }

    #[test]
    fn a_file_that_cannot_be_run_is_no_program() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("lab-test-tool");
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(search(&["lab-test-tool"], dir.path().as_os_str()), None);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(
            search(&["lab-test-tool"], dir.path().as_os_str()),
            Some(file)
        );
    }
}
