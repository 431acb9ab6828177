//! The configuration of OpenSSH's client, with the files that it includes.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use patchgate_core::{
    inventory::{
        input::Text,
        ssh_config::{SshConfigFiles, includes},
    },
    wildcard::glob,
};

use crate::{error::CliError, files::read};

/// How many files a configuration may be made of, so that files that include each other end.
const MAX_FILES: usize = 200;

/// Reads the file that was named, else the user's own, if there is one.
pub(super) fn config(
    named: Option<&Path>,
    home: &Path,
) -> Result<Option<SshConfigFiles>, CliError> {
    let own = home.join(".ssh/config");
    let path = match named {
        Some(none) if none == Path::new("none") => return Ok(None),
        Some(path) => path,
        None if own.is_file() => &own,
        None => return Ok(None),
    };
    let main = text(path)?;
    let mut included = BTreeMap::new();
    let mut open = includes(&main.text);
    let mut n_files = 0;
    while let Some(pattern) = open.pop() {
        if n_files > MAX_FILES || included.contains_key(&pattern) {
            continue;
        }
        let mut texts = Vec::new();
        for path in files(&pattern, home) {
            let found = text(&path)?;
            open.extend(includes(&found.text));
            texts.push(found);
        }
        n_files += texts.len();
        included.insert(pattern, texts);
    }
    Ok(Some(SshConfigFiles { main, included }))
}

fn text(path: &Path) -> Result<Text, CliError> {
    let file = path.display().to_string();
    let text = read(path)?;
    Ok(Text { file, text })
}

/// The files that a pattern names, sorted: `*` and `?` in the last part of a path.
fn files(pattern: &str, home: &Path) -> Vec<PathBuf> {
    let path = match pattern.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None => home.join(".ssh").join(pattern),
    };
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
        return Vec::new();
    };
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let fits = |path: &PathBuf| {
        let own = path.file_name().map(|n| n.to_string_lossy().into_owned());
        own.is_some_and(|own| glob(name.to_string_lossy().as_bytes(), &own)) && path.is_file()
    };
    let mut found: Vec<PathBuf> = entries.map(|e| e.path()).filter(fits).collect();
    found.sort();
    found
}
