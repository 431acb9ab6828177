//! Help, version, exit codes, completions, manual page.

use super::{Place, program::Ended};

fn run(arguments: &str) -> Ended {
    Place::new(&[]).run(arguments)
}

const COMMANDS: [&str; 13] = [
    "run",
    "resume",
    "check",
    "plan",
    "facts",
    "hosts",
    "judge",
    "report",
    "explain",
    "lab",
    "exit-codes",
    "completions",
    "man",
];

/// `cli/help.txt` is what the program says; after a wanted change, write it anew with
/// `patchgate --help > harness/cli/tests/cli/help.txt`.
#[test]
fn the_help_is_the_one_that_was_looked_at() {
    let ended = run("--help").with(0);
    assert_eq!(ended.stdout, include_str!("help.txt"));
    assert_eq!(ended.stderr, "");
}

#[test]
fn every_command_is_in_the_help_and_explains_itself_and_every_option() {
    let listed = run("--help").stdout;
    for command in COMMANDS {
        assert!(listed.contains(&format!("\n  {command} ")), "{command}");
        let help = run(&format!("{command} --help")).with(0).stdout;
        let first = help.lines().next().unwrap();
        assert!(first.len() > 15 && !first.starts_with("Usage"), "{help}");
        assert!(help.contains(&format!("Usage: patchgate {command}")));
        let lines: Vec<_> = help.lines().collect();
        for pair in lines
            .windows(2)
            .filter(|p| p[0].starts_with("  -") || p[0].starts_with("      --"))
        {
            let told = pair[0].trim().split("  ").count() > 1 || !pair[1].trim().is_empty();
            assert!(told, "an option of {command} without a word: {}", pair[0]);
        }
    }
}

#[test]
fn the_listed_commands_are_all_that_there_are() {
    let help = run("--help").stdout;
    let (_, rest) = help.split_once("Commands:\n").unwrap();
    let listed: Vec<_> = rest
        .lines()
        .take_while(|l| !l.is_empty())
        .map(|l| l.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(listed, COMMANDS);
}

#[test]
fn exit_codes_are_listed_with_their_meaning() {
    let ended = run("exit-codes").with(0);
    let codes: Vec<u8> = ended
        .stdout
        .lines()
        .map(|l| {
            let (code, meaning) = l.trim().split_once("  ").unwrap();
            assert!(meaning.len() > 5, "{l}");
            code.parse().unwrap()
        })
        .collect();
    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 70, 74, 130, 143]);
    assert!(ended.stdout.contains("   0  open: the only `go`\n"));
}

#[test]
fn what_is_not_understood_ends_with_2_and_names_the_nearest() {
    for (arguments, told) in [
        ("", "Usage: patchgate"),
        ("chek", "'check'"),
        ("check --inventori x", "'--inventory'"),
        ("check", "--inventory <INVENTORY>"),
        ("run -i x", "--patch <FILE>"),
        ("check -i x --jobs 0", "0 is not in 1.."),
        ("check -i x --jobs many", "'many'"),
        ("report r --format pdf", "junit, json, md"),
        ("judge", "<RUN>"),
        ("facts", "--inventory <INVENTORY>|--of <RUN>|--diff <RUN>"),
        ("facts -i x --diff a", "'--diff <RUN>...'"),
        ("facts --diff a --limit web1", "'--limit <PATTERN>'"),
        ("facts --diff a -o b", "`--output` is for a new record"),
        ("judge a b", "'b'"),
        ("completions klingon", "'klingon'"),
        ("--color blue hosts -i x", "auto, always, never"),
    ] {
        let ended = run(arguments).with(2).telling(&[told]);
        assert_eq!(ended.stdout, "", "{arguments}");
    }
}

#[test]
fn the_version_is_told() {
    let want = format!("patchgate {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run("--version").with(0).stdout, want);
    assert_eq!(run("-V").with(0).stdout, want);
}

#[test]
fn completions_and_the_manual_page_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = run(&format!("completions {shell}")).with(0);
        for word in ["exit-codes", "inventory", "rollout"] {
            assert!(ended.stdout.contains(word), "{shell}: {word}");
        }
    }
    let page = run("man").with(0).stdout;
    assert!(page.contains(".TH patchgate") && page.contains("exit\\-codes"));
}
