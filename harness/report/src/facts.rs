//! A page for each host that was looked at: what it is, and what could not be seen of it.

mod audit;
mod line;
mod selinux;
mod system;

use patchgate_core::{
    facts::Facts,
    reading::Reading,
    snapshot::{Snapshot, looked::Looked, policy::PolicySnapshot, system::SystemSnapshot},
    text::one_line,
};

use self::line::Line;
use crate::{
    console::{Mood, Paint},
    tally::role_word,
};

/// Tells every host, a page each.
#[must_use]
pub fn pages(all: &[Looked], paint: Paint) -> String {
    let pages: Vec<_> = all.iter().map(|host| page(host, paint)).collect();
    pages.join("\n")
}

fn page(host: &Looked, paint: Paint) -> String {
    let lines: String = lines(host).iter().map(|line| line.told(paint)).collect();
    format!("{}\n{lines}", paint.mood(Mood::Heading, &title(host)))
}

/// `centos-web (rebuild, twin rhel-web), 192.0.2.2`.
fn title(host: &Looked) -> String {
    let role = host.role.map(|r| role_word(r).to_owned());
    let twin = host.twin.as_ref().map(|t| format!("twin {t}"));
    let words: Vec<_> = role.into_iter().chain(twin).collect();
    let words = match words.is_empty() {
        true => String::new(),
        false => format!(" ({})", words.join(", ")),
    };
    format!("{}{words}, {}", host.host, one_line(&host.address, 100))
}

fn lines(host: &Looked) -> Vec<Line> {
    let trouble = |text: &String| Line::new("trouble", text).mood(Mood::Bad);
    let mut lines: Vec<_> = host.troubles.iter().map(trouble).collect();
    let dirty = |text: &String| Line::new("dirty", text).mood(Mood::Bad);
    lines.extend(host.mark.iter().map(dirty));
    if let Some(facts) = &host.facts {
        lines.extend(of_facts(facts));
    }
    match &host.snapshot {
        Some(snapshot) => lines.extend(of_snapshot(host, snapshot)),
        None => lines.push(Line::unseen("snapshot", "it is not in the record")),
    }
    lines
}

fn of_facts(facts: &Facts) -> Vec<Line> {
    let known = |reading: &Reading<String>| match reading {
        Reading::Known(value) => value.clone(),
        Reading::Missing { why } => format!("not seen: {why}"),
    };
    let os = match &facts.os {
        Reading::Known(os) if os.pretty.is_empty() => format!("{} {}", os.id, os.version),
        Reading::Known(os) => os.pretty.clone(),
        Reading::Missing { why } => format!("not seen: {why}"),
    };
    let account = match &facts.uid {
        Reading::Known(0) => "root".to_owned(),
        Reading::Known(uid) => format!("user {uid}, who may not see everything"),
        Reading::Missing { why } => format!("an unknown user: {why}"),
    };
    let kernel = known(&facts.kernel);
    vec![
        Line::new(
            "system",
            &format!("{os}, kernel {kernel}, seen as {account}"),
        ),
        Line::of("packages", &facts.packages, |all| {
            format!("{} packages", all.len())
        }),
    ]
}

fn of_snapshot(host: &Looked, snapshot: &Snapshot) -> Vec<Line> {
    let mut lines = match &snapshot.policy {
        Reading::Known(policy) => of_policy(host, policy),
        Reading::Missing { why } => vec![Line::unseen("policy", why)],
    };
    lines.extend(audit::lines(&host.audit));
    match &snapshot.system {
        Reading::Known(system) => lines.extend(of_system(host, system)),
        Reading::Missing { why } => lines.push(Line::unseen("listeners and so on", why)),
    }
    lines
}

fn of_policy(host: &Looked, policy: &PolicySnapshot) -> Vec<Line> {
    let facts = host.facts.as_ref().and_then(|f| f.selinux.known());
    selinux::lines(policy, facts)
}

fn of_system(host: &Looked, system: &SystemSnapshot) -> Vec<Line> {
    system::lines(system, host.read_at)
}
