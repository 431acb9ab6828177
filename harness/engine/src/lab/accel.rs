//! Which accelerator guests get: KVM only where it was seen to boot the guests' own kernel.
//!
//! A device that opens proves nothing: there are machines where `/dev/kvm` answers, a boot sector
//! even runs, and no kernel ever reaches user space.

use std::{
    fmt,
    fs::{self, File},
    path::Path,
    process::Command,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    command,
    dirs::LabDirs,
    error::LabError,
    images::{self, Image},
    tools::Tools,
};

/// Emulation needs 2 s for the probe, so an accelerator that needs 5 s is none.
const PROBE_LIMIT: Duration = Duration::from_secs(5);
/// What the probe's initial RAM disk prints from user space.
const PROBE_WORD: &str = "PROBE-UP";

/// How QEMU runs a guest's processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accelerator {
    /// The processor's own virtualisation.
    Kvm,
    /// Emulation.
    Tcg,
}

impl Accelerator {
    /// The value of QEMU's `-accel`.
    ///
    /// Without a limit TCG's translation cache doubles the memory of a small guest.
    pub(super) fn argument(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg,thread=multi,tb-size=256",
        }
    }
}

impl fmt::Display for Accelerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kvm => "KVM",
            Self::Tcg => "emulation (TCG)",
        })
    }
}

/// The kept answer of a probe.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    key: String,
    accelerator: Accelerator,
}

/// Chooses the accelerator: from the kept answer, else by a probe.
pub(super) fn choose(
    dirs: &LabDirs,
    tools: &Tools,
    image: &Image,
) -> Result<Accelerator, LabError> {
    if File::options()
        .read(true)
        .write(true)
        .open("/dev/kvm")
        .is_err()
    {
        return Ok(Accelerator::Tcg);
    }
    let key = key(&tools.qemu_version, &image.key);
    let file = dirs.accelerator();
    let kept = fs::read(&file)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    if let Some(Answer { accelerator, .. }) = kept.filter(|answer: &Answer| answer.key == key) {
        return Ok(accelerator);
    }
    let accelerator = probe(dirs, tools, image)?;
    let text = serde_json::to_vec(&Answer { key, accelerator }).expect("two strings serialise");
    fs::write(&file, text).map_err(LabError::io("write", &file))?;
    Ok(accelerator)
}

/// The answer holds for one QEMU, one guest kernel and one boot of this machine.
fn key(qemu_version: &str, image_key: &str) -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    format!("{qemu_version} {image_key} {}", boot.trim())
}

fn probe(dirs: &LabDirs, tools: &Tools, image: &Image) -> Result<Accelerator, LabError> {
    let dir = dirs.run().join("probe");
    fs::create_dir_all(&dir).map_err(LabError::io("create", &dir))?;
    let console = dir.join("console.log");
    let mut command = Command::new(&tools.qemu);
    command.args(arguments(image, &images::probe_initrd(dirs)?, &console));
    // Its end in time and its exit status prove nothing; only the printed word does.
    let ended = command::run(&mut command, PROBE_LIMIT);
    let text = fs::read(&console).unwrap_or_default();
    let booted = ended.is_ok() && String::from_utf8_lossy(&text).contains(PROBE_WORD);
    fs::remove_dir_all(&dir).map_err(LabError::io("remove", &dir))?;
    Ok(if booted {
        Accelerator::Kvm
    } else {
        Accelerator::Tcg
    })
}

fn arguments(image: &Image, initrd: &Path, console: &Path) -> Vec<String> {
    let console = super::guest::option_path(console);
    let text = |path: &Path| path.display().to_string();
    let mut words: Vec<String> = [
        "-machine",
        "q35",
        "-accel",
        "kvm",
        "-cpu",
        "max",
        "-m",
        "128",
        "-nodefaults",
    ]
    .map(str::to_owned)
    .to_vec();
    words.extend(["-display", "none", "-no-reboot", "-serial"].map(str::to_owned));
    words.push(format!("file:{console}"));
    words.extend([
        "-kernel".to_owned(),
        text(&image.kernel),
        "-initrd".to_owned(),
        text(initrd),
    ]);
    words.extend(["-append", "console=ttyS0 quiet panic=-1"].map(str::to_owned));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_for_one_emulator_and_one_kernel_only() {
        assert_ne!(key("QEMU 7.2", "a"), key("QEMU 8.0", "a"));
        assert_ne!(key("QEMU 7.2", "a"), key("QEMU 7.2", "b"));
        assert_eq!(key("QEMU 7.2", "a"), key("QEMU 7.2", "a"));
    }
}
