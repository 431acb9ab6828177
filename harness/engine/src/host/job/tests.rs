//! Jobs in real shells, without a connection: `dash` and `bash`.

use std::{path::Path, process::Command, time::Instant};

use super::*;
use crate::host::{
    Captured, Exit, Reply,
    frame::tests::{SHELLS, run},
};

fn state_dir(dir: &Path) -> StateDir {
    StateDir::new(dir.join("state").display().to_string()).unwrap()
}

fn spec(dir: &Path, script: &str) -> JobSpec {
    let state_dir = state_dir(dir);
    JobSpec {
        state_dir,
        ..JobSpec::new(JobId::new("job-1").unwrap(), script)
    }
}

fn ask(shell: &str, item: &Item) -> JobReport {
    let (replies, _) = run(shell, &[&item.script]);
    parse(&replies[0]).unwrap_or_else(|error| panic!("{error}: {:?}", replies[0]))
}

fn poll(shell: &str, spec: &JobSpec, wait: u64) -> JobReport {
    ask(
        shell,
        &poll_item(&spec.id, &spec.state_dir, 0, Duration::from_secs(wait)),
    )
}

/// Polls until the job is at rest.
fn finish(shell: &str, spec: &JobSpec) -> JobReport {
    let began = Instant::now();
    loop {
        let report = poll(shell, spec, 5);
        if report.state != JobState::Running {
            return report;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{report:?}");
    }
}

#[test]
fn a_job_runs_once_however_often_it_is_started() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let count = dir.path().join("count");
        let script = format!(
            "echo ran >>{}; echo out; echo err >&2; exit 7",
            count.display()
        );
        let spec = spec(dir.path(), &script);
        assert_eq!(poll(shell, &spec, 0).state, JobState::Unknown);
        for _ in 0..3 {
            ask(shell, &start_item(&spec));
        }
        let report = finish(shell, &spec);
        assert_eq!(report.state, JobState::Finished { exit: 7 }, "{shell}");
        assert_eq!(report.output, b"out\nerr\n", "{shell}");
        assert!(report.is_over());
        assert_eq!(
            ask(shell, &start_item(&spec)).state,
            JobState::Finished { exit: 7 }
        );
        assert_eq!(std::fs::read_to_string(&count).unwrap(), "ran\n", "{shell}");
    }
}

#[test]
fn starts_at_the_same_time_run_it_once() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let count = dir.path().join("count");
        let spec = spec(dir.path(), &format!("echo ran >>{}", count.display()));
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| ask(shell, &start_item(&spec)));
            }
        });
        assert_eq!(
            finish(shell, &spec).state,
            JobState::Finished { exit: 0 },
            "{shell}"
        );
        assert_eq!(std::fs::read_to_string(&count).unwrap(), "ran\n", "{shell}");
    }
}

#[test]
fn another_script_under_the_same_name_is_rejected() {
    let dir = tempfile::tempdir().unwrap();
    ask("dash", &start_item(&spec(dir.path(), "true")));
    let report = ask("dash", &start_item(&spec(dir.path(), "false")));
    assert!(
        matches!(report.state, JobState::Rejected { .. }),
        "{report:?}"
    );
}

fn owner(run: &str, job: Option<&JobId>) -> lock::Owner {
    lock::Owner {
        run: run.to_owned(),
        job: job.cloned(),
        ..lock::Owner::default()
    }
}

#[test]
fn a_job_starts_only_for_the_run_that_holds_the_lock_and_names_it() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let count = dir.path().join("count");
        let spec = spec(dir.path(), &format!("echo ran >>{}", count.display()));
        let (dir, id) = (&spec.state_dir, &spec.id);
        let rejected = |step: &str| {
            let report = ask(shell, &start_locked_item(&spec, "r1"));
            let is_rejected = matches!(report.state, JobState::Rejected { .. });
            assert!(is_rejected, "{shell}, {step}: {report:?}");
            assert_eq!(poll(shell, &spec, 0).state, JobState::Unknown);
        };
        let tell = |item: Item| run(shell, &[&item.script]);
        rejected("nobody holds it");
        tell(lock::acquire_item(&owner("r1", None), dir));
        rejected("the owner names no job");
        tell(lock::take_over_item("r1", &owner("r2", Some(id)), dir));
        rejected("another run holds it");
        tell(lock::take_over_item("r2", &owner("r1", Some(id)), dir));
        ask(shell, &start_locked_item(&spec, "r1"));
        assert_eq!(finish(shell, &spec).state, JobState::Finished { exit: 0 });
        tell(lock::take_over_item("r1", &owner("r2", None), dir));
        let told = ask(shell, &start_locked_item(&spec, "r1")).state;
        assert_eq!(told, JobState::Finished { exit: 0 }, "it did run: {shell}");
        assert_eq!(std::fs::read_to_string(&count).unwrap(), "ran\n", "{shell}");
    }
}

#[test]
fn a_running_job_does_not_hold_the_guard_of_the_lock() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let spec = spec(dir.path(), "sleep 3");
        let owner = owner("r1", Some(&spec.id));
        run(
            shell,
            &[&lock::acquire_item(&owner, &spec.state_dir).script],
        );
        let started = ask(shell, &start_locked_item(&spec, "r1")).state;
        assert_eq!(started, JobState::Running, "{shell}");
        let began = Instant::now();
        let read = lock::read_item("r1", &spec.state_dir);
        let (replies, _) = run(shell, &[&read.script]);
        let job = Some(JobState::Running);
        assert_eq!(
            lock::parse(&replies[0]),
            Ok(lock::LockState::Acquired { job })
        );
        assert!(began.elapsed() < Duration::from_secs(2), "{shell}");
    }
}

