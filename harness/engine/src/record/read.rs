//! Reads a record back, and notices when somebody changed it.

use std::{fs, io, path::Path};

use openssl::sha::sha256;
use patchgate_core::{
    event::{EVENT_VERSION, Event, What},
    plan::{PLAN_VERSION, Plan, states_of},
};

use super::{EVENTS, PLAN, RecordError, RunDir, chain::Chain, digest, hex};

/// A run as it was recorded.
#[derive(Clone, Debug)]
pub struct Record {
    /// The manifest.
    pub plan: Plan,
    /// The events, in order.
    pub events: Vec<Event>,
    /// Whether the last line was torn, as a crash leaves it.
    pub torn: bool,
}

/// Opens the record of a run and checks it: the chain of events, the manifest's and every artefact's
/// checksum.
///
/// # Errors
/// When a file cannot be read, or is not what was written.
pub fn open(dir: &RunDir) -> Result<Record, RecordError> {
    Ok(open_to_the_end(dir)?.0)
}

/// Where the whole lines of an event file end.
pub(super) struct End {
    /// The chain of all of them.
    pub(super) chain: Chain,
    /// Their bytes.
    pub(super) whole: u64,
    /// The bytes of a torn line behind them.
    pub(super) torn: u64,
}

/// As [`open`], with the place where the record goes on.
pub(super) fn open_to_the_end(dir: &RunDir) -> Result<(Record, End), RecordError> {
    let text = file(dir.path(), EVENTS)?;
    let (events, end) = parse_events(&text)?;
    let plan_text = file(dir.path(), PLAN)?;
    // Before it is parsed: a plan that was changed into nonsense is a changed plan.
    check_sums(dir.path(), &events, &plan_text)?;
    let plan: Plan = serde_json::from_slice(&plan_text).map_err(|e| RecordError::Format {
        file: PLAN,
        why: e.to_string(),
    })?;
    if plan.v != PLAN_VERSION {
        let why = format!(
            "its version is {}, this patchgate reads {PLAN_VERSION}",
            plan.v
        );
        return Err(RecordError::Format { file: PLAN, why });
    }
    if !has_sound_states(&plan) {
        let why = "its states do not fit its patch".to_owned();
        return Err(RecordError::Format { file: PLAN, why });
    }
    let torn = end.torn > 0;
    Ok((Record { plan, events, torn }, end))
}

/// Reads a file of a run.
pub(super) fn file(dir: &Path, name: &str) -> Result<Vec<u8>, RecordError> {
    let path = dir.join(name);
    fs::read(&path).map_err(|e| RecordError::io("read", &path, e))
}

/// The whole lines of an event file, and where they end.
fn parse_events(bytes: &[u8]) -> Result<(Vec<Event>, End), RecordError> {
    let whole = bytes
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |at| at + 1);
    let text = str::from_utf8(&bytes[..whole]).map_err(|e| RecordError::Format {
        file: EVENTS,
        why: e.to_string(),
    })?;
    let mut chain = Chain::default();
    let mut events = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let tampered = |why| RecordError::Tampered {
            file: EVENTS,
            line: at + 1,
            why,
        };
        let (event, next) = chain.check(line).map_err(tampered)?;
        if event.v > EVENT_VERSION {
            let why = format!(
                "an event of version {}, newer than {EVENT_VERSION}",
                event.v
            );
            return Err(RecordError::Format { file: EVENTS, why });
        }
        if event.seq != at as u64 + 1 {
            return Err(tampered(format!("event {} stands in its place", event.seq)));
        }
        chain = next;
        events.push(event);
    }
    let end = End {
        chain,
        whole: whole as u64,
        torn: (bytes.len() - whole) as u64,
    };
    Ok((events, end))
}

fn check_sums(dir: &Path, events: &[Event], plan: &[u8]) -> Result<(), RecordError> {
    for (at, event) in events.iter().enumerate() {
        let tampered = |why| {
            Err(RecordError::Tampered {
                file: EVENTS,
                line: at + 1,
                why,
            })
        };
        if let What::RunStarted { plan_sha256, .. } = &event.what
            && *plan_sha256 != digest(plan)
        {
            return tampered(format!("{PLAN} is not the plan that the run began with"));
        }
        if let What::ArtifactSaved {
            path, sha256: sum, ..
        } = &event.what
        {
            match read_evidence(dir, path) {
                Ok(bytes) if hex(&sha256(&bytes)) == *sum => {}
                Ok(_) => return tampered(format!("{path} is not the file that was saved")),
                Err(e) => return tampered(format!("{path} cannot be read: {e}")),
            }
        }
    }
    Ok(())
}

