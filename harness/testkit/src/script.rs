//! How a scripted host behaves: who it is, what its updates bring, and what happens to it when.

use patchgate_core::{state::State, transaction::Manager};

use crate::{
    machine::Denied,
    serve::Served,
    transport::{Break, Comeback, Connecting},
};

/// One scripted host.
#[derive(Clone, Debug)]
pub struct HostScript {
    /// Its name in the inventory.
    pub name: &'static str,
    /// Its address.
    pub address: &'static str,
    /// `upstream` or `rebuild`, and the twin.
    pub inventory: &'static str,
    /// `ID`, `VERSION_ID` and `PRETTY_NAME` of its distribution.
    pub os: [&'static str; 3],
    /// What is installed, as `rpm -qa` prints it.
    pub installed: Vec<&'static str>,
    /// What dnf offers, in the same form.
    pub updates: Vec<&'static str>,
    /// Its package manager.
    pub manager: Manager,
    /// What its repositories' advisories are about: an id, and a package as lists print it.
    pub advisories: Vec<(&'static str, &'static str)>,
    /// What dnf brings in the end, when that is not what it said.
    pub brings_instead: Option<Vec<&'static str>>,
    /// What happens when.
    pub effects: Vec<(Moment, Effect)>,
    /// How connections are answered at first.
    pub connecting: Connecting,
    /// How connections break.
    pub breaks: Vec<Break>,
    /// How it is to be had again after a reboot that was ordered.
    pub comeback: Comeback,
    /// What commands of checks print: exit status, standard output, standard error.
    pub commands: Vec<(&'static str, u8, &'static str, &'static str)>,
}

/// When something happens to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before the run.
    Before,
    /// Just after the window of this state was opened.
    In(State),
    /// When the transaction is through.
    Transaction,
    /// While the host boots because it was told to, before its services are started.
    Reboot,
    /// When the transaction is undone, or the host is back from its snapshot.
    Undo,
}

/// What happens to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The policy of February 2013 is in force.
    FebruaryPolicy,
    /// The policy of March 2013 is in force.
    GoodPolicy,
    /// Selinuxfs cannot be asked for access vectors any more.
    VectorsUnreadable,
    /// The document root has this type.
    Docroot(&'static str),
    /// The log's denials of httpd, and the page that goes with them.
    Loud(Denied),
    /// SELinux is permissive.
    Permissive,
    /// auditd stops.
    AuditdDown,
    /// auditd is another process.
    AuditdRestarted,
    /// Auditing is switched off.
    AuditDisabled,
    /// The kernel counts so many more lost records.
    Lost(u32),
    /// The count of lost records is set to nought.
    LostReset,
    /// A line in the kernel log.
    KernelLine(&'static str),
    /// A line in the audit log.
    AuditLine(&'static str),
    /// The kernel log cannot be read.
    NoDmesg,
    /// The audit log was rotated once; nothing is lost by it.
    Rotated,
    /// The audit log was rotated and the older file is gone.
    RotatedAway,
    /// The audit log is cut.
    Truncated,
    /// The audit log cannot be read.
    LogUnreadable,
    /// The host has no auditctl.
    NoAuditctl,
    /// An audit rule keeps denials out of the log.
    Excluded,
    /// Markers are sent, and do not reach the log.
    MarkersLost,
    /// Markers inside windows are sent, and do not reach the log.
    InnerMarkersLost,
    /// Denials that patchgate provokes do not reach the log.
    ControlSwallowed,
    /// The policy hides the denials that patchgate could provoke.
    ControlImpossible,
    /// The clock is set by so many seconds.
    ClockSet(i64),
    /// The numbers of audit records begin again.
    SerialsRestarted,
    /// The host has a journal that can be read.
    Journal,
    /// The host is another boot.
    Rebooted,
    /// SELinux is gone.
    NoSelinux,
    /// A unit is in this state.
    Unit(&'static str, &'static str),
    /// The restart of a unit fails although the unit goes on running.
    RestartFails(&'static str),
    /// httpd listens on this address alone.
    Listens(&'static str),
    /// httpd does not accept its configuration any more; one that runs goes on.
    ConfigBroken,
    /// Remote clients get this, whatever the host would serve.
    Remote(Served),
    /// Clients on the host itself get this, whatever the host would serve.
    Local(Served),
    /// dnf ends with this status after so many packages of its transaction.
    DnfFails(u8, usize),
    /// The transaction's runner dies after so many packages.
    TransactionLost(usize),
    /// The transaction does not end.
    TransactionHangs,
    /// dnf says that there is nothing to do, whatever it is asked for.
    PlansNothing,
    /// A package is installed, by whomever, as `rpm -qa` prints it.
    Installs(&'static str),
    /// Files that are brought to the host arrive with other bytes.
    FilesDamaged,
    /// dnf cannot plan.
    PlanFails(&'static str),
    /// Another run holds the lock, and its job is in this state.
    LockedBy(&'static str, &'static str),
    /// Packages cannot be read.
    NoRpm,
    /// The policy is of a kind that no experiment can be made with, as on EL6.
    NoModuleStore,
    /// The policy from before cannot be loaded again.
    PolicyStays,
    /// A unit that an experiment started goes on running.
    UnitStays,
    /// An earlier run left a switch of this name, and this becomes of it.
    SwitchLeft(&'static str, &'static str),
    /// The kernel kills a process of this name for lack of memory.
    OomKill(&'static str),
    /// A reboot goes otherwise than well.
    Reboot(Rebooting),
    /// An undo goes otherwise than well, or an earlier one did.
    Undo(Undoing),
    /// Something around the services is another one.
    Changed(Change),
}

/// How a reboot goes otherwise than well, and what is said of one beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rebooting {
    /// needs-restarting ends with this status and says this.
    Advises(u8, &'static str),
    /// rpm does not tell when packages were installed.
    NoInstallTimes,
    /// The host does not take the order.
    Refused(&'static str),
    /// It takes the order and goes on as before.
    StaysUp,
    /// It reboots, and once more by itself.
    BootsAgain,
    /// It boots the kernel that ran before.
    OldKernel,
    /// Another machine has its address and its key afterwards.
    OtherMachine,
}

impl From<Rebooting> for Effect {
    fn from(rebooting: Rebooting) -> Self {
        Self::Reboot(rebooting)
    }
}

/// How an undo goes otherwise than well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undoing {
    /// The package manager ends with this status and has changed nothing.
    Fails(u8),
    /// The job of the undo breaks off.
    Lost,
    /// It does not end.
    Hangs,
    /// The mark of a dirty host cannot be written.
    MarkFails,
    /// The command that resets the host fails.
    ResetFails(&'static str),
    /// It says that it went well, and the machine was only booted.
    SameDisk,
    /// The snapshot holds a running machine, and so the boot that the host was in.
    SameBoot,
    /// The machine does not come back from its snapshot.
    Gone,
    /// This earlier run left the host dirty.
    MarkedBy(&'static str),
}

impl From<Undoing> for Effect {
    fn from(undoing: Undoing) -> Self {
        Self::Undo(undoing)
    }
}

/// What a snapshot finds to be another one than on a healthy host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// `SELINUX=` of the configuration.
    ConfigMode(&'static str),
    /// `/.autorelabel` is there.
    Autorelabel,
    /// One more word on the kernel's command line.
    KernelArgument(&'static str),
    /// A module of the policy store, with its priority.
    Module(&'static str, u32),
    /// A module is gone, of whatever priority.
    ModuleGone(&'static str),
    /// A boolean has this value.
    Boolean(&'static str, bool),
    /// A local change of the policy: the store's file (`ports.local`) and a line in it.
    Customized(&'static str, &'static str),
    /// The local changes in this file are gone.
    NotCustomized(&'static str),
    /// A path has this type. The policy goes on wanting what it wanted.
    Label(&'static str, &'static str),
    /// A program listens on one more address and port, as long as its unit runs.
    Listens(&'static str, u16, &'static str),
    /// Nobody listens on this port.
    ListensNot(u16),
    /// One more rule at the end of the packet filter's input chain, in nft's words. What clients get of
    /// it is for [`Effect::Remote`] to say.
    FirewallRule(&'static str),
    /// `Result` of a unit, in systemd's words.
    UnitResult(&'static str, &'static str),
    /// A file system is full to so many per cent.
    Disk(&'static str, u8),
    /// A certificate's end, in openssl's words: `Feb  5 03:04:05 2013 GMT`.
    ValidUntil(&'static str, &'static str),
    /// A kernel setting.
    Sysctl(&'static str, &'static str),
    /// One more route.
    Route(&'static str),
}

impl From<Change> for Effect {
    fn from(change: Change) -> Self {
        Self::Changed(change)
    }
}

impl HostScript {
    /// A host on which everything is well and nothing is to be updated.
    #[must_use]
    pub fn healthy(name: &'static str, address: &'static str) -> Self {
        Self {
            name,
            address,
            inventory: "",
            os: ["centos", "9.3", "CentOS Linux 9.3"],
            installed: vec![
                "bash (none) 5.1.8 6.el9 x86_64",
                "httpd (none) 2.4.57 5.el9 x86_64",
                "selinux-policy (none) 3.14.3 154.el9 noarch",
                "selinux-policy-targeted (none) 3.14.3 154.el9 noarch",
            ],
            updates: Vec::new(),
            manager: Manager::Dnf4,
            advisories: Vec::new(),
            brings_instead: None,
            effects: Vec::new(),
            connecting: Connecting::Fine,
            breaks: Vec::new(),
            comeback: Comeback::After(4),
            commands: Vec::new(),
        }
    }

    /// The upstream host of the scenarios; its update is a tested set without the faulty policy.
    #[must_use]
    pub fn upstream() -> Self {
        let host = Self {
            inventory: "patchgate_role: upstream",
            os: ["rhel", "9.3", "Red Hat Enterprise Linux 9.3 (Plow)"],
            ..Self::healthy("rhel-web", "192.0.2.1")
        };
        host.offers(&["bash (none) 5.1.8 9.el9 x86_64"])
    }

    /// The rebuild host of the scenarios, twin of the upstream one; its update brings a policy.
    #[must_use]
    pub fn rebuild() -> Self {
        let host = Self {
            inventory: "patchgate_role: rebuild, patchgate_twin: rhel-web",
            ..Self::healthy("centos-web", "192.0.2.2")
        };
        host.offers(&[
            "selinux-policy (none) 3.14.3 155.el9_3.14 noarch",
            "selinux-policy-targeted (none) 3.14.3 155.el9_3.14 noarch",
        ])
    }

    /// What dnf offers.
    #[must_use]
    pub fn offers(self, updates: &[&'static str]) -> Self {
        Self {
            updates: updates.to_vec(),
            ..self
        }
    }

    /// What its repositories know of advisories.
    #[must_use]
    pub fn advises(self, advisories: &[(&'static str, &'static str)]) -> Self {
        Self {
            advisories: advisories.to_vec(),
            ..self
        }
    }

    /// Its package manager.
    #[must_use]
    pub fn managed(self, manager: Manager) -> Self {
        Self { manager, ..self }
    }

    /// Its update brings the policy of February 2013.
    #[must_use]
    pub fn february(self) -> Self {
        self.when(Moment::Transaction, Effect::FebruaryPolicy)
    }

    /// Something happens to it.
    #[must_use]
    pub fn when(mut self, moment: Moment, effect: impl Into<Effect>) -> Self {
        self.effects.push((moment, effect.into()));
        self
    }

    /// A connection breaks.
    #[must_use]
    pub fn breaks(mut self, how: Break) -> Self {
        self.breaks.push(how);
        self
    }

    /// How it is to be had again after a reboot.
    #[must_use]
    pub fn comes_back(self, comeback: Comeback) -> Self {
        Self { comeback, ..self }
    }

    /// How connections are answered at first.
    #[must_use]
    pub fn connecting(self, connecting: Connecting) -> Self {
        Self { connecting, ..self }
    }

    /// What a check's command does.
    #[must_use]
    pub fn command(
        mut self,
        run: &'static str,
        exit: u8,
        stdout: &'static str,
        stderr: &'static str,
    ) -> Self {
        self.commands.push((run, exit, stdout, stderr));
        self
    }
}
