//! Starting one host from its saved state, and clearing what an earlier start left.

use std::{fs, path::Path, time::Duration};

use jiff::Timestamp;
use serde_json::json;

use super::{
    boot, clear_dir,
    dirs::LabDirs,
    error::LabError,
    golden::{self, Golden},
    guest::{self, Machine},
    hosts::HostSpec,
    images::Image,
    inventory,
    process::{self, ProcessId},
    progress::Progress,
    rig::Rig,
    ssh::Login,
    state::{self, HostRecord},
    wait::{Deadline, wait_for},
};

/// Ends the host's machine, if any, and starts it clean; gives the time from the end to ready.
pub(super) fn start(rig: &Rig<'_>, spec: &HostSpec) -> Result<Duration, LabError> {
    let image = Image::load(rig.dirs, spec.flavour)?;
    clear(rig.dirs, spec);
    // From here on `status` knows the host, also while its saved state is made.
    record(rig, spec, &image)?;
    let mut golden = golden::ensure(rig, spec, &image)?;
    let mut clock = Deadline::after(boot::COLD_LIMIT);
    if let Err(error) = restore(rig, spec, &image, &golden) {
        if !is_refusal(&error) {
            return Err(error);
        }
        let (host, detail) = (spec.name.clone(), error.to_string());
        (rig.report)(&Progress::StateRefused { host, detail });
        golden.discard()?;
        clear(rig.dirs, spec);
        golden = golden::ensure(rig, spec, &image)?;
        clock = Deadline::after(boot::COLD_LIMIT);
        restore(rig, spec, &image, &golden)?;
    }
    let (host, address, elapsed) = (spec.name.clone(), spec.address(), clock.elapsed());
    (rig.report)(&Progress::HostReady {
        host,
        address,
        elapsed,
    });
    Ok(elapsed)
}

/// Whether QEMU itself did not take the state; a guest that is silent would be so again.
fn is_refusal(error: &LabError) -> bool {
    matches!(error, LabError::Qmp { .. })
}

/// Ends every machine of this lab on the host's tap, recorded or not.
fn clear(dirs: &LabDirs, spec: &HostSpec) {
    for process in process::on_tap(&dirs.run(), spec.octet) {
        process.kill(guest::QEMU_LIMIT);
    }
}

fn restore(rig: &Rig<'_>, spec: &HostSpec, image: &Image, golden: &Golden) -> Result<(), LabError> {
    let mut record = record(rig, spec, image)?;
    let process = resume(rig, spec, image, golden, &rig.dirs.host(&spec.name))?;
    record.ready = Some(process);
    record.save(rig.dirs)
}

/// Empties the host's directory and writes that it is being started.
fn record(rig: &Rig<'_>, spec: &HostSpec, image: &Image) -> Result<HostRecord, LabError> {
    clear_dir(&rig.dirs.host(&spec.name))?;
    let record = HostRecord {
        spec: spec.clone(),
        accelerator: rig.accelerator,
        since: Timestamp::now(),
        host_keys: image.host_keys.clone(),
        ready: None,
    };
    record.save(rig.dirs)?;
    Ok(record)
}

fn resume(
    rig: &Rig<'_>,
    spec: &HostSpec,
    image: &Image,
    golden: &Golden,
    dir: &Path,
) -> Result<ProcessId, LabError> {
    let known_hosts = dir.join("known_hosts");
    let keys = inventory::known_hosts(spec, &image.host_keys);
    state::write_whole(&known_hosts, keys.as_bytes())?;
    guest::make_overlay(dir, &golden.disk, "qcow2")?;
    rig.net.add_tap(spec.octet)?;
    let (name, octet, accelerator) = (spec.name.as_str(), spec.octet, rig.accelerator);
    let state = Some(golden.state.as_path());
    let machine = Machine {
        name,
        octet,
        image,
        accelerator,
        dir,
        state,
    };
    let process = machine.start(&rig.tools, rig.net)?;
    run_on(dir, process)?;
    let (address, key) = (spec.address(), rig.dirs.ssh_key());
    let login = Login {
        net: rig.net,
        address: &address,
        key: &key,
        known_hosts: &known_hosts,
    };
    boot::wake(&machine, process, &login)?;
    Ok(process)
}

/// Waits until the state is loaded, and lets the guest go on.
fn run_on(dir: &Path, process: ProcessId) -> Result<(), LabError> {
    let mut monitor = guest::monitor(dir, process)?;
    let deadline = Deadline::after(boot::RESTORE_LIMIT);
    let loaded = wait_for(deadline, Duration::from_millis(20), || {
        let status = monitor.status("query-status")?;
        Ok::<_, LabError>((status != "inmigrate").then_some(status))
    })?;
    match loaded.as_deref() {
        Some("running") => Ok(()),
        Some(_) => monitor.execute("cont", &json!({})).map(drop),
        None => Err(LabError::Qmp {
            command: "incoming migration".to_owned(),
            detail: "not completed in time".to_owned(),
        }),
    }
}

/// Moves a host's console log to where it outlives the host.
pub(super) fn keep_console(dirs: &LabDirs, dir: &Path, name: &str) -> Result<(), LabError> {
    let console = guest::console(dir);
    if !console.exists() {
        return Ok(());
    }
    fs::create_dir_all(dirs.logs()).map_err(LabError::io("create", dirs.logs()))?;
    let kept = dirs.logs().join(format!("console-{name}.log"));
    fs::rename(&console, &kept).map_err(LabError::io("keep", &console))
}
