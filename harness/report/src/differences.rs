//! What differs between snapshots, one line a difference.

use std::fmt::Write as _;

use patchgate_core::snapshot::{
    diff::Compared,
    pairs::{Laid, Pairs, Relation},
};

use crate::console::{Mood, Paint};

/// Tells every pair. Pairs that do not differ are told too: that nothing differs is an answer.
#[must_use]
pub fn told(pairs: &Pairs, paint: Paint) -> String {
    let mut sections: Vec<_> = pairs.laid.iter().map(|laid| section(laid, paint)).collect();
    if !pairs.left_out.is_empty() {
        let mut text = paint.mood(Mood::Heading, "not compared") + "\n";
        for why in &pairs.left_out {
            let _ = writeln!(text, "  {}", paint.mood(Mood::Unsure, why));
        }
        sections.push(text);
    }
    sections.join("\n")
}

fn section(laid: &Laid, paint: Paint) -> String {
    let mut text = paint.mood(Mood::Heading, &title(laid)) + "\n";
    for difference in &laid.compared.differences {
        let _ = writeln!(text, "  {}", difference.what);
    }
    if laid.compared.differences.is_empty() {
        let _ = writeln!(text, "  {}", nothing(&laid.compared));
    }
    for unseen in &laid.compared.unseen {
        let told = format!("seen on neither side: {}", unseen.what);
        let _ = writeln!(text, "  {}", paint.mood(Mood::Unsure, &told));
    }
    text
}

fn nothing(compared: &Compared) -> &'static str {
    if compared.unseen.is_empty() {
        "nothing differs"
    } else {
        "nothing differs of what was seen"
    }
}

/// `web1: baseline → patched`, `web1: RUN baseline → RUN baseline`, or two hosts.
fn title(laid: &Laid) -> String {
    let (a, b) = (&laid.first, &laid.second);
    let state = |place: &patchgate_core::snapshot::pairs::Place| match a.run == b.run {
        true => place.state.to_string(),
        false => format!("{} {}", place.run, place.state),
    };
    match laid.relation {
        Relation::Times => format!("{}: {} → {}", a.host, state(a), state(b)),
        Relation::Twin => format!(
            "{1} next to its upstream twin, {2}: {0} → {1}",
            a.host, b.host, a.state
        ),
        Relation::Hosts => format!("{} ({}) → {} ({})", a.host, state(a), b.host, state(b)),
    }
}
