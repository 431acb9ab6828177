//! A run's directory, as programs read it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::lab::patchgate;

/// The record of a run.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    dir: PathBuf,
}

impl Record {
    /// The record in this directory, which may not be there yet.
    pub(crate) fn at(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    /// Where it is.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// One of its files.
    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.dir.join(name)).unwrap()
    }

    /// Its verdict.
    pub(crate) fn verdict(&self) -> Value {
        serde_json::from_str(&self.text("verdict.json")).unwrap()
    }

    /// The events of one kind about one host (empty: about the run) so far.
    pub(crate) fn events(&self, kind: &str, host: &str) -> Vec<Value> {
        let text = fs::read(self.dir.join("events.jsonl")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let whole = text.split_inclusive('\n').filter(|l| l.ends_with('\n'));
        whole
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].take())
            .filter(|event| event["what"]["kind"] == kind)
            .filter(|event| event["host"].as_str().unwrap_or_default() == host)
            .collect()
    }

    /// Says that every planned check is counted once and has a test case.
    pub(crate) fn assert_accounts_for_every_check(&self) {
        let (verdict, junit) = (self.verdict(), self.text("junit.xml"));
        let plan: Value = serde_json::from_str(&self.text("plan.json")).unwrap();
        let cells = plan["cells"].as_array().unwrap();
        let counts = verdict["checks"].as_object().unwrap();
        let ended = counts.iter().filter(|(name, _)| *name != "planned");
        let sum: u64 = ended.map(|(_, n)| n.as_u64().unwrap()).sum();
        assert_eq!(counts["planned"], cells.len());
        assert_eq!(sum, cells.len() as u64, "{counts:?}");
        for cell in cells {
            let word = |key: &str| cell[key].as_str().unwrap();
            let (suite, name) = word("check").split_once('/').unwrap();
            let name = format!("<testcase name=\"{name}[{}]\"", word("state"));
            let class = format!("classname=\"patchgate.{suite}.{}\"", word("host"));
            let there = |line: &str| line.contains(&name) && line.contains(&class);
            assert!(junit.lines().any(there), "{cell} is not in {junit}");
        }
    }

    /// Judges a copy of the record, offline and without the reports that came with it; they must come
    /// out the same to the byte.
    pub(crate) fn assert_judged_again_the_same(&self) {
        let verdict = self.verdict();
        let copy = tempfile::tempdir().unwrap();
        let copied = copy.path().join("run");
        copy_dir(&self.dir, &copied);
        let reports = ["verdict.json", "junit.xml"];
        for name in reports {
            fs::remove_file(copied.join(name)).unwrap();
        }
        let output = patchgate().arg("judge").arg(&copied).output().unwrap();
        assert_eq!(
            output.status.code().map(Value::from),
            Some(verdict["exit"].clone()),
            "{output:?}"
        );
        let again = Self::at(&copied);
        for name in reports {
            assert_eq!(again.text(name), self.text(name), "{name}");
        }
    }
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
