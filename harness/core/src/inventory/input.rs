//! What an inventory is made of before anything is understood of it: texts, and where they were found.
//!
//! Whoever reads files and runs executables fills this in; see Ansible's own rules in `docs/inventories.md`.

use std::path::PathBuf;

/// A text and the name that diagnostics give its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The file, or the command that printed the text.
    pub file: String,
    /// The text.
    pub text: String,
}

/// How a text is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Ansible's YAML.
    Yaml,
    /// Ansible's INI.
    Ini,
    /// YAML where it is a map, else INI: what Ansible does with a file that has no extension.
    Either,
    /// What an executable printed for `--list`.
    Script {
        /// What it printed for `--host NAME`, where `--list` gave no `_meta.hostvars`.
        hosts: Vec<(String, Text)>,
    },
}

impl Form {
    /// How a file of a name is written; none where no text of that extension is an inventory here.
    #[must_use]
    pub fn of_file(name: &str) -> Option<Self> {
        match extension(name) {
            ".yml" | ".yaml" | ".json" => Some(Self::Yaml),
            "" => Some(Self::Either),
            ".toml" => None,
            _ => Some(Self::Ini),
        }
    }
}

/// The extension of a file's name with its dot, as Python has it: `.hosts` has none.
fn extension(name: &str) -> &str {
    let stem = name.trim_start_matches('.');
    stem.rfind('.').map_or("", |dot| &stem[dot..])
}

/// One text of an inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The text.
    pub text: Text,
    /// How it is written.
    pub form: Form,
}

/// One entry of `group_vars/` or `host_vars/`: a file, or a folder of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VarsEntry {
    /// The name of the entry, with its extension.
    pub name: String,
    /// The texts in it, in Ansible's order; a later one counts more.
    pub files: Vec<Text>,
}

/// What one `-i` names: a file or a folder, and the folders of variables beside or in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Where relative paths begin.
    pub base_dir: PathBuf,
    /// The texts, in Ansible's order.
    pub parts: Vec<Part>,
    /// The entries of `group_vars/`.
    pub group_vars: Vec<VarsEntry>,
    /// The entries of `host_vars/`.
    pub host_vars: Vec<VarsEntry>,
}

impl Place {
    /// A place of one YAML text and nothing beside it.
    #[must_use]
    pub fn of_yaml(text: &str, file: &str) -> Self {
        let (file, text) = (file.to_owned(), text.to_owned());
        Self {
            parts: vec![Part {
                text: Text { file, text },
                form: Form::Yaml,
            }],
            ..Self::default()
        }
    }
}

/// Whether a file in a folder of inventories is passed over, as Ansible passes over it.
#[must_use]
pub fn is_passed_over(name: &str) -> bool {
    const ENDINGS: [&str; 12] = [
        ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg",
        ".retry",
    ];
    name.starts_with('.')
        || ["host_vars", "group_vars", "vars_plugins"].contains(&name)
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Whether an entry of a folder of variables is read, as Ansible reads it; `is_dir` where it is a folder.
#[must_use]
pub fn is_vars_entry(name: &str, is_dir: bool) -> bool {
    let ext = extension(name);
    let good = ext.is_empty() || !is_dir && VARS_EXTENSIONS.contains(&ext);
    good && !name.starts_with('.') && !name.ends_with('~')
}

/// The extensions of files of variables, in the order in which Ansible looks for them.
pub(super) const VARS_EXTENSIONS: [&str; 4] = ["", ".yml", ".yaml", ".json"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_says_how_a_file_is_written() {
        for (name, form) in [
            ("hosts", Some(Form::Either)),
            (".hosts", Some(Form::Either)),
            ("hosts.yml", Some(Form::Yaml)),
            ("site.prod.yaml", Some(Form::Yaml)),
            ("hosts.json", Some(Form::Yaml)),
            ("hosts.ini", Some(Form::Ini)),
            ("prod.example", Some(Form::Ini)),
            ("hosts.toml", None),
        ] {
            assert_eq!(Form::of_file(name), form, "{name}");
        }
    }

    #[test]
    fn what_is_no_inventory_is_passed_over() {
        for name in ["group_vars", ".git", "README.md", "hosts~", "ansible.cfg"] {
            assert!(is_passed_over(name), "{name}");
        }
        for name in ["hosts", "01-static.yml", "group_vars_old", "aws.py"] {
            assert!(!is_passed_over(name), "{name}");
        }
        for (name, is_dir, wanted) in [
            ("all.yml", false, true),
            ("main", false, true),
            ("notes.txt", false, false),
            ("more", true, true),
            ("more.d", true, false),
            (".x.yml", false, false),
            ("x.yml~", false, false),
        ] {
            assert_eq!(is_vars_entry(name, is_dir), wanted, "{name}");
        }
    }
}
