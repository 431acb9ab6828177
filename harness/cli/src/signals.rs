//! SIGINT, SIGTERM and SIGHUP: once is graceful, twice ends the program at once.

use patchgate_core::exit::{self, ExitCode};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::out;

/// Watches for signals for as long as the program runs.
pub(crate) fn watch() -> watch::Receiver<Option<&'static str>> {
    let (tell, told) = watch::channel(None);
    for (kind, name, code) in [
        (SignalKind::interrupt(), "SIGINT", exit::INTERRUPTED),
        (SignalKind::terminate(), "SIGTERM", exit::TERMINATED),
        (SignalKind::hangup(), "SIGHUP", exit::TERMINATED),
    ] {
        tokio::spawn(wait(kind, name, code, tell.clone()));
    }
    told
}

#[expect(clippy::exit, reason = "the second signal asks for just that")]
async fn wait(
    kind: SignalKind,
    name: &'static str,
    code: ExitCode,
    tell: watch::Sender<Option<&'static str>>,
) {
    let Ok(mut signals) = signal(kind) else {
        return;
    };
    while signals.recv().await.is_some() {
        if tell.borrow().is_some() {
            std::process::exit(i32::from(code.code));
        }
        out::note(&format!(
            "{name}: finishing what is begun; once more to end at once"
        ));
        tell.send_replace(Some(name));
    }
}

/// The exit code of a run that a signal stopped.
pub(crate) fn code(signal: &str) -> ExitCode {
    if signal == "SIGINT" {
        exit::INTERRUPTED
    } else {
        exit::TERMINATED
    }
}
