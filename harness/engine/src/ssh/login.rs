//! From a TCP connection to a session that is logged in: key exchange, host key, own keys.

use ssh2::{DisconnectCode, ErrorCode, Session};
use tokio::time::{Instant, timeout_at};

use super::{agent, algorithms::Offer, key::PrivateKey, known_hosts::KnownHosts, wire::Wire};
use crate::host::{ConnectError, KnownKey, PeerInfo, Stage, Target};

/// libssh2: no algorithm in common, or the exchange itself failed.
const KEX_FAILURES: [i32; 2] = [-5, -8];

/// libssh2: the server does not take this key, or not its signature.
const REFUSALS: [i32; 2] = [-18, -19];

/// What is known before the connection.
pub(super) struct Credentials<'a> {
    pub(super) keys: &'a [PrivateKey],
    pub(super) known: &'a KnownHosts,
}

/// Logs in. The host's key is verified before anything about the user is sent.
pub(super) async fn login(
    wire: &Wire,
    target: &Target,
    credentials: &Credentials<'_>,
) -> Result<PeerInfo, ConnectError> {
    let deadline = Instant::now() + target.login_timeout;

    let name = target.known_hosts_name();
    Offer::new(
        &wire.session,
        target.legacy_algorithms,
        &credentials.known.kinds(&name),
    )
    .and_then(|offer| offer.apply(&wire.session))
    .map_err(|error| local(Stage::Kex, std::io::Error::other(error)))?;
    let shake = wire.drive(|session| session.clone().handshake());
    match timeout_at(deadline, shake).await {
        Ok(Ok(())) => {}
        Ok(Err(source)) => return Err(shake_failed(wire, target, source)),
        Err(_) => return Err(late(target, stage_reached(&wire.session))),
    }
    let host_key = check_key(wire, &name, credentials.known).await?;
    match timeout_at(deadline, authenticate(wire, target, credentials.keys)).await {
        Ok(result) => result?,
        Err(_) => return Err(late(target, Stage::Auth)),
    }
    Ok(PeerInfo {
        address: wire.address,
        host_key,
        banner: wire.session.banner().unwrap_or_default().to_owned(),
        algorithms: agreed(&wire.session),
    })
}

fn local(stage: Stage, source: std::io::Error) -> ConnectError {
    ConnectError::Local { stage, source }
}

fn late(target: &Target, stage: Stage) -> ConnectError {
    ConnectError::Deadline {
        host: target.address.clone(),
        stage,
        after: target.login_timeout,
    }
}

fn stage_reached(session: &Session) -> Stage {
    match session.banner_bytes() {
        Some(_) => Stage::Kex,
        None => Stage::Banner,
    }
}

fn shake_failed(wire: &Wire, target: &Target, source: ssh2::Error) -> ConnectError {
    let address = wire.address;
    match (stage_reached(&wire.session), source.code()) {
        (Stage::Banner, _) => ConnectError::Banner { address, source },
        (_, ErrorCode::Session(code)) if KEX_FAILURES.contains(&code) => {
            let hint = match target.legacy_algorithms {
                true => "",
                false => "; an old host may need legacy algorithms",
            };
            ConnectError::Kex {
                address,
                hint,
                source,
            }
        }
        (stage, _) => ConnectError::Lost {
            address,
            stage,
            source,
        },
    }
}

/// Verifies the host's key; a wrong one ends the connection before a byte about the user is sent.
async fn check_key(wire: &Wire, name: &str, known: &KnownHosts) -> Result<KnownKey, ConnectError> {
    let blob = wire.session.host_key().map_or(&[][..], |(blob, _)| blob);
    match known.check(name, blob) {
        Ok(key) => Ok(key),
        Err(problem) => {
            let code = DisconnectCode::HostKeyNotVerifiable;
            // Politeness only: the socket is cut anyway.
            drop(
                wire.session
                    .disconnect(Some(code), "host key not verified", None),
            );
            Err(problem.into())
        }
    }
}

fn agreed(session: &Session) -> String {
    use ssh2::MethodType::{CryptCs, HostKey, Kex, MacCs};
    let parts: Vec<&str> = [Kex, HostKey, CryptCs, MacCs]
        .into_iter()
        .map(|kind| session.methods(kind).unwrap_or("-"))
        .collect();
    parts.join(" ")
}

/// Offers the key files, then the agent's keys. The server is not asked what it would take: that
/// costs a round trip.
async fn authenticate(
    wire: &Wire,
    target: &Target,
    keys: &[PrivateKey],
) -> Result<(), ConnectError> {
    let mut tried = Vec::new();
    for key in keys {
        let what = key.path.display().to_string();
        let offer =
            |session: &Session| session.userauth_pubkey_memory(&target.user, None, &key.pem, None);
        match wire.drive(offer).await {
            Ok(()) => return Ok(()),
            Err(error) => tried.push(refusal(wire, &what, error)?),
        }
    }
    if target.use_agent && agent::authenticate(wire, target, &mut tried).await? {
        return Ok(());
    }
    if tried.is_empty() {
        tried.push("nothing, there is no key".into());
    }
    Err(ConnectError::Auth {
        user: target.user.clone(),
        tried,
    })
}

/// Tells a key that the server does not want from a connection that is gone.
pub(super) fn refusal(wire: &Wire, what: &str, error: ssh2::Error) -> Result<String, ConnectError> {
    let waiting = error.message().starts_with("Waiting for");
    match error.code() {
        ErrorCode::Session(code) if REFUSALS.contains(&code) && !waiting => {
            Ok(format!("{what}: refused"))
        }
        ErrorCode::Session(-48 | -16 | -46 | -17) => Ok(format!(
            "{what}: cannot be used ({}), is it encrypted?",
            error.message()
        )),
        ErrorCode::Session(_) | ErrorCode::SFTP(_) => {
            let address = wire.address;
            Err(ConnectError::Lost {
                address,
                stage: Stage::Auth,
                source: error,
            })
        }
    }
}
