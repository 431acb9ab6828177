//! One machine: its QEMU arguments, its start, its files.

use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    accel::Accelerator,
    command,
    error::LabError,
    images::{self, Image},
    net::{Net, Place, tap},
    process::ProcessId,
    qmp::Qmp,
    tools::{Tools, tool},
};

/// Guests use 200 MiB of it; the rest keeps dnf from swapping.
const MEMORY_MIB: &str = "768";
/// How long QEMU may take to start and to answer its monitor on a busy machine.
pub(super) const QEMU_LIMIT: Duration = Duration::from_secs(60);
/// Room in `sockaddr_un` without the closing NUL, see unix(7).
const SOCKET_PATH_MAX: usize = 107;

/// What a machine is to be.
#[derive(Clone, Debug)]
pub(super) struct Machine<'a> {
    /// Its host name.
    pub(super) name: &'a str,
    /// Last byte of its addresses.
    pub(super) octet: u8,
    /// What it runs.
    pub(super) image: &'a Image,
    /// How it runs.
    pub(super) accelerator: Accelerator,
    /// Its directory.
    pub(super) dir: &'a Path,
    /// The saved state that it goes on from; a cold boot without one.
    pub(super) state: Option<&'a Path>,
}

/// The disk overlay in a machine's directory.
pub(super) fn disk(dir: &Path) -> PathBuf {
    dir.join("disk.qcow2")
}

/// The console log in a machine's directory.
pub(super) fn console(dir: &Path) -> PathBuf {
    dir.join("console.log")
}

fn socket(dir: &Path) -> PathBuf {
    dir.join("qmp")
}

fn pid_file(dir: &Path) -> PathBuf {
    dir.join("pid")
}

/// Opens the monitor of the machine in a directory.
pub(super) fn monitor(dir: &Path, machine: ProcessId) -> Result<Qmp, LabError> {
    Qmp::connect(&socket(dir), machine, QEMU_LIMIT)
}

/// Makes an empty disk overlay on a backing file.
pub(super) fn make_overlay(dir: &Path, backing: &Path, format: &str) -> Result<(), LabError> {
    let mut command = tool("qemu-img");
    command
        .args(["create", "-q", "-f", "qcow2", "-F", format, "-b"])
        .arg(backing);
    command::run_ok(command.arg(disk(dir)), QEMU_LIMIT).map(drop)
}

impl Machine<'_> {
    /// Starts it as a daemon on its tap, which must be there; the disk overlay as well.
    pub(super) fn start(&self, tools: &Tools, net: &Net) -> Result<ProcessId, LabError> {
        let socket = socket(self.dir);
        let length = socket.as_os_str().as_bytes().len();
        if length > SOCKET_PATH_MAX {
            return Err(LabError::PathTooLong {
                path: socket,
                length,
            });
        }
        let mut command = net.enter(Place::Guests)?;
        command.arg(&tools.qemu).args(self.arguments());
        let finished = command::run(&mut command, QEMU_LIMIT)?;
        let pid = fs::read_to_string(pid_file(self.dir)).ok();
        let process = pid.and_then(|pid| ProcessId::of(pid.trim().parse().ok()?));
        match process {
            Some(process) if finished.status.success() => Ok(process),
            Some(_) | None => Err(self.refused(finished.last_words())),
        }
    }

    fn refused(&self, detail: String) -> LabError {
        if detail.contains("busy") {
            let address = format!("10.77.0.{}", self.octet);
            return LabError::AddressInUse { address, detail };
        }
        LabError::Command {
            what: format!("qemu for {}", self.name),
            detail,
        }
    }

    /// The arguments that a saved state depends on, with the paths in them.
    pub(super) fn hardware(&self) -> Vec<String> {
        let text = |path: &Path| path.display().to_string();
        let mut words = Words::default();
        words
            .pair("-machine", "q35")
            .pair("-accel", self.accelerator.argument());
        words
            .pair("-cpu", "max")
            .pair("-m", MEMORY_MIB)
            .pair("-smp", "1");
        words.flag("-nodefaults").pair("-display", "none");
        words.pair("-kernel", &text(&self.image.kernel));
        words.pair("-initrd", &text(&self.image.initrd));
        let tap = tap(self.octet);
        words.pair(
            "-netdev",
            &format!("tap,id=n0,ifname={tap},script=no,downscript=no"),
        );
        let mac = format!("52:54:00:77:00:{:02x}", self.octet);
        words.pair("-device", &format!("virtio-net-pci,netdev=n0,mac={mac}"));
        words.pair("-object", "rng-random,id=r0,filename=/dev/urandom");
        words.pair("-device", "virtio-rng-pci,rng=r0");
        words.0
    }

    /// All arguments.
    fn arguments(&self) -> Vec<String> {
        let file = |path: PathBuf| option_path(&path);
        let mut words = Words(self.hardware());
        words
            .pair("-name", self.name)
            .pair("-append", &self.kernel_command_line());
        let disk = file(disk(self.dir));
        words.pair(
            "-drive",
            &format!("file={disk},if=virtio,format=qcow2,cache=unsafe,discard=unmap"),
        );
        // Appended, so that a reset does not take the console's history away.
        let console = file(console(self.dir));
        words.pair(
            "-chardev",
            &format!("file,id=console,path={console},append=on"),
        );
        words.pair("-serial", "chardev:console");
        words.pair(
            "-qmp",
            &format!("unix:{},server=on,wait=off", file(socket(self.dir))),
        );
        words
            .flag("-daemonize")
            .pair("-pidfile", &pid_file(self.dir).display().to_string());
        words.pair("-D", &self.dir.join("qemu.log").display().to_string());
        if let Some(state) = self.state {
            words.pair("-incoming", &format!("exec:cat {}", shell_quote(state)));
        }
        words.0
    }

    fn kernel_command_line(&self) -> String {
        let Self { name, octet, .. } = self;
        format!(
            "root=/dev/vda rw console=ttyS0 security=selinux selinux=1 enforcing=1 audit=1 \
             audit_backlog_limit=8192 net.ifnames=0 quiet \
             ip=10.77.0.{octet}::10.77.0.1:255.255.255.0:{name}:eth0:none systemd.hostname={name}"
        )
    }

    /// Says that this machine did not do something, with the end of its console.
    pub(super) fn silent(&self, problem: String, elapsed: Duration) -> LabError {
        let console = console(self.dir);
        let tail = images::last_lines(&console, 6);
        LabError::Guest {
            host: self.name.to_owned(),
            problem,
            elapsed,
            tail,
            console,
        }
    }
}

