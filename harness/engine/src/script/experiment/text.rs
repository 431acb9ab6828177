//! The shell texts of an experiment. All begin with [`COMMON`].

/// Where things are, and what all texts do. `FS` is selinuxfs, `T` the policy's name, `STORE` its modules.
/// `loaded` tries for some seconds: the kernel lets one reader at a time have the policy.
/// `load FILE` is one `write`, as the kernel takes a policy in one piece or not at all. No unit's process
/// keeps a lock of the switch.
pub(super) const COMMON: &str = r#"P=@ROOT@
LC_ALL=C
export LC_ALL
fail() { echo "$*" >&2; exit 1; }
for FS in "$P/sys/fs/selinux" "$P/selinux" ''; do [ ! -e "$FS/enforce" ] || break; done
T= STORE=
while IFS== read -r K V; do
[ "$K" != SELINUXTYPE ] || T=${V%%[!A-Za-z0-9_-]*}
done 2>/dev/null <"$P/etc/selinux/config"
for D in "$P/var/lib/selinux/$T/active" "$P/etc/selinux/$T/active"; do
if [ -n "$T" ] && [ -d "$D/modules" ]; then STORE=$D; break; fi
done
loaded() {
for _i in 1 2 3 4 5 6 7 8 9; do
_s=$(sha256sum <"$FS/policy") && echo "${_s%% *}" && return
sleep 0.3
done
return 1
}
load() {
_n=$(wc -c <"$1") || return
_w=$(dd if="$1" of="$FS/load" bs=$((_n)) count=1 2>&1) && return
echo "${_w%%
*}"
return 1
}
booleans() {
for _b in "$FS/booleans"/*; do
_v=
read -r _v _x <"$_b"
echo "${_b##*/} $_v"
done
}
state() {
_a=$(systemctl show -p ActiveState "$1" </dev/null 8>&-) && echo "${_a#ActiveState=}"
}
unit() {
_t=$1
shift
timeout "$_t" systemctl "$@" </dev/null >/dev/null 2>&1 8>&-
}
"#;

