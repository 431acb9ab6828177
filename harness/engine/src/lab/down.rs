//! Taking the lab down, also after a crash and with parts of its state missing.

use std::{fs, io, path::Path};

use super::{
    dirs::LabDirs,
    error::LabError,
    golden, guest,
    net::Net,
    process,
    progress::{Progress, Report},
    start::keep_console,
};

/// Ends every machine, removes namespaces, taps, overlays and files; logs and saved states stay.
pub(super) fn down(dirs: &LabDirs, net: &Net, report: Report<'_>) -> Result<(), LabError> {
    end_machines(dirs, report)?;
    keep_consoles(dirs, &dirs.hosts(), "")?;
    keep_consoles(dirs, &dirs.run().join("golden"), "golden-")?;
    golden::remove_unfinished(&dirs.golden())?;
    if let Some(pid) = net.stranger() {
        let what = format!("the network namespaces, in use by process {pid} of another lab");
        report(&Progress::Left { what });
    } else {
        net.down()?;
    }
    remove(&dirs.run())?;
    // A machine that was about to start when its `up` was killed finds no disk from here on; one
    // that found it just before is seen now.
    end_machines(dirs, report)
}

fn end_machines(dirs: &LabDirs, report: Report<'_>) -> Result<(), LabError> {
    for process in process::of_this_lab(&dirs.run()) {
        if !process.kill(guest::QEMU_LIMIT) {
            let what = format!("end process {}", process.pid);
            return Err(LabError::Command {
                what,
                detail: "it runs on".to_owned(),
            });
        }
        report(&Progress::MachineStopped { pid: process.pid });
    }
    Ok(())
}

fn keep_consoles(dirs: &LabDirs, of: &Path, prefix: &str) -> Result<(), LabError> {
    for entry in fs::read_dir(of).into_iter().flatten().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        keep_console(dirs, &entry.path(), &name)?;
    }
    Ok(())
}

fn remove(dir: &Path) -> Result<(), LabError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LabError::io("remove", dir)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(dirs: &LabDirs) -> Net {
        Net::new("patchgate-test-none", dirs.run())
    }

    #[test]
    fn consoles_and_saved_states_outlive_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = LabDirs::below(dir.path()).unwrap();
        for path in [
            dirs.host("a"),
            dirs.run().join("golden/rebuild-11"),
            dirs.golden(),
        ] {
            fs::create_dir_all(path).unwrap();
        }
        fs::write(guest::console(&dirs.host("a")), "login:").unwrap();
        fs::write(
            guest::console(&dirs.run().join("golden/rebuild-11")),
            "boot",
        )
        .unwrap();
        fs::write(dirs.golden().join("rebuild-11.state"), "").unwrap();
        fs::write(dirs.golden().join("rebuild-11.state.new"), "").unwrap();
        down(&dirs, &network(&dirs), &|_| ()).unwrap();
        let kept = |name: &str| fs::read_to_string(dirs.logs().join(name)).unwrap();
        assert_eq!(kept("console-a.log"), "login:");
        assert_eq!(kept("console-golden-rebuild-11.log"), "boot");
        assert!(dirs.golden().join("rebuild-11.state").exists());
        assert!(!dirs.golden().join("rebuild-11.state.new").exists());
        assert!(!dirs.run().exists());
    }

    #[test]
    fn a_lab_that_is_down_can_be_taken_down_again() {
        let dir = tempfile::tempdir().unwrap();
        let dirs = LabDirs::below(dir.path()).unwrap();
        down(&dirs, &network(&dirs), &|_| ()).unwrap();
        down(&dirs, &network(&dirs), &|_| ()).unwrap();
    }
}
