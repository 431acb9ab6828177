//! Where the lab keeps its files.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use super::error::LabError;

/// The lab's directory below the cache, and the names in it.
#[derive(Clone, Debug)]
pub struct LabDirs {
    root: PathBuf,
}

impl LabDirs {
    /// Takes the directory from PATCHGATE_CACHE, XDG_CACHE_HOME or HOME, and makes it.
    pub fn from_env() -> Result<Self, LabError> {
        let var = |name| env::var_os(name);
        let cache = cache_dir(var("PATCHGATE_CACHE"), var("XDG_CACHE_HOME"), var("HOME"))
            .ok_or(LabError::NoCache)?;
        Self::below(&cache)
    }

    /// Uses `CACHE/lab`, and makes it.
    ///
    /// The path is made absolute and free of links, because it tells the lab's own processes
    /// from others.
    pub fn below(cache: &Path) -> Result<Self, LabError> {
        let root = cache.join("lab");
        fs::create_dir_all(&root).map_err(LabError::io("create", &root))?;
        let root = fs::canonicalize(&root).map_err(LabError::io("resolve", &root))?;
        Ok(Self { root })
    }

    /// The cache directory, the parent of everything here.
    pub fn cache(&self) -> &Path {
        self.root
            .parent()
            .expect("the root was made by joining a name")
    }

    /// Images, kernels, keys: made by `ci/lab/build`.
    pub fn images(&self) -> PathBuf {
        self.root.join("images")
    }

    /// The private key that every lab host accepts.
    pub fn ssh_key(&self) -> PathBuf {
        self.root.join("id_ed25519")
    }

    /// Saved states, which outlive `down`.
    pub fn golden(&self) -> PathBuf {
        self.root.join("golden")
    }

    /// Logs, which outlive `down`.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// Everything that `down` takes away.
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// One directory for each running host.
    pub fn hosts(&self) -> PathBuf {
        self.run().join("hosts")
    }

    /// The directory of one running host.
    pub fn host(&self, name: &str) -> PathBuf {
        self.hosts().join(name)
    }

    /// The inventory of the running hosts.
    pub fn inventory(&self) -> PathBuf {
        self.run().join("inventory.yaml")
    }

    /// The pinned host keys of the running hosts.
    pub fn known_hosts(&self) -> PathBuf {
        self.run().join("known_hosts")
    }

    /// The lock that one lab command holds at a time; outside `run` so that it outlives `down`.
    ///
    /// `ci/lab/build` has a lock of its own beside it, and runs while this one is held.
    pub fn lock(&self) -> PathBuf {
        self.root.join("machines.lock")
    }

    /// The answer of the accelerator probe.
    pub fn accelerator(&self) -> PathBuf {
        self.root.join("accelerator.json")
    }
}

/// Chooses the cache directory; an empty variable counts as unset.
fn cache_dir(
    patchgate: Option<OsString>,
    xdg: Option<OsString>,
    home: Option<OsString>,
) -> Option<PathBuf> {
    let set = |value: Option<OsString>| value.filter(|text| !text.is_empty()).map(PathBuf::from);
    set(patchgate)
        .or_else(|| set(xdg).map(|dir| dir.join("patchgate")))
        .or_else(|| set(home).map(|dir| dir.join(".cache/patchgate")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_follows_the_first_variable_that_is_set() {
        let os = |text: &str| Some(OsString::from(text));
        let cases = [
            (os("/p"), os("/x"), os("/h"), Some("/p")),
            (None, os("/x"), os("/h"), Some("/x/patchgate")),
            (os(""), os("/x"), os("/h"), Some("/x/patchgate")),
            (None, os(""), os("/h"), Some("/h/.cache/patchgate")),
            (None, None, None, None),
        ];
        for (patchgate, xdg, home, want) in cases {
            assert_eq!(cache_dir(patchgate, xdg, home), want.map(PathBuf::from));
        }
    }
}
