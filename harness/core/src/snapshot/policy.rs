//! The SELinux policy of a host, as far as it can be told without looking into the binary policy.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::reading::Reading;

/// The policy and everything around it that can change what it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySnapshot {
    /// The mode in force: `Enforcing`, `Permissive`, `Disabled`.
    pub mode: Reading<String>,
    /// `SELINUX=` of `/etc/selinux/config`.
    pub config_mode: Reading<String>,
    /// The words of `/proc/cmdline` that concern SELinux or audit: `selinux=`, `enforcing=`,
    /// `autorelabel=`, `audit=`, `security=`, `lsm=`.
    pub kernel_arguments: Reading<Vec<String>>,
    /// Whether `/.autorelabel` is there: the next boot relabels everything.
    pub autorelabel: Reading<bool>,
    /// SHA-256 of the loaded policy, `/sys/fs/selinux/policy`, in lower-case hexadecimal.
    pub loaded_sha256: Reading<String>,
    /// SHA-256 of the policy file that the next load takes, `/etc/selinux/TYPE/policy/policy.N`. It is
    /// another one than [`Self::loaded_sha256`] also on a healthy host, because the kernel writes its
    /// policy anew; what counts is whether each of them changes.
    pub disk_sha256: Reading<String>,
    /// The modules of the policy store.
    pub modules: Reading<BTreeSet<PolicyModule>>,
    /// The booleans in force, from `/sys/fs/selinux/booleans`.
    pub booleans: Reading<BTreeMap<String, bool>>,
    /// Domains that are permissive, by `permissive_*` modules of the store.
    pub permissive: Reading<BTreeSet<String>>,
    /// Local customisations, by the file that holds them (`ports.local`, `booleans.local`,
    /// `file_contexts.local` …), line by line, as `semanage export` tells them in other words.
    pub customizations: Reading<BTreeMap<String, Vec<String>>>,
    /// The labels of the paths that the suites touch.
    pub labels: Reading<Vec<PathLabel>>,
}

/// One module of the policy store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PolicyModule {
    /// Its name.
    pub name: String,
    /// Its priority: 100 for the distribution's, 400 for an administrator's; 0 in the store of EL6,
    /// which knows none.
    pub priority: u32,
    /// Whether it is switched on.
    pub enabled: bool,
}

/// The label of a path, and the one that the policy wants for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PathLabel {
    /// The path.
    pub path: String,
    /// The context that it has.
    pub is: String,
    /// The context that the policy's file contexts want, where that could be asked; `None` where they
    /// name none.
    pub should: Option<String>,
}

impl PathLabel {
    /// Whether the policy wants another type for the path. User and level are left to those who wrote
    /// the file, as `restorecon` leaves them.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        let kind = |context: &str| context.split(':').nth(2).map(ToOwned::to_owned);
        self.should
            .as_deref()
            .is_some_and(|should| kind(should) != kind(&self.is))
    }
}