/// What must be the same before and after. Files of selinuxfs have no line break at their end, so that
/// `read` fails on them and still reads.
pub(super) const MARK: &str = r#"[ -n "$FS" ] || fail 'there is no selinuxfs'
[ -n "$STORE" ] || fail 'experiment not possible on this host: it has no store of CIL modules'
command -v systemctl >/dev/null || fail 'experiment not possible on this host: it has no systemd'
M=
read -r M <"$FS/enforce"
echo "mode=$M"
S=$(loaded) || fail 'the loaded policy cannot be read'
echo "loaded=$S"
set -- "$P/etc/selinux/$T/policy/policy."*
[ -r "$1" ] || fail 'the policy on disk cannot be read'
S=$(cat "$@" | sha256sum) && echo "disk=${S%% *}"
set -- "$STORE/modules"/*/*
[ -e "$1" ] || fail 'the list of modules cannot be read'
S=$(for M do echo "${M#"$STORE/modules/"}"; done | sha256sum) && echo "modules=${S%% *}"
set -- "$FS/booleans"/*
[ -r "$1" ] || fail 'the booleans cannot be read'
S=$(booleans | sha256sum) && echo "booleans=${S%% *}"
for U in @UNITS@; do
S=$(state "$U") && echo "unit.$U=$S"
done
exit 0
"#;

/// Saves the loaded policy, and what the units are.
pub(super) const PREPARE: &str = r#"[ -n "$FS" ] || fail 'there is no selinuxfs'
[ -n "$STORE" ] || fail 'experiment not possible on this host: it has no store of CIL modules'
command -v semodule >/dev/null || fail 'experiment not possible on this host: it has no semodule'
M=
read -r M <"$FS/enforce"
[ "$M" = 1 ] || fail 'SELinux does not enforce'
cat "$FS/policy" >saved || fail 'the loaded policy cannot be saved'
S=$(sha256sum <saved)
S=${S%% *}
[ "$S" = "$(loaded)" ] || fail 'the loaded policy could not be saved whole'
echo "$S" >saved.sha256 && booleans >booleans.saved && : >started || fail 'the disk is full'
for U in @UNITS@; do
S=$(state "$U") && echo "$S $U" || fail "nobody says what $U is"
done >units
exit 0
"#;

/// Loads the saved policy, unless it is loaded, and brings the units back that were started. A boolean that
/// somebody changed meanwhile stays changed, in the kernel's policy too. A unit that does not come back to
/// what it was is no reason to load policies again: whoever compares marks will see it. Nor does a policy
/// that cannot be loaded leave a unit running that did not run before. A start that had failed and does not
/// end now is ended, by which it fails; one that cannot be ended so is not left to itself.
pub(super) const RESTORE: &str = r#"WHY=
read -r WANT <saved.sha256
if [ "$(loaded)" != "$WANT" ]; then
L=true
W=$(load saved) || { L=false; load_policy >/dev/null 2>&1; }
if [ "$(loaded)" != "$WANT" ]; then
booleans | cmp -s - booleans.saved && L=false
$L || WHY="the policy from before could not be loaded: ${W:-the kernel has another one}"
fi
fi
while read -r WAS U; do
grep -qxF -e "$U" started || continue
unit @UNIT@ stop "$U"
unit @UNIT@ reset-failed "$U"
HUNG=false
case $WAS in
failed)
unit @UNIT@ start "$U"
[ $? != 124 ] || HUNG=true ;;
activating)
WAS='failed activating'
unit @UNIT@ start "$U" ;;
esac
read -r E X </proc/uptime
E=$((${E%.*} + 20))
while IS=$(state "$U"); do
case " $WAS " in *" $IS "*) break ;; esac
read -r N X </proc/uptime
[ "${N%.*}" -lt "$E" ] || break
! $HUNG || unit 10 kill -s KILL "$U"
sleep 0.2
done
if $HUNG && [ "$IS" != failed ]; then unit 10 stop "$U"; fi
done <units
[ -z "$WHY" ] || fail "$WHY"
exit 0
"#;

/// Builds in a root of its own. What `semodule` reads has the label of the store, as it may not map others.
/// When the switch takes the directory away under it, it fails at its next step.
pub(super) const BUILD: &str = r#"R=$J/root
rm -rf "$R"
mkdir -p "$R/etc/selinux" "$R/var/lib/selinux" || fail 'no place for a copy of the policy store'
chcon --reference="$P/etc/selinux" "$R/etc/selinux" && chcon --reference="$STORE" "$R/var/lib/selinux" ||
fail 'the copy of the policy store cannot be labelled'
cp -a "$P/etc/selinux/semanage.conf" "$P/etc/selinux/config" "$P/etc/selinux/$T" "$R/etc/selinux/" ||
fail 'the policy store cannot be copied'
if [ -d "$P/var/lib/selinux/$T" ]; then
cp -a "$P/var/lib/selinux/$T" "$R/var/lib/selinux/" || fail 'the policy store cannot be copied'
fi
rm -f "$R/etc/selinux/$T/policy"/*
make() {
_f=$1
shift
W=$(timeout @BUILD@ semodule -p "$R" -s "$T" -n -D "$@" 2>&1) || fail "the policy $_f cannot be built: ${W%%
*}"
set -- "$R/etc/selinux/$T/policy/policy."*
[ $# = 1 ] && cp "$1" "$J/$_f.new" && mv "$J/$_f.new" "$J/$_f" || fail "the policy $_f was not built"
}
make dontaudit-off -B
C=$R/var/lib/selinux/patchgate_experiment.cil
echo '(typepermissive @DOMAIN@)' >"$C" || fail 'the disk is full'
make domain-permissive -i "$C"
! cmp -s "$J/dontaudit-off" "$J/domain-permissive" || fail '@DOMAIN@ is permissive already'
rm -rf "$R"
echo built
"#;

/// Loads the policy of a phase. A host may have no dontaudit rule in force already; its domain is never
/// permissive already.
pub(super) const LOAD: &str = r#"[ -f @PHASE@ ] || fail 'the policy @PHASE@ was not built'
B=$(loaded)
W=$(load @PHASE@) || fail "the kernel did not take the policy @PHASE@: $W"
A=$(loaded) || fail 'the loaded policy cannot be read'
case @PHASE@ in dontaudit-off) ;; *)
[ "$A" != "$B" ] || cmp -s @PHASE@ in-force || fail 'the loaded policy did not change' ;;
esac
cp @PHASE@ in-force
echo "loaded=$A"
"#;

/// Starts the units that were down. A unit is named as started before it is, so that whoever restores
/// knows; all starts together end before the restoring stops waiting for them. A start may fail, and one that
/// does not end says nothing.
pub(super) const START: &str = r#"read -r E X </proc/uptime
E=$((${E%.*} + @UNIT@))
while read -r WAS U; do
case $WAS in active | reloading) continue ;; esac
[ "$(state "$U")" != active ] || continue
grep -qxF -e "$U" started || echo "$U" >>started || fail 'the disk is full'
unit 10 reset-failed "$U"
read -r N X </proc/uptime
N=$((E - ${N%.*}))
[ "$N" -gt 0 ] || fail "no time was left to start $U"
unit "$N" start "$U"
[ $? != 124 ] || fail "the start of $U did not end"
echo "started=$U"
done <units
echo started
"#;

/// Tells what is loaded.
pub(super) const STILL: &str = r#"S=$(loaded) && echo "loaded=$S"
"#;
