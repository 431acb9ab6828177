use proptest::prelude::*;

use super::{Counts, Sink, Stream};
use crate::evidence::{
    denial::Decision,
    event::{self, EventEnd, Found},
    limits::Limits,
    record::{Grammar, Record, parse_within},
};

const GRAMMARS: [Grammar; 3] = [Grammar::AuditLog, Grammar::KernelLog, Grammar::Any];

/// Bounds that short texts reach.
const SMALL: Limits = Limits {
    line: 200,
    events: 3,
    bytes: 900,
};

/// All that a stream gives.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    found: Vec<Found>,
    notable: Vec<String>,
}

impl Sink for Seen {
    fn decision(&mut self, found: Found) {
        self.found.push(found);
    }

    fn record(&mut self, record: &Record<'_>) {
        self.notable.push(record.raw.to_owned());
    }
}

/// Streams bytes in chunks that end at these places.
fn streamed(bytes: &[u8], cuts: &[usize], grammar: Grammar, limits: Limits) -> (Seen, Counts) {
    let mut seen = Seen::default();
    let mut stream = Stream::within(grammar, limits);
    let mut start = 0;
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    for end in ends {
        stream.push(&bytes[start..end], &mut seen);
        start = end;
    }
    let counts = stream.finish(&mut seen);
    seen.found.sort_by_key(|found| found.record);
    (seen, counts)
}

/// Holds a stream against what the whole text gives; all but the decisions in any case, those
/// where no event was let go early.
fn agrees(text: &str, seen: &Seen, counts: Counts, grammar: Grammar, limits: Limits) {
    let records = parse_within(text, grammar, limits);
    let notable = records.iter().filter(|record| record.kind.is_notable());
    let notable: Vec<&str> = notable.map(|record| record.raw).collect();
    assert_eq!(seen.notable, notable);
    assert_eq!(counts.records, records.len());
    assert_eq!(counts.decisions, seen.found.len());
    assert_eq!(counts.lines as usize, text.lines().count());
    let decisions: Vec<Decision> = seen.found.iter().map(|f| f.decision.clone()).collect();
    let whole = event::decisions(&records);
    if limits == SMALL {
        let alone = |all: &[Decision]| all.iter().map(|d| d.raw.clone()).collect::<Vec<_>>();
        assert_eq!(alone(&decisions), alone(&whole));
    } else {
        assert_eq!(decisions, whole);
    }
}

/// The captured logs, and others that were written after the forms of older releases.
const CAPTURED: &[&str] = &[
    include_str!("../../../tests/captured/audit/lab/loud.log"),
    include_str!("../../../tests/captured/audit/lab/db.log"),
    include_str!("../../../tests/captured/audit/lab/patch.log"),
    include_str!("../../../tests/captured/audit/lab/mac.log"),
    include_str!("../../../tests/captured/audit/lab/forged.log"),
    include_str!("../../../tests/captured/audit/lab/rate.log"),
    include_str!("../../../tests/captured/audit/lab/ausearch.txt"),
    include_str!("../../../tests/captured/audit/lab/ausearch-i.txt"),
    include_str!("../../../tests/captured/audit/lab/down.dmesg"),
    include_str!("../../../tests/captured/audit/lab/down.journal-audit"),
    include_str!("../../../tests/captured/audit/lab/down.messages"),
    include_str!("../../../tests/captured/audit/documented/el5-audit.log"),
    include_str!("../../../tests/captured/audit/documented/el6-messages"),
    include_str!("../../../tests/captured/audit/documented/el7-dmesg"),
];

/// One event whose path and program are told by other records than the AVC.
fn event_of(serial: usize) -> Vec<String> {
    let stamp = format!("msg=audit(1795300000.{:03}:{serial}):", serial % 1000);
    vec![
        format!(
            "type=AVC {stamp} avc:  denied  {{ read }} for  pid=9 comm=\"x\" name=\"b\" dev=\"vda\" \
             ino=9 scontext=u:r:a_t:s0 tcontext=u:r:b_t:s0 tclass=file permissive=0"
        ),
        format!(
            "type=SYSCALL {stamp} items=1 comm=\"x\" exe=\"/bin/{serial}\" key=(null)\u{1d}A=b"
        ),
        format!("type=CWD {stamp} cwd=\"/dir{serial}\""),
        format!("type=PATH {stamp} item=0 name=\"a/b\" inode=9 dev=fe:00"),
        format!("type=PROCTITLE {stamp} proctitle=\"x\""),
    ]
}

/// True for a decision that knows what only its event's other records say.
fn is_joined(found: &Found) -> bool {
    let decision = &found.decision;
    let serial = decision.stamp.map_or(0, |stamp| stamp.serial);
    decision.exe == Some(format!("/bin/{serial}"))
        && decision.path == Some(format!("/dir{serial}/a/b"))
}

