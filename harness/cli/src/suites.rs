//! The suites that ship inside the program, and those that people bring.

use std::path::Path;

use crate::error::CliError;

/// Name and text of each built-in suite.
const BUILT_IN: [(&str, &str); 2] = [
    ("httpd", include_str!("../../../suites/httpd/suite.yaml")),
    (
        "selinux",
        include_str!("../../../suites/selinux/suite.yaml"),
    ),
];

/// What is run when nobody names a suite.
pub(crate) const DEFAULT: [&str; 2] = ["httpd", "selinux"];

/// The text of a suite and the name that messages give its file.
///
/// A word with a slash or a dot is a file; any other is the name of a built-in suite.
pub(crate) fn text(wanted: &str) -> Result<(String, String), CliError> {
    if wanted.contains(['/', '.']) {
        let path = Path::new(wanted);
        let path = if path.is_dir() {
            path.join("suite.yaml")
        } else {
            path.to_owned()
        };
        return crate::files::read(&path).map(|text| (path.display().to_string(), text));
    }
    let built_in = BUILT_IN.iter().find(|(name, _)| *name == wanted);
    let (name, text) = built_in.ok_or_else(|| unknown(wanted))?;
    Ok((format!("suites/{name}/suite.yaml"), (*text).to_owned()))
}

fn unknown(wanted: &str) -> CliError {
    let names: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
    CliError::usage(format!("there is no built-in suite `{wanted}`")).hint(format!(
        "built in are {}; a file is named by its path",
        names.join(", ")
    ))
}
