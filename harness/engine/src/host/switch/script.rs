//! The scripts of a switch.

use std::time::Duration;

/// `_pg_switch PLACE`: prints the state of a switch's directory. As with jobs, the lock is taken shared
/// and at once given back, and the watcher waits for it.
pub(super) const STATE: &str = r#"_pg_result() {
[ -f "$1/result" ] || return 1
IFS= read -r _pg_r <"$1/result"
echo "$_pg_r"
}
_pg_switch() {
if [ ! -d "$1" ]; then echo none; return; fi
_pg_b= _pg_n=
[ ! -f "$1/armed" ] || read -r _pg_b _pg_x <"$1/armed"
read -r _pg_n </proc/sys/kernel/random/boot_id
if [ -n "$_pg_b" ] && [ "$_pg_b" != "$_pg_n" ]; then echo stale; return; fi
_pg_result "$1" && return
if [ -z "$_pg_b" ] || flock -s -n "$1/lock" true; then
_pg_result "$1" || echo dead
elif [ -e "$1/fired" ]; then echo restoring
else
_pg_e=0 _pg_u=0
read -r _pg_e <"$1/deadline"
read -r _pg_u _pg_x </proc/uptime
_pg_e=$((_pg_e - ${_pg_u%.*}))
[ "$_pg_e" -ge 0 ] || _pg_e=0
echo "armed $_pg_e"
fi
}
"#;

/// `_pg_watch PLACE`: starts a watcher in a session of its own, and waits until it says that it lives.
/// Both ends of `up` are open here, so that its word is neither missed nor waited for in vain.
pub(super) const START: &str = r#"_pg_watch() {
exec 6<>"$1/up"
(
set -m 2>/dev/null
setsid sh "$1/watch" "$1" </dev/null >/dev/null 2>&1 6>&- 8>&- 9>&- &
) 2>/dev/null
timeout 15 head -c 1 <&6 >/dev/null 2>&1
exec 6>&-
}
"#;

/// `_pg_undo PLACE`: has the watcher restore the host, waits for its end, and takes the switch away if
/// the host is restored, in one piece, so that nobody who asks meanwhile sees half of it. `S` is then what `_pg_switch` said before that.
/// The directory may go away between any two lines; a shell ends where it cannot redirect `:`, and goes on
/// where it cannot redirect `true`.
pub(super) const UNDO: &str = r#"_pg_undo() {
S=$(_pg_switch "$1")
case $S in
armed* | restoring | dead | failed*)
true 2>/dev/null >"$1/asked"
case $S in dead | failed*)
rm -f "$1/result"
[ ! -p "$1/up" ] || _pg_watch "$1" ;;
esac
echo 2>/dev/null 1<>"$1/pipe"
[ ! -e "$1/lock" ] || flock -s -w @WAIT@ "$1/lock" true
S=$(_pg_switch "$1") ;;
esac
case $S in restored | stale)
mv -T "$1" "${1%/*}/.gone.$$" 2>/dev/null && rm -rf "${1%/*}/.gone.$$" 2>/dev/null
[ ! -e "$1" ] || S="failed its directory cannot be taken away"
rmdir "${1%/*}" 2>/dev/null ;;
esac
}
"#;

/// Stores, prepares, and starts the watcher. What was begun and is no switch yet goes away again.
pub(super) const ARM: &str = r#"@JOB@@FUNCTIONS@umask 077
reject() { echo "pgswitch rejected $*"; exit 0; }
D=@DIR@
J=$D/@ID@
@GUARD@$held || reject "this run does not hold the host's lock"
case $job in
'' | .* | *[!A-Za-z0-9._-]*) ;;
*) [ "$(_pg_state @JOBS@/"$job")" != running ] || reject "the host is at work on its transaction" ;;
esac
if [ ! -d "$J" ]; then
for o in "$D"/*; do
[ ! -d "$o" ] || reject "another switch stands there: ${o##*/}"
done
mkdir -p "$D" || reject "its directory cannot be made"
chmod 700 "${D%/*}" "$D"
rm -rf "$D"/.new.* "$D"/.gone.*
T=$(mktemp -d "$D/.new.XXXXXX") || reject "its directory cannot be made"
drop() {
rm -rf "$T"
rmdir "$D" 2>/dev/null
reject "$*"
}
read -r U X </proc/uptime
printf '%s\n' @RESTORE@ >"$T/restore" 2>/dev/null
printf '%s\n' @WATCH@ >"$T/watch" 2>/dev/null
echo @SHA@ >"$T/sha256" 2>/dev/null
S=$(cat "$T/restore" "$T/watch" | sha256sum)
if [ "${S%% *}" != @SHA@ ] || ! echo $((${U%.*} + @AFTER@)) >"$T/deadline" 2>/dev/null ||
! mkfifo "$T/pipe" "$T/up"; then
drop "it did not arrive whole, or could not be stored"
fi
: >"$T/lock"
: >"$T/busy"
W=$( (cd "$T" && eval @PREPARE@) 2>&1 9>&- ) || drop "${W:-what it needs could not be saved}"
mv -T "$T" "$J" 2>/dev/null || drop "it could not be put in its place"
fi
S=
read -r S <"$J/sha256"
[ "$S" = @SHA@ ] || reject "another switch has this name"
case $(_pg_switch "$J") in dead) [ -e "$J/fired" ] || _pg_watch "$J" ;; esac
echo "pgswitch $(_pg_switch "$J")"
"#;

