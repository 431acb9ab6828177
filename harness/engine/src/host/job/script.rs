//! The scripts of a job.

/// `_pg_state JOB`: prints the state of a job directory. The lock is taken shared and at once given
/// back; the runner waits for it, so that a question never keeps a job from starting.
pub(in crate::host) const STATE: &str = r#"_pg_state() {
if [ -f "$1/result" ]; then
read -r _pg_r <"$1/result"
echo "finished $_pg_r"
elif [ ! -d "$1" ]; then echo unknown
elif [ ! -e "$1/lock" ] || flock -s -n "$1/lock" true; then
if [ -f "$1/result" ]; then
read -r _pg_r <"$1/result"
echo "finished $_pg_r"
elif [ -e "$1/started" ]; then echo lost
else echo accepted
fi
else echo running
fi
}
"#;

/// Stores and starts. The runner is started in its own session, and with job control where the
/// shell has it, as else it and all its children would ignore SIGINT and SIGQUIT for ever. A job that
/// is there already is told of, whoever holds the lock: it may have run.
pub(super) const START: &str = r#"@STATE@umask 077
reject() { echo "pgjob rejected $*"; exit 0; }
D=@JOBS@
J=$D/@ID@
held=true
@GUARD@$held || [ -d "$J" ] || reject "the lock was taken by another run, or its owner does not name this job"
mkdir -p "$D" || reject "cannot make the directory of jobs"
chmod 700 "${D%/*}" "$D"
if [ ! -d "$J" ]; then
T=$(mktemp -d "$D/.new.XXXXXX") || reject "cannot make a directory"
printf '%s\n' @CMD@ >"$T/cmd" 2>/dev/null
printf '%s\n' @RUN@ >"$T/run" 2>/dev/null
echo @SHA@ >"$T/sha256" 2>/dev/null
S=$(sha256sum <"$T/cmd")
if [ "${S%% *}" != @SHA@ ] || [ ! -s "$T/sha256" ] || ! mkfifo "$T/pipe" ||
! printf '%s\n' '????????' >"$T/room" 2>/dev/null; then
rm -rf "$T"
reject "the script did not arrive whole, or could not be stored"
fi
: >"$T/lock"
sync "$T/cmd" 2>/dev/null
mv -T "$T" "$J" 2>/dev/null || rm -rf "$T"
fi
S=
read -r S <"$J/sha256"
[ "$S" = @SHA@ ] || reject "another script has this name"
if $held && [ ! -f "$J/result" ] && [ ! -e "$J/started" ]; then
(
set -m 2>/dev/null
setsid sh "$J/run" "$J" </dev/null >/dev/null 2>&1 9>&- &
) 2>/dev/null
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
[ -e "$J/started" ] && break
sleep 0.05
done
fi
echo "pgjob 0 0 $(_pg_state "$J")"
"#;

/// Runs the job; `$1` is its directory. Room for the result is taken before the job can fill the
/// disk, and written over in place.
const RUNNER: &str = r#"J=$1
umask 077
cd "$J" || exit 1
exec 9>>lock
flock -w 20 9 || exit 0
[ -e started ] && exit 0
read -r B </proc/sys/kernel/random/boot_id
echo "$B $$" >started.new && mv started.new started || exit 0
sync started 2>/dev/null
(
trap '' XFSZ
ulimit -c 0
ulimit -f @BLOCKS@
cat >out 2>/dev/null
exec cat >/dev/null
) <pipe 9>&- &
W=$!
(
umask 022
cd /
exec sh "$J/cmd"
) </dev/null >pipe 2>&1 9>&-
R=$?
n=0
while [ $n -lt 20 ] && kill -0 "$W" 2>/dev/null; do
sleep 0.05
n=$((n + 1))
done
printf '%-8s' "$R" 1<>room
sync room 2>/dev/null
mv room result
sync . 2>/dev/null
"#;

/// Fills in the cap, in the 512-byte blocks of POSIX `ulimit`.
pub(super) fn runner(output_cap: u64) -> String {
    RUNNER.replace("@BLOCKS@", &output_cap.div_ceil(512).max(1).to_string())
}

/// Waits, then tells the state and brings output. The head line is ours and comes before any byte
/// of the job's, so it cannot be forged. The runner's lock is what is waited for: no polling.
pub(super) const POLL: &str = r#"@STATE@J=@JOB@
size() {
Z=0
[ ! -f "$J/out" ] || Z=$(wc -c <"$J/out")
Z=$((Z + 0))
}
S=$(_pg_state "$J")
size
if [ "$S" = running ] && [ "$Z" -le @OFFSET@ ] && [ @WAIT@ -gt 0 ]; then
flock -s -w @WAIT@ "$J/lock" true
S=$(_pg_state "$J")
size
fi
N=$((Z - @OFFSET@))
[ "$N" -le @CHUNK@ ] || N=@CHUNK@
[ "$N" -ge 0 ] || N=0
echo "pgjob $Z @OFFSET@ $S"
[ "$N" = 0 ] || tail -c +$((@OFFSET@ + 1)) "$J/out" | head -c "$N"
"#;
