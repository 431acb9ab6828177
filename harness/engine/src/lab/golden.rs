//! Saved states: a guest is booted once, and every later start goes on from there.
//!
//! A state belongs to one flavour at one address, because addresses are in the guest's memory.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;

use super::{
    boot,
    error::LabError,
    guest::{self, Machine},
    hosts::HostSpec,
    images::Image,
    net::CLIENT_MAC,
    process::ProcessId,
    progress::Progress,
    rig::Rig,
    ssh::Login,
    state,
    wait::{Deadline, wait_for},
};

/// Raised by hand when what a saved state holds changes for a reason that its key cannot see.
const FORMAT: u32 = 1;
/// Saving takes 5 s on an idle machine.
const SAVE_LIMIT: Duration = Duration::from_secs(180);
/// The commands that make later ones fast, then everything out of memory that is on disk.
const WARM_UP: &str = "rpm -qa >/dev/null; dnf -q makecache >/dev/null 2>&1; \
    curl -s -o /dev/null http://localhost/; sync; fstrim / 2>/dev/null; sync; \
    echo 3 > /proc/sys/vm/drop_caches";
const WARM_UP_LIMIT: Duration = Duration::from_secs(180);

/// A saved state, which may be there or not.
#[derive(Clone, Debug)]
pub(super) struct Golden {
    /// Memory and devices, as `migrate` wrote them.
    pub(super) state: PathBuf,
    /// The disk overlay of that moment, read-only.
    pub(super) disk: PathBuf,
    /// What it was made from; written last, so that its presence vouches for the rest.
    key_file: PathBuf,
    key: String,
    /// Where it is made.
    dir: PathBuf,
}

impl Golden {
    /// Names the saved state for a flavour at an address.
    fn of(rig: &Rig<'_>, image: &Image, octet: u8) -> Self {
        let stem = format!("{}-{octet}", image.flavour);
        let file = |suffix: &str| rig.dirs.golden().join(format!("{stem}.{suffix}"));
        let dir = rig.dirs.run().join("golden").join(&stem);
        let hardware = machine(rig, image, octet, &dir, "").hardware().join(" ");
        let key = format!(
            "format {FORMAT}\nimage {} {}\n{}\n{}\n{hardware}\nclient {CLIENT_MAC}\n",
            image.key,
            image.disk.display(),
            rig.tools.qemu_version,
            processor(rig)
        );
        Self {
            state: file("state"),
            disk: file("qcow2"),
            key_file: file("key"),
            key,
            dir,
        }
    }

