//! The mark of a dirty host in real shells, without a connection.

use std::{fs, path::Path};

use super::*;
use crate::host::{
    frame::tests::{SHELLS, run},
    job::JobId,
    lock::LockState,
};

fn state_dir(dir: &Path) -> StateDir {
    StateDir::new(dir.join("state").display().to_string()).unwrap()
}

fn owner(run: &str) -> Owner {
    Owner {
        run: run.into(),
        controller: "ctl.example".into(),
        ..Owner::default()
    }
}

fn mark(run: &str) -> Mark {
    Mark {
        run: run.into(),
        since: "2026-12-01T20:00:00Z".into(),
        why: "its undo failed: exit status 1".into(),
    }
}

fn told(shell: &str, item: &Item) -> Reply {
    run(shell, &[&item.script]).0.remove(0)
}

fn acquire(shell: &str, me: &str, clear: Option<&str>, at: &StateDir) -> (LockState, Fate) {
    let reply = told(shell, &acquire_item(&owner(me), clear, at));
    let state = lock::parse(&reply).unwrap_or_else(|e| panic!("{e}: {reply:?}"));
    (state, fate(&reply))
}

fn marked(shell: &str, at: &StateDir) -> Option<Mark> {
    read(&told(shell, &read_item(at))).unwrap()
}

const MINE: LockState = LockState::Acquired { job: None };

/// A run takes the lock, marks the host, and gives the lock back.
fn left_dirty(shell: &str, me: &str, at: &StateDir) {
    assert_eq!(
        acquire(shell, me, None, at),
        (MINE, Fate::Absent),
        "{shell}"
    );
    assert_eq!(
        done(&told(shell, &put_item(&mark(me), at))),
        Ok(()),
        "{shell}"
    );
    told(shell, &lock::release_item(me, at));
}

#[test]
fn a_marked_host_is_refused_until_the_mark_of_that_run_is_cleared() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let at = state_dir(dir.path());
        assert_eq!(marked(shell, &at), None);
        left_dirty(shell, "r1", &at);
        assert_eq!(marked(shell, &at), Some(mark("r1")));
        let refused = (LockState::Free, Fate::Marked);
        assert_eq!(acquire(shell, "r2", None, &at), refused, "{shell}");
        assert_eq!(
            acquire(shell, "r2", Some("r0"), &at),
            refused,
            "another run's"
        );
        assert_eq!(
            acquire(shell, "r2", Some("r"), &at),
            refused,
            "a part of its name"
        );
        assert_eq!(marked(shell, &at), Some(mark("r1")));
        assert_eq!(acquire(shell, "r2", Some("r1"), &at), (MINE, Fate::Cleared));
        assert_eq!(marked(shell, &at), None);
        assert_eq!(
            acquire(shell, "r2", Some("r1"), &at),
            (MINE, Fate::Absent),
            "heard again"
        );
    }
}

#[test]
fn a_mark_is_put_and_dropped_under_the_lock_alone() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let at = state_dir(dir.path());
        let unlocked = done(&told(shell, &put_item(&mark("r1"), &at)));
        assert_eq!(unlocked, Err("the lock is not this run's".to_owned()));
        assert_eq!(marked(shell, &at), None);
        acquire(shell, "r1", None, &at);
        assert!(
            done(&told(shell, &put_item(&mark("r2"), &at))).is_err(),
            "r1 has the lock"
        );
        assert_eq!(done(&told(shell, &put_item(&mark("r1"), &at))), Ok(()));
        assert!(done(&told(shell, &drop_item("r2", &at))).is_err());
        assert_eq!(done(&told(shell, &drop_item("r1", &at))), Ok(()));
        assert_eq!(
            done(&told(shell, &drop_item("r1", &at))),
            Ok(()),
            "heard again"
        );
        assert_eq!(marked(shell, &at), None);
    }
}

#[test]
fn a_run_drops_no_mark_of_another() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let at = state_dir(dir.path());
        left_dirty(shell, "r1", &at);
        // As a run that holds the lock from before sees it.
        fs::write(dir.path().join("state/lock/owner"), "run=r2\njob=\n").unwrap();
        assert!(done(&told(shell, &drop_item("r2", &at))).is_err());
        assert_eq!(marked(shell, &at), Some(mark("r1")));
    }
}

