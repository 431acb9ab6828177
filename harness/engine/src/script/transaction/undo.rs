//! The undo of a transaction, as a job on the host.

use patchgate_core::{patchset::PatchSet, transaction::Manager};

use super::{FIND, arguments};
use crate::host::quote;

/// Has the package manager undo one of its transactions, if that is its last: whatever came after it is
/// somebody else's.
///
/// dnf(8), `history undo`; yum(8), `history undo`; dnf5-history(8), `undo`.
#[must_use]
pub fn undo_script(manager: Manager, set: &PatchSet, transaction: &str) -> String {
    SCRIPT
        .replace("@FIND@", FIND)
        .replace("@PM@", manager.word())
        .replace("@NUMBER@", &quote::sh(transaction))
        .replace("@REPOSITORIES@", &arguments::repositories(manager, set))
}

const SCRIPT: &str = r#"@FIND@[ "$pm" = @PM@ ] || { echo 'another package manager than at the patch'; exit 97; }
last() { while read -r n rest; do case $n in *[!0-9]*|'') ;; *) echo "$n"; break;; esac; done; }
n=$("$p" -q history list 2>/dev/null | last)
[ "$n" = @NUMBER@ ] || { echo "the last transaction is ${n:-not known} and not "@NUMBER@; exit 96; }
exec "$p" -y @REPOSITORIES@history undo @NUMBER@
"#;
