//! The service does not accept its configuration.

use super::{
    super::{candidate::Clue, scene::Scene, sights::ConfigTested},
    first_line, quote,
};
use crate::verdict::CauseKind;

/// The service's own check of its configuration fails. Where the service still runs it runs with the old
/// one, so that this does not explain what clients see; where a permission is what it complains of, the
/// configuration is not what is wrong.
pub(super) fn refused(scene: &Scene<'_>) -> Vec<Clue> {
    let fails = |t: &ConfigTested<'_>| t.exit.is_some_and(|exit| exit != 0);
    let Some(test) = scene.config_tests().find(fails) else {
        return Vec::new();
    };
    let down = scene.down();
    let permitted = !test.output.contains("Permission denied");
    let explanation = format!(
        "The service does not accept its configuration: `{}` says {}.",
        crate::text::one_line(test.command, 80),
        quote(&complaint(test.output))
    );
    let clue = Clue::new(CauseKind::Config, explanation)
        .supported(down.is_some() && permitted)
        .look(test.command)
        .on([test.seq])
        .on(down.map(|u| u.seq))
        .on(scene.events());
    vec![clue]
}

/// The line that says what is wrong, among the remarks that services make besides; with the next one where
/// it announces that.
pub(in crate::judge) fn complaint(output: &str) -> String {
    let telling = ["rror", "nvalid", "annot", "ailed", "not found", "denied"];
    let mut lines = output.lines().map(str::trim).filter(|l| !l.is_empty());
    let line = lines.find(|l| telling.iter().any(|t| l.contains(t)));
    let line = line.unwrap_or_else(|| first_line(output));
    match lines.next().filter(|_| line.ends_with(':')) {
        Some(next) => format!("{line} {next}"),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_is_found_among_remarks() {
        for (output, wanted) in [
            (
                "AH00558: httpd: Could not reliably determine the server's name\nAH00526: Syntax error on \
                 line 7 of /a.conf:\nInvalid command 'Bogus'\n",
                "AH00526: Syntax error on line 7 of /a.conf: Invalid command 'Bogus'",
            ),
            (
                "nginx: [emerg] unknown directive",
                "nginx: [emerg] unknown directive",
            ),
            ("error:", "error:"),
            ("", ""),
        ] {
            assert_eq!(complaint(output), wanted);
        }
    }
}
