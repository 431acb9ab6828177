//! Whether the newest installed kernel is the one that runs.

use std::cmp::Ordering;

use crate::package::Nevra;

/// The kernel that runs, among those that are installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// It is the newest of its kind.
    Newest,
    /// A newer one is installed.
    Older {
        /// The newest.
        newest: Nevra,
    },
    /// No installed package is the running kernel, so that none can be called newer.
    Unknown,
}

/// The packages that hold a kernel, those first whose version is certain to be the image's own.
const KERNELS: [&str; 8] = [
    "kernel-core",
    "kernel-rt-core",
    "kernel-64k-core",
    "kernel-uek-core",
    "kernel-uek",
    "kernel-rt",
    "kernel-64k",
    "kernel",
];

/// Whether a package of this name holds a kernel.
#[must_use]
pub fn is_kernel(name: &str) -> bool {
    KERNELS.contains(&name)
}

/// Looks a running kernel (`uname -r`) up among the installed packages.
///
/// `uname -r` is `version-release.arch` of the package, with `+64k`, `+rt` or the like behind it for other
/// kinds than the common one.
#[must_use]
pub fn kernel(running: &str, packages: &[Nevra]) -> Kernel {
    let plain = running.split('+').next().unwrap_or(running);
    let is_running = |p: &&Nevra| {
        is_kernel(&p.name) && plain == format!("{}-{}.{}", p.version, p.release, p.arch)
    };
    let place = |p: &Nevra| KERNELS.iter().position(|k| *k == p.name);
    let suffix = running.split_once('+').map(|(_, suffix)| suffix);
    let fits = |p: &&Nevra| suffix.is_none_or(|s| p.name.split('-').any(|part| part == s));
    let mut ours: Vec<&Nevra> = packages.iter().filter(is_running).filter(fits).collect();
    ours.sort_by_key(|p| place(p));
    let Some(ours) = ours.first() else {
        return Kernel::Unknown;
    };
    let same_kind = packages
        .iter()
        .filter(|p| p.name == ours.name && p.arch == ours.arch);
    match same_kind.max_by(|a, b| a.compare_evr(b)) {
        Some(newest) if newest.compare_evr(ours) == Ordering::Greater => Kernel::Older {
            newest: newest.clone(),
        },
        Some(_) | None => Kernel::Newest,
    }
}
