//! The inventory and the pinned host keys of the running hosts.

use std::{fmt::Write, path::Path};

use super::{
    dirs::LabDirs,
    error::LabError,
    hosts::{Flavour, HostSpec},
    state::{HostRecord, write_whole},
};

/// Writes both files for these hosts.
pub(super) fn write(dirs: &LabDirs, records: &[HostRecord]) -> Result<(), LabError> {
    let keys: String = records
        .iter()
        .map(|r| known_hosts(&r.spec, &r.host_keys))
        .collect();
    write_whole(&dirs.known_hosts(), keys.as_bytes())?;
    let specs: Vec<&HostSpec> = records.iter().map(|record| &record.spec).collect();
    let text = text(&specs, &dirs.ssh_key(), &dirs.known_hosts());
    write_whole(&dirs.inventory(), text.as_bytes())
}

/// The lines of a `known_hosts` file for one host, see sshd(8).
pub(super) fn known_hosts(spec: &HostSpec, host_keys: &[String]) -> String {
    let line = |key: &String| format!("{},{} {key}\n", spec.name, spec.address());
    host_keys.iter().map(line).collect()
}

/// An inventory in Ansible's YAML format.
fn text(specs: &[&HostSpec], key: &Path, known_hosts: &Path) -> String {
    let mut text = format!(
        "# Written by `patchgate lab`; gone with `patchgate lab down`.\n\
         all:\n\
         \x20 vars:\n\
         \x20   ansible_user: root\n\
         \x20   ansible_ssh_private_key_file: {}\n\
         \x20   patchgate_known_hosts: {}\n\
         \x20   patchgate_lab: true\n\
         \x20 children:\n",
        quote(key),
        quote(known_hosts)
    );
    for flavour in Flavour::ALL {
        let members = specs.iter().copied().filter(|spec| spec.flavour == flavour);
        write_group(
            &mut text,
            flavour,
            &members.collect::<Vec<_>>(),
            twin(specs),
        );
    }
    text
}

/// The host that every rebuild host is compared with.
fn twin<'a>(specs: &[&'a HostSpec]) -> Option<&'a str> {
    let upstream = specs.iter().find(|spec| spec.flavour == Flavour::Upstream);
    upstream.map(|spec| spec.name.as_str())
}

fn write_group(text: &mut String, flavour: Flavour, members: &[&HostSpec], twin: Option<&str>) {
    const WRITES: &str = "a string takes every write";
    if members.is_empty() {
        return;
    }
    write!(text, "    {flavour}:\n      hosts:\n").expect(WRITES);
    for spec in members {
        let (name, address) = (&spec.name, spec.address());
        write!(text, "        {name}:\n          ansible_host: {address}\n").expect(WRITES);
        writeln!(text, "          patchgate_role: {flavour}").expect(WRITES);
        if let (Flavour::Rebuild, Some(twin)) = (flavour, twin) {
            writeln!(text, "          patchgate_twin: {twin}").expect(WRITES);
        }
    }
}

/// A JSON string is a YAML string as well.
fn quote(path: &Path) -> String {
    serde_json::Value::from(path.display().to_string()).to_string()
}

#[cfg(test)]
mod tests {
    use super::{super::hosts, *};

    #[test]
    fn the_inventory_of_the_table_is_this() {
        let table = hosts::table();
        let specs: Vec<_> = table.iter().collect();
        let want = r#"# Written by `patchgate lab`; gone with `patchgate lab down`.
all:
  vars:
    ansible_user: root
    ansible_ssh_private_key_file: "/c/a b/id_ed25519"
    patchgate_known_hosts: "/c/known_hosts"
    patchgate_lab: true
  children:
    upstream:
      hosts:
        lab-upstream:
          ansible_host: 10.77.0.12
          patchgate_role: upstream
    rebuild:
      hosts:
        lab-rebuild:
          ansible_host: 10.77.0.11
          patchgate_role: rebuild
          patchgate_twin: lab-upstream
"#;
        assert_eq!(
            text(
                &specs,
                Path::new("/c/a b/id_ed25519"),
                Path::new("/c/known_hosts")
            ),
            want
        );
    }

    #[test]
    fn a_rebuild_alone_has_no_twin_and_no_empty_group() {
        let table = hosts::table();
        let text = text(&[&table[1]], Path::new("/k"), Path::new("/h"));
        assert!(
            !text.contains("twin") && !text.contains("upstream"),
            "{text}"
        );
    }

    #[test]
    fn every_key_is_pinned_to_name_and_address() {
        let keys = ["ssh-ed25519 AAAA".to_owned(), "ssh-rsa BBBB".to_owned()];
        assert_eq!(
            known_hosts(&hosts::table()[1], &keys),
            "lab-rebuild,10.77.0.11 ssh-ed25519 AAAA\nlab-rebuild,10.77.0.11 ssh-rsa BBBB\n"
        );
    }
}
