//! Brings scripted hosts back to their snapshots.

use std::time::Duration;

use patchgate_engine::{
    clock::pause,
    reset::{ResetDone, ResetOrder, Resetter, Resetting},
};

use crate::world::{Heard, World};

/// How long a snapshot takes to be brought back.
const TAKES: Duration = Duration::from_secs(3);

/// Brings the hosts of a world back.
pub struct ScriptedResetter(pub World);

impl Resetter for ScriptedResetter {
    fn reset<'a>(&'a self, order: &'a ResetOrder) -> Resetting<'a> {
        Box::pin(async move {
            pause(TAKES).await;
            let end = self.0.lock().reset(order);
            let output = match &end {
                Ok(()) => b"reverted\n".to_vec(),
                Err(why) => format!("{why}\n").into_bytes(),
            };
            ResetDone { end, output }
        })
    }
}

impl crate::world::Inner {
    fn reset(&mut self, order: &ResetOrder) -> Result<(), String> {
        let host = order.host.to_string();
        self.heard.push(Heard {
            host: host.clone(),
            label: "resetting".to_owned(),
            ask: "reset",
            deadline: order.within,
        });
        let machine = self.machines.get_mut(&host);
        let machine = machine.expect("every host of a plan is one of the scenario");
        machine.reset().map_err(ToOwned::to_owned)?;
        if let Some(line) = self.lines.get_mut(&host) {
            line.is_reset();
        }
        self.goes_down(&host);
        Ok(())
    }
}
