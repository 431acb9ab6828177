//! SELinux denies it: silently, or by the log.

use super::{
    super::{
        access::{Access, Origin, may_deny, shows},
        candidate::Clue,
        effect,
        loss::kind_of,
        scene::Scene,
    },
    of_denial, proof, quote,
};
use crate::{
    judge::suspects,
    suggestion::Fix,
    text::shell_word,
    verdict::{CauseKind, DeniedAccess, Proof},
};

/// How much less an access weighs that does not show as any of the failures.
const UNRELATED: u8 = 40;

/// A clue for each denied access.
pub(super) fn denied(scene: &Scene<'_>) -> Vec<Clue> {
    let open = proof::open(scene);
    let clue = |access: &Access| {
        let mut clue = clue(scene, access);
        clue.effect = match (clue.effect, proof::unproven(scene, &open, access)) {
            (Some(shows), Some(why)) => Some(format!("{shows} {why}")),
            (shows, why) => shows.or(why),
        };
        clue
    };
    scene.accesses.iter().map(clue).collect()
}

/// Denials that an experiment did not turn: a service that does not recover by itself may still have
/// failed for them, so that they are told where nothing better is.
pub(super) fn cleared(scene: &Scene<'_>) -> Vec<Clue> {
    let shown = scene.cleared.iter().filter(|a| shows(scene, a));
    let clue = |access: &Access| {
        let mut clue = clue(scene, access);
        clue.proof = Proof::Suspected;
        clue.weight = 0;
        let stayed = "With the domain permissive the failure stayed, which speaks against it.";
        clue.effect = Some(stayed.to_owned());
        clue
    };
    shown.map(clue).collect()
}

/// What a denied access says by itself.
pub(super) fn clue(scene: &Scene<'_>, access: &Access) -> Clue {
    let denial = &access.denial;
    let shows = shows(scene, access);
    let explanation = format!("{}.", words(scene, access));
    let clue = Clue::new(kind_of(denial), explanation)
        .about(subject(denial))
        .look(look(access));
    let mut clue = of_denial(scene, access, clue);
    clue.weight -= rank(access.origin) + u8::from(is_stray(scene, access));
    if !shows {
        clue.weight -= UNRELATED;
    }
    let felt = shows && access.origin != Origin::Logged;
    clue.effect = felt.then(|| "That is what the clients see.".to_owned());
    clue.fix = Some(Fix::Allow(denial.clone()));
    clue
}

/// Clues to denials of the same domain and type are the same cause.
pub(super) fn subject(denial: &DeniedAccess) -> String {
    format!("{} {}", denial.source, denial.target)
}

/// Before and after say more than the log, and the log more than what is there without a before.
fn rank(origin: Origin) -> u8 {
    match origin {
        Origin::Lost => 0,
        Origin::Logged => 1,
        Origin::Revealed => 2,
        Origin::Answered => 3,
    }
}

/// Whether it shows without dontaudit rules only, and of a file that may lie anywhere.
fn is_stray(scene: &Scene<'_>, access: &Access) -> bool {
    let placed = !effect::is_file(access) || effect::is_surely_near(scene, access);
    access.origin == Origin::Revealed && !placed
}

fn words(scene: &Scene<'_>, access: &Access) -> String {
    let denial = &access.denial;
    match access.origin {
        Origin::Lost => lost_words(denial, policy_package(scene)),
        Origin::Logged => format!(
            "SELinux denied, and logged in the check's window: {}",
            object(access)
        ),
        Origin::Revealed => format!(
            "With dontaudit rules off the log shows what SELinux denies: {}{}",
            object(access),
            hidden(denial)
        ),
        Origin::Answered => format!(
            "SELinux does not let {}, as which the service runs, {{ {} }} on its own {}{}",
            denial.source,
            denial.perms.join(" "),
            denial.class,
            hidden(denial)
        ),
    }
}

/// What was lost, as a sentence without its end.
pub(in crate::judge::cause) fn lost_words(
    denial: &DeniedAccess,
    package: Option<String>,
) -> String {
    let DeniedAccess {
        source,
        target,
        class,
        perms,
        ..
    } = denial;
    format!(
        "SELinux no longer lets {source} {{ {} }} on {class} of {target}: the kernel's access vector \
         allowed it at the baseline and denies it now{}{}",
        perms.join(" "),
        package
            .map(|p| format!(" (in between came {p})"))
            .unwrap_or_default(),
        hidden(denial)
    )
}

fn hidden(denial: &DeniedAccess) -> &'static str {
    if denial.silenced {
        "; a dontaudit rule keeps these denials out of every log"
    } else {
        ""
    }
}

/// `httpd_t { getattr } on file of shadow_t, by httpd (/var/www/html/index.html)`.
pub(super) fn object(access: &Access) -> String {
    let DeniedAccess {
        source,
        target,
        class,
        perms,
        ..
    } = &access.denial;
    let by = access.program.as_ref();
    let by = by.map(|p| format!(", by {p}")).unwrap_or_default();
    let what = match (&access.path, access.port) {
        (_, Some(port)) => format!(" (port {port})"),
        (Some(path), None) => format!(" ({})", quote(path).trim_matches('`')),
        (None, None) => String::new(),
    };
    format!(
        "{source} {{ {} }} on {class} of {target}{by}{what}",
        perms.join(" ")
    )
}

fn look(access: &Access) -> String {
    match access.origin {
        Origin::Logged => format!(
            "ausearch --input-logs -m AVC,USER_AVC -i -su {}",
            shell_word(&access.denial.source)
        ),
        Origin::Lost | Origin::Revealed | Origin::Answered => sesearch(&access.denial),
    }
}

/// The command that shows the rules of an access.
pub(in crate::judge::cause) fn sesearch(denial: &DeniedAccess) -> String {
    let [source, target, class] =
        [&denial.source, &denial.target, &denial.class].map(|w| shell_word(w));
    format!("sesearch -A --dontaudit -s {source} -t {target} -c {class}")
}

/// The package of the transaction that carries the policy.
fn policy_package(scene: &Scene<'_>) -> Option<String> {
    let changes = suspects::changes(scene.view, scene.host);
    let carries = |name: &str| name.starts_with("selinux-policy-");
    let change = changes.iter().find(|c| carries(c.name()))?;
    Some(change.after()?.to_string())
}

/// Texts of a service that was refused on a socket; no file permission refuses any of these.
const SOCKET: [&str; 4] = [
    "apr_socket_accept",
    "make_sock",
    "listen for connections",
    "accept()",
];

/// The service itself says that it may not use its sockets, and nothing else was seen of it: only SELinux
/// refuses that, silently here.
pub(super) fn hinted(scene: &Scene<'_>) -> Vec<Clue> {
    let refused = |line: &str| line.contains("(13)Permission denied") && is_about_sockets(line);
    let line = scene.lines().find(|(_, line)| refused(line));
    let Some((seq, line)) = line.filter(|_| scene.accesses.is_empty() && may_deny(scene)) else {
        return Vec::new();
    };
    let explanation = format!(
        "The service was refused on its own socket ({}): file permissions do not do that, and SELinux \
         does, here without a record that was seen.",
        quote(line)
    );
    let mut clue = Clue::new(CauseKind::SelinuxSilentDenial, explanation)
        .about("?")
        .look("semodule -DB, ask again, ausearch -m AVC -ts recent, semodule -B")
        .on([seq])
        .on(scene.events());
    clue.weight -= UNRELATED;
    vec![clue]
}

/// Whether a line of an error log is about a socket.
pub(super) fn is_about_sockets(line: &str) -> bool {
    SOCKET.iter().any(|text| line.contains(text))
}
