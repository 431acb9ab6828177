//! The program as people and CI meet it: arguments, exit codes, messages. No network, no root.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

#[path = "support/program.rs"]
mod program;

#[path = "cli/configuration.rs"]
mod configuration;
#[path = "cli/explain.rs"]
mod explain;
#[path = "cli/facts.rs"]
mod facts;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/inventories.rs"]
mod inventories;
#[path = "cli/output.rs"]
mod output;
#[path = "cli/probes.rs"]
mod probes;
#[path = "cli/record.rs"]
mod record;
#[path = "cli/resume.rs"]
mod resume;
#[path = "cli/waves.rs"]
mod waves;

use std::{fs, io, net::TcpListener};

use program::Place;

/// A suite that any host can be asked.
const SUITE: &str = "suite: mine\nchecks:\n  - id: page\n    http: { url: \"http://{{ host }}/\" }\n  \
                     - id: shell\n    command: { run: \"true\" }\n";

/// An inventory of one host on this machine.
fn inventory(port: u16) -> String {
    format!(
        "all:\n  hosts:\n    web1: {{ ansible_host: 127.0.0.1, ansible_port: {port}, \
         ansible_user: root, patchgate_known_hosts: known }}\n"
    )
}

/// The names of all that is in a place, sorted.
fn names(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.path("")).unwrap();
    let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = entries.map(name).collect();
    names.sort();
    names
}

/// A port where nobody listens.
fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A good inventory whose host refuses connections, and a good suite.
fn place() -> Place {
    Place::new(&[])
        .with("inventory.yaml", &inventory(closed_port()))
        .with("suite.yaml", SUITE)
}

/// What a run over [`place`] is asked with.
const CHECK: &str = "check -i inventory.yaml --suite ./suite.yaml";

/// A place with a recorded run in `run`; its host was not reached.
fn recorded() -> Place {
    let place = place();
    let ended = place.run(&format!("{CHECK} -o run")).with(3);
    let _told = ended.telling(&["Connection refused", "UNDECIDED"]);
    place
}