    /// Says why it cannot be used; nothing if it can.
    fn objection(&self) -> Option<&'static str> {
        match fs::read_to_string(&self.key_file) {
            Err(_) => Some("there is none yet"),
            Ok(key) if key != self.key => Some("the one there is from another image or QEMU"),
            Ok(_) if !self.state.is_file() || !self.disk.is_file() => {
                Some("a part of the one there is missing")
            }
            Ok(_) => None,
        }
    }

    /// Makes sure that it will be made again.
    pub(super) fn discard(&self) -> Result<(), LabError> {
        match fs::remove_file(&self.key_file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(LabError::io("remove", &self.key_file)(error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// KVM passes this machine's processor on, so a state does not fit another one; TCG's is its own.
fn processor(rig: &Rig<'_>) -> String {
    use super::accel::Accelerator;
    match rig.accelerator {
        Accelerator::Tcg => "emulated".to_owned(),
        Accelerator::Kvm => {
            let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
            let model = text.lines().find(|line| line.starts_with("model name"));
            model.unwrap_or("unknown").to_owned()
        }
    }
}

fn machine<'a>(
    rig: &Rig<'_>,
    image: &'a Image,
    octet: u8,
    dir: &'a Path,
    name: &'a str,
) -> Machine<'a> {
    Machine {
        name,
        octet,
        image,
        accelerator: rig.accelerator,
        dir,
        state: None,
    }
}

/// Gives the saved state for a host, by a cold boot if there is no usable one.
///
/// The host's address must be free.
pub(super) fn ensure(rig: &Rig<'_>, spec: &HostSpec, image: &Image) -> Result<Golden, LabError> {
    let golden = Golden::of(rig, image, spec.octet);
    if let Some(why) = golden.objection() {
        (rig.report)(&Progress::ColdBootStarted {
            flavour: image.flavour,
            why,
        });
        golden.discard()?;
        build(rig, spec, image, &golden)?;
    }
    Ok(golden)
}

fn build(rig: &Rig<'_>, spec: &HostSpec, image: &Image, golden: &Golden) -> Result<(), LabError> {
    let deadline = Deadline::after(boot::COLD_LIMIT);
    let dir = &golden.dir;
    super::clear_dir(dir)?;
    fs::create_dir_all(rig.dirs.golden()).map_err(LabError::io("create", rig.dirs.golden()))?;
    rig.net.add_tap(spec.octet)?;
    guest::make_overlay(dir, &image.disk, "raw")?;
    let known_hosts = dir.join("known_hosts");
    let keys = super::inventory::known_hosts(spec, &image.host_keys);
    state::write_whole(&known_hosts, keys.as_bytes())?;
    let machine = machine(rig, image, spec.octet, dir, &spec.name);
    let process = machine.start(&rig.tools, rig.net)?;
    let (address, key) = (spec.address(), rig.dirs.ssh_key());
    let login = Login {
        net: rig.net,
        address: &address,
        key: &key,
        known_hosts: &known_hosts,
    };
    let saved = boot::settle(rig, &machine, process, &login, deadline)
        .and_then(|()| login.run_ok(WARM_UP, WARM_UP_LIMIT))
        .and_then(|_| save(golden, process));
    process.kill(guest::QEMU_LIMIT);
    saved?;
    let bytes = keep(golden)?;
    let (flavour, elapsed) = (image.flavour, deadline.elapsed());
    (rig.report)(&Progress::StateSaved {
        flavour,
        bytes,
        elapsed,
    });
    Ok(())
}

/// Stops the guest and writes its state beside the old one.
fn save(golden: &Golden, process: ProcessId) -> Result<(), LabError> {
    let mut monitor = guest::monitor(&golden.dir, process)?;
    monitor.execute("stop", &json!({}))?;
    // The default limit is meant for a network shared with others.
    monitor.execute(
        "migrate-set-parameters",
        &json!({ "max-bandwidth": 1u64 << 40 }),
    )?;
    let uri = format!(
        "exec:cat > {}",
        guest::shell_quote(&unfinished(&golden.state))
    );
    monitor.execute("migrate", &json!({ "uri": uri }))?;
    let deadline = Deadline::after(SAVE_LIMIT);
    let status = wait_for(deadline, Duration::from_millis(50), || {
        let status = monitor.status("query-migrate")?;
        Ok::<_, LabError>(matches!(status.as_str(), "completed" | "failed").then_some(status))
    })?;
    match status.as_deref() {
        Some("completed") => quit(monitor, process),
        Some(_) | None => Err(LabError::Qmp {
            command: "migrate".to_owned(),
            detail: status.unwrap_or_else(|| "not completed in time".to_owned()),
        }),
    }
}

/// Ends the machine in order, so that its disk is written whole.
fn quit(mut monitor: super::qmp::Qmp, process: ProcessId) -> Result<(), LabError> {
    monitor.execute("quit", &json!({}))?;
    let gone = || Ok::<_, LabError>((!process.is_running()).then_some(()));
    wait_for(
        Deadline::after(guest::QEMU_LIMIT),
        Duration::from_millis(20),
        gone,
    )?
    .ok_or_else(|| LabError::Qmp {
        command: "quit".to_owned(),
        detail: "the machine runs on".to_owned(),
    })
}

/// Puts the parts in their places, the key last; gives the size of the saved memory in bytes.
fn keep(golden: &Golden) -> Result<u64, LabError> {
    let rename =
        |from: &Path, to: &Path| fs::rename(from, to).map_err(LabError::io("rename", from));
    rename(&unfinished(&golden.state), &golden.state)?;
    rename(&guest::disk(&golden.dir), &golden.disk)?;
    fs::set_permissions(&golden.disk, fs::Permissions::from_mode(0o444))
        .map_err(LabError::io("protect", &golden.disk))?;
    let size = fs::metadata(&golden.state).map_err(LabError::io("read", &golden.state))?;
    state::write_whole(&golden.key_file, golden.key.as_bytes())?;
    Ok(size.len())
}

fn unfinished(state: &Path) -> PathBuf {
    state.with_extension("state.new")
}

/// Removes what interrupted saves left.
pub(super) fn remove_unfinished(dir: &Path) -> Result<(), LabError> {
    let entries = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    for path in entries.filter(|path| path.extension().is_some_and(|suffix| suffix == "new")) {
        fs::remove_file(&path).map_err(LabError::io("remove", &path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden(dir: &Path) -> Golden {
        Golden {
            state: dir.join("rebuild-11.state"),
            disk: dir.join("rebuild-11.qcow2"),
            key_file: dir.join("rebuild-11.key"),
            key: "now".into(),
            dir: dir.join("work"),
        }
    }

    #[test]
    fn only_a_complete_state_with_the_same_key_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let golden = golden(dir.path());
        assert_eq!(golden.objection(), Some("there is none yet"));
        fs::write(&golden.key_file, "then").unwrap();
        assert_eq!(
            golden.objection(),
            Some("the one there is from another image or QEMU")
        );
        fs::write(&golden.key_file, "now").unwrap();
        assert_eq!(
            golden.objection(),
            Some("a part of the one there is missing")
        );
        fs::write(&golden.state, "").unwrap();
        fs::write(&golden.disk, "").unwrap();
        assert_eq!(golden.objection(), None);
        golden.discard().unwrap();
        assert_eq!(golden.objection(), Some("there is none yet"));
        golden.discard().unwrap();
    }

    #[test]
    fn interrupted_saves_go_and_finished_ones_stay() {
        let dir = tempfile::tempdir().unwrap();
        let golden = golden(dir.path());
        fs::write(unfinished(&golden.state), "").unwrap();
        fs::write(&golden.state, "").unwrap();
        remove_unfinished(dir.path()).unwrap();
        assert!(golden.state.exists() && !unfinished(&golden.state).exists());
    }
}
