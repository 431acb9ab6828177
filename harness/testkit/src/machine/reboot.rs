//! What a scripted host does about a reboot.

use std::fmt::Write as _;

use patchgate_engine::host::Reply;

use super::{
    Machine,
    answer::{ended, printed},
};
use crate::{
    ask::RebootAsk,
    script::{Moment, Rebooting},
    transport::Comeback,
};

/// The kernel's clock at the boot, and a moment before it.
const BOOTED: u64 = 1_361_500_000;

/// How a host reboots.
#[derive(Debug, Default)]
pub(super) struct Boots {
    /// Core packages that were installed since the boot.
    since: Vec<String>,
    /// What needs-restarting says, where that is not what follows from the packages.
    advice: Option<(u8, &'static str)>,
    no_times: bool,
    refused: Option<&'static str>,
    stays: bool,
    again: bool,
    old_kernel: bool,
    other_machine: bool,
    /// How often it is seen before everything has started.
    starting: u32,
    /// The running kernel, where it is another than at first.
    kernel: Option<String>,
    /// Whether it has just gone down.
    down: bool,
}

impl Boots {
    pub(super) fn take(&mut self, rebooting: Rebooting) {
        match rebooting {
            Rebooting::Advises(exit, words) => self.advice = Some((exit, words)),
            Rebooting::NoInstallTimes => self.no_times = true,
            Rebooting::Refused(why) => self.refused = Some(why),
            Rebooting::StaysUp => self.stays = true,
            Rebooting::BootsAgain => self.again = true,
            Rebooting::OldKernel => self.old_kernel = true,
            Rebooting::OtherMachine => self.other_machine = true,
        }
    }

    pub(super) fn installed(&mut self, name: &str) {
        if ["glibc", "kernel-core", "systemd"].contains(&name) {
            self.since.push(name.to_owned());
        }
    }
}

impl Machine {
    /// Answers what is asked about a reboot.
    pub(super) fn about_reboot(&mut self, ask: &RebootAsk) -> Reply {
        match ask {
            RebootAsk::Times(names) => printed(self.install_times(names)),
            RebootAsk::Advice => self.advice(),
            RebootAsk::Order(boot) => printed(self.ordered(boot)),
            RebootAsk::Sight => printed(self.seen()),
        }
    }

    /// Goes down and up again from a snapshot, which holds a running machine where the boot stays the same.
    pub(super) fn goes_back(&mut self, same_boot: bool) {
        if !same_boot {
            self.boot += 1;
            self.kernel_log = Ok(Vec::new());
            self.audit.booted();
        }
        self.boots.since.clear();
        (self.boots.starting, self.boots.down) = (1, true);
        self.boots.kernel = None;
        self.restart("httpd");
    }

    /// How it is to be had again, if it has just gone down.
    pub(crate) fn went_down(&mut self) -> Option<Comeback> {
        let down = std::mem::take(&mut self.boots.down);
        let reset = self.undoing.comeback.take();
        down.then(|| reset.unwrap_or(self.script.comeback))
    }

    pub(super) fn kernel(&self) -> &str {
        let first = "5.14.0-362.8.1.el9_3.x86_64";
        self.boots.kernel.as_deref().unwrap_or(first)
    }

    fn identity(&self) -> String {
        let machine = u8::from(self.boots.other_machine && self.boot > 1);
        format!(
            "boot_id={}\nmachine_id=5c0e9f4b7d2a4e6f8a1b3c5d7e9f0a1{machine}\n",
            self.boot_id()
        )
    }

    fn install_times(&self, names: &[String]) -> String {
        let mut text = self.identity() + &format!("btime={BOOTED}\n");
        for package in self.packages.iter().filter(|p| names.contains(&p.name)) {
            let new = self.boots.since.contains(&package.name);
            let time = if new { BOOTED + 600 } else { BOOTED - 600 };
            let _ = writeln!(text, "installed {} {time}", package.name);
        }
        match self.boots.no_times {
            true => text,
            false => text + "rpm=read\n",
        }
    }

    fn advice(&self) -> Reply {
        if let Some((exit, words)) = self.boots.advice {
            return ended((exit, words.to_owned(), String::new()), 1500);
        }
        if self.boots.since.is_empty() {
            let words = "No core libraries or services have been updated since boot-up.\n\
                         Reboot should not be necessary.\n";
            return ended((0, words.to_owned(), String::new()), 1500);
        }
        let names: String = self
            .boots
            .since
            .iter()
            .map(|n| format!("  * {n}\n"))
            .collect();
        let words = format!(
            "Core libraries or services have been updated since boot-up:\n{names}\n\
             Reboot is required to fully utilize these updates.\n\
             More information: https://access.redhat.com/solutions/27943\n"
        );
        ended((1, words, String::new()), 1500)
    }

    fn ordered(&mut self, boot: &str) -> String {
        if let Some(why) = self.boots.refused {
            return format!("pgreboot refused exit status 1: {why}\n");
        }
        if boot != self.boot_id() {
            return "pgreboot done\n".to_owned();
        }
        if !self.boots.stays {
            self.boot();
        }
        "pgreboot ordered\n".to_owned()
    }

    /// Goes down and up again.
    fn boot(&mut self) {
        self.boot += 1;
        self.kernel_log = Ok(Vec::new());
        self.audit.booted();
        self.boots.since.clear();
        self.boots.starting = 1;
        self.boots.down = true;
        let mut kernels = self.packages.iter().filter(|p| p.name == "kernel-core");
        if let Some(newest) = kernels.next_back().filter(|_| !self.boots.old_kernel) {
            let (version, release, arch) = (&newest.version, &newest.release, &newest.arch);
            self.boots.kernel = Some(format!("{version}-{release}.{arch}"));
        }
        self.happen(Moment::Reboot);
        self.restart("httpd");
    }

    /// What is seen of a host that comes back: at first it has not started everything.
    fn seen(&mut self) -> String {
        let ready = match self.boots.starting {
            0 => "running",
            _ => "starting",
        };
        let text = self.identity() + &format!("ready={ready}\n");
        self.boots.starting = self.boots.starting.saturating_sub(1);
        if std::mem::take(&mut self.boots.again) {
            self.boot();
        }
        text
    }
}
