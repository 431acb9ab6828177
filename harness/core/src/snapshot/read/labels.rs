//! File labels, as `stat` and `matchpathcon` tell them.

use std::collections::BTreeMap;

use crate::snapshot::policy::PathLabel;

/// Joins `stat -c '%C %n'` with `matchpathcon` over the same paths, sorted by path.
///
/// A path of which stat could not tell the context is left out; `<<none>>`, and a path that
/// matchpathcon does not tell of, want no label.
#[must_use]
pub fn of_paths(is: &str, should: &str) -> Vec<PathLabel> {
    let should: BTreeMap<&str, &str> = should
        .lines()
        .filter_map(|l| l.rsplit_once('\t'))
        .filter(|(_, context)| is_context(context))
        .collect();
    let label = |line: &str| {
        let (context, path) = line.split_once(' ')?;
        is_context(context).then(|| PathLabel {
            path: path.to_owned(),
            is: context.to_owned(),
            should: should.get(path).map(|s| (*s).to_owned()),
        })
    };
    let mut labels: Vec<_> = is.lines().filter_map(label).collect();
    labels.sort();
    labels.dedup();
    labels
}

/// `user:role:type`, with or without a level.
fn is_context(text: &str) -> bool {
    text.split(':').filter(|part| !part.is_empty()).count() >= 3 && !text.contains(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_gets_its_two_labels_whatever_the_order() {
        let is = "system_u:object_r:httpd_sys_content_t:s0 /var/www/html\n\
                  unconfined_u:object_r:user_home_t:s0 /var/www/html/my page.html\n\
                  ? /var/www/html/gone\n\
                  stat: cannot stat '/var/www/html/later': No such file or directory\n\
                  system_u:object_r:tmp_t:s0 /tmp/x\n";
        let should = "matchpathcon: something to say\n/tmp/x\t<<none>>\n\
                      /var/www/html/my page.html\tsystem_u:object_r:httpd_sys_content_t:s0\n\
                      /var/www/html\tsystem_u:object_r:httpd_sys_content_t:s0\n";
        let labels = of_paths(is, should);
        let told: Vec<_> = labels
            .iter()
            .map(|l| (l.path.as_str(), l.should.is_some(), l.is_wrong()))
            .collect();
        assert_eq!(
            told,
            [
                ("/tmp/x", false, false),
                ("/var/www/html", true, false),
                ("/var/www/html/my page.html", true, true),
            ]
        );
    }

    #[test]
    fn the_labels_of_a_lab_guest_are_read() {
        let labels = of_paths(
            include_str!("../../../tests/captured/snapshot/lab.stat"),
            include_str!("../../../tests/captured/snapshot/lab.matchpathcon"),
        );
        let wrong: Vec<_> = labels.iter().filter(|l| l.is_wrong()).collect();
        assert_eq!((labels.len(), wrong.len()), (4, 1));
        assert_eq!(wrong[0].path, "/var/www/html/index.html");
        let proc = labels.iter().find(|l| l.path == "/proc").unwrap();
        assert_eq!(proc.should, None);
    }
}
