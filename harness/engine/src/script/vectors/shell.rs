//! The shell texts that find out what a domain uses, and ask the kernel about it.
//!
//! In order: which processes run in the watched domains (builtins, one read a process); what these have
//! open and mapped, and what lies in the directories of the suites (`ls`, `cat`, `awk`); the labels of
//! all that (`stat`, once, and once more for symbolic links); and every question (builtins alone). Of the
//! tools each runs a few times whatever the host runs; without them the questions that are known
//! beforehand are asked all the same. Nothing is written to any disk.

/// The most processes of the host that are looked at for their domain.
const PROCESSES: &str = "8192";

/// The most processes of one domain whose files are looked at.
const EACH: &str = "8";

/// The most names of one directory, paths of all, sockets of one domain, and questions found.
const LIMITS: &str = "-v names=128 -v paths=600 -v sockets=16 -v asked=1500";

/// Sets `S`, where selinuxfs is, or ends.
pub(super) const FIND: &str = r#"S=
for f in $R; do [ -e "$f/access" ] && { S=$f; break; }; done
[ -n "$S" ] || { echo 'there is no selinuxfs' >&2; exit 1; }
[ -r "$S/access" ] && [ -w "$S/access" ] || { echo "$S/access cannot be asked" >&2; exit 1; }
"#;

/// Prints, of all that the watched domains use and the suites rest on, each thing once: the path for
/// `stat`, its name, and the domains, apart by tabs. What is not looked at is a `limit` line.
///
/// Lines between the parts begin with two slashes: no file's name and no line of a part does. A process
/// that ends meanwhile leaves less to be found, and no error.
pub(super) const USES: &str = r#"for t in awk cat ls stat; do
    command -v $t >/dev/null 2>&1 || echo "limit there is no $t: less was found than there may be"
done
procs= n=0
for p in "$P"/[0-9]*; do
    n=$((n + 1)) c=
    [ $n -le @processes@ ] || break
    read -r c <"$p/attr/current"
    c=${c#*:*:}
    c=${c%%:*}
    case $watched in *" $c "*) procs="$procs $c/${p##*/}" ;; esac
