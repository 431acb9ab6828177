//! Finds and reads what an inventory is made of, as Ansible does: files, folders, executables, folders of
//! variables, and the configuration of OpenSSH's client.

mod script;
mod ssh;

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use patchgate_core::inventory::{
    Defaults, Limit, LimitError, Written,
    input::{self, Form, Part, Place, Text, VarsEntry},
    limit,
};

use crate::{args::Choice, error::CliError, files::read};

/// Everything that an inventory is read from.
pub(crate) struct Gathered {
    pub(crate) places: Vec<Place>,
    pub(crate) defaults: Defaults,
}

/// Reads everything that several `-i` name.
pub(crate) fn gather(named: &[String], choice: &Choice) -> Result<Gathered, CliError> {
    let places = named
        .iter()
        .map(|name| place(name))
        .collect::<Result<_, _>>()?;
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let user = env::var("USER").or_else(|_| env::var("LOGNAME"));
    let defaults = Defaults {
        user: user.unwrap_or_else(|_| "root".to_owned()),
        known_hosts: vec![
            home.join(".ssh/known_hosts"),
            PathBuf::from("/etc/ssh/ssh_known_hosts"),
        ],
        ssh_config: ssh::config(choice.ssh_config.as_deref(), &home)?,
        home,
    };
    Ok(Gathered { places, defaults })
}

/// All texts of an inventory, for drawing what is wrong in them.
pub(crate) fn texts<'g>(
    places: &'g [Place],
    defaults: &'g Defaults,
) -> impl Iterator<Item = &'g Text> {
    let config = defaults.ssh_config.iter();
    let config = config.flat_map(|c| c.included.values().flatten().chain([&c.main]));
    let of_place = |place: &'g Place| {
        let parts = place.parts.iter().flat_map(|part| {
            let hosts: &[(String, Text)] = match &part.form {
                Form::Script { hosts } => hosts,
                Form::Yaml | Form::Ini | Form::Either => &[],
            };
            hosts.iter().map(|(_, text)| text).chain([&part.text])
        });
        let entries = place.group_vars.iter().chain(&place.host_vars);
        parts.chain(entries.flat_map(|entry| &entry.files))
    };
    places.iter().flat_map(of_place).chain(config)
}

/// Keeps the hosts that a pattern names; `@file` stands for the lines of a file.
pub(crate) fn limit(written: &mut Written<'_>, pattern: &str) -> Result<(), CliError> {
    let mut parts = Vec::new();
    for part in limit::split(pattern) {
        match part.strip_prefix('@') {
            Some(file) => parts.extend(lines(&read(Path::new(file))?)),
            None => parts.push(part),
        }
    }
    let limited = Limit::new(parts).and_then(|limit| written.limit(&limit));
    limited.map_err(|error| {
        let usage = CliError::usage(format!("--limit {pattern}: {error}"));
        match error {
            LimitError::NoMatch {
                near: Some(near), ..
            } => usage.hint(format!("did you mean `{near}`?")),
            LimitError::Regex { .. } => {
                usage.hint("look-around and back references are not supported")
            }
            LimitError::NoMatch { near: None, .. }
            | LimitError::Empty
            | LimitError::Subscript(_) => usage,
        }
    })
}

fn lines(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    lines.map(str::to_owned)
}

/// Reads what one `-i` names.
fn place(named: &str) -> Result<Place, CliError> {
    let path = Path::new(named);
    if named.contains(',') && !path.exists() {
        return Ok(host_list(named));
    }
    let base = match path.is_dir() {
        true => path,
        false => parent(path),
    };
    let mut parts = Vec::new();
    collect(path, true, &mut parts)?;
    Ok(Place {
        base_dir: base.to_owned(),
        parts,
        group_vars: entries(&base.join("group_vars"))?,
        host_vars: entries(&base.join("host_vars"))?,
    })
}

/// The folder of a file; `.` where it is named alone.
fn parent(path: &Path) -> &Path {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// The hosts of `-i web1,web2,`.
fn host_list(named: &str) -> Place {
    let hosts = named.split(',').map(str::trim).filter(|h| !h.is_empty());
    let text = hosts.map(|h| format!("{h}\n")).collect();
    let file = format!("-i {named}");
    Place {
        parts: vec![Part {
            text: Text { file, text },
            form: Form::Ini,
        }],
        ..Place::default()
    }
}

/// Reads a file, an executable, or all of a folder; `is_named` where somebody named it.
fn collect(path: &Path, is_named: bool, parts: &mut Vec<Part>) -> Result<(), CliError> {
    if path.is_dir() {
        for entry in names(path)? {
            if !input::is_passed_over(&entry) {
                collect(&path.join(entry), false, parts)?;
            }
        }
        return Ok(());
    }
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    if is_executable(path) {
        parts.push(script::run(path)?);
        return Ok(());
    }
    let Some(form) = Form::of_file(&name) else {
        let message = format!(
            "cannot read `{}`: TOML inventories are not supported",
            path.display()
        );
        let hint = "`ansible-inventory --list --yaml` prints it as YAML";
        return Err(CliError::usage(message).hint(hint));
    };
    // What somebody named may be a pipe or anything else; a folder may hold such things by accident.
    if is_named || path.is_file() {
        let text = text(path)?;
        parts.push(Part { text, form });
    }
    Ok(())
}

/// Whether a file is run and not read: it may be executed, and says how.
fn is_executable(path: &Path) -> bool {
    let may_be =
        fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
    let begins = |magic: &[u8]| {
        use std::io::Read as _;
        let mut first = vec![0; magic.len()];
        let read = fs::File::open(path).and_then(|mut f| f.read_exact(&mut first));
        read.is_ok() && first == magic
    };
    may_be && (begins(b"#!") || begins(b"\x7fELF"))
}

fn text(path: &Path) -> Result<Text, CliError> {
    let file = path.display().to_string();
    let text = read(path)?;
    Ok(Text { file, text })
}

/// The names in a folder, sorted.
fn names(dir: &Path) -> Result<Vec<String>, CliError> {
    let failed = |e| CliError::usage(format!("cannot read `{}`: {e}", dir.display()));
    let entries = fs::read_dir(dir).map_err(failed)?;
    let names: Result<Vec<_>, _> = entries.map(|e| e.map(|e| e.file_name())).collect();
    let names = names.map_err(failed)?.into_iter();
    let mut names: Vec<String> = names.map(|n| n.to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

/// The entries of a folder of variables; none where there is no such folder.
fn entries(dir: &Path) -> Result<Vec<VarsEntry>, CliError> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut entries = Vec::new();
    for name in names(dir)? {
        let path = dir.join(&name);
        let mut files = Vec::new();
        if path.is_dir() {
            vars_files(&path, &mut files)?;
        } else if !name.starts_with('.') {
            files.push(text(&path)?);
        }
        entries.push(VarsEntry { name, files });
    }
    Ok(entries)
}

/// Reads the files of variables in a folder and in those below, in Ansible's order.
fn vars_files(dir: &Path, files: &mut Vec<Text>) -> Result<(), CliError> {
    for name in names(dir)? {
        let path = dir.join(&name);
        if !input::is_vars_entry(&name, path.is_dir()) {
            continue;
        }
        if path.is_dir() {
            vars_files(&path, files)?;
        } else {
            files.push(text(&path)?);
        }
    }
    Ok(())
}
