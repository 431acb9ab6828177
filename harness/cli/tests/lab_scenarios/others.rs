//! What other tools say of the same host.
//!
//! They are asked after our own run, on the host as the update left it: httpd is restarted where the
//! patch set does that, a client asks five times, and each tool looks at the log since.

use std::{path::PathBuf, process::Output};

use crate::{
    lab::{Lab, REBUILD, patchgate},
    scenario::Scenario,
};

/// The address of the host.
const ADDRESS: &str = "10.77.0.11";

/// Notes where the log ends and what time it is, as those tools do.
const BEGIN: &str = "LC_ALL=C date '+%x %H:%M:%S' >/root/since\n\
    stat -c %s /var/log/audit/audit.log >/root/position\n";

/// `grep AVC`, tmt's check and restraint's plugin, one line each. tmt passes when ausearch says
/// `<no matches>`; restraint fails only when ausearch ends with 0.
const ASK: &str = "export LC_ALL=C\n\
    since=$(cat /root/since) types=AVC,USER_AVC,SELINUX_ERR\n\
    tail -c +$(($(cat /root/position) + 1)) /var/log/audit/audit.log | grep -ac 'avc:.*denied'\n\
    said=$(ausearch -i --input-logs -m $types -ts $since 2>&1)\n\
    case $said in *'<no matches>'*) echo pass;; *) echo fail;; esac\n\
    if ausearch --input-logs -sv no -m $types -ts $since >/dev/null 2>&1; then echo fail; else echo pass; fi\n";

/// Their answers.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// What the client saw: a status, or why there is none.
    pub(crate) client: String,
    /// Lines that `grep 'avc:.*denied'` finds.
    pub(crate) grep: u64,
    /// tmt's AVC check: `pass` or `fail`.
    pub(crate) tmt: String,
    /// restraint's AVC plugin: `pass` or `fail`.
    pub(crate) restraint: String,
}

/// Asks all of them.
pub(crate) fn ask(lab: &Lab, scenario: &Scenario) -> Said {
    let restart = if scenario.restart {
        "systemctl restart httpd 2>/dev/null || :"
    } else {
        ""
    };
    lab.in_guest(REBUILD, &format!("{BEGIN}{restart}"));
    let authority = authority(lab);
    let seen: Vec<String> = (0..5)
        .map(|_| client(scenario, authority.as_ref()))
        .collect();
    let said = lab.in_guest(REBUILD, ASK);
    let [grep, tmt, restraint] = said.lines().collect::<Vec<_>>()[..] else {
        panic!("three answers: {said}");
    };
    Said {
        client: seen.last().unwrap().clone(),
        grep: grep.parse().unwrap(),
        tmt: tmt.to_owned(),
        restraint: restraint.to_owned(),
    }
}

/// The certificate of the host's own authority, as a file that goes with the test; none if it has none.
pub(crate) fn authority(lab: &Lab) -> Option<PathBuf> {
    let output = lab.try_in_guest(REBUILD, "cat /root/ca.crt");
    let there = output.status.success();
    there.then(|| lab.file("ca.crt", &String::from_utf8(output.stdout).unwrap()))
}

/// What one request of a remote client sees.
fn client(scenario: &Scenario, authority: Option<&PathBuf>) -> String {
    let mut command = patchgate();
    command.args([
        "lab",
        "exec",
        "--",
        "curl",
        "-s",
        "-m",
        "5",
        "-o",
        "/dev/null",
    ]);
    command.args(["-w", "%{http_code}", &scenario.url_at(ADDRESS)]);
    if let Some(path) = authority {
        command.arg("--cacert").arg(path);
    }
    words(&command.output().unwrap())
}

/// curl's exit codes in words.
fn words(output: &Output) -> String {
    match output.status.code() {
        Some(0) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Some(7) => "refused".to_owned(),
        Some(28) => "timeout".to_owned(),
        Some(60) => "certificate not valid".to_owned(),
        code => panic!("curl ended with {code:?}"),
    }
}
