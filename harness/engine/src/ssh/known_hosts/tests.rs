//! Known keys of all forms, and the same questions to `ssh-keygen -F`.

use std::process::Command;

use proptest::prelude::*;

use super::*;

/// A made-up key of a type, told apart by its seed.
fn blob(kind: &str, seed: u8) -> Vec<u8> {
    let mut blob = u32::try_from(kind.len()).unwrap().to_be_bytes().to_vec();
    blob.extend_from_slice(kind.as_bytes());
    blob.extend_from_slice(&32_u32.to_be_bytes());
    blob.extend_from_slice(&[seed; 32]);
    blob
}

fn line(hosts: &str, kind: &str, seed: u8) -> String {
    format!(
        "{hosts} {kind} {}\n",
        base64::encode_block(&blob(kind, seed))
    )
}

fn known(text: &str) -> KnownHosts {
    let mut known = KnownHosts::default();
    known.add(Path::new("kh"), text.as_bytes());
    known
}

const ED: &str = "ssh-ed25519";

#[test]
fn the_right_key_is_taken_with_its_fingerprint() {
    let known = known(&line("web1,10.0.0.1", ED, 1));
    let key = known.check("web1", &blob(ED, 1)).unwrap();
    assert_eq!(key.kind, ED);
    assert!(key.fingerprint.starts_with("SHA256:") && key.fingerprint.len() == 50);
    assert!(known.check("10.0.0.1", &blob(ED, 1)).is_ok());
}

#[test]
fn a_fingerprint_is_what_ssh_keygen_says() {
    let public = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    let key = describe(&base64::decode_block(public).unwrap());
    assert_eq!(
        key.fingerprint,
        "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
    );
}

#[test]
fn another_key_of_the_same_type_is_a_change_and_shows_both() {
    let problem = known(&line("web1", ED, 1))
        .check("web1", &blob(ED, 2))
        .unwrap_err();
    let text = problem.to_string();
    assert!(matches!(problem, HostKeyProblem::Changed { .. }), "{text}");
    assert!(text.contains(&describe(&blob(ED, 1)).fingerprint), "{text}");
    assert!(text.contains(&describe(&blob(ED, 2)).fingerprint), "{text}");
}

#[test]
fn a_key_of_another_type_is_not_called_a_change() {
    let known = known(&line("web1", "ssh-rsa", 1));
    assert!(matches!(
        known.check("web1", &blob(ED, 2)),
        Err(HostKeyProblem::OtherType { .. })
    ));
    assert_eq!(
        known.kinds("web1").into_iter().collect::<Vec<_>>(),
        ["ssh-rsa"]
    );
}

#[test]
fn a_revoked_key_is_refused_even_where_another_line_trusts_it() {
    let text = line("web1", ED, 1) + "@revoked " + &line("*", ED, 1);
    assert!(matches!(
        known(&text).check("web1", &blob(ED, 1)),
        Err(HostKeyProblem::Revoked { .. })
    ));
}

#[test]
fn a_port_of_its_own_needs_an_entry_of_its_own() {
    let text = line("web1", ED, 1);
    assert!(matches!(
        known(&text).check("[web1]:2222", &blob(ED, 1)),
        Err(HostKeyProblem::Unknown { .. })
    ));
    let text = line("[web1]:2222", ED, 1);
    assert!(known(&text).check("[web1]:2222", &blob(ED, 1)).is_ok());
    assert!(known(&text).check("web1", &blob(ED, 1)).is_err());
}

#[test]
fn an_authority_is_reported_and_not_ignored() {
    let known = known(&("@cert-authority ".to_owned() + &line("*.example", ED, 1)));
    assert_eq!(
        known.warnings()[0].to_string(),
        "kh:1: @cert-authority is not supported"
    );
    let problem = known.check("web1.example", &blob(ED, 1)).unwrap_err();
    assert!(
        problem.to_string().contains("@cert-authority at kh:1"),
        "{problem}"
    );
}

#[test]
fn bad_lines_are_warnings_with_their_number_and_stop_nothing() {
    let mut text =
        b"# comment\n\nweb0 1024 35 1234567\nweb0\nweb0 ssh-ed25519 ###\n\xff\xfe\n".to_vec();
    text.extend_from_slice(b"web0 ssh-ed25519 AAAAB3NzaC1yc2E=\n@future web0 x y\n|2|a|b x y\n");
    text.extend_from_slice(line("web1", ED, 1).as_bytes());
    let mut known = KnownHosts::default();
    known.add(Path::new("kh"), &text);
    let lines: Vec<usize> = known
        .warnings()
        .iter()
        .map(|warning| warning.line)
        .collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9]);
    assert!(known.check("web1", &blob(ED, 1)).is_ok());
}

#[test]
fn a_missing_file_is_empty_and_an_unreadable_one_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    assert!(
        KnownHosts::load(&[dir.path().join("none")])
            .unwrap()
            .lines_about("x")
            .is_empty()
    );
    assert!(matches!(
        KnownHosts::load(&[dir.path().to_owned()]),
        Err(ConnectError::KnownHosts { .. })
    ));
}

/// Asks `ssh-keygen -F` which lines it finds.
fn keygen_lines(file: &Path, name: &str) -> Vec<usize> {
    let output = Command::new("ssh-keygen")
        .arg("-F")
        .arg(name)
        .arg("-f")
        .arg(file)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = |line: &str| {
        line.rsplit_once("found: line ")?
            .1
            .split(' ')
            .next()?
            .parse()
            .ok()
    };
    text.lines().filter_map(found).collect()
}

fn hashed(file: &Path) {
    let run = Command::new("ssh-keygen")
        .arg("-q")
        .arg("-H")
        .arg("-f")
        .arg(file)
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
}

/// A real public key: `ssh-keygen` reads no made-up ones.
const REAL: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn lines_are_found_as_ssh_keygen_finds_them(
        hosts in prop::collection::vec("(@revoked |@cert-authority )?(!?([ab*?]{1,3}|\\[[ab*]{1,2}\\]:(22|2222|\\*)),){1,3}", 1..6),
        names in prop::collection::vec("[ab]{1,3}|\\[[ab]{1,2}\\]:2222", 1..4),
        hash in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("kh");
        let lines: Vec<String> = hosts.iter().map(|h| format!("{} {REAL}", h.trim_end_matches(','))).collect();
        std::fs::write(&file, lines.join("\n") + "\n").unwrap();
        if hash {
            hashed(&file);
        }
        let known = KnownHosts::load(std::slice::from_ref(&file)).unwrap();
        for name in names {
            prop_assert_eq!(known.lines_about(&name), keygen_lines(&file, &name), "{} in {:?}", name, lines);
        }
    }
}
