//! `group_vars/` and `host_vars/`: which entries belong to a group or host, and what they say.

use std::collections::BTreeMap;

use super::{
    input::{VARS_EXTENSIONS, VarsEntry},
    vars::Vars,
    written::Reading,
};
use crate::source::{load_ansible, reader::Reader};

/// The entry of every name: without an extension before `.yml`, `.yaml` and `.json`, as in Ansible.
pub(super) fn by_name(entries: &[VarsEntry]) -> BTreeMap<&str, &VarsEntry> {
    let mut found: BTreeMap<&str, (usize, &VarsEntry)> = BTreeMap::new();
    for entry in entries {
        for (rank, ext) in VARS_EXTENSIONS.iter().enumerate() {
            let Some(name) = entry.name.strip_suffix(ext) else {
                continue;
            };
            let best = found.entry(name).or_insert((rank, entry));
            if rank < best.0 {
                *best = (rank, entry);
            }
        }
    }
    let entries = found.into_iter();
    entries.map(|(name, (_, entry))| (name, entry)).collect()
}

/// Reads one file of variables.
pub(super) fn read(reading: &Reading<'_>) -> Vars {
    if reading.refuse_vault() {
        return Vars::default();
    }
    let Some(root) = load_ansible(reading.sink, super::MAX_VARS_BYTES) else {
        return Vars::default();
    };
    if root.is_null() {
        return Vars::default();
    }
    let mut vars = Reader::new(reading.sink, &root, "a file of variables")
        .map(|reader| Vars::read(&reader, &reading.whence))
        .unwrap_or_default();
    // In a file of variables Ansible gives it no meaning.
    vars.priority = None;
    vars
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_without_an_extension_comes_first() {
        let entry = |name: &str| VarsEntry {
            name: name.to_owned(),
            files: Vec::new(),
        };
        let entries = ["web.yml", "web", "db.json", "db.yaml", "a.example"].map(entry);
        let found = by_name(&entries);
        let shown = |name: &str| found.get(name).map(|e| e.name.as_str());
        assert_eq!(shown("web"), Some("web"));
        assert_eq!(shown("db"), Some("db.yaml"));
        assert_eq!(shown("a.example"), Some("a.example"));
        assert_eq!(shown("web.yml"), Some("web.yml"));
        assert_eq!(shown("a"), None);
    }
}