#[test]
fn captured_text_gives_the_same_whole_and_byte_by_byte() {
    for text in CAPTURED {
        for grammar in GRAMMARS {
            let every: Vec<usize> = (0..text.len()).collect();
            let (whole, counts) = streamed(text.as_bytes(), &[], grammar, Limits::STANDARD);
            agrees(text, &whole, counts, grammar, Limits::STANDARD);
            let bytes = streamed(text.as_bytes(), &every, grammar, Limits::STANDARD);
            assert_eq!(bytes, (whole, counts));
        }
    }
}

#[test]
fn nearly_all_records_of_a_captured_log_are_told_by_a_glance() {
    let text = include_str!("../../../tests/captured/audit/lab/db.log");
    let plain = text
        .lines()
        .filter(|line| super::plain::read(line, event::Key::default()).is_some());
    let decides = |line: &&str| line.starts_with("type=AVC") || line.starts_with("type=MAC_");
    let others = text.lines().filter(|line| !decides(line));
    assert_eq!(plain.count(), others.count());
}

#[test]
fn an_event_is_joined_whatever_the_order_of_its_records() {
    let mut orders: Vec<Vec<String>> = vec![event_of(7), event_of(7)];
    orders[1].reverse();
    for turn in 1..5 {
        let mut records = event_of(7);
        records.rotate_left(turn);
        orders.push(records);
    }
    for records in orders {
        let text = records.join("\n");
        let (seen, _) = streamed(text.as_bytes(), &[], Grammar::AuditLog, Limits::STANDARD);
        assert!(is_joined(&seen.found[0]), "{text}");
        assert_eq!(seen.found[0].event, EventEnd::Seen, "{text}");
    }
}

#[test]
fn a_denial_of_an_unknown_type_is_no_ordinary_record() {
    for id in ["17", "1.2:17", ""] {
        let text = format!("type=X msg=audit({id}): avc:  denied  {{ read }} for  pid=1");
        let (seen, _) = streamed(text.as_bytes(), &[], Grammar::AuditLog, Limits::STANDARD);
        assert_eq!(seen.found.len(), 1, "{text}");
    }
}

#[test]
fn an_event_that_goes_on_far_away_begins_anew() {
    let records = event_of(7);
    let far = "\ntype=X msg=audit(1.2:3): x".repeat(40);
    let text = format!(
        "{}{far}\n{}\n{}\n{}\n{}",
        records[1], records[1], records[2], records[3], records[0]
    );
    let (seen, _) = streamed(text.as_bytes(), &[], Grammar::AuditLog, SMALL);
    assert!(is_joined(&seen.found[0]));
}

#[test]
fn blank_lines_are_not_kept() {
    let mut stream = Stream::within(Grammar::AuditLog, SMALL);
    let mut seen = Seen::default();
    stream.push(event_of(1)[0].as_bytes(), &mut seen);
    for _ in 0..100 {
        stream.push(&[b'\n'; 1000], &mut seen);
    }
    assert!(stream.kept.len() < 3000);
    assert_eq!(seen.found.len(), 1);
}

#[test]
fn what_is_known_of_an_event_is_said() {
    let one = |text: &str, grammar| {
        let (seen, counts) = streamed(text.as_bytes(), &[], grammar, SMALL);
        (seen.found[0].event, counts.early_events)
    };
    let records = event_of(1);
    let ended = format!("{}\n{}", records[0], records[4]);
    assert_eq!(one(&ended, Grammar::AuditLog), (EventEnd::Seen, 0));
    assert_eq!(one(&records[0], Grammar::AuditLog), (EventEnd::TextOver, 0));
    let journal = "h audit[1]: AVC avc:  denied  { read } for  pid=1";
    assert_eq!(one(journal, Grammar::KernelLog), (EventEnd::Alone, 0));
    let broken = "type=1400 audit(): avc:  denied  { read } for  pid=1";
    assert_eq!(one(broken, Grammar::KernelLog), (EventEnd::Alone, 0));
    let later: String = (2..=4)
        .flat_map(event_of)
        .map(|line| format!("\n{line}"))
        .collect();
    let many = format!("{}{later}", records[0]);
    assert_eq!(one(&many, Grammar::AuditLog), (EventEnd::Early, 1));
    let far = format!(
        "{}{}\n{}",
        records[0],
        "\ntype=X msg=audit(1.2:3): x".repeat(40),
        records[1]
    );
    assert_eq!(one(&far, Grammar::AuditLog), (EventEnd::Early, 1));
}

#[test]
fn a_log_of_many_events_is_read_in_bounded_memory() {
    let limits = Limits::STANDARD;
    let mut stream = Stream::new(Grammar::AuditLog);
    let mut seen = Seen::default();
    for serial in 1..5000 {
        let text = event_of(serial).join("\n") + "\n";
        stream.push(text.as_bytes(), &mut seen);
        let held =
            stream.kept.unread().end - stream.work.open.needs().min(stream.kept.unread().end);
        assert!(held <= limits.bytes + limits.line, "{held}");
        assert!(stream.kept.len() <= 2 * (limits.bytes + limits.line) + text.len());
    }
    let counts = stream.finish(&mut seen);
    assert_eq!((counts.decisions, counts.early_events), (4999, 0));
    assert!(seen.found.iter().all(is_joined));
}

