//! How many logins may be under way to one address.
//!
//! sshd drops unauthenticated connections beyond `MaxStartups` (10 by default) at random; several
//! hosts behind one address would drive each other out.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Below the default `MaxStartups 10:30:100`.
const AT_ONCE: usize = 8;

/// Hands out the right to log in to an address.
#[derive(Debug, Default)]
pub(super) struct Gate {
    addresses: Mutex<HashMap<IpAddr, Arc<Semaphore>>>,
}

impl Gate {
    /// Waits for its turn; the turn ends when the permit is dropped.
    pub(super) async fn enter(&self, address: IpAddr) -> OwnedSemaphorePermit {
        let semaphore = {
            let mut addresses = self
                .addresses
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            Arc::clone(
                addresses
                    .entry(address)
                    .or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE))),
            )
        };
        semaphore
            .acquire_owned()
            .await
            .expect("the semaphore is never closed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_ninth_login_to_one_address_waits() {
        let gate = Gate::default();
        let one = IpAddr::from([10, 0, 0, 1]);
        let mut turns = Vec::new();
        for _ in 0..AT_ONCE {
            turns.push(gate.enter(one).await);
        }
        let ninth = gate.enter(one);
        tokio::pin!(ninth);
        assert!(futures_pending(&mut ninth).await);
        let _other = gate.enter(IpAddr::from([10, 0, 0, 2])).await;
        drop(turns.pop());
        let _ninth = ninth.await;
    }

    async fn futures_pending<F: Future + Unpin>(future: &mut F) -> bool {
        std::future::poll_fn(|cx| {
            std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx).is_pending())
        })
        .await
    }
}
