//! The audit parsers on any bytes: no panic, no text lost, bounded output, and a stream in any
//! chunks gives the same as in one.
#![no_main]

use std::hint::black_box;

use libfuzzer_sys::fuzz_target;
use patchgate_core::evidence::{
    denial::decisions,
    event::{self, Found},
    fingerprint::fingerprints,
    limits::Limits,
    mac_change::mac_change,
    policy_error::policy_error,
    record::{Grammar, Record, parse_within},
    stream::{Counts, Sink, Stream},
    suppression::suppressions,
    wrap::unwrapped,
};

/// Bounds that inputs of some hundred bytes reach.
const SMALL: Limits = Limits {
    line: 200,
    events: 3,
    bytes: 900,
};

/// Bounds that no input reaches: 1024 events take at least 20 KiB.
const LARGE: Limits = Limits {
    events: 1 << 10,
    ..Limits::STANDARD
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

fuzz_target!(|input: &[u8]| {
    // The first byte says how long the chunks are.
    let Some((size, bytes)) = input.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(bytes);
    for grammar in [Grammar::AuditLog, Grammar::KernelLog, Grammar::Any] {
        for limits in [SMALL, LARGE] {
            let whole = streamed(bytes, bytes.len().max(1), grammar, limits);
            let chunked = streamed(bytes, usize::from(*size).max(1), grammar, limits);
            assert_eq!(chunked, whole, "chunks change the result");
            check(&text, &whole.0, whole.1, grammar, limits);
        }
    }
    black_box((suppressions(&text), unwrapped(&text)));
});

/// Streams bytes in chunks of this size.
fn streamed(bytes: &[u8], size: usize, grammar: Grammar, limits: Limits) -> (Seen, Counts) {
    let mut seen = Seen::default();
    let mut stream = Stream::within(grammar, limits);
    for chunk in bytes.chunks(size) {
        stream.push(chunk, &mut seen);
    }
    let counts = stream.finish(&mut seen);
    seen.found.sort_by_key(|found| found.record);
    (seen, counts)
}

/// Holds a stream against the whole text.
fn check(text: &str, seen: &Seen, counts: Counts, grammar: Grammar, limits: Limits) {
    let records = parse_within(text, grammar, limits);
    assert_eq!(counts.records, records.len());
    let kept: String = records.iter().map(|record| record.raw).collect();
    assert_eq!(ink(&kept), ink(text), "text is lost");

    let each: Vec<_> = records.iter().flat_map(decisions).collect();
    let size: usize = each.iter().map(|decision| decision.raw.len()).sum();
    assert!(size <= text.len(), "more comes out than went in");
    let streamed = seen.found.iter().map(|found| &found.decision.raw);
    assert!(
        each.iter().map(|decision| &decision.raw).eq(streamed),
        "a decision is lost"
    );

    let joined = event::decisions(&records);
    if limits == LARGE {
        let found = seen.found.iter().map(|found| &found.decision);
        assert!(found.eq(&joined), "whole and streamed differ");
    }
    black_box(fingerprints(&joined));
    for record in &records {
        black_box((mac_change(record), policy_error(record)));
    }
}

/// The text without spaces and line ends.
fn ink(text: &str) -> String {
    text.split_whitespace().collect()
}
