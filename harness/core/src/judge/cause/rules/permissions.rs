//! The file permissions, and not SELinux, refuse it.

use super::{
    super::{
        candidate::Clue,
        scene::Scene,
        trial::{Answer, Trial},
    },
    quote, relabel,
    selinux::is_about_sockets,
};
use crate::{outcome::SymptomKind, text::shell_word, verdict::CauseKind};

/// The service says that it was refused, and nothing shows that SELinux did it. Supported only where
/// SELinux is ruled out: it does not enforce, the experiment turned nothing, or everything that can show
/// its hand was read and shows none. Another label than before leaves a suspicion at most: the experiment
/// was about one domain.
pub(super) fn refused(scene: &Scene<'_>) -> Vec<Clue> {
    let refused = |line: &str| line.contains("Permission denied") && !is_about_sockets(line);
    let line = scene.lines().find(|(_, line)| refused(line));
    let Some((seq, line)) = line.filter(|_| is_felt(scene) && scene.accesses.is_empty()) else {
        return Vec::new();
    };
    let relabelled = !scene.mislabeled().is_empty() || !relabel::all(scene).is_empty();
    let is_label = relabelled && !scene.is_unenforced();
    if is_label && !scene.trials.iter().any(is_unmoved) {
        return Vec::new();
    }
    let (ruled_out, why) = ruled_out(scene);
    let explanation = format!("The service was refused: {}. {why}", quote(line));
    let look = match path_in(line) {
        Some(path) => format!("namei -l {}", shell_word(path)),
        None => "namei -l on the path that the error log names".to_owned(),
    };
    let clue = Clue::new(CauseKind::Permissions, explanation)
        .supported(ruled_out && !is_label)
        .look(look)
        .on([seq])
        .on(scene.events());
    vec![clue]
}

fn is_felt(scene: &Scene<'_>) -> bool {
    let mut kinds = scene.kinds();
    kinds.any(|k| {
        matches!(
            k,
            SymptomKind::HttpStatus | SymptomKind::HttpBody | SymptomKind::ServiceState
        )
    })
}

fn ruled_out(scene: &Scene<'_>) -> (bool, &'static str) {
    if scene.is_unenforced() {
        return (
            true,
            "SELinux does not enforce, so that only file permissions can do that.",
        );
    }
    if scene.trials.iter().any(is_unmoved) {
        return (
            true,
            "With the domain permissive it was refused all the same, so that it is not SELinux.",
        );
    }
    let whole = scene.is_whole() && scene.are_labels_known() && are_vectors_known(scene);
    if whole && scene.is_enforced() {
        return (
            true,
            "The log is whole and shows no denial, labels and access vectors are as they were.",
        );
    }
    (
        false,
        "No trace of SELinux was seen, but not everything that would show one.",
    )
}

/// The experiment turned nothing.
fn is_unmoved(trial: &Trial) -> bool {
    trial.answer == Answer::Unmoved
}

fn are_vectors_known(scene: &Scene<'_>) -> bool {
    let vectors = scene.now.and_then(|n| n.vectors.as_ref());
    scene.before.is_some() && vectors.is_some_and(|v| v.value.known().is_some())
}

/// The first absolute path of a line.
fn path_in(line: &str) -> Option<&str> {
    let ends = |c: char| c.is_whitespace() || "'\"`:,;)]".contains(c);
    line.split(ends).find(|w| w.len() > 1 && w.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_line_is_found() {
        for (line, path) in [
            (
                "(13)Permission denied: AH00132: file permissions deny server access: /var/www/html/index.html",
                Some("/var/www/html/index.html"),
            ),
            (
                "(13)Permission denied: access to '/srv/a' denied (filesystem path '/srv')",
                Some("/srv/a"),
            ),
            ("Permission denied", None),
        ] {
            assert_eq!(path_in(line), path, "{line}");
        }
    }
}
