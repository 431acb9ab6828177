//! SIGINT, SIGTERM and SIGHUP: once is graceful, twice ends the program at once.

use patchgate_core::exit;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::out;

/// Watches for signals for as long as the program runs.
pub(crate) fn watch() -> watch::Receiver<Option<&'static str>> {
    let (tell, told) = watch::channel(None);
    for (kind, name) in [
        (SignalKind::interrupt(), "SIGINT"),
        (SignalKind::terminate(), "SIGTERM"),
        (SignalKind::hangup(), "SIGHUP"),
    ] {
        tokio::spawn(wait(kind, name, tell.clone()));
    }
    told
}

#[expect(clippy::exit, reason = "the second signal asks for just that")]
async fn wait(kind: SignalKind, name: &'static str, tell: watch::Sender<Option<&'static str>>) {
    let Ok(mut signals) = signal(kind) else {
        return;
    };
    while signals.recv().await.is_some() {
        if tell.borrow().is_some() {
            std::process::exit(i32::from(exit::of_signal(name).code));
        }
        out::note(&format!(
            "{name}: finishing what is begun; once more to end at once"
        ));
        tell.send_replace(Some(name));
    }
}
