//! Logging in with the keys of an ssh-agent.
//!
//! libssh2 talks to the agent with blocking calls, and an agent may ask its owner for leave. Each
//! call is made on a thread of its own, so that only that thread waits; the deadline of the login
//! stands above it.

use ssh2::{Agent, PublicKey, Session};
use tokio::sync::oneshot;

use super::{
    login::refusal,
    wire::{Wire, is_again},
};
use crate::host::{ConnectError, Stage, Target};

/// sshd hangs up after `MaxAuthTries` (6 by default), key files included.
const KEYS: usize = 5;

/// Offers the agent's keys one after the other; says whether one was taken.
pub(super) async fn authenticate(
    wire: &Wire,
    target: &Target,
    tried: &mut Vec<String>,
) -> Result<bool, ConnectError> {
    let session = wire.session.clone();
    let socket = target.agent_socket.clone();
    let opened = aside(move || open(&session, socket.as_deref())).await?;
    let (mut agent, keys) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let place = target.agent_socket.as_ref();
            let place = place.map_or("SSH_AUTH_SOCK".to_owned(), |p| p.display().to_string());
            tried.push(format!("agent ({place}): {}", error.message()));
            return Ok(false);
        }
    };
    if keys.is_empty() {
        tried.push("agent: it holds no key".into());
    }
    for key in keys.into_iter().take(KEYS) {
        let what = format!("agent key {}", key.comment());
        let result;
        (agent, result) = offer(wire, &target.user, agent, key).await?;
        match result {
            Ok(()) => return Ok(true),
            Err(error) => tried.push(refusal(wire, &what, error)?),
        }
    }
    Ok(false)
}

fn open(
    session: &Session,
    socket: Option<&std::path::Path>,
) -> Result<(Agent, Vec<PublicKey>), ssh2::Error> {
    let mut agent = session.agent()?;
    if let Some(socket) = socket {
        agent.set_identity_path(socket)?;
    }
    agent.connect()?;
    agent.list_identities()?;
    let keys = agent.identities()?;
    Ok((agent, keys))
}

/// Offers one key until the server has answered.
async fn offer(
    wire: &Wire,
    user: &str,
    mut agent: Agent,
    mut key: PublicKey,
) -> Result<(Agent, Result<(), ssh2::Error>), ConnectError> {
    loop {
        let user = user.to_owned();
        let result;
        (agent, key, result) = aside(move || {
            let result = agent.userauth(&user, &key);
            (agent, key, result)
        })
        .await?;
        match result {
            Err(error) if is_again(&error) => {
                if wire.ready().await.is_err() {
                    return Ok((agent, Err(error)));
                }
            }
            done => return Ok((agent, done)),
        }
    }
}

/// Makes a blocking call on its own thread. Unlike tokio's blocking pool, such a thread does not
/// hold up the end of the program when the call never returns.
async fn aside<T: Send + 'static>(
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ConnectError> {
    let local = |source| ConnectError::Local {
        stage: Stage::Auth,
        source,
    };
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new()
        .name("ssh-agent".into())
        .spawn(move || drop(sender.send(call())))
        .map_err(local)?;
    receiver
        .await
        .map_err(|error| local(std::io::Error::other(error)))
}
