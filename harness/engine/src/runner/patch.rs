//! The transaction.

use patchgate_core::{
    event::{PatchEnd, What},
    evidence::window::Expectations,
    patchset::PatchSet,
    state::State,
};

use super::{
    link::{Link, Stop},
    state::Stay,
};
use crate::{host::Connector, probe::Prober};

pub(super) enum Applied {
    Whole,
    Nothing(String),
    Partly(String),
    StillRunning,
}

impl<C: Connector, P: Prober> Link<'_, C, P> {
    pub(super) async fn refuse_if_held(&mut self) -> Result<(), Stop> {
        Ok(())
    }
    pub(super) async fn lock(&mut self) -> Result<(), Stop> {
        Ok(())
    }
    pub(super) async fn unlock(&mut self) -> Result<(), Stop> {
        Ok(())
    }
    pub(super) fn not_started(&mut self, why: &str) -> Result<(), Stop> {
        let end = PatchEnd::NotStarted {
            why: why.to_owned(),
        };
        let what = What::PatchFinished {
            end,
            transaction: None,
            output: String::new(),
        };
        Ok(self.run.write(self.host, Some(State::Patched), what)?)
    }
    pub(super) async fn apply(
        &mut self,
        _: &PatchSet,
        _: Expectations,
    ) -> Result<(Stay, Applied), Stop> {
        Err(self.record_stop(What::HostFinished { dirty: None }))
    }
}
