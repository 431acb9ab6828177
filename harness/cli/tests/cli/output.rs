//! What goes to standard output, what to standard error, and what never goes anywhere.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    process::Stdio,
};

use super::{CHECK, place, program::Ended, recorded};

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = recorded();
    for (arguments, code) in [
        ("report run --format text", 3),
        ("report run --format junit", 3),
        ("report run --format json", 3),
        ("report run --format md", 3),
        ("judge run", 3),
        ("completions bash", 0),
        ("man", 0),
        ("exit-codes", 0),
    ] {
        let mut child = place.command(arguments).spawn().unwrap();
        // As `| head -1`, at its worst: nobody reads even the first byte.
        drop(child.stdout.take());
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        let ended = child.wait().unwrap();
        assert_eq!(
            (ended.code(), said.as_str()),
            (Some(code), ""),
            "{arguments}"
        );
    }
}

#[test]
fn a_reader_that_takes_one_line_gets_it() {
    let place = recorded();
    let mut child = place.command("completions zsh").spawn().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::with_capacity(16, child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    drop(stdout);
    assert_eq!(
        (line.as_str(), child.wait().unwrap().code()),
        ("#compdef patchgate\n", Some(0))
    );
}

#[test]
fn an_answer_that_is_not_whole_is_an_error() {
    let place = recorded();
    for arguments in [
        "report run --format junit",
        "judge run",
        "hosts -i inventory.yaml",
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = place.command(arguments).stdout(full).output().unwrap();
        let ended = Ended::of(&output).with(74);
        let _told = ended.telling(&["cannot write to standard output: No space left"]);
    }
}

#[test]
fn a_verdict_counts_though_nobody_could_be_told() {
    let place = place();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = place.command(&format!("{CHECK} -o run"));
    let ended = Ended::of(&command.stdout(full).output().unwrap()).with(3);
    let _told = ended.telling(&["cannot write to standard output", "the record is in run"]);
    assert!(place.path("run/verdict.json").is_file());
}

#[test]
fn the_verdict_is_the_answer_and_progress_is_not() {
    let place = place();
    let ended = place.run(&format!("{CHECK} -o run")).with(3);
    assert!(ended.stdout.contains("gate: UNDECIDED") && !ended.stdout.contains("run finished"));
    assert!(ended.stderr.contains("run finished") && !ended.stderr.contains("gate: UNDECIDED"));
}

#[test]
fn quiet_leaves_the_verdict_alone() {
    let place = place();
    let ended = place.run(&format!("-q {CHECK} -o run")).with(3);
    assert!(ended.stdout.contains("gate: UNDECIDED"));
    assert_eq!(ended.stderr, "");
}

#[test]
fn colour_is_for_those_who_ask() {
    let place = recorded();
    let escapes = |ended: &Ended| ended.all().contains('\x1b');
    assert!(escapes(&place.run("--color always judge run").with(3)));
    for arguments in [
        "judge run",
        "--color never judge run",
        "--color auto judge run",
    ] {
        assert!(!escapes(&place.run(arguments).with(3)), "{arguments}");
    }
    let run = place
        .run(&format!("--color never {CHECK} -o second"))
        .with(3);
    assert!(!escapes(&run));
    let mut command = place.command("judge run");
    let no_color = command.env("NO_COLOR", "1").stderr(Stdio::piped()).output();
    assert!(!escapes(&Ended::of(&no_color.unwrap())));
}

#[test]
fn a_secret_of_the_environment_goes_nowhere() {
    const CANARY: &str = "canary-3d1f";
    let place = place();
    let mut command = place.command(&format!("{CHECK} -o run"));
    for name in ["PATCHGATE_PASSWORD", "ANSIBLE_VAULT_PASSWORD", "LC_ALL"] {
        command.env(name, CANARY);
    }
    let ended = Ended::of(&command.output().unwrap()).with(3);
    assert!(!ended.all().contains(CANARY));
    for file in ["events.jsonl", "plan.json", "verdict.json", "junit.xml"] {
        assert!(
            !place.read(&format!("run/{file}")).contains(CANARY),
            "{file}"
        );
    }
}
