//! Which check a denial belongs to.

use proptest::prelude::*;

use super::{NONCE, capture};
use crate::{
    evidence::{
        capture::{Reading, WindowCapture},
        coverage::{Coverage, Gap},
        segment::{AskedFrom, Segment},
        window::{Expectations, WindowEvidence, examine},
    },
    id::CheckId,
};

/// Between checks of a lab guest; the second asks for one page, and the controller for another.
const CAPTURED: &str = include_str!("../../../../tests/captured/audit/lab/segments.log");

#[test]
fn the_checks_of_a_lab_guest_have_the_denials_that_they_caused() {
    let captured = WindowCapture {
        segments: segments(),
        ..capture("w-1", CAPTURED)
    };
    let evidence = look(&captured);
    assert_eq!(evidence.coverage, Coverage::Complete);
    for (name, page) in [
        ("one", None),
        ("two", Some("d1")),
        ("three", Some("d2")),
        ("four", Some("d2")),
    ] {
        let denials = evidence.denials_of(&id(name));
        let pages: Vec<_> = denials
            .known()
            .unwrap()
            .iter()
            .filter_map(|d| d.path.clone())
            .collect();
        let wanted: Vec<_> = page
            .map(|page| format!("/var/www/html/{page}.html"))
            .into_iter()
            .collect();
        let mut found = pages.clone();
        found.dedup();
        assert_eq!(found, wanted, "{name}");
    }
}

/// A user record with this text. Its number is its time, so that a line says in one figure where it
/// belongs.
fn marker(at: u64, text: &str) -> String {
    format!(
        "type=USER msg=audit({}.000:{at}): pid=1 uid=0 auid=0 ses=1 subj=u:r:auditctl_t:s0 \
         msg='text=patchgate {NONCE} w {text} exe=\"/usr/sbin/auditctl\" hostname=? addr=? \
         terminal=? res=success'",
        1000 + at
    )
}

fn denial(at: u64) -> String {
    format!(
        "type=AVC msg=audit({}.000:{at}): avc:  denied  {{ read }} for  pid={at} comm=\"x\" \
         scontext=u:r:a_t:s0 tcontext=u:r:b_t:s0 tclass=file permissive=0",
        1000 + at
    )
}

/// A record that is about nothing.
fn filler(at: u64) -> String {
    format!("type=CRED_REFR msg=audit({}.000:{at}): pid={at}", 1000 + at)
}

/// The markers of a window with two checks on the host and two from the controller.
fn markers() -> Vec<(u64, String)> {
    [
        (10, "begin"),
        (20, "segment 1"),
        (30, "segment 2"),
        (40, "segment 3"),
        (50, "end"),
    ]
    .map(|(at, text)| (at, marker(at, text)))
    .to_vec()
}

fn id(name: &str) -> CheckId {
    CheckId::try_from(format!("s/{name}")).unwrap()
}

fn segments() -> Vec<Segment> {
    let segment = |number, asked_from, checks: &[&str]| Segment {
        number,
        asked_from,
        checks: checks.iter().map(|name| id(name)).collect(),
        marker: Reading::Known(()),
    };
    vec![
        segment(1, AskedFrom::Host, &["one"]),
        segment(2, AskedFrom::Host, &["two"]),
        segment(3, AskedFrom::Controller, &["three", "four"]),
    ]
}

fn of_lines(lines: impl IntoIterator<Item = String>) -> WindowCapture {
    let text: Vec<String> = lines.into_iter().collect();
    WindowCapture {
        segments: segments(),
        ..capture("w", &text.join("\n"))
    }
}

/// The log in the order of its numbers, none of which is missing, with denials at these.
fn in_order(denials: &[u64]) -> WindowCapture {
    let mut lines = markers();
    lines.extend(denials.iter().map(|at| (*at, denial(*at))));
    let free: Vec<u64> = (10..50)
        .filter(|n| !lines.iter().any(|(at, _)| at == n))
        .collect();
    lines.extend(free.into_iter().map(|at| (at, filler(at))));
    lines.sort();
    of_lines(lines.into_iter().map(|(_, line)| line))
}

fn look(capture: &WindowCapture) -> WindowEvidence {
    examine(capture, Expectations::default())
}

/// The numbers of a check's denials, or nothing where it is unknown.
fn of(evidence: &WindowEvidence, name: &str) -> Option<Vec<u64>> {
    let denials = evidence.denials_of(&id(name));
    let serials = |d: &Vec<&_>| {
        let d: &Vec<&crate::evidence::denial::Decision> = d;
        d.iter().map(|d| d.stamp.unwrap().serial).collect()
    };
    denials.known().map(serials)
}

type Wanted<'a> = [Option<&'a [u64]>; 3];

fn assert_attributed(capture: &WindowCapture, wanted: Wanted<'_>, what: &str) {
    let evidence = look(capture);
    assert_eq!(evidence.belongs.len(), evidence.decisions.len());
    for (name, wanted) in ["one", "two", "three"].into_iter().zip(wanted) {
        assert_eq!(of(&evidence, name).as_deref(), wanted, "{what}: {name}");
    }
    assert_eq!(
        of(&evidence, "four"),
        of(&evidence, "three"),
        "side by side"
    );
}

#[test]
fn a_denial_belongs_to_the_check_between_whose_markers_it_stands() {
    let capture = in_order(&[15, 25, 26, 45]);
    assert_attributed(
        &capture,
        [Some(&[25, 26]), Some(&[]), Some(&[45])],
        "in order",
    );
    assert_eq!(look(&capture).denials().count(), 4, "15 is the state's");
    assert_eq!(look(&capture).coverage, Coverage::Complete);
}

