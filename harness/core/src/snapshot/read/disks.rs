//! File systems, as `df` and `/proc/mounts` tell them.

use std::collections::BTreeMap;

use crate::snapshot::system::Disk;

/// Kinds of file systems that hold no data of anybody: read-only images and the kernel's own.
const NO_DATA: [&str; 10] = [
    "squashfs",
    "iso9660",
    "udf",
    "devtmpfs",
    "ramfs",
    "efivarfs",
    "rootfs",
    "hugetlbfs",
    "cgroup",
    "cgroup2",
];

/// Mount points below which memory file systems hold nothing of the services that are watched.
const NO_DATA_BELOW: [&str; 5] = [
    "/dev/",
    "/sys/",
    "/proc/",
    "/run/user/",
    "/run/credentials/",
];

/// Reads `df -P -l`, `df -P -i -l` and `/proc/mounts`; what holds no data is left out.
///
/// # Errors
/// When df names no file system at all.
pub fn of_df(blocks: &str, inodes: &str, mounts: &str) -> Result<Vec<Disk>, String> {
    let mounts = kinds(mounts);
    let inodes: BTreeMap<String, Option<u8>> = inodes.lines().filter_map(row).collect();
    let all: BTreeMap<String, Option<u8>> = blocks.lines().filter_map(row).collect();
    if all.is_empty() {
        return Err("df names no file system".to_owned());
    }
    let disk = |(mount, used): (&String, &Option<u8>)| {
        let known = mounts.get(mount);
        let holds = known.is_none_or(|m| holds_data(&m.kind, mount));
        // Without blocks nothing can be full.
        let used_percent = (*used).filter(|_| holds)?;
        Some(Disk {
            mount: mount.clone(),
            used_percent,
            inodes_percent: inodes.get(mount).copied().flatten(),
            read_only: known.is_some_and(|m| m.read_only),
        })
    };
    Ok(all.iter().filter_map(disk).collect())
}

/// A row of `df -P`: the mount point and how much is used. The source may hold spaces, and so may the
/// mount point: the percentage after three numbers is what is sure. It is `-` where there is no size.
fn row(line: &str) -> Option<(String, Option<u8>)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |word: &&str| *word == "-" || word.bytes().all(|b| b.is_ascii_digit());
    let at = (4..words.len()).find(|at| {
        let percent = words[*at] == "-" || words[*at].ends_with('%');
        percent && words[at - 3..*at].iter().all(number)
    })?;
    let used = words[at].strip_suffix('%').and_then(|p| p.parse().ok());
    let (_, mount) = line.rsplit_once(&format!(" {} ", words[at]))?;
    let mount = mount.trim();
    mount.starts_with('/').then(|| (mount.to_owned(), used))
}

struct Mount {
    kind: String,
    read_only: bool,
}

/// What is mounted where; of several mounts on one point the last one counts.
fn kinds(mounts: &str) -> BTreeMap<String, Mount> {
    let line = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let (point, kind, options) = (words.next()?, words.next()?, words.next()?);
        let mount = Mount {
            kind: kind.to_owned(),
            read_only: options.split(',').any(|o| o == "ro"),
        };
        Some((unescaped(point), mount))
    };
    mounts.lines().filter_map(line).collect()
}

/// `/proc/mounts` writes space, tab, line break and backslash as octal numbers.
fn unescaped(point: &str) -> String {
    let pairs = [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ];
    let mut text = point.to_owned();
    for (code, plain) in pairs {
        text = text.replace(code, plain);
    }
    text
}

fn holds_data(kind: &str, mount: &str) -> bool {
    let below = |prefix: &str| mount.starts_with(prefix) || prefix.trim_end_matches('/') == mount;
    !(NO_DATA.contains(&kind) || NO_DATA_BELOW.iter().any(|p| below(p)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "/dev/vda1 / ext4 rw,relatime 0 0\ndevtmpfs /dev devtmpfs rw 0 0\n\
                          tmpfs /run tmpfs rw,nosuid 0 0\ntmpfs /run/user/0 tmpfs rw 0 0\n\
                          /dev/vdb1 /srv/old\\040data xfs ro,relatime 0 0\n\
                          /dev/loop0 /snap/core squashfs ro 0 0\n\
                          /dev/vdc /var ext4 rw 0 0\n/dev/vdc /var ext4 ro 0 0\n";

    const BLOCKS: &str = "Filesystem     1024-blocks    Used Available Capacity Mounted on\n\
                          /dev/vda1          1014228  560000    380000      60% /\n\
                          devtmpfs            380000       0    380000       0% /dev\n\
                          tmpfs               160000    1000    159000       1% /run\n\
                          tmpfs                80000       0     80000       0% /run/user/0\n\
                          /dev/vdb1          1000000 1000000         0     100% /srv/old data\n\
                          /dev/loop0           65000   65000         0     100% /snap/core\n\
                          none                     -       -         -       - /odd\n\
                          /dev/vdc           1000000  500000    500000      50% /var\n";

    const INODES: &str = "Filesystem     Inodes  IUsed   IFree IUse% Mounted on\n\
                          /dev/vda1       65536  24000   41536   37% /\n\
                          tmpfs           95000    400   94600    1% /run\n\
                          /dev/vdb1           0      0       0     - /srv/old data\n";

    #[test]
    fn only_what_holds_data_is_told() {
        let disks = of_df(BLOCKS, INODES, MOUNTS).unwrap();
        let told: Vec<_> = disks
            .iter()
            .map(|d| {
                (
                    d.mount.as_str(),
                    d.used_percent,
                    d.inodes_percent,
                    d.read_only,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("/", 60, Some(37), false),
                ("/run", 1, Some(1), false),
                ("/srv/old data", 100, None, true),
                ("/var", 50, None, true),
            ]
        );
    }

    #[test]
    fn the_disks_of_a_lab_guest_are_read() {
        let disks = of_df(
            include_str!("../../../tests/captured/snapshot/lab.df"),
            include_str!("../../../tests/captured/snapshot/lab.df-inodes"),
            include_str!("../../../tests/captured/snapshot/lab.mounts"),
        );
        let disks = disks.unwrap();
        let told: Vec<_> = disks
            .iter()
            .map(|d| {
                (
                    d.mount.as_str(),
                    d.used_percent,
                    d.inodes_percent,
                    d.read_only,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("/", 28, Some(12), false),
                ("/run", 3, Some(1), false),
                ("/run/lock", 0, Some(1), false),
            ]
        );
    }

    #[test]
    fn a_df_that_says_nothing_is_no_host_without_disks() {
        assert!(of_df("", "", MOUNTS).is_err());
        assert!(of_df("df: no file systems processed\n", "", MOUNTS).is_err());
    }
}
