//! The suites that ship inside the program, and those that people bring.

use std::path::{Path, PathBuf};

use crate::error::CliError;

/// A suite that ships inside the program.
struct BuiltIn {
    name: &'static str,
    text: &'static str,
    /// Names and texts of the files beside it.
    files: &'static [(&'static str, &'static str)],
}

/// The built-in suites.
const BUILT_IN: [BuiltIn; 2] = [
    BuiltIn {
        name: "httpd",
        text: include_str!("../../../suites/httpd/suite.yaml"),
        files: &[],
    },
    BuiltIn {
        name: "selinux",
        text: include_str!("../../../suites/selinux/suite.yaml"),
        files: &[],
    },
];

/// What is run when nobody names a suite.
pub(crate) const DEFAULT: [&str; 2] = ["httpd", "selinux"];

/// The text of a suite and the name that messages give its file.
///
/// A word with a slash or a dot is a file; any other is the name of a built-in suite.
pub(crate) fn text(wanted: &str) -> Result<(String, String), CliError> {
    if let Some(path) = path(wanted) {
        return crate::files::read(&path).map(|text| (path.display().to_string(), text));
    }
    let built_in = find(wanted)?;
    let name = built_in.name;
    Ok((
        format!("suites/{name}/suite.yaml"),
        built_in.text.to_owned(),
    ))
}

/// The text of a file that a suite names, and the name that messages give it. It is looked for beside
/// the suite's own file; a built-in suite has only what ships with it.
pub(crate) fn text_beside(wanted: &str, file: &str) -> Result<(String, String), CliError> {
    if let Some(path) = path(wanted) {
        let path = path.with_file_name(file);
        return crate::files::read(&path).map(|text| (path.display().to_string(), text));
    }
    let BuiltIn { name, files, .. } = find(wanted)?;
    match files.iter().find(|(known, _)| *known == file) {
        Some((_, text)) => Ok((format!("suites/{name}/{file}"), (*text).to_owned())),
        None => Err(CliError::usage(format!(
            "the built-in suite `{name}` has no file `{file}`"
        ))),
    }
}

/// The file of a suite; none where the name is that of a built-in one.
fn path(wanted: &str) -> Option<PathBuf> {
    let path = Path::new(wanted);
    let named = wanted.contains(['/', '.']);
    named.then(|| {
        if path.is_dir() {
            path.join("suite.yaml")
        } else {
            path.to_owned()
        }
    })
}

fn find(wanted: &str) -> Result<&'static BuiltIn, CliError> {
    let found = BUILT_IN.iter().find(|s| s.name == wanted);
    found.ok_or_else(|| unknown(wanted))
}

fn unknown(wanted: &str) -> CliError {
    let names: Vec<_> = BUILT_IN.iter().map(|s| s.name).collect();
    CliError::usage(format!("there is no built-in suite `{wanted}`")).hint(format!(
        "built in are {}; a file is named by its path",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use patchgate_core::{allow, suite};

    use super::*;

    /// Every list that a built-in suite names ships with it and is well written, and nothing else does.
    #[test]
    fn built_in_suites_have_the_files_that_they_name() {
        for built_in in &BUILT_IN {
            let mut suite = suite::parse(built_in.text, "suite.yaml").unwrap();
            let named: Vec<_> = suite.allow_lists().map(|l| l.file.clone()).collect();
            for file in &named {
                let (shown, text) = text_beside(built_in.name, file).unwrap();
                assert!(allow::parse(&text, &shown).is_ok(), "{shown}");
            }
            let shipped: Vec<_> = built_in.files.iter().map(|f| f.0).collect();
            assert_eq!(shipped, named, "{}", built_in.name);
        }
    }

    #[test]
    fn a_built_in_suite_reaches_no_file_of_this_machine() {
        for file in ["known.yaml", "../selinux/suite.yaml", "/etc/passwd"] {
            assert!(text_beside("httpd", file).is_err(), "{file}");
        }
    }
}