#[test]
fn a_record_out_of_order_belongs_where_its_time_and_number_are() {
    for late in [denial(25), denial(15), denial(45)] {
        for at in 0..=markers().len() {
            let mut lines: Vec<String> = markers().into_iter().map(|(_, line)| line).collect();
            lines.insert(at, late.clone());
            let in_place = in_order(&[late.split(':').nth(1).unwrap()[..2].parse().unwrap()]);
            let (moved, in_place) = (look(&of_lines(lines)), look(&in_place));
            assert_eq!(moved.belongs, in_place.belongs, "{late} at {at}");
            assert_eq!(moved.decisions.len(), 1);
        }
    }
}

#[test]
fn a_record_whose_number_tells_nothing_belongs_where_it_stands() {
    for odd in [denial(7), denial(25).replace("1025.000", "9025.000")] {
        let mut lines: Vec<String> = markers().into_iter().map(|(_, line)| line).collect();
        lines.insert(3, odd);
        let evidence = look(&of_lines(lines));
        assert_eq!(of(&evidence, "two").unwrap().len(), 1);
        assert_eq!(of(&evidence, "one"), Some(vec![]));
    }
}

/// A way in which a marker fails, and which checks are unknown for it.
type Failure = (&'static str, fn(&mut WindowCapture), [bool; 3]);

const FAILURES: &[Failure] = &[
    (
        "first lost",
        |c| super::cut(c, "segment 1"),
        [false, true, true],
    ),
    (
        "second lost",
        |c| super::cut(c, "segment 2"),
        [false, false, true],
    ),
    (
        "third lost",
        |c| super::cut(c, "segment 3"),
        [true, false, false],
    ),
    ("end lost", |c| super::cut(c, "w end"), [true, true, false]),
    (
        "begin lost",
        |c| super::cut(c, "w begin"),
        [true, true, true],
    ),
    (
        "second repeated",
        |c| {
            c.log.text = c.log.text.clone() + "\n" + &marker(30, "segment 2");
        },
        [false, false, true],
    ),
    (
        "two in the wrong order",
        |c| {
            let text = c.log.text.replace("segment 1", "segment x");
            c.log.text = text
                .replace("segment 2", "segment 1")
                .replace("segment x", "segment 2");
        },
        [false, false, true],
    ),
    (
        "second never sent",
        |c| {
            c.log.text = c.log.text.replace(&marker(30, "segment 2"), &filler(30));
            c.segments[1].marker = Reading::missing("no permission");
        },
        [false, false, true],
    ),
];

#[test]
fn a_lost_inner_marker_leaves_its_neighbours_unknown_and_nothing_else() {
    for (what, fail, known) in FAILURES {
        let mut capture = in_order(&[25, 35, 45]);
        let whole = look(&capture);
        fail(&mut capture);
        let evidence = look(&capture);
        for (name, known) in ["one", "two", "three"].into_iter().zip(known) {
            let found = of(&evidence, name);
            let wanted = known.then(|| of(&whole, name).unwrap());
            assert_eq!(found, wanted, "{what}: {name}");
        }
        assert_eq!(evidence.denials().count(), 3, "{what}");
        let lost = what.ends_with("lost");
        assert_eq!(!lost, evidence.coverage == Coverage::Complete, "{what}");
        if lost && !what.starts_with("end") && !what.starts_with("begin") {
            // What was sent and did not arrive has a number all the same.
            let missing = Gap::RecordsMissing { count: 1 };
            assert_eq!(evidence.coverage.gaps(), [missing], "{what}");
        }
    }
}

#[test]
fn an_older_record_has_no_segments_and_says_so() {
    let mut json = serde_json::to_value(in_order(&[25])).unwrap();
    let fields = json.as_object_mut().unwrap();
    assert!(fields.remove("segments").is_some() && fields.remove("beside").is_some());
    for edge in ["begin", "end"] {
        let edge = fields[edge]["known"].as_object_mut().unwrap();
        for field in ["marked", "control", "weak"] {
            assert!(edge.remove(field).is_some(), "{field}");
        }
        edge["log_position"]["known"]
            .as_object_mut()
            .unwrap()
            .remove("path");
    }
    let older: WindowCapture = serde_json::from_value(json).unwrap();
    let evidence = look(&older);
    assert_eq!(evidence.coverage, Coverage::Complete);
    assert_eq!(evidence.denials().count(), 1);
    assert_eq!(
        evidence.denials_of(&id("one")).why(),
        Some("no segment of the window is this check's")
    );
}

proptest! {
    #[test]
    fn whatever_happens_to_the_lines_no_denial_is_two_checks(
        serials in prop::collection::vec(1_u64..60, 0..12),
        order in prop::collection::vec(any::<u32>(), 17),
        drop in prop::collection::vec(0_usize..17, 0..3),
    ) {
        let mut lines: Vec<String> = markers().into_iter().map(|(_, line)| line).collect();
        lines.extend(serials.iter().map(|at| denial(*at)));
        let mut keyed: Vec<_> = order.into_iter().zip(lines).enumerate().collect();
        keyed.sort_by_key(|(_, (key, _))| *key);
        let kept = keyed.into_iter().filter(|(at, _)| !drop.contains(at));
        let evidence = look(&of_lines(kept.map(|(_, (_, line))| line)));
        prop_assert_eq!(evidence.belongs.len(), evidence.decisions.len());
        let of_checks = ["one", "two", "three"].map(|n| of(&evidence, n).unwrap_or_default().len());
        prop_assert!(of_checks.iter().sum::<usize>() <= evidence.denials().count());
    }
}
