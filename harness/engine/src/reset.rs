//! Bringing a host back to its snapshot: what runs on the controller for it.

use std::{env, fmt, path::PathBuf, pin::Pin, process::Stdio, time::Duration};

use patchgate_core::{
    id::{HostName, RunId},
    undo::SnapshotSource,
};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::AsyncReadExt as _,
    net::unix::pipe::Receiver,
    process::{Child, Command},
    time::timeout,
};

/// How much of a command's output is kept: its end, 64 KiB.
const MOST: usize = 64 << 10;

/// How long the output of a command that has ended is waited for: what it left running may hold it open.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Where programs are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Variables that name the lab, for its own command.
const OF_LAB: [&str; 4] = [
    "PATCHGATE_CACHE",
    "XDG_CACHE_HOME",
    "PATCHGATE_LAB_NAME",
    "PATCHGATE_LAB_BUILD",
];

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetOrder {
    /// The host.
    pub host: HostName,
    /// The run.
    pub run: RunId,
    /// Where its snapshot is.
    pub snapshot: SnapshotSource,
    /// How long it may take.
    pub within: Duration,
}

/// What came of it. That it went well is only said of the snapshot: the host may be on its way still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetDone {
    /// Why it failed.
    pub end: Result<(), String>,
    /// The end of what it printed, both streams mixed.
    pub output: Vec<u8>,
}

/// What will have come of it.
pub type Resetting<'a> = Pin<Box<dyn Future<Output = ResetDone> + Send + 'a>>;

/// Brings hosts back to their snapshots.
pub trait Resetter: Send + Sync {
    /// Brings one back. Who drops this before its end has everything killed that it began.
    fn reset<'a>(&'a self, order: &'a ResetOrder) -> Resetting<'a>;
}

/// Runs a program of this machine, each in a process group of its own and without a shell.
#[derive(Clone, Debug, Default)]
pub struct LocalResetter;

impl Resetter for LocalResetter {
    fn reset<'a>(&'a self, order: &'a ResetOrder) -> Resetting<'a> {
        Box::pin(run(order))
    }
}

/// The program and its arguments.
fn words(order: &ResetOrder) -> Result<Vec<String>, String> {
    let own = |text: &str| text.to_owned();
    Ok(match &order.snapshot {
        SnapshotSource::Lab => {
            let program: PathBuf = env::current_exe()
                .map_err(|e| format!("patchgate cannot be found on this machine: {e}"))?;
            let program = program.display().to_string();
            vec![program, own("lab"), own("reset"), order.host.to_string()]
        }
        SnapshotSource::Libvirt {
            uri,
            domain,
            snapshot,
        } => vec![
            own("virsh"),
            own("-c"),
            uri.clone(),
            own("snapshot-revert"),
            domain.clone(),
            snapshot.clone(),
            own("--running"),
        ],
        SnapshotSource::Command(words) => words.clone(),
    })
}

fn command(order: &ResetOrder, words: &[String]) -> Command {
    let (program, arguments) = words.split_first().map_or(("", &[][..]), |(p, a)| (p, a));
    let mut command = Command::new(program);
    command.args(arguments).env_clear().process_group(0);
    command.env("PATH", PATH).env("LC_ALL", "C");
    command.env("PATCHGATE_HOST", order.host.as_str());
    command.env("PATCHGATE_RUN", order.run.as_str());
    let lab: &[&str] = match order.snapshot {
        SnapshotSource::Lab => &OF_LAB,
        SnapshotSource::Libvirt { .. } | SnapshotSource::Command(_) => &[],
    };
    for name in lab.iter().chain(&["HOME"]) {
        if let Some(value) = env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

async fn run(order: &ResetOrder) -> ResetDone {
    let mut output = Vec::new();
    let end = run_to_its_end(order, &mut output).await;
    ResetDone { end, output }
}

async fn run_to_its_end(order: &ResetOrder, output: &mut Vec<u8>) -> Result<(), String> {
    let words = words(order)?;
    let program = words.first().cloned().unwrap_or_default();
    let failed = |e: &dyn fmt::Display| format!("{program} cannot be run: {e}");
    let (mut child, mut pipe) = begin(command(order, &words)).map_err(|e| failed(&e))?;
    let group = child
        .id()
        .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let group = Group(group);
    let ended = timeout(order.within, to_the_end(&mut child, &mut pipe, output)).await;
    let Ok(status) = ended else {
        return Err(format!(
            "{program} did not end within {} s and was killed",
            order.within.as_secs_f64()
        ));
    };
    group.has_ended();
    // What it left running may go on writing for ever.
    let _late = timeout(LAST_WORDS, drain(&mut pipe, output)).await;
    let status = status.map_err(|e| failed(&e))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{program} failed: {status}")),
    }
}

/// Begins a command, both streams into one pipe.
fn begin(mut command: Command) -> std::io::Result<(Child, Receiver)> {
    let (reader, writer) = std::io::pipe()?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let child = command.spawn()?;
    Ok((child, Receiver::from_owned_fd(reader.into())?))
}

/// Reads what a command prints until it ends.
async fn to_the_end(
    child: &mut Child,
    pipe: &mut Receiver,
    output: &mut Vec<u8>,
) -> std::io::Result<std::process::ExitStatus> {
    let reading = async {
        drain(pipe, output).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        status = child.wait() => status,
        () = reading => unreachable!("it never ends"),
    }
}

/// Reads to the end, and keeps the last of it.
async fn drain(pipe: &mut Receiver, output: &mut Vec<u8>) {
    let mut piece = vec![0; 8 << 10];
    while let Ok(n) = pipe.read(&mut piece).await {
        if n == 0 {
            return;
        }
        output.extend_from_slice(&piece[..n]);
        let over = output.len().saturating_sub(MOST);
        output.drain(..over);
    }
}

/// A process group that is killed with all that is in it, unless its first process has ended by itself.
struct Group(Option<Pid>);

impl Group {
    fn has_ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended just now.
            let _killed = kill_process_group(group, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests;
