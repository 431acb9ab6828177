//! Waves on the command line: shown before anything happens, and mistakes told.

use super::{Place, SUITE};

const PATCH: &str = "patch_set: x\nselect: { updates: all }\n";
const HOSTS: &str = "all:\n  hosts:\n    up: { ansible_host: 192.0.2.1, patchgate_role: upstream }\n    \
                     re: { ansible_host: 192.0.2.2, patchgate_role: rebuild, patchgate_twin: up }\n    \
                     mx: { ansible_host: 192.0.2.3, patchgate_role: rebuild, patchgate_twin: up }\n    \
                     db: { ansible_host: 192.0.2.4, patchgate_role: rebuild, patchgate_twin: up }\n";

fn place(hosts: &str) -> Place {
    Place::new(&[])
        .with("inventory.yaml", hosts)
        .with("suite.yaml", SUITE)
        .with("patch.yaml", PATCH)
}

fn plan(options: &str) -> String {
    format!("plan -i inventory.yaml -s ./suite.yaml {options}")
}

#[test]
fn a_plan_shows_the_waves() {
    let arguments = plan("-p patch.yaml --offline --batch 1,100% --max-bad 50%");
    let told = place(HOSTS).run(&arguments).with(0).stdout;
    let waves = "wave 1: up, re\nwave 2: mx, db\nno further wave after more than 2 bad hosts\n";
    assert!(told.contains(waves), "{told}");
    let hosts = HOSTS.replace("192.0.2.4,", "192.0.2.4, patchgate_wave: 1,");
    let told = place(&hosts)
        .run(&plan("-p patch.yaml --offline"))
        .with(0)
        .stdout;
    let waves = "wave 1: up, db\nwave 2: re, mx\nno further wave after more than 0 bad hosts\n";
    assert!(told.contains(waves), "{told}");
    let told = place(HOSTS)
        .run(&plan("-p patch.yaml --offline"))
        .with(0)
        .stdout;
    assert!(!told.contains("wave"), "{told}");
    let told = place(&hosts).run(&plan("")).with(0).stdout;
    assert!(!told.contains("wave"), "nothing is patched: {told}");
}

/// Waves are of those who are changed: one that is not reached keeps nobody from being asked.
#[test]
fn a_plan_asks_all_hosts_whatever_their_waves() {
    let closed = HOSTS.replace("192.0.2.", "127.0.0.");
    let closed = closed.replace("patchgate_role", "ansible_port: 1, patchgate_role");
    let asked = place(&closed).run(&plan("-p patch.yaml --batch 1 -o asked"));
    let told = asked.with(3).stdout;
    let waves = "wave 1: up, re\nwave 2: mx\nwave 3: db\n";
    assert!(told.contains(waves), "{told}");
    assert_eq!(told.matches("unreachable").count(), 4, "{told}");
    assert!(told.contains("; nothing was changed\n"), "{told}");
}

#[test]
fn what_is_no_size_of_a_wave_is_refused() {
    for (options, why) in [
        ("-p patch.yaml --batch 1,x", "not a number of hosts"),
        ("-p patch.yaml --batch 0", "a wave has at least one host"),
        ("-p patch.yaml --batch 0%", "a wave has at least one host"),
        (
            "-p patch.yaml --batch 1 --max-bad 101%",
            "not a number of hosts",
        ),
        ("-p patch.yaml --max-bad 1", "there is only one"),
        ("--batch 1", "none is given"),
    ] {
        let ended = place(HOSTS).run(&plan(options)).with(2);
        assert!(ended.stderr.contains(why), "{options}: {}", ended.stderr);
    }
}
