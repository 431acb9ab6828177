//! Reads which labels `restorecon -n -v` would change.

use crate::snapshot::policy::PathLabel;

/// What `restorecon -n -v` said: the wrong labels, and the lines that were not understood.
///
/// Two forms: `Would relabel PATH from IS to SHOULD` (libselinux from 2.6 on) and
/// `restorecon reset PATH context IS->SHOULD` (EL6, EL7).
#[must_use]
pub fn parse(text: &str) -> (Vec<PathLabel>, Vec<String>) {
    let (mut labels, mut odd) = (Vec::new(), Vec::new());
    // A path for which the policy has no label cannot have a wrong one.
    let says = |l: &&str| !l.trim().is_empty() && !l.contains("no default label for");
    for line in text.lines().filter(says) {
        match relabel(line).or_else(|| reset(line)) {
            Some(label) => labels.push(label),
            None => odd.push(line.to_owned()),
        }
    }
    (labels, odd)
}

fn relabel(line: &str) -> Option<PathLabel> {
    let (rest, should) = line.strip_prefix("Would relabel ")?.rsplit_once(" to ")?;
    let (path, is) = rest.rsplit_once(" from ")?;
    Some(label(path, is, should))
}

fn reset(line: &str) -> Option<PathLabel> {
    let (_, rest) = line.split_once("restorecon reset ")?;
    let (path, contexts) = rest.rsplit_once(" context ")?;
    let (is, should) = contexts.split_once("->")?;
    Some(label(path, is, should))
}

fn label(path: &str, is: &str, should: &str) -> PathLabel {
    PathLabel {
        path: path.to_owned(),
        is: is.to_owned(),
        should: Some(should.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IS: &str = "unconfined_u:object_r:shadow_t:s0";
    const SHOULD: &str = "unconfined_u:object_r:httpd_sys_content_t:s0";

    #[test]
    fn both_forms_are_read() {
        for path in [
            "/var/www/html/index.html",
            "/var/www/from here to there/x context y",
        ] {
            for line in [
                format!("Would relabel {path} from {IS} to {SHOULD}\n"),
                format!("restorecon reset {path} context {IS}->{SHOULD}\n"),
                format!("/sbin/restorecon reset {path} context {IS}->{SHOULD}\n"),
            ] {
                assert_eq!(parse(&line), (vec![label(path, IS, SHOULD)], vec![]));
            }
        }
    }

    #[test]
    fn what_is_not_understood_is_kept() {
        let customized =
            "/srv/x not reset as customized by admin to system_u:object_r:home_bin_t:s0";
        let text = format!("{customized}\nWarning no default label for /tmp/x\n\n");
        assert_eq!(parse(&text), (vec![], vec![customized.to_owned()]));
        assert_eq!(parse(""), (vec![], vec![]));
    }
}
