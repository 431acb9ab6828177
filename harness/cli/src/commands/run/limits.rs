//! What this process may hold open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Takes as many files and sockets as the system lets this process have: a host that hangs holds some for
/// each request that it does not answer. Where that is refused, the limit stays what it is, and requests
/// beyond it are told as this machine's own trouble.
pub(super) fn raise() {
    let files = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: files.maximum,
        ..files
    };
    let _ = setrlimit(Resource::Nofile, raised);
}
