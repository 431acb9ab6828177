//! The lock in real shells, without a connection.

use std::path::Path;

use super::{super::job, *};
use crate::host::frame::tests::{SHELLS, run};

fn state_dir(dir: &Path) -> StateDir {
    StateDir::new(dir.join("state").display().to_string()).unwrap()
}

fn owner(run: &str) -> Owner {
    Owner {
        run: run.into(),
        controller: "ctl.example".into(),
        pid: 42,
        boot_id: "b-1".into(),
        since: "2026-11-21T20:00:00Z".into(),
        job: None,
        silent: None,
    }
}

fn ask(shell: &str, item: &Item) -> LockState {
    let (replies, _) = run(shell, &[&item.script]);
    let mut state = parse(&replies[0]).unwrap_or_else(|error| panic!("{error}: {:?}", replies[0]));
    if let LockState::Held { owner, .. } = &mut state {
        let silent = owner.silent.take();
        assert!(
            silent.is_some_and(|s| s < Duration::from_secs(60)),
            "{silent:?}"
        );
    }
    state
}

#[test]
fn a_lock_tells_how_long_nothing_was_heard_of_its_owner() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let at = state_dir(dir.path());
        let silent = |asking: &str| {
            let (replies, _) = run(shell, &[&beat_item(asking, &at).script]);
            let LockState::Held { owner, .. } = parse(&replies[0]).unwrap() else {
                panic!("it is held: {:?}", replies[0]);
            };
            owner.silent.map(|s| s.as_secs() / 60)
        };
        ask(shell, &acquire_item(&owner("r1"), &at));
        let age = |file: &str| {
            let script = format!(
                "touch -d '10 minutes ago' {}/state/lock/{file}",
                dir.path().display()
            );
            run(shell, &[&script]);
        };
        age("owner");
        assert_eq!(silent("r2"), Some(10), "only asked, never beaten");
        let mine = LockState::Acquired { job: None };
        assert_eq!(ask(shell, &beat_item("r1", &at)), mine);
        assert_eq!(silent("r2"), Some(0));
        age("beat");
        assert_eq!(
            silent("r2"),
            Some(10),
            "another run's question is no sign of life"
        );
    }
}

#[test]
fn one_run_at_a_time_holds_the_lock() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let at = state_dir(dir.path());
        assert_eq!(ask(shell, &read_item("r1", &at)), LockState::Free);
        let mine = LockState::Acquired { job: None };
        assert_eq!(ask(shell, &acquire_item(&owner("r1"), &at)), mine);
        assert_eq!(
            ask(shell, &acquire_item(&owner("r1"), &at)),
            mine,
            "its own again"
        );
        let held = LockState::Held {
            owner: owner("r1"),
            job: None,
        };
        assert_eq!(ask(shell, &acquire_item(&owner("r2"), &at)), held);
        assert_eq!(
            ask(shell, &release_item("r2", &at)),
            held,
            "not r2's to give back"
        );
        assert_eq!(ask(shell, &release_item("r1", &at)), LockState::Free);
        assert_eq!(ask(shell, &acquire_item(&owner("r2"), &at)), mine);
    }
}

#[test]
fn the_next_run_learns_what_became_of_the_dead_ones_job() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let at = state_dir(dir.path());
        let id = JobId::new("r1-patch").unwrap();
        let spec = job::JobSpec {
            state_dir: at.clone(),
            ..job::JobSpec::new(id.clone(), "sleep 0.7; exit 4")
        };
        ask(shell, &acquire_item(&owner("r1"), &at));
        let with_job = Owner {
            job: Some(id),
            ..owner("r1")
        };
        assert_eq!(
            ask(shell, &update_item(&with_job, &at)),
            LockState::Acquired {
                job: Some(JobState::Unknown)
            }
        );
        run(shell, &[&job::start_item(&spec).script]);
        let held = |job| LockState::Held {
            owner: with_job.clone(),
            job: Some(job),
        };
        let take = take_over_item("r1", &owner("r2"), &at);
        assert_eq!(
            ask(shell, &take),
            held(JobState::Running),
            "never while it runs"
        );
        run(
            shell,
            &[&job::poll_item(&spec.id, &at, 0, Duration::from_secs(5)).script],
        );
        assert_eq!(
            ask(shell, &acquire_item(&owner("r2"), &at)),
            held(JobState::Finished { exit: 4 })
        );
        let stale = take_over_item("r0", &owner("r2"), &at);
        assert_eq!(
            ask(shell, &stale),
            held(JobState::Finished { exit: 4 }),
            "r0 is long gone"
        );
        assert_eq!(ask(shell, &take), LockState::Acquired { job: None });
    }
}

#[test]
fn of_many_at_once_one_wins() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let at = state_dir(dir.path());
        let won = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..8)
                .map(|n| {
                    let item = acquire_item(&owner(&format!("r{n}")), &at);
                    scope.spawn(move || ask(shell, &item))
                })
                .collect();
            tries
                .into_iter()
                .map(|one| one.join().unwrap())
                .collect::<Vec<_>>()
        });
        let mine = LockState::Acquired { job: None };
        assert_eq!(
            won.iter().filter(|state| **state == mine).count(),
            1,
            "{shell}: {won:?}"
        );
    }
}

#[test]
fn a_damaged_owner_file_is_not_taken_for_a_free_lock() {
    let dir = tempfile::tempdir().unwrap();
    let at = state_dir(dir.path());
    ask("dash", &acquire_item(&owner("r1"), &at));
    std::fs::write(dir.path().join("state/lock/owner"), "").unwrap();
    let state = ask("dash", &acquire_item(&owner("r2"), &at));
    assert!(matches!(state, LockState::Failed { .. }), "{state:?}");
}

#[test]
fn hostile_fields_stay_one_word() {
    let dir = tempfile::tempdir().unwrap();
    let at = state_dir(dir.path());
    let mut evil = owner("r1");
    evil.controller = "x\njob=../../etc; $(touch /tmp/x) '".into();
    ask("dash", &acquire_item(&evil, &at));
    let LockState::Held { owner, job } = ask("dash", &read_item("r2", &at)) else {
        panic!()
    };
    assert_eq!(owner.controller, "x_job_../../etc____touch_/tmp/x___");
    assert_eq!((owner.job, job), (None, None));
}

#[test]
fn foreign_answers_are_errors() {
    for text in ["", "pglock", "pglock what none", "pglock acquired soon"] {
        let mut reply = Reply::silent(Exit::Code(0));
        reply.stdout.bytes = text.as_bytes().to_vec();
        assert!(
            matches!(parse(&reply), Err(LockParseError::Foreign { .. })),
            "{text:?}"
        );
    }
    let reply = Reply::silent(Exit::DeadlineExceeded);
    assert!(matches!(
        parse(&reply),
        Err(LockParseError::NoAnswer { .. })
    ));
}
