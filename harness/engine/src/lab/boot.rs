//! Waiting until a guest is ready, by condition and never by time.

use std::time::Duration;

use super::{
    error::LabError,
    guest::Machine,
    process::ProcessId,
    progress::Progress,
    rig::Rig,
    ssh::Login,
    wait::{Deadline, wait_for},
};

/// A cold boot takes 40 s on an idle machine, and minutes on a busy one.
pub(super) const COLD_LIMIT: Duration = Duration::from_secs(300);
/// A restore takes 5 s on an idle machine.
pub(super) const RESTORE_LIMIT: Duration = Duration::from_secs(60);

/// One login must not outlast this: ssh's own limit is 30 s.
const LOGIN_LIMIT: Duration = Duration::from_secs(45);
/// The last login before the deadline gets this much.
const LAST_LOGIN_LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(200);

/// Waits until a cold-booted guest takes logins, has started everything and serves.
pub(super) fn settle(
    rig: &Rig<'_>,
    machine: &Machine<'_>,
    process: ProcessId,
    login: &Login<'_>,
    deadline: Deadline,
) -> Result<(), LabError> {
    let told = |condition: String| {
        let guest = machine.name.to_owned();
        (rig.report)(&Progress::GuestReached { guest, condition });
    };
    until(machine, process, deadline, "does not take logins", || {
        login.run_ok("true", LOGIN_LIMIT)
    })?;
    told("takes logins".to_owned());
    told(format!("systemd says {}", started(login, deadline)?));
    let served = || {
        login.run_ok(
            "curl -s -o /dev/null http://localhost/",
            login_limit(deadline),
        )
    };
    until(machine, process, deadline, "does not serve", served)?;
    told("serves".to_owned());
    Ok(())
}

/// Waits until a restored guest takes a login, which gives it time and name.
pub(super) fn wake(
    machine: &Machine<'_>,
    process: ProcessId,
    login: &Login<'_>,
) -> Result<(), LabError> {
    let deadline = Deadline::after(RESTORE_LIMIT);
    until(machine, process, deadline, "does not take logins", || {
        login.set_clock_and_name(machine.name, login_limit(deadline))
    })
}

fn login_limit(deadline: Deadline) -> Duration {
    deadline.left().clamp(LAST_LOGIN_LIMIT, LOGIN_LIMIT)
}

/// Tries until it succeeds; its last failure is told when the time is over or the machine ended.
fn until<T>(
    machine: &Machine<'_>,
    process: ProcessId,
    deadline: Deadline,
    problem: &str,
    mut attempt: impl FnMut() -> Result<T, LabError>,
) -> Result<(), LabError> {
    let mut last = String::new();
    let met = wait_for(deadline, PAUSE, || match attempt() {
        Ok(_) => Ok(Some(())),
        Err(error) => {
            last = error.to_string();
            let ended = || machine.silent("ended".to_owned(), deadline.elapsed());
            if process.is_running() {
                Ok(None)
            } else {
                Err(ended())
            }
        }
    })?;
    met.ok_or_else(|| machine.silent(format!("{problem} ({last})"), deadline.elapsed()))
}

/// What systemd says once every start job is done, with the units that failed.
fn started(login: &Login<'_>, deadline: Deadline) -> Result<String, LabError> {
    let script = format!(
        "timeout {} systemctl is-system-running --wait; \
         systemctl list-units --failed --plain --no-legend | cut -d' ' -f1",
        deadline.left().as_secs().max(1)
    );
    let text = login.run_ok(&script, deadline.left() + LOGIN_LIMIT)?;
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}