#[test]
fn a_line_without_end_is_read_in_pieces_and_none_of_it_is_lost() {
    let denial = &event_of(5)[0];
    let line = format!("{denial} ").repeat(40);
    let (seen, counts) = streamed(line.as_bytes(), &[7, 800], Grammar::AuditLog, SMALL);
    assert_eq!((counts.lines, counts.overlong_lines), (1, 1));
    assert_eq!(
        counts.records,
        parse_within(&line, Grammar::AuditLog, SMALL).len()
    );
    assert_eq!(
        seen.found.len(),
        40,
        "each record of 200 bytes is whole or in two pieces"
    );
    let user = format!(
        "type=USER msg=audit(1.2:3): msg='{}",
        format!("{denial} ").repeat(40)
    );
    let (seen, counts) = streamed(user.as_bytes(), &[], Grammar::AuditLog, SMALL);
    assert!(
        seen.found.is_empty(),
        "the rest of a user's text is not believed"
    );
    let kept: String = seen.notable.concat();
    assert!(user.ends_with(&kept) && kept.len() + SMALL.line >= user.len());
    assert_eq!(counts.overlong_lines, 1);
}

#[test]
fn bytes_that_are_no_text_are_replaced_and_hide_nothing() {
    let mut bytes =
        b"type=USER msg=audit(1.2:3): msg='\xff\xfe\xe2\x82' \xc3\ntype=AVC msg=audit(1.2:4): "
            .to_vec();
    bytes.extend_from_slice(b"avc:  denied  { read } for  trawcon=\xe2\x82\xac\xf0\x9f");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    for cut in 0..bytes.len() {
        let (seen, counts) = streamed(&bytes, &[cut], Grammar::AuditLog, Limits::STANDARD);
        agrees(&text, &seen, counts, Grammar::AuditLog, Limits::STANDARD);
        assert_eq!(seen.found.len(), 1);
    }
}

/// Lines as logs hold them, and some as they do not.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..6_usize, 0..5_usize).prop_map(|(serial, n)| event_of(serial)[n].clone()),
        (0..6_usize, 0..5_usize, 0..160_usize).prop_map(|(serial, n, cut)| {
            let line = &event_of(serial)[n];
            line[..cut.min(line.len())].to_owned()
        }),
        (0..6_usize, 0..5_usize).prop_map(|(n, m)| { format!("node=h{n} {}", event_of(n)[m]) }),
        (0..6_usize, 0..5_usize).prop_map(|(n, m)| event_of(n)[m].repeat(2)),
        Just("type=MAC_STATUS msg=audit(1.2:3): enforcing=0 old_enforcing=1\r".to_owned()),
        Just("type=USER msg=audit(9.9:9): msg='text=avc:  denied  { x } for  '".to_owned()),
        Just("type=PROCTITLE msg=audit(3.4): x".to_owned()),
        Just("type=X msg=audit(17): avc:  denied  { read } for  pid=1".to_owned()),
        Just("type=X msg=audit(1.2:17): avc:  denied  { read } for  pid=1".to_owned()),
        Just("May 17 12:44:24 h audit[1]: AVC avc:  denied  { read } for  pid=1".to_owned()),
        Just("[    9.0] audit: type=1400 audit(1.2:3): avc:  denied  { read } for".to_owned()),
        Just(String::new()),
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn the_result_does_not_depend_on_the_chunks(
        lines in prop::collection::vec(line(), 0..40),
        cuts in prop::collection::vec(any::<usize>(), 0..40),
        small: bool,
    ) {
        let text = lines.join("\n");
        let limits = if small { SMALL } else { Limits::STANDARD };
        for grammar in GRAMMARS {
            let (whole, counts) = streamed(text.as_bytes(), &[], grammar, limits);
            agrees(&text, &whole, counts, grammar, limits);
            let chunked = streamed(text.as_bytes(), &cuts, grammar, limits);
            prop_assert_eq!(chunked, (whole, counts));
        }
    }

    #[test]
    fn interleaved_events_are_joined(order in Just((0..25_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let records: Vec<String> = (1..=5).flat_map(event_of).collect();
        let lines: Vec<&str> = order.iter().map(|n| records[*n].as_str()).collect();
        let (seen, counts) =
            streamed(lines.join("\n").as_bytes(), &[], Grammar::AuditLog, Limits::STANDARD);
        prop_assert_eq!((counts.decisions, counts.early_events), (5, 0));
        prop_assert!(seen.found.iter().all(is_joined));
    }

    #[test]
    fn any_bytes_are_read_without_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        cuts in prop::collection::vec(any::<usize>(), 0..10),
    ) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for grammar in GRAMMARS {
            let (seen, counts) = streamed(&bytes, &cuts, grammar, SMALL);
            agrees(&text, &seen, counts, grammar, SMALL);
            prop_assert_eq!(counts.bytes, bytes.len() as u64);
        }
    }
}