done 2>/dev/null
[ $n -le @processes@ ] || echo "limit only @processes@ processes were asked for their domain"
look() {
    files= maps= n=0
    for p in $procs; do
        case $p in "$1"/*) ;; *) continue ;; esac
        n=$((n + 1))
        [ $n -le @each@ ] || continue
        p=$P/${p#*/}
        files="$files $p/exe $p/fd" maps="$maps $p/maps"
    done
    [ $n -le @each@ ] || echo "//limit @each@ of $n processes of $1 were looked at"
    [ $n -gt 0 ] || { echo "//limit $1 has no process"; return 0; }
    echo "//domain $1"
    ls -l $files
    cat $maps
}
uses=$({
    printf '%s\n' "$rests" //listing
    list
    for d in $watched; do look $d; done
} 2>/dev/null | awk @limits@ '
function use(d, at, name) {
    if (index(at name, "\t") || (d "\t" name) in seen) return
    seen[d "\t" name] = 1
    if (!(at in who)) {
        if (count == paths) { left++; return }
        order[++count] = at
        names_of[at] = name
    }
    who[at] = who[at] " " d
}
function rest(at,    i, n, d) {
    n = split(doms[at_dir], d, " ")
    for (i = 1; i <= n; i++) use(d[i], at, at)
}
$1 == "//rest" { p = substr($0, length($1 $2) + 3); doms[p] = doms[p] " " $2; next }
$1 == "//listing" { part = "list"; next }
$1 == "//limit" { print substr($0, 3); next }
$1 == "//domain" { part = "process"; domain = $2; base = ""; n_sockets = 0; next }
part == "list" && /^\// {
    at_dir = $0
    if (!(at_dir in doms)) sub(/:$/, "", at_dir)
    n_names = 0
    if (at_dir in doms) rest(at_dir)
    next
}
part == "list" && $0 != "" && $0 != "." && $0 != ".." {
    if (++n_names <= names) rest(at_dir "/" $0)
    else if (n_names == names + 1) print "limit only " names " names in " at_dir " were looked at"
    next
}
part == "process" && /^\/.*:$/ { base = substr($0, 1, length($0) - 1); next }
part == "process" && /^l/ {
    i = index($0, " -> ")
    if (!i) next
    target = substr($0, i + 4)
    at = substr($0, 1, i - 1)
    sub(/^.* /, "", at)
    if (at !~ /^\//) at = base "/" at
    if (target ~ /^(socket|pipe):/ && ++n_sockets > sockets) next
    if (target !~ /^anon_inode:/) use(domain, at, target)
    next
}
part == "process" && /^[0-9a-f]+-[0-9a-f]+ / {
    i = index($0, "/")
    at = substr($0, i)
    if (i && at !~ /\(deleted\)$/) use(domain, at, at)
}
END {
    if (left) print "limit " left " paths were left out"
    for (i = 1; i <= count; i++) print order[i] "\t" names_of[order[i]] "\t" who[order[i]]
}')
"#;

/// Sets `labels`: one line `MODE CONTEXT PATH` for each path of `uses`, and for each that is a symbolic
/// link another one of the link itself. Every link below `/proc` leads to a process's own file.
pub(super) const LABELS: &str = r#"set -f
IFS=$nl
found= links=
for u in $uses; do
    case $u in "limit "*) printf '%s\n' "$u"; continue ;; esac
    u=${u%%"$tab"*}
    found=$found$nl$u
    case $u in "$P"/*) ;; *) [ -h "$u" ] && links=$links$nl$u ;; esac
done
labels=$(
    exec 2>/dev/null
    set -- $found
    [ $# -eq 0 ] || stat -L -c '%f %C %n' -- "$@"
    set -- $links
    [ $# -eq 0 ] || stat -c '%f %C %n' -- "$@"
)
"#;

/// Prints the labels and sets `more` and `n_more`: the questions that come of what was found and are not
/// among those known beforehand.
///
/// The class follows from the first digit of the mode. A socket that a process has open may be of any
/// family; one that was found by its path is a `sock_file`.
pub(super) const MORE: &str = r#"more= n_more=0
for l in $({
    printf '%s\n' "$all" //uses "$uses" //labels "$labels"
} | awk @limits@ '
function question(class, d, type) {
    if (type == d) type = "system_u:system_r:" d ":s0"
    if ((class, d, type) in known) return
    known[class, d, type] = 1
    if (count == asked) { left++; return }
    count++
    line[class " system_u:system_r:" d ":s0"] = line[class " system_u:system_r:" d ":s0"] " " type
}
BEGIN {
    of["8"] = "file"; of["4"] = "dir"; of["a"] = "lnk_file"; of["1"] = "fifo_file"
    of["2"] = "chr_file"; of["6"] = "blk_file"; of["c"] = "sock_file"
    families = "tcp_socket udp_socket unix_stream_socket unix_dgram_socket"
}
$0 == "//uses" { part = "uses"; next }
$0 == "//labels" { part = "labels"; next }
part == "" {
    split($2, c, ":")
    for (i = 3; i <= NF; i++) known[$1, c[3], $i] = 1
    next
}
part == "uses" && !/^limit / {
    n_uses++
    split($0, f, "\t")
    name[f[1]] = f[2]
    who[f[1]] = f[3]
    next
}
part == "labels" {
    split($2, c, ":")
    type = c[3]
    class = length($1) == 4 ? of[substr($1, 1, 1)] : ""
    at = substr($0, length($1 $2) + 3)
    if (class == "" || type !~ /^[A-Za-z0-9_]+$/ || !(at in who)) next
    n_labels++
    n = split(class, classes, " ")
    if (class == "sock_file" && name[at] !~ /^\//) n = split(families, classes, " ")
    if (name[at] ~ /^\// && name[at] !~ /\(deleted\)$/) print "path", class, type, name[at]
    m = split(who[at], d, " ")
    for (i = 1; i <= n; i++) for (j = 1; j <= m; j++) question(classes[i], d[j], type)
}
END {
    if (left) print "limit " left " questions were left out"
    if (n_uses > 0 && !n_labels) print "limit no label could be read"
    for (l in line) print l line[l]
    print "count " count + 0
}'); do
    case $l in
    "path "* | "limit "*) printf '%s\n' "$l" ;;
    "count "*) n_more=${l#count } ;;
    *) more=$more$nl$l ;;
    esac
done
"#;

/// Asks everything, tells of each class what its bits mean, and says how much was asked and answered.
///
/// Query and answer must go through one open file, and each needs a new one: the kernel takes one write
/// for each. So standard input and output are that file here, and descriptor 4 is the answer's place; a
/// redirection that is not undone costs half as much. Files of selinuxfs have no line break at their
/// end, so `read` fails on them and still reads. Of a class that is not there `/dev/null` is asked.
pub(super) const ASK: &str = r#"number() {
    v=
    read -r v <"$1"
    case $v in '' | *[!0-9]*) v= ;; esac
}
class() {
    i=
    [ -r "$S/class/$c/index" ] || { echo class $c ! no such class; return 0; }
    number "$S/class/$c/index"
    i=$v
    echo class $c ${v:-! unreadable}
    set +f
    for p in "$S/class/$c/perms"/*; do
        number "$p"
        echo perm $c ${p##*/} ${v:-! unreadable}
    done
    set -f
}
set -f
IFS=$nl
echo vectors begin $((n_all + n_more))
exec 4>&1
n=0 seen=
for l in $all$nl$more; do
    IFS=' '
    set -- $l
    c=$1 s=$2
    shift 2
    n=$((n + $#))
    case $seen in
    *" $c="*) i=${seen#*" $c="} i=${i%% *} ;;
    *) class >&4; seen="$seen $c=$i " ;;
    esac
    f=$S/access why=refused
    [ -n "$i" ] || f=/dev/null why='no such class'
    for t; do
        case $t in *:*) ;; *) t=system_u:object_r:$t:s0 ;; esac
        a=
        @kernel@
        echo "av $s $t $c ${a:+: }${a:-! $why}" >&4
    done
    IFS=$nl
done 2>/dev/null
exec 1>&4 4>&- </dev/null
echo vectors end $n
"#;

/// One question to the kernel: contexts and class number in, the answer in `a`.
pub(super) const KERNEL: &str = r#"exec 1<>"$f" 0<&1; printf %s "$s $t $i" && read -r a"#;

/// Fills in what the texts leave open.
pub(super) fn filled(text: &str, kernel: &str) -> String {
    [
        ("@processes@", PROCESSES),
        ("@each@", EACH),
        ("@limits@", LIMITS),
        ("@kernel@", kernel),
    ]
    .iter()
    .fold(text.to_owned(), |text, (hole, with)| {
        text.replace(hole, with)
    })
}
