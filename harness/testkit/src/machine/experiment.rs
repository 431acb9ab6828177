//! The dead man's switch of a scripted host, and the policies that an experiment loads.

use std::fmt::Write as _;

use patchgate_core::diagnosis::Phase;
use patchgate_engine::host::Reply;

use super::{
    Denied, Machine,
    answer::{ended, printed},
};
use crate::{ask::Step, script::Effect, vectors::Policy};

/// What a switch saved.
#[derive(Clone, Debug)]
pub(super) struct Switch {
    after: u64,
    policy: Policy,
    units: Vec<(String, String)>,
    started: Vec<String>,
    built: bool,
}

impl Machine {
    /// Carries a step of an experiment out.
    pub(super) fn experiment_step(&mut self, step: &Step) -> Reply {
        match step {
            Step::Mark(_) if self.has(&Effect::NoModuleStore) => {
                let why = "experiment not possible on this host: it has no store of CIL modules\n";
                ended((1, String::new(), why.to_owned()), 5)
            }
            Step::Mark(units) => printed(self.told_mark(units)),
            Step::Arm(after) => printed(self.arm(*after)),
            Step::Build => self.build(),
            Step::Load(phase) => self.load_phase(*phase),
            Step::Start => self.start_units(),
            Step::Still => printed(match &self.switch {
                None => "pgswitch refused it is not armed any more: none\n".to_owned(),
                Some(_) => format!("loaded={}\n", self.loaded()),
            }),
            Step::Disarm => printed(format!("pgswitch {}\n", self.disarm())),
            Step::Sweep => printed(self.sweep()),
        }
    }

    fn has(&self, effect: &Effect) -> bool {
        self.script.effects.iter().any(|(_, e)| e == effect)
    }

    fn loaded(&self) -> String {
        format!("{:064x}", self.policy.seqno)
    }

    fn told_mark(&self, units: &[String]) -> String {
        let mut text = format!(
            "mode={}\nloaded={}\ndisk={:064x}\nmodules={:064x}\nbooleans={:064x}\n",
            u8::from(self.enforcing == Some(true)),
            self.loaded(),
            0xd15c,
            0x30d,
            0xb001,
        );
        for unit in units {
            let state = self.units.get(unit).map_or("inactive", String::as_str);
            let _ = writeln!(text, "unit.{unit}={state}");
        }
        text
    }

    fn arm(&mut self, after: u64) -> String {
        if self.owner.is_none() {
            return "pgswitch rejected this run does not hold the host's lock\n".to_owned();
        }
        self.switch.get_or_insert_with(|| Switch {
            after,
            policy: self.policy,
            units: self.units.clone().into_iter().collect(),
            started: Vec::new(),
            built: false,
        });
        let left = self.switch.as_ref().map_or(0, |s| s.after);
        format!("pgswitch armed {left}\n")
    }

    fn build(&mut self) -> Reply {
        match &mut self.switch {
            None => printed("pgswitch refused it is not armed any more: none\n".to_owned()),
            Some(switch) => {
                switch.built = true;
                ended((0, "built\n".to_owned(), String::new()), 12_000)
            }
        }
    }

    fn load_phase(&mut self, phase: Phase) -> Reply {
        let Some(switch) = self.switch.clone() else {
            return printed("pgswitch refused there is no switch\n".to_owned());
        };
        if !switch.built {
            let why = "the policy was not built\n";
            return ended((1, String::new(), why.to_owned()), 5);
        }
        let seqno = match phase {
            Phase::DontauditOff => 1000,
            Phase::DomainPermissive => 2000,
            Phase::Before | Phase::Restored => 0,
        };
        self.accept_again();
        self.permissive = phase == Phase::DomainPermissive;
        self.load(Policy {
            auditdeny: u32::MAX,
            seqno: switch.policy.seqno + seqno,
            ..switch.policy
        });
        ended(
            (0, format!("loaded={}\n", self.loaded()), String::new()),
            600,
        )
    }

    fn start_units(&mut self) -> Reply {
        let Some(switch) = self.switch.clone() else {
            return printed("pgswitch refused there is no switch\n".to_owned());
        };
        let mut text = String::new();
        for (unit, was) in &switch.units {
            let is = self.units.get(unit).map_or("", String::as_str);
            if was != "active" && is != "active" {
                let unit = unit.clone();
                self.restart(&unit);
                let _ = writeln!(text, "started={unit}");
                self.switch.get_or_insert(switch.clone()).started.push(unit);
            }
        }
        printed(text + "started\n")
    }

    /// A service that runs tries again and again, as httpd's workers do each second: also between the
    /// begin of a phase's window and its policy.
    fn accept_again(&mut self) {
        let runs = self.units.get("httpd").is_some_and(|s| s == "active");
        if runs && !self.policy.may_accept() && self.policy.logs_accept() {
            self.audit.denial(Denied::Accept, self.permissive);
        }
    }

    fn disarm(&mut self) -> String {
        if self.has(&Effect::PolicyStays) {
            return "failed the policy from before could not be loaded".to_owned();
        }
        let Some(switch) = self.switch.take() else {
            return "none".to_owned();
        };
        self.permissive = false;
        if switch.policy != self.policy {
            self.load(switch.policy);
        }
        for (unit, was) in switch.units {
            if switch.started.contains(&unit) && !self.has(&Effect::UnitStays) {
                self.units.insert(unit, was);
            }
        }
        "restored".to_owned()
    }

    fn sweep(&mut self) -> String {
        let mut text = String::new();
        if self.switch.is_some() {
            let _ = writeln!(text, "pgswitch swept left {}", self.disarm());
        }
        for (_, effect) in &self.script.effects {
            if let Effect::SwitchLeft(id, state) = effect {
                let _ = writeln!(text, "pgswitch swept {id} {state}");
            }
        }
        text + "pgswitch end\n"
    }
}