/// Reads a file of evidence, `evidence/<host>/<name>`: nothing else of the machine, and no device.
fn read_evidence(dir: &Path, path: &str) -> io::Result<Vec<u8>> {
    let parts: Vec<_> = path.split('/').collect();
    let is_plain = |part: &&str| !matches!(*part, "" | "." | "..") && !part.contains('\0');
    if parts.len() != 3 || parts[0] != "evidence" || !parts.iter().all(is_plain) {
        return Err(io::Error::other("not the path of a file of evidence"));
    }
    let path = dir.join(path);
    match fs::symlink_metadata(&path)?.is_file() {
        true => fs::read(path),
        false => Err(io::Error::other("not a regular file")),
    }
}

/// Whether a plan's states are those that a plan with such a patch, or without one, can have.
fn has_sound_states(plan: &Plan) -> bool {
    plan.states == states_of(plan.patch.as_ref())
}

#[cfg(test)]
mod tests {
    use patchgate_core::{id::RunId, inventory::Inventory, policy::Policy};

    use super::*;
    use crate::record::Journal;

    fn recorded(n: usize) -> (tempfile::TempDir, RunDir) {
        let tmp = tempfile::tempdir().unwrap();
        let dir = RunDir::create(&tmp.path().join("run")).unwrap();
        let run = RunId::new("r1").unwrap();
        let plan = Plan::lay(
            run.clone(),
            &Inventory::default(),
            vec![],
            None,
            Policy::strict([]),
        );
        let text = serde_json::to_vec(&plan).unwrap();
        dir.write(PLAN, &text).unwrap();
        let journal = Journal::begin(dir.clone(), Box::new(|_| {})).unwrap();
        let plan_sha256 = digest(&text);
        let started = What::RunStarted {
            run,
            version: "0".into(),
            plan_sha256,
            targets_sha256: None,
        };
        journal.write(None, None, started).unwrap();
        for i in 1..n {
            let signal = format!("event {i}");
            journal
                .write(None, None, What::RunInterrupted { signal })
                .unwrap();
        }
        journal.sync().unwrap();
        (tmp, dir)
    }

    #[test]
    fn what_was_written_is_read() {
        let (_tmp, dir) = recorded(5);
        let record = open(&dir).unwrap();
        assert_eq!(record.events.len(), 5);
        assert_eq!(record.events[4].seq, 5);
        assert!(!record.torn);
    }

    #[test]
    fn only_regular_files_of_evidence_are_read() {
        let (_tmp, dir) = recorded(1);
        let (path, _) = dir.save_evidence("web", "t.log", b"text").unwrap();
        assert_eq!(read_evidence(dir.path(), &path).unwrap(), b"text");
        let link = dir.path().join("evidence/web/link");
        std::os::unix::fs::symlink("t.log", link).unwrap();
        for bad in [
            "/etc/passwd",
            "evidence/../plan.json",
            "evidence/web/../web/t.log",
            "evidence//t.log",
            "plan.json",
            "evidence/web/link",
        ] {
            assert!(read_evidence(dir.path(), bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_plan_without_states_is_refused() {
        let (_tmp, dir) = recorded(1);
        let plan = open(&dir).unwrap().plan;
        assert!(has_sound_states(&plan));
        let states = Vec::new();
        assert!(!has_sound_states(&Plan { states, ..plan }));
    }

    #[test]
    fn a_record_torn_at_any_byte_is_read_up_to_the_last_whole_line() {
        let (_tmp, dir) = recorded(4);
        let path = dir.path().join(EVENTS);
        let whole = fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let record = open(&dir).unwrap();
            let lines = whole[..cut].iter().filter(|b| **b == b'\n').count();
            assert_eq!(record.events.len(), lines, "cut at {cut}");
            assert_eq!(
                record.torn,
                cut > 0 && whole[cut - 1] != b'\n',
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn a_changed_byte_is_noticed_wherever_it_is() {
        let (_tmp, dir) = recorded(4);
        let path = dir.path().join(EVENTS);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() - 1 {
            let mut bad = whole.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).unwrap();
            assert!(open(&dir).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_dropped_line_and_another_plan_are_tampering() {
        let (_tmp, dir) = recorded(4);
        let path = dir.path().join(EVENTS);
        let whole = fs::read_to_string(&path).unwrap();
        let without: Vec<_> = whole
            .split_inclusive('\n')
            .enumerate()
            .filter(|l| l.0 != 1)
            .collect();
        fs::write(&path, without.iter().map(|l| l.1).collect::<String>()).unwrap();
        assert!(open(&dir).unwrap_err().is_tampering());
        fs::write(&path, &whole).unwrap();
        let plan = fs::read_to_string(dir.path().join(PLAN)).unwrap();
        for changed in [plan.replace("strict", "lenient"), "nonsense".to_owned()] {
            fs::write(dir.path().join(PLAN), changed).unwrap();
            assert!(open(&dir).unwrap_err().is_tampering());
        }
    }
}