/// A growing command line.
#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    fn pair(&mut self, option: &str, value: &str) -> &mut Self {
        self.flag(option).flag(value)
    }

    fn flag(&mut self, word: &str) -> &mut Self {
        self.0.push(word.to_owned());
        self
    }
}

/// A path inside a comma-separated QEMU option, where a comma is written twice.
pub(super) fn option_path(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

/// A path as one word of a shell command.
pub(super) fn shell_quote(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{super::hosts::Flavour, *};

    fn image() -> Image {
        Image {
            flavour: Flavour::Rebuild,
            disk: "/i/rebuild.raw".into(),
            kernel: "/i/rebuild.vmlinuz".into(),
            initrd: "/i/rebuild.initrd".into(),
            key: "k".into(),
            host_keys: vec!["ssh-ed25519 AAAA".into()],
        }
    }

    fn arguments(dir: &str, state: Option<&str>) -> String {
        let image = image();
        let machine = Machine {
            name: "lab-rebuild",
            octet: 11,
            image: &image,
            accelerator: Accelerator::Tcg,
            dir: Path::new(dir),
            state: state.map(Path::new),
        };
        machine.arguments().join(" ")
    }

    #[test]
    fn a_cold_boot_has_every_argument_that_the_lab_needs() {
        let text = arguments("/r", None);
        for part in [
            "-accel tcg,thread=multi,tb-size=256 -cpu max -m 768 -smp 1 -nodefaults",
            "-netdev tap,id=n0,ifname=tap11,script=no,downscript=no",
            "virtio-net-pci,netdev=n0,mac=52:54:00:77:00:0b",
            "security=selinux selinux=1 enforcing=1 audit=1",
            "ip=10.77.0.11::10.77.0.1:255.255.255.0:lab-rebuild:eth0:none",
            "-drive file=/r/disk.qcow2,if=virtio,format=qcow2,cache=unsafe",
            "path=/r/console.log,append=on",
            "-daemonize -pidfile /r/pid",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(!text.contains("-incoming"), "{text}");
    }

    #[test]
    fn guests_get_no_user_mode_network() {
        let text = arguments("/r", None);
        assert!(
            !text.contains("user,") && !text.contains("hostfwd"),
            "{text}"
        );
    }

    #[test]
    fn unusual_paths_reach_qemu_and_the_shell_whole() {
        let text = arguments("/a,b", Some("/it's here"));
        assert!(text.contains("file=/a,,b/disk.qcow2,if="), "{text}");
        assert!(
            text.ends_with(r"-incoming exec:cat '/it'\''s here'"),
            "{text}"
        );
    }

    #[test]
    fn the_hardware_is_the_same_for_a_cold_boot_and_a_restore() {
        let image = image();
        let cold = Machine {
            name: "a",
            octet: 11,
            image: &image,
            accelerator: Accelerator::Tcg,
            dir: Path::new("/r/a"),
            state: None,
        };
        let warm = Machine {
            name: "b",
            dir: Path::new("/r/b"),
            state: Some(Path::new("/s")),
            ..cold.clone()
        };
        assert_eq!(cold.hardware(), warm.hardware());
        assert_ne!(
            cold.hardware(),
            Machine {
                octet: 12,
                ..cold.clone()
            }
            .hardware()
        );
    }
}
