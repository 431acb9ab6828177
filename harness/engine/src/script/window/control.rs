//! The positive control on the host: a denial that is provoked, and that must reach the log.
//!
//! A subshell asks the kernel for the context of process 1 (`dyntransition`), or where the login may not
//! even ask, for its own anew (`setcurrent`). First it asks selinuxfs whether that is refused and logged;
//! it tries only then. Builtins only: no program is started and no file is made.
//!
//! Seen with the reference policy, kernel 6.1: one AVC, `denied { dyntransition } … scontext=…unconfined_t
//! … tcontext=…init_t … tclass=process`. The files are read before they are written, for the kernel
//! judges a write to a name that it does not know yet as a `create`, which would be a second denial.

use patchgate_core::{
    evidence::control::{Control, ForcedDenial},
    reading::Reading,
};

use crate::script::value;

/// The name that the subshell gives itself: 15 bytes at most, and people read it in the log.
pub(super) fn name(nonce: &str) -> String {
    let part: String = nonce
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(5)
        .collect();
    format!("patchgate-{part}")
}

/// The text, which gives its subshell this name.
pub(super) fn script(name: &str) -> String {
    CONTROL.replace("@NAME@", name)
}

/// Files of selinuxfs have no line break at their end, so `read` fails on them and still reads.
/// Permissions in selinuxfs are numbers of bits, counted from 1; decisions are hexadecimal:
/// `allowed decided auditallow auditdeny seqno flags`, of which flag 1 is a permissive domain.
const CONTROL: &str = r#"
(
no() { printf 'control=impossible %s\n' "$1"; exit 0; }
fs=/sys/fs/selinux; [ -e $fs/enforce ] || fs=/selinux
[ -e $fs/enforce ] || no 'there is no selinuxfs'
[ -r $fs/class/process/index ] && [ -w $fs/access ] || no 'the kernel cannot be asked what it logs'
read -r on <$fs/enforce; [ "$on" = 1 ] || no 'SELinux does not enforce'
read -r pid rest </proc/self/stat
IFS= read -r me </proc/self/attr/current
IFS= read -r to </proc/1/attr/current
IFS= read -r comm </proc/self/comm
read -r class <$fs/class/process/index
read -r bit <$fs/class/process/perms/dyntransition
read -r own <$fs/class/process/perms/setcurrent
case $class,$bit,$own in *[!0-9,]* | ,* | *,,* | *,) no 'the kernel does not tell its permissions' ;; esac
ask() {
  allowed= deny= flags=0
  printf '%s %s %s' "$me" "$1" "$class" >&3 && read -r allowed x x deny x flags rest <&3
  [ -n "$deny" ] || no 'the kernel does not tell its decisions'
} 3<>$fs/access
has() { [ $((0x$1 >> ($2 - 1) & 1)) = 1 ]; }
perm=dyntransition
ask "$me"
if has $allowed $own; then ask "$to"; else perm=setcurrent bit=$own to=$me; fi
[ $((${flags:-0} & 1)) = 0 ] || no "the login's domain is permissive"
! has $allowed $bit || no "the policy allows $perm"
has $deny $bit || no "a dontaudit rule hides $perm"
printf %s '@NAME@' >/proc/self/comm
IFS= read -r comm </proc/self/comm
if printf %s "$to" >/proc/self/attr/current; then no "the kernel allowed $perm"; fi
printf 'control=refused %s %s %s\ncontrol.from=%s\ncontrol.to=%s\n' "$pid" "$perm" "$comm" "$me" "$to"
) 2>/dev/null
"#;

/// Reads what it printed.
pub(super) fn read(text: &str) -> Reading<Control> {
    let Some(said) = value(text, "control") else {
        return Reading::missing("the host does not say");
    };
    if let Some(why) = said.strip_prefix("impossible ") {
        return Reading::Known(Control::Impossible {
            why: why.to_owned(),
        });
    }
    match refused(text, said) {
        Some(denial) => Reading::Known(Control::Refused(denial)),
        None => Reading::missing("the host says something else"),
    }
}

/// Reads `refused PID PERMISSION [NAME]` and the contexts.
fn refused(text: &str, said: &str) -> Option<ForcedDenial> {
    let mut words = said.strip_prefix("refused ")?.splitn(3, ' ');
    let context = |key| Some(value(text, key)?.trim_end_matches('\0').to_owned());
    Some(ForcedDenial {
        pid: words.next()?.parse().ok()?,
        permission: words.next()?.to_owned(),
        comm: words
            .next()
            .filter(|comm| comm.starts_with("patchgate-"))
            .map(ToOwned::to_owned),
        source: context("control.from")?,
        target: context("control.to")?,
    })
}
