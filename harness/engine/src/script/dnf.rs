//! dnf: what a transaction would do, and doing it.

use std::{fmt::Write as _, time::Duration};

use patchgate_core::{
    patchset::{PatchSet, Selection},
    reading::Reading,
};

use super::trouble;
use crate::host::{Exit, Item, Reply, quote};

/// How long planning may take: dnf reads metadata first.
const PLAN_DEADLINE: Duration = Duration::from_secs(300);

/// Asks dnf what the patch set would bring, without doing it.
#[must_use]
pub fn plan_item(set: &PatchSet) -> Item {
    let script = format!(
        "command -v dnf >/dev/null || {{ echo 'there is no dnf' >&2; exit 127; }}\n\
         COLUMNS=400 HOME=/root dnf --assumeno --refresh {}",
        arguments(set)
    );
    Item {
        cap: 1 << 20,
        ..Item::new(script, PLAN_DEADLINE)
    }
}

/// The packages that the plan brings, as `name-[epoch:]version-release.arch`.
///
/// dnf says 0 and `Nothing to do.` where there is nothing, 1 and `Operation aborted.` after a table.
#[must_use]
pub fn read_plan(reply: &Reply) -> Reading<Vec<String>> {
    let (out, err) = (reply.stdout.text(), reply.stderr.text());
    if let Some(line) = out.lines().find(|l| l.starts_with("Skipping ")) {
        return Reading::missing(format!("dnf leaves something out: {line}"));
    }
    match &reply.exit {
        Exit::Code(0) if out.contains("Nothing to do.") => Reading::Known(Vec::new()),
        Exit::Code(1)
            if out.contains("Operation aborted.") || err.contains("Operation aborted.") =>
        {
            match planned(&out) {
                None => Reading::missing("a row of dnf's table cannot be read"),
                Some(packages) if packages.is_empty() => {
                    Reading::missing("dnf's table names no package")
                }
                Some(packages) => Reading::Known(packages),
            }
        }
        exit @ (Exit::Code(_)
        | Exit::DeadlineExceeded
        | Exit::NotRun { .. }
        | Exit::Lost { .. }) => {
            Reading::missing(format!("dnf: {}", trouble(exit, complaint(&err))))
        }
    }
}

/// From the first line that says what is wrong: dnf heads its problems with a bare `Error:`.
fn complaint(err: &str) -> &str {
    let text = err.trim_start();
    let rest = text.strip_prefix("Error:").unwrap_or(text);
    match rest.split_once('\n') {
        Some((head, rest)) if head.trim().is_empty() => rest.trim_start(),
        Some(_) | None => text,
    }
}

/// Sections of dnf's table whose packages will be there afterwards.
const COMING: [&str; 7] = [
    "Installing:",
    "Upgrading:",
    "Downgrading:",
    "Reinstalling:",
    "Installing dependencies:",
    "Installing weak dependencies:",
    "Installing group/module packages:",
];

/// The packages of dnf's table: under each heading, rows of ` name arch version repository size unit`,
/// which dnf breaks after a long name. `replacing` rows name what an obsoleting package removes. None
/// when a row is not of this form.
fn planned(text: &str) -> Option<Vec<String>> {
    let mut words: Vec<&str> = Vec::new();
    let mut coming = false;
    for line in text.lines() {
        let row = line.starts_with(' ');
        if !row {
            coming = COMING.contains(&line.trim_end());
        } else if coming && !line.trim_start().starts_with("replacing ") {
            words.extend(line.split_whitespace());
        }
    }
    let named = |r: &[&str]| format!("{}-{}.{}", r[0], r[2], r[1]);
    let rows = words.chunks_exact(6);
    rows.remainder()
        .is_empty()
        .then(|| rows.map(named).collect())
}

/// The transaction as a job on the host: the package manager, then its own number for what it did.
#[must_use]
pub fn apply_script(set: &PatchSet) -> String {
    format!(
        "export HOME=/root LC_ALL=C\n\
         dnf -y {}\n\
         rc=$?\n\
         [ $rc = 0 ] && dnf -q history list 2>/dev/null | {{\n\
         while read -r n rest; do case $n in *[!0-9]*|'') ;; *) echo \"{TRANSACTION}$n\"; break;; esac; done\n\
         }}\n\
         exit $rc\n",
        arguments(set)
    )
}

/// Before the number of the transaction in the job's output.
const TRANSACTION: &str = "patchgate-transaction=";

/// The number of the transaction in a job's output.
#[must_use]
pub fn transaction(output: &str) -> Option<String> {
    output
        .lines()
        .rev()
        .find_map(|l| l.strip_prefix(TRANSACTION))
        .map(ToOwned::to_owned)
}