/// Lives until the host is restored; `$1` is the switch's directory. It closes its descriptors for
/// whatever it starts: a lock must end with it. Memory may run out during an experiment, so that it
/// asks to be spared.
const WATCHER: &str = r#"J=$1
umask 077
LC_ALL=C
export LC_ALL
cd "$J" || exit 1
exec 9>>lock
flock -w 5 9 || exit 1
[ ! -e result ] || exit 0
echo -1000 2>/dev/null >/proc/self/oom_score_adj
exec 7<>pipe
read -r B </proc/sys/kernel/random/boot_id
[ -e armed ] || { echo "$B $$" >armed.new && mv armed.new armed; } || exit 1
echo 1<>up
read -r E <deadline
read -r U X </proc/uptime
L=$((E - ${U%.*}))
[ -e asked ] || [ "$L" -le 0 ] || timeout "$L" head -c 1 <&7 >/dev/null 2>&1 7>&- 9>&-
: >fired
exec 8>>busy
flock -w @BUSY@ 8
W=$(sh ./restore 2>&1 </dev/null 7>&- 8>&- 9>&-)
if [ $? = 0 ]; then
R=restored
for F in *; do
case $F in
armed | busy | deadline | fired | lock | pipe | sha256 | up) ;;
*) rm -rf "$F" ;;
esac
done
else
W=${W%%
*}
R="failed ${W:-the restoring said nothing}"
fi
printf '%s\n' "$R" >result.new && mv result.new result
sync result 2>/dev/null
"#;

/// Fills in how long the watcher waits for a change that is under way.
pub(super) fn watcher(busy: Duration) -> String {
    WATCHER.replace("@BUSY@", &busy.as_secs().to_string())
}

/// What comes after a dead controller: a switch that was never put in its place was never armed.
pub(super) const SWEEP: &str = r#"@FUNCTIONS@reject() { echo "pgswitch rejected $*"; exit 0; }
D=@DIR@
if [ ! -d "$D" ]; then
echo 'pgswitch end'
exit 0
fi
@GUARD@$held || reject "this run does not hold the host's lock"
exec 9>&-
rm -rf "$D"/.new.*
for J in "$D"/*; do
[ -d "$J" ] || continue
_pg_undo "$J"
echo "pgswitch swept ${J##*/} $S"
done
rmdir "$D" 2>/dev/null
echo 'pgswitch end'
"#;

/// Waits for a change before this one, and refuses where the host may restore itself meanwhile.
pub(super) const GUARDED: &str = r#"@STATE@umask 077
refuse() { echo "pgswitch refused $*"; exit 0; }
J=@PLACE@
[ -e "$J/busy" ] || refuse "there is no switch"
exec 8>>"$J/busy"
flock -w 5 8 || refuse "another change is under way"
S=$(_pg_switch "$J")
case $S in
'armed '*) [ "${S#armed }" -ge @NEED@ ] || refuse "only ${S#armed } s are left" ;;
*) refuse "it is not armed any more: $S" ;;
esac
cd "$J" || refuse "it is gone"
"#;

/// As above, for what the restoring need not wait for.
pub(super) const BESIDE: &str = r#"@STATE@umask 077
refuse() { echo "pgswitch refused $*"; exit 0; }
J=@PLACE@
S=$(_pg_switch "$J")
case $S in 'armed '*) ;; *) refuse "it is not armed any more: $S" ;; esac
cd "$J" || refuse "it is gone"
"#;
