//! One lab command at a time.

use std::{
    fs::{self, File, TryLockError},
    io::{Seek, SeekFrom, Write},
    path::Path,
    time::Duration,
};

use super::{
    error::LabError,
    progress::{Progress, Report},
    wait::{Deadline, wait_for},
};

/// The longest that a lab command takes: images from nothing, then cold boots.
const LIMIT: Duration = Duration::from_secs(45 * 60);

/// The held lock; given back when dropped, by the kernel also after a crash.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Waits for the lock.
pub(super) fn take(path: &Path, report: Report<'_>) -> Result<Lock, LabError> {
    take_within(path, LIMIT, report)
}

fn take_within(path: &Path, limit: Duration, report: Report<'_>) -> Result<Lock, LabError> {
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(LabError::io("open", path))?;
    if !try_lock(&file, path)? {
        report(&Progress::LockAwaited {
            holder: holder(path),
        });
        wait_for(Deadline::after(limit), Duration::from_millis(100), || {
            Ok(try_lock(&file, path)?.then_some(()))
        })?
        .ok_or_else(|| LabError::Locked {
            holder: holder(path),
        })?;
    }
    sign(&mut file).map_err(LabError::io("write", path))?;
    Ok(Lock { _file: file })
}

fn try_lock(file: &File, path: &Path) -> Result<bool, LabError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(LabError::io("lock", path)(error)),
    }
}

/// Leaves the own process id, for the message of whoever waits.
fn sign(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "{}", std::process::id())
}

fn holder(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    if text.trim().is_empty() {
        "unknown".to_owned()
    } else {
        text.trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn the_second_command_waits_and_names_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let told = Mutex::new(Vec::new());
        let report = |progress: &Progress| told.lock().unwrap().push(progress.to_string());
        let first = take(&path, &report).unwrap();
        let error = take_within(&path, Duration::from_millis(20), &report).unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&format!("process {}", std::process::id()))
        );
        assert_eq!(told.lock().unwrap().len(), 1);
        drop(first);
        drop(take(&path, &report).unwrap());
        assert_eq!(told.lock().unwrap().len(), 1);
    }
}