/// A run that goes on takes its lock again, whether it was given back or not, and leaves its mark.
#[test]
fn an_own_mark_does_not_keep_its_run_away() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let at = state_dir(dir.path());
        left_dirty(shell, "r1", &at);
        for _ in 0..2 {
            let taken = acquire(shell, "r1", None, &at);
            assert_eq!(taken, (MINE, Fate::Own), "{shell}");
            assert_eq!(marked(shell, &at), Some(mark("r1")));
        }
        told(shell, &lock::release_item("r1", &at));
        let other = acquire(shell, "r11", None, &at);
        assert_eq!(other, (LockState::Free, Fate::Marked), "{shell}");
    }
}

/// The lock of a dead run is broken, and the mark that it left still holds.
#[test]
fn a_broken_lock_does_not_get_past_the_mark() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let at = state_dir(dir.path());
        acquire(shell, "r1", None, &at);
        assert_eq!(done(&told(shell, &put_item(&mark("r1"), &at))), Ok(()));
        told(shell, &lock::take_over_item("r1", &owner("r2"), &at));
        let refused = (LockState::Free, Fate::Marked);
        assert_eq!(acquire(shell, "r2", None, &at), refused, "{shell}");
        assert_eq!(acquire(shell, "r2", Some("r1"), &at), (MINE, Fate::Cleared));
    }
}

/// A run that comes back to a host on which its own job may be running keeps its lock.
#[test]
fn an_own_lock_with_a_job_is_not_given_back() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let at = state_dir(dir.path());
        acquire(shell, "r1", None, &at);
        let with_job = Owner {
            job: JobId::new("r1.undo").ok(),
            ..owner("r1")
        };
        told(shell, &lock::update_item(&with_job, &at));
        assert_eq!(done(&told(shell, &put_item(&mark("r1"), &at))), Ok(()));
        let (state, fate) = acquire(shell, "r1", None, &at);
        assert!(
            matches!(state, LockState::Acquired { .. }),
            "{shell}: {state:?}"
        );
        assert_eq!(fate, Fate::Marked);
    }
}

#[test]
fn a_held_host_is_held_whatever_its_mark() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let at = state_dir(dir.path());
        acquire(shell, "r1", None, &at);
        assert_eq!(done(&told(shell, &put_item(&mark("r1"), &at))), Ok(()));
        let (state, fate) = acquire(shell, "r2", Some("r1"), &at);
        assert!(
            matches!(state, LockState::Held { .. }),
            "{shell}: {state:?}"
        );
        assert_eq!(fate, Fate::Absent);
        assert_eq!(
            marked(shell, &at),
            Some(mark("r1")),
            "not cleared under another's lock"
        );
    }
}

#[test]
fn hostile_reasons_stay_one_line_and_run_nothing() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let at = state_dir(dir.path());
        acquire(shell, "r1", None, &at);
        let evil = Mark {
            why: format!("x\nrun=r9 $(touch {}/x) '; \u{1b}[2J", dir.path().display()),
            ..mark("r1")
        };
        assert_eq!(done(&told(shell, &put_item(&evil, &at))), Ok(()));
        let read = marked(shell, &at).unwrap();
        assert_eq!(read.run, "r1");
        assert!(
            read.why.contains("$(touch") && !read.why.contains('\u{1b}'),
            "{read:?}"
        );
        assert!(!dir.path().join("x").exists());
        let long = Mark {
            why: "y".repeat(10_000),
            ..mark("r1")
        };
        assert_eq!(done(&told(shell, &put_item(&long, &at))), Ok(()));
        // And a sign that something was left out.
        assert!(marked(shell, &at).unwrap().why.chars().count() <= LONGEST + 1);
    }
}

#[test]
fn a_damaged_mark_is_a_mark() {
    let dir = tempfile::tempdir().unwrap();
    let at = state_dir(dir.path());
    acquire("dash", "r1", None, &at);
    told("dash", &lock::release_item("r1", &at));
    fs::write(dir.path().join("state/dirty"), "").unwrap();
    assert_eq!(
        acquire("dash", "r2", None, &at),
        (LockState::Free, Fate::Marked)
    );
    assert_eq!(marked("dash", &at).unwrap().run, "?");
}

#[test]
fn a_mark_that_cannot_be_written_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let at = state_dir(dir.path());
    acquire("dash", "r1", None, &at);
    fs::create_dir(dir.path().join("state/dirty.new")).unwrap();
    let put = done(&told("dash", &put_item(&mark("r1"), &at)));
    assert_eq!(put, Err("it cannot be written".to_owned()));
}
