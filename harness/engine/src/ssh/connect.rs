//! The way to a TCP connection: name lookup, and one address after the other.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout_at},
};

use crate::host::{ConnectError, Stage, Target, TcpFailure};

/// Looks the target's address up; never empty.
pub(super) async fn resolve(target: &Target) -> Result<Vec<SocketAddr>, ConnectError> {
    let failed = |source| ConnectError::Resolve {
        host: target.address.clone(),
        source,
    };
    let deadline = Instant::now() + target.connect_timeout;
    let lookup = lookup_host((target.address.as_str(), target.port));
    let Ok(found) = timeout_at(deadline, lookup).await else {
        return Err(ConnectError::Deadline {
            host: target.address.clone(),
            stage: Stage::Resolve,
            after: target.connect_timeout,
        });
    };
    let addresses: Vec<SocketAddr> = found.map_err(failed)?.collect();
    match addresses.is_empty() {
        true => Err(failed(io::Error::new(
            io::ErrorKind::NotFound,
            "the name has no address",
        ))),
        false => Ok(addresses),
    }
}

/// Connects to the first address that answers; each gets its share of the time.
pub(super) async fn connect(
    addresses: &[SocketAddr],
    within: Duration,
) -> Result<TcpStream, ConnectError> {
    let deadline = Instant::now() + within;
    let mut last = None;
    for (index, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        match timeout_at(Instant::now() + share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(source)) => last = Some(failed(*address, source)),
            Err(_) => last = Some(failed(*address, io::ErrorKind::TimedOut.into())),
        }
    }
    Err(last.unwrap_or_else(|| ConnectError::Resolve {
        host: String::new(),
        source: io::ErrorKind::NotFound.into(),
    }))
}

fn failed(address: SocketAddr, source: io::Error) -> ConnectError {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable, TimedOut};
    let classes = [
        (ConnectionRefused, TcpFailure::Refused),
        (TimedOut, TcpFailure::TimedOut),
        (HostUnreachable, TcpFailure::Unreachable),
        (NetworkUnreachable, TcpFailure::Unreachable),
    ];
    let class = classes.iter().find(|(kind, _)| *kind == source.kind());
    let failure = class.map_or(TcpFailure::Other, |(_, failure)| *failure);
    ConnectError::Tcp {
        address,
        failure,
        source,
    }
}