#[test]
fn a_mutilated_script_is_rejected_and_never_runs() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let mark = dir.path().join("mark");
        let spec = spec(dir.path(), &format!("touch {}", mark.display()));
        let mut item = start_item(&spec);
        item.script = item.script.replacen("touch", "to\u{7f}uch", 1);
        let report = ask(shell, &item);
        assert!(
            matches!(report.state, JobState::Rejected { .. }),
            "{report:?}"
        );
        assert_eq!(poll(shell, &spec, 0).state, JobState::Unknown);
        assert_eq!(
            std::fs::read_dir(dir.path().join("state/jobs"))
                .unwrap()
                .count(),
            0
        );
    }
}

fn started_pid(dir: &Path) -> String {
    let text = std::fs::read_to_string(dir.join("state/jobs/job-1/started")).unwrap();
    text.split_whitespace().nth(1).unwrap().to_owned()
}

#[test]
fn a_killed_runner_means_lost_and_nothing_runs_again() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let count = dir.path().join("count");
        let script = format!("echo ran >>{}; exec sleep 1.7", count.display());
        let spec = spec(dir.path(), &script);
        assert_eq!(
            ask(shell, &start_item(&spec)).state,
            JobState::Running,
            "{shell}"
        );
        let pid = started_pid(dir.path());
        assert!(
            Command::new("kill")
                .args(["-9", &pid])
                .status()
                .unwrap()
                .success()
        );
        let report = poll(shell, &spec, 3);
        assert_eq!(report.state, JobState::Lost, "{shell}");
        assert_eq!(
            ask(shell, &start_item(&spec)).state,
            JobState::Lost,
            "{shell}"
        );
        assert_eq!(std::fs::read_to_string(&count).unwrap(), "ran\n", "{shell}");
    }
}

#[test]
fn output_is_capped_without_hurting_the_job() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let script = "head -c 300000 /dev/zero || exit 1; echo more || exit 2; exit 0";
        let spec = JobSpec {
            output_cap: 100_000,
            ..spec(dir.path(), script)
        };
        ask(shell, &start_item(&spec));
        let report = finish(shell, &spec);
        assert_eq!(report.state, JobState::Finished { exit: 0 }, "{shell}");
        assert!(
            (50_000..=100_352).contains(&report.output_size),
            "{}",
            report.output_size
        );
    }
}

#[test]
fn a_daemon_that_the_job_leaves_behind_does_not_hold_its_end() {
    for shell in SHELLS {
        let dir = tempfile::tempdir().unwrap();
        let spec = spec(dir.path(), "sleep 7 & echo left $!; exit 0");
        ask(shell, &start_item(&spec));
        let began = Instant::now();
        let report = finish(shell, &spec);
        assert_eq!(report.state, JobState::Finished { exit: 0 }, "{shell}");
        assert!(report.output.starts_with(b"left "), "{shell}: {report:?}");
        assert!(began.elapsed() < Duration::from_secs(5), "{shell}");
    }
}

#[test]
fn output_comes_in_pieces_from_an_offset() {
    let dir = tempfile::tempdir().unwrap();
    let spec = spec(dir.path(), "printf 0123456789; head -c 400000 /dev/zero");
    ask("dash", &start_item(&spec));
    finish("dash", &spec);
    let ask_from = |offset| {
        ask(
            "dash",
            &poll_item(&spec.id, &spec.state_dir, offset, Duration::ZERO),
        )
    };
    let first = ask_from(4);
    assert_eq!(&first.output[..6], b"456789");
    assert_eq!(first.output_size, 400_010);
    assert!(!first.is_over());
}

#[test]
fn the_job_does_not_ignore_signals_where_the_shell_can_help_it() {
    let dir = tempfile::tempdir().unwrap();
    let spec = spec(dir.path(), "grep SigIgn /proc/self/status");
    ask("bash", &start_item(&spec));
    let text = String::from_utf8(finish("bash", &spec).output).unwrap();
    let ignored = u64::from_str_radix(text.trim().rsplit('\t').next().unwrap(), 16).unwrap();
    assert_eq!(ignored & 0b110, 0, "SIGINT and SIGQUIT: {text}");
}

#[test]
fn a_job_named_badly_cannot_be_made() {
    for bad in ["", ".", "..", "-x", "a/b", "a b", "ä", &"x".repeat(65)] {
        assert!(JobId::new(bad).is_err(), "{bad:?}");
    }
    assert!(JobId::new("run-7.patch_2").is_ok());
}

#[test]
fn foreign_answers_are_errors() {
    for text in [
        "",
        "pgjob",
        "pgjob 1 2 finished x",
        "pgjob 1 2 what",
        "pgjob a 2 running",
    ] {
        let mut reply = Reply::silent(Exit::Code(0));
        reply.stdout = Captured {
            bytes: text.as_bytes().to_vec(),
            dropped: 0,
        };
        assert!(
            matches!(parse(&reply), Err(JobParseError::Foreign { .. })),
            "{text:?}"
        );
    }
    let lost = Reply::silent(Exit::Lost { why: String::new() });
    assert!(matches!(parse(&lost), Err(JobParseError::NoAnswer { .. })));
}
