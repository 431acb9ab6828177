//! A remote client of scripted hosts.

use patchgate_core::observation::HttpSeen;
use patchgate_engine::{
    clock::pause,
    probe::{HttpRequest, ProbeError, Prober},
};

use crate::world::{Heard, World};

/// Asks the hosts of a world as a remote client does.
#[derive(Clone)]
pub struct ScriptedProber(pub World);

impl Prober for ScriptedProber {
    async fn http(&self, request: &HttpRequest) -> Result<HttpSeen, ProbeError> {
        self.0.unless_dead().await;
        let seen = self.ask(request);
        self.0.lock().did();
        self.0.unless_dead().await;
        let seen = seen?;
        pause(seen.elapsed).await;
        self.0.unless_dead().await;
        Ok(seen)
    }
}

impl ScriptedProber {
    fn ask(&self, request: &HttpRequest) -> Result<HttpSeen, ProbeError> {
        let mut world = self.0.lock();
        let Some(host) = world.host_of(request) else {
            return Err(ProbeError::Url {
                url: request.url.clone(),
                why: "no scripted host has this address",
            });
        };
        world.heard.push(Heard {
            host: host.clone(),
            label: "http".to_owned(),
            ask: "http",
            deadline: request.deadline,
        });
        let machine = world.machines.get_mut(&host).expect("it was found above");
        let peer = format!("{}:80", machine.script.address);
        Ok(machine.serve_remote().seen(&peer))
    }
}