fn arguments(set: &PatchSet) -> String {
    // A repository that does not answer, or a package that cannot be had, is an error and no reason to
    // apply less than was asked for.
    let mut text = "--setopt=best=1 --setopt='*.skip_if_unavailable=0' ".to_owned();
    let mut add = |option: &str, value: &str| {
        write!(text, "--{option}={} ", quote::sh(value)).expect("a String takes everything");
    };
    for repo in &set.disable_repos {
        add("disablerepo", repo);
    }
    for repo in &set.enable_repos {
        add("enablerepo", repo);
    }
    for glob in &set.exclude {
        add("exclude", glob);
    }
    match set.select {
        Selection::AllUpdates => text + "upgrade",
    }
}

#[cfg(test)]
mod tests {
    use patchgate_core::patchset::Services;

    use super::*;

    const TABLE: &str = "\
Last metadata expiration check: 0:00:01 ago on Sat Nov 21 22:00:00 2026.
Dependencies resolved.
================================================================================
 Package                      Arch     Version             Repository      Size
================================================================================
Upgrading:
 openssl-libs                 x86_64   1:3.0.7-25.el9_3    updates        6.5 k
 selinux-policy-targeted-with-a-long-name
                              noarch   3.14.3-155.el9_3.14 updates        9.1 M
     replacing  old-policy.noarch 1-1
Installing dependencies:
 new                          noarch   1-1                 updates        6.5 k
Removing:
 gone                         noarch   1-1                 @base          6.5 k

Transaction Summary
================================================================================
Upgrade  2 Packages

Total size: 9.1 M
";

    fn reply(code: u8, out: &str, err: &str) -> Reply {
        let mut reply = Reply::silent(Exit::Code(code));
        reply.stdout.bytes = out.into();
        reply.stderr.bytes = err.into();
        reply
    }

    #[test]
    fn the_table_names_what_will_come() {
        let plan = read_plan(&reply(1, TABLE, "Operation aborted.\n"));
        assert_eq!(
            plan.known().unwrap(),
            &[
                "openssl-libs-1:3.0.7-25.el9_3.x86_64",
                "selinux-policy-targeted-with-a-long-name-3.14.3-155.el9_3.14.noarch",
                "new-1-1.noarch",
            ]
        );
    }

    #[test]
    fn nothing_to_do_is_said_and_never_inferred() {
        let nothing = read_plan(&reply(0, "Dependencies resolved.\nNothing to do.\n", ""));
        assert_eq!(nothing, Reading::Known(vec![]));
        for (code, out, err) in [
            (0, "", ""),
            (
                1,
                "",
                "Error: Failed to download metadata for repo 'updates'",
            ),
            (1, "Operation aborted.", ""),
            (127, "", "there is no dnf"),
            (
                0,
                "Skipping packages with broken dependencies:\n x\nNothing to do.\n",
                "",
            ),
            (
                1,
                "Upgrading:\n a x86_64 1-1 updates 6.5\nOperation aborted.",
                "",
            ),
        ] {
            assert!(
                read_plan(&reply(code, out, err)).known().is_none(),
                "{out}{err}"
            );
        }
    }

    #[test]
    fn a_conflict_is_told_by_its_first_problem() {
        let err = "Error: \n Problem: package a-1 requires b = 1, but none can be installed\n";
        let why = read_plan(&reply(1, "", err));
        assert_eq!(
            why.why().unwrap(),
            "dnf: exit status 1: Problem: package a-1 requires b = 1, but none can be installed"
        );
        let why = read_plan(&reply(1, "", "Error: Failed to download metadata\n"));
        let told = "dnf: exit status 1: Error: Failed to download metadata";
        assert_eq!(why.why().unwrap(), told);
    }

    #[test]
    fn what_people_write_is_quoted() {
        let set = PatchSet {
            name: "x".into(),
            select: Selection::AllUpdates,
            exclude: vec!["kernel*".into()],
            enable_repos: vec!["updates; reboot".into()],
            disable_repos: vec!["*".into()],
            services: Services::Leave,
            deadline_s: 1,
        };
        assert_eq!(
            arguments(&set),
            "--setopt=best=1 --setopt='*.skip_if_unavailable=0' --disablerepo='*' --enablerepo='updates; reboot' --exclude='kernel*' upgrade"
        );
    }

    #[test]
    fn the_transaction_is_the_last_number_said() {
        assert_eq!(
            transaction("x\npatchgate-transaction=7\n").as_deref(),
            Some("7")
        );
        assert_eq!(transaction("Complete!\n"), None);
    }
}
