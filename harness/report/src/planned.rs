//! What a patch set would do, host by host: `patchgate plan`.

use std::fmt::Write as _;

use patchgate_core::{
    reading::Reading,
    text::one_line,
    transaction::{HostPlan, Row},
};

use crate::console::{Mood, Paint};

/// The longest line.
const MAX: usize = 300;

/// A page for each host.
#[must_use]
pub fn pages(hosts: &[HostPlan], paint: Paint) -> String {
    let pages: Vec<_> = hosts.iter().map(|h| page(h, paint)).collect();
    pages.join("\n")
}

fn page(host: &HostPlan, paint: Paint) -> String {
    let manager = host.manager.map(|m| format!(" ({})", m.word()));
    let head = format!("{}{}", host.host, manager.unwrap_or_default());
    let mut text = paint.mood(Mood::Heading, &head) + "\n";
    for trouble in &host.troubles {
        line(&mut text, &paint.mood(Mood::Bad, &one_line(trouble, MAX)));
    }
    if let Some(mark) = &host.mark {
        line(
            &mut text,
            &paint.mood(Mood::Bad, &format!("dirty: {}", one_line(mark, MAX))),
        );
    }
    match &host.rows {
        Reading::Missing { why } if host.troubles.is_empty() => {
            let why = format!("what would change is NOT KNOWN: {}", one_line(why, MAX));
            line(&mut text, &paint.mood(Mood::Unsure, &why));
        }
        Reading::Missing { .. } => {}
        Reading::Known(rows) if rows.is_empty() => {
            line(&mut text, "nothing would change");
        }
        Reading::Known(rows) => {
            for row in rows {
                line(&mut text, &of_row(row));
            }
        }
    }
    for advisory in &host.advisories {
        let (asked, here) = (&advisory.asked, advisory.here.join(", "));
        let told = match asked.to_string() == here {
            true => format!("{asked} has this name here too"),
            false => format!("{asked} is {here} here"),
        };
        line(&mut text, &one_line(&told, MAX));
    }
    for left in &host.left_out {
        line(&mut text, &one_line(&format!("held back  {left}"), MAX));
    }
    held(&mut text, host, paint);
    wanted(&mut text, host, paint);
    twin(&mut text, host, paint);
    text
}

fn line(text: &mut String, line: &str) {
    let _ = writeln!(text, "  {line}");
}

fn of_row(row: &Row) -> String {
    let package = row.package.to_string();
    let from = one_line(&row.repository, 60);
    format!("{:<10} {package} from {from}", row.action.word())
}

fn held(text: &mut String, host: &HostPlan, paint: Paint) {
    match &host.held {
        Some(Reading::Known(all)) => {
            for held in all {
                let (package, why) = (held.package.to_string(), one_line(&held.why.text(), MAX));
                line(text, &format!("held back  {package}: {why}"));
            }
        }
        Some(Reading::Missing { why }) => {
            let why = format!("what is held back is NOT KNOWN: {}", one_line(why, MAX));
            line(text, &paint.mood(Mood::Unsure, &why));
        }
        None => {}
    }
}

/// What is asked for and neither installed nor about to come.
fn wanted(text: &mut String, host: &HostPlan, paint: Paint) {
    let known = match host.rows.known() {
        Some(_) => "asked for, not installed, and would not come",
        None => "asked for and not installed",
    };
    for wanted in &host.wanted {
        let told = format!("{known}: {wanted}");
        line(text, &paint.mood(Mood::Bad, &one_line(&told, MAX)));
    }
}

fn twin(text: &mut String, host: &HostPlan, paint: Paint) {
    let Some(twin) = &host.twin else {
        return;
    };
    match host.differences.as_deref() {
        None => line(text, &format!("twin {twin}: cannot be compared")),
        Some([]) => line(text, &format!("twin {twin}: the same")),
        Some(differences) => {
            line(
                text,
                &paint.mood(Mood::Unsure, &format!("twin {twin} differs")),
            );
            for d in differences {
                let told = match (&d.here, &d.twin) {
                    (Some(here), Some(twin)) => format!("{}: {here} here, {twin} there", d.package),
                    (Some(here), None) => format!("{}: {here} here only", d.package),
                    (None, Some(twin)) => format!("{}: {twin} there only", d.package),
                    (None, None) => d.package.clone(),
                };
                line(text, &format!("  {}", one_line(&told, MAX)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use patchgate_core::id::HostName;

    use super::*;

    #[test]
    fn what_is_not_known_is_told_as_such() {
        let host = HostPlan {
            host: HostName::new("web1").unwrap(),
            role: None,
            troubles: vec![],
            mark: None,
            manager: None,
            rows: Reading::Known(vec![]),
            advisories: vec![],
            wanted: vec![],
            left_out: vec![],
            held: Some(Reading::missing("exit status 1")),
            twin: None,
            differences: None,
        };
        assert!(!host.is_whole());
        let told = pages(&[host], Paint::PLAIN);
        let unknown = "  what is held back is NOT KNOWN: exit status 1\n";
        assert_eq!(told, format!("web1\n  nothing would change\n{unknown}"));
    }
}
