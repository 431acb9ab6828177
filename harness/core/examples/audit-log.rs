//! Reads an audit log from standard input and counts what is in it; `ci/bench/audit-log` times it.

use std::io::{self, Read, Write};

use patchgate_core::evidence::{
    event::Found,
    record::{Grammar, Record},
    stream::{Sink, Stream},
};

/// Counts denials and what speaks of policy and audit, and keeps none of it.
#[derive(Default)]
struct Counter {
    denials: u64,
    notable: u64,
}

impl Sink for Counter {
    fn decision(&mut self, found: Found) {
        self.denials += u64::from(found.decision.is_denial());
    }

    fn record(&mut self, _record: &Record<'_>) {
        self.notable += 1;
    }
}

fn main() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut chunk = vec![0; 64 << 10];
    let mut counter = Counter::default();
    let mut stream = Stream::new(Grammar::AuditLog);
    loop {
        match input.read(&mut chunk)? {
            0 => break,
            length => stream.push(&chunk[..length], &mut counter),
        }
    }
    let counts = stream.finish(&mut counter);
    let mut out = io::stdout().lock();
    writeln!(out, "bytes {}", counts.bytes)?;
    writeln!(out, "lines {}", counts.lines)?;
    writeln!(out, "records {}", counts.records)?;
    writeln!(out, "decisions {}", counts.decisions)?;
    writeln!(out, "denials {}", counter.denials)?;
    writeln!(out, "notable {}", counter.notable)?;
    writeln!(out, "unrecognized {}", counts.unrecognized)?;
    writeln!(out, "overlong-lines {}", counts.overlong_lines)?;
    writeln!(out, "early-events {}", counts.early_events)
}
