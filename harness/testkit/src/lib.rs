//! Scripted hosts and known answers for patchgate's own tests.
//!
//! A scripted host is a small machine with packages, a policy, services, an audit log and a lock. It
//! recognises the engine's real scripts and answers them as a host would, so that a scenario drives
//! the real runner, record, judgement and reporters. No network, no waiting, nothing on this machine.

mod ask;
mod connector;
mod crash;
mod expected;
mod machine;
mod model;
mod prober;
mod resetter;
mod scenario;
mod script;
mod serve;
mod transport;
mod vectors;
mod weaken;
mod world;

pub mod catalogue;
pub mod night;

pub use self::{
    connector::{ScriptedConnector, ScriptedHost},
    crash::{Meanwhile, Stopped},
    expected::{Expectation, assert_file, assert_scenario},
    machine::{Denied, Machine},
    model::assert_model,
    prober::ScriptedProber,
    resetter::ScriptedResetter,
    scenario::{CANARY, NONCE, Played, Scenario},
    script::{Change, Effect, HostScript, Moment, Undoing},
    serve::Served,
    transport::{Break, Comeback, Connecting},
    weaken::{Weakened, disallowed, disordered, weakened},
    world::{Death, Heard, World},
};
