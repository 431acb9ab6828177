//! What caused a finding: the closed set of causes, and how well one is proven.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::suggestion::Suggestion;

/// What caused a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The kind.
    pub kind: CauseKind,
    /// How well it is proven.
    pub proof: Proof,
    /// One or two sentences for a sysadmin.
    pub explanation: String,
    /// The command to look further.
    pub look: Option<String>,
    /// The permissions that SELinux took.
    pub denial: Option<DeniedAccess>,
    /// The numbers of the events that the cause and its proof level rest on.
    #[serde(default)]
    pub evidence: Vec<u64>,
    /// What tools that look at the denial alone would do: information, never applied.
    #[serde(default)]
    pub suggestion: Option<Suggestion>,
}

/// The closed set of causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CauseKind {
    /// SELinux denied it, and said so.
    SelinuxDenial,
    /// SELinux denies it and a dontaudit rule hides that.
    SelinuxSilentDenial,
    /// A file has another label than the policy wants.
    SelinuxLabel,
    /// A boolean has another value.
    SelinuxBoolean,
    /// A port has another type, or none.
    SelinuxPort,
    /// SELinux is in another mode.
    SelinuxMode,
    /// A packet filter keeps clients out.
    Firewall,
    /// The service runs and does not listen where clients ask.
    NotListening,
    /// The service listens on the host's own address only.
    BoundToLoopback,
    /// The service is not running.
    ServiceDown,
    /// The service died.
    ServiceCrash,
    /// The service does not accept its configuration.
    Config,
    /// The file permissions, and not SELinux, refuse it.
    Permissions,
    /// The certificate is not valid.
    TlsCertificate,
    /// The kernel killed the service for lack of memory.
    ResourceOom,
    /// A file system is full.
    ResourceDisk,
    /// A kernel setting or the kernel itself is another one.
    KernelOrSysctl,
    /// The name does not resolve.
    Dns,
    /// The network between client and host fails.
    Network,
    /// Nobody can say.
    Unknown,
}

impl CauseKind {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 20] = [
        Self::SelinuxDenial,
        Self::SelinuxSilentDenial,
        Self::SelinuxLabel,
        Self::SelinuxBoolean,
        Self::SelinuxPort,
        Self::SelinuxMode,
        Self::Firewall,
        Self::NotListening,
        Self::BoundToLoopback,
        Self::ServiceDown,
        Self::ServiceCrash,
        Self::Config,
        Self::Permissions,
        Self::TlsCertificate,
        Self::ResourceOom,
        Self::ResourceDisk,
        Self::KernelOrSysctl,
        Self::Dns,
        Self::Network,
        Self::Unknown,
    ];

    /// The word for people and files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::SelinuxDenial => "selinux-denial",
            Self::SelinuxSilentDenial => "selinux-silent-denial",
            Self::SelinuxLabel => "selinux-label",
            Self::SelinuxBoolean => "selinux-boolean",
            Self::SelinuxPort => "selinux-port",
            Self::SelinuxMode => "selinux-mode",
            Self::Firewall => "firewall",
            Self::NotListening => "not-listening",
            Self::BoundToLoopback => "bound-to-loopback",
            Self::ServiceDown => "service-down",
            Self::ServiceCrash => "service-crash",
            Self::Config => "config",
            Self::Permissions => "permissions",
            Self::TlsCertificate => "tls-certificate",
            Self::ResourceOom => "resource-oom",
            Self::ResourceDisk => "resource-disk",
            Self::KernelOrSysctl => "kernel-or-sysctl",
            Self::Dns => "dns",
            Self::Network => "network",
            Self::Unknown => "unknown",
        }
    }

    /// Whether SELinux is what it comes of.
    #[must_use]
    pub fn is_selinux(self) -> bool {
        match self {
            Self::SelinuxDenial
            | Self::SelinuxSilentDenial
            | Self::SelinuxLabel
            | Self::SelinuxBoolean
            | Self::SelinuxPort
            | Self::SelinuxMode => true,
            Self::Firewall
            | Self::NotListening
            | Self::BoundToLoopback
            | Self::ServiceDown
            | Self::ServiceCrash
            | Self::Config
            | Self::Permissions
            | Self::TlsCertificate
            | Self::ResourceOom
            | Self::ResourceDisk
            | Self::KernelOrSysctl
            | Self::Dns
            | Self::Network
            | Self::Unknown => false,
        }
    }
}

/// How well a cause is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// By experiment: with the one domain permissive the checks passed, with the policy as it was they
    /// failed again as before, and the denials name what was denied.
    Proven,
    /// Independent evidence agrees: before and after, the kernel's own answer, the symptom.
    Supported,
    /// It fits, and nothing more.
    Suspected,
}

impl Proof {
    /// The word for people and files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Supported => "supported",
            Self::Suspected => "suspected",
        }
    }
}

/// Permissions that SELinux took from a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeniedAccess {
    /// The domain: the source type.
    pub source: String,
    /// The target type.
    pub target: String,
    /// The object class.
    pub class: String,
    /// The permissions, sorted.
    pub perms: Vec<String>,
    /// Whether the denials are hidden by a dontaudit rule.
    pub silenced: bool,
}

impl fmt::Display for DeniedAccess {
    /// `httpd_t may not { accept listen } on tcp_socket of httpd_t, silenced by dontaudit`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            source,
            target,
            class,
            perms,
            silenced,
        } = self;
        let perms = perms.join(" ");
        let tail = if *silenced {
            ", silenced by dontaudit"
        } else {
            ""
        };
        write!(
            f,
            "{source} may not {{ {perms} }} on {class} of {target}{tail}"
        )
    }
}
