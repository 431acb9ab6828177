//! The tables of yum 3, dnf 4 and dnf5.

use patchgate_core::{package::Nevra, transaction::Manager};

/// What each says when there is nothing to do, in the order of [`Manager::ALL`].
pub(super) const NOTHING: [&str; 3] = [
    "Setting up Update Process\nNo Packages marked for Update\n",
    "Dependencies resolved.\nNothing to do.\nComplete!\n",
    "Repositories loaded.\nNothing to do.\n",
];

/// A table, and what the manager says to its error output when it is told "no".
pub(super) fn of(manager: Manager, coming: &[Nevra]) -> (String, &'static str) {
    let rows: String = coming.iter().map(row).collect();
    let (line, n) = ("=".repeat(80), coming.len());
    let head = format!("{line}\n Package Arch Version Repository Size\n{line}\n");
    let end = format!("\nTransaction Summary\n{line}\nUpgrade  {n} Packages\n");
    match manager {
        Manager::Yum => {
            let asked = "\nIs this ok [y/d/N]: Exiting on user command\n";
            let text = format!("Dependencies Resolved\n\n{head}Updating:\n{rows}{end}{asked}");
            (text, "")
        }
        Manager::Dnf4 => (
            format!("Dependencies resolved.\n{head}Upgrading:\n{rows}{end}"),
            "Operation aborted.\n",
        ),
        Manager::Dnf5 => (
            format!(
                "Package Arch Version Repository Size\nUpgrading:\n{rows}\n\
                 Transaction Summary:\n Upgrading: {n} packages\n"
            ),
            "Operation aborted by the user.\n",
        ),
    }
}

/// A row of a table.
fn row(package: &Nevra) -> String {
    let Nevra {
        name,
        epoch,
        version,
        release,
        arch,
    } = package;
    let epoch = match epoch {
        0 => String::new(),
        epoch => format!("{epoch}:"),
    };
    format!(" {name} {arch} {epoch}{version}-{release} updates 10 k\n")
}
