//! What yum, dnf 4 and dnf5 print, from texts of theirs.

#![expect(clippy::unwrap_used, reason = "helpers of tests unwrap as tests do")]

use patchgate_core::{
    package::{Nevra, NevraSpec},
    patchset::{self, Advisory, PatchSet},
    transaction::{
        Action, AdvisoryHere, Manager, Preview, Requested, Row, Table, TwinDifference, WhyHeld,
        differences, held_back, listed, mapped, offered, read_table, requested, unmet,
    },
};
use proptest::prelude::*;

const DNF4: &str = include_str!("captured/transaction/dnf4-upgrade.txt");
const YUM_EL6: &str = include_str!("captured/transaction/yum-el6-update.txt");
const YUM_EL7: &str = include_str!("captured/transaction/yum-el7-update.txt");
const DNF5: &str = include_str!("captured/transaction/dnf5-upgrade.txt");
const CHECK_UPDATE: &str = include_str!("captured/transaction/check-update.txt");

fn shown(rows: &[Row]) -> Vec<String> {
    let row = |r: &Row| format!("{} {} {}", r.action.word(), r.package, r.repository);
    rows.iter().map(row).collect()
}

#[test]
fn every_manager_s_table_is_read_whole() {
    let cases: [(Manager, &str, &[&str]); 4] = [
        (
            Manager::Dnf4,
            DNF4,
            &[
                "install kernel-5.14.0-362.13.1.el9_3.x86_64 updates",
                "upgrade openssl-libs-1:3.0.7-25.el9_3.x86_64 updates",
                "upgrade selinux-policy-targeted-with-a-long-name-3.14.3-155.el9_3.14.noarch updates",
                "upgrade empty-meta-1-2.noarch updates",
                "dependency new-1-1.noarch updates",
                "remove gone-1-1.noarch @base",
                "skip mesa-libGL-23.1-2.el9.x86_64 appstream",
                "skip php-8.2.1-1.el9.x86_64 appstream",
            ],
        ),
        (
            Manager::Yum,
            YUM_EL6,
            &[
                "install kernel-2.6.32-358.0.1.el6.x86_64 updates",
                "upgrade bind-libs-32:9.8.2-0.17.rc1.el6_4.4.x86_64 updates",
                "upgrade selinux-policy-3.7.19-195.el6_4.1.noarch updates",
                "dependency kernel-firmware-2.6.32-358.0.1.el6.noarch updates",
                "skip bfa-firmware-3.0.3.1-1.el6.noarch base",
            ],
        ),
        (
            Manager::Yum,
            YUM_EL7,
            &[
                "upgrade httpd-2.4.6-45.el7.x86_64 rhel-7-server-rpms",
                "upgrade httpd-tools-2.4.6-45.el7.x86_64 rhel-7-server-rpms",
            ],
        ),
        (
            Manager::Dnf5,
            DNF5,
            &[
                "upgrade curl-8.9.1-3.fc41.x86_64 updates",
                "upgrade openssl-libs-1:3.2.2-9.fc41.x86_64 updates",
                "dependency libnew-1.0-1.fc41.x86_64 updates",
                "skip php-8.4.1-1.fc41.x86_64 updates",
            ],
        ),
    ];
    for (manager, text, wanted) in cases {
        let table = read_table(manager, text);
        assert_eq!(table.unread, [] as [String; 0], "{manager:?}");
        assert_eq!(shown(&table.rows), wanted, "{manager:?}");
    }
}

#[test]
fn what_is_not_known_in_a_table_is_kept() {
    for (lines, unread) in [
        (
            "Frobnicating:\n a x86_64 1-1 updates 1 k\n",
            "Frobnicating:",
        ),
        (
            "Upgrading:\n a x86_64 1-1\n\nTransaction Summary\n",
            "a x86_64 1-1",
        ),
        (
            "Upgrading:\n a x86_64 1-1 updates big size\n",
            "a x86_64 1-1 updates big size",
        ),
        (
            "Upgrading:\n a x86_64 1 updates 1 k\n",
            "a x86_64 1 updates 1 k",
        ),
        (
            "Upgrading:\n a x86_64 1-1 updates 1 k more\n",
            "a x86_64 1-1 updates 1 k more",
        ),
    ] {
        let text = format!("Dependencies resolved.\n{lines}");
        let table = read_table(Manager::Dnf4, &text);
        assert_eq!(table.unread, [unread], "{lines}");
        assert_eq!(table.rows, [], "{lines}");
    }
    let nothing = "Upgrading:\n a x86_64 1-1 updates 1 k\n";
    assert_eq!(read_table(Manager::Dnf4, nothing), Table::default());
}

#[test]
fn advisories_are_found_under_the_id_that_the_distribution_gives_them() {
    let asked = ["RHSA-2013:0263", "RHBA-2013:0300", "RHSA-2013:0999"]
        .map(|id| Advisory::parse(id).unwrap());
    for (text, first, second, packages) in [
        (
            include_str!("captured/transaction/dnf4-updateinfo.txt"),
            &["RHSA-2013:0263"][..],
            &["RHBA-2013:0300"][..],
            "httpd-2.4.57-5.el9.x86_64 httpd-tools-2.4.57-6.el9.x86_64 \
             bind-libs-32:9.16.23-14.el9.x86_64 tzdata-2023d-1.el9.noarch",
        ),
        (
            include_str!("captured/transaction/yum-updateinfo.txt"),
            &["ELSA-2013-0263"],
            &["ELBA-2013-0300"],
            "httpd-2.2.15-26.el6.x86_64 bind-libs-9.8.2-0.17.rc1.el6_4.4.x86_64",
        ),
        (
            include_str!("captured/transaction/dnf5-advisory.txt"),
            &["ALSA-2013:0263"],
            &[],
            "httpd-2.4.62-4.el10.x86_64 qt-1:4.8.7-73.fc38.x86_64 flac-1.3.3-8.fc29.x86_64",
        ),
    ] {
        let list = listed(text);
        let read: Vec<_> = list.iter().map(|l| l.package.to_string()).collect();
        assert_eq!(read.join(" "), packages);
        let here: Vec<_> = mapped(&asked, &list).into_iter().map(|a| a.here).collect();
        assert_eq!(here, [first, second, &[]]);
    }
}

#[test]
fn what_is_offered_is_read_up_to_what_is_obsoleted() {
    let rows: Vec<_> = offered(CHECK_UPDATE)
        .iter()
        .map(|r| r.package.to_string())
        .collect();
    assert_eq!(
        rows,
        [
            "httpd-2.4.57-5.el9.x86_64",
            "kernel-5.14.0-362.13.1.el9_3.x86_64",
            "openssl-libs-1:3.0.7-25.el9_3.x86_64",
            "selinux-policy-targeted-with-a-very-long-name-3.14.3-155.el9_3.14.noarch",
        ]
    );
}

fn row(action: Action, package: &str) -> Row {
    Row {
        action,
        package: NevraSpec::parse(package).unwrap(),
        repository: "updates".to_owned(),
    }
}

#[test]
fn what_stays_as_it_is_has_a_reason() {
    let offered =
        |names: &[&str]| -> Vec<Row> { names.iter().map(|n| row(Action::Upgrade, n)).collect() };
    let rows = [
        row(Action::Upgrade, "httpd-2.4.57-5.el9.x86_64"),
        row(Action::Skip, "mesa-23.1-2.el9.x86_64"),
        row(Action::Remove, "gone-1-1.noarch"),
    ];
    let visible = [
        "httpd-2.4.57-5.el9.x86_64",
        "mesa-23.1-2.el9.x86_64",
        "odd-1-1.noarch",
    ];
    let unmasked = [
        visible.as_slice(),
        &["kernel-5.14.0-1.x86_64", "locked-2-1.noarch"],
    ]
    .concat();
    let unfiltered = [unmasked.as_slice(), &["php-8.1-1.el9.x86_64"]].concat();
    let held = held_back(
        &["kernel*".to_owned()],
        &rows,
        &offered(&visible),
        &offered(&unmasked),
        &offered(&unfiltered),
    );
    let told: Vec<_> = held.iter().map(|h| (h.package.name(), &h.why)).collect();
    assert_eq!(
        told,
        [
            ("kernel", &WhyHeld::ExcludedByPatchSet("kernel*".to_owned())),
            ("locked", &WhyHeld::ExcludedOnHost),
            ("mesa", &WhyHeld::Dependencies),
            ("odd", &WhyHeld::Unsaid),
            ("php", &WhyHeld::ModuleStream),
        ]
    );
    assert!(told.iter().all(|(_, why)| !why.text().is_empty()));
}

fn set(select: &str) -> PatchSet {
    let text = format!("patch_set: x\nselect: {{ {select} }}\nexclude: [kernel*]\n");
    patchset::parse(&text, "f").unwrap()
}

fn preview(at_least: &[&str], here: &[&[&str]]) -> Preview {
    let advisory = |ids: &&[&str]| AdvisoryHere {
        asked: Advisory::parse("RHSA-2013:0263").unwrap(),
        here: ids.iter().map(|id| (*id).to_owned()).collect(),
    };
    Preview {
        manager: Manager::Dnf4,
        rows: vec![],
        advisories: here.iter().map(advisory).collect(),
        at_least: at_least
            .iter()
            .map(|p| NevraSpec::parse(p).unwrap())
            .collect(),
        held: None,
    }
}

#[test]
fn what_must_be_installed_follows_from_what_was_asked_for() {
    let told = |select: &str, preview: Option<&Preview>| {
        let all = requested(&set(select), preview)?;
        Some(
            all.iter()
                .map(Requested::text)
                .collect::<Vec<_>>()
                .join(", "),
        )
    };
    let some = preview(
        &["httpd-2.4.57-5.el9.x86_64", "kernel-5.14.0-1.x86_64"],
        &[&["CESA-2013:0263"]],
    );
    let found_nowhere = preview(&["httpd-2.4.57-5.el9.x86_64"], &[&[]]);
    let of_nothing = preview(&[], &[&["CESA-2013:0263"]]);
    let httpd = "httpd-2.4.57-5.el9.x86_64 or newer";
    let advisories = "advisories: [RHSA-2013:0263]";
    for (select, preview, wanted) in [
        ("updates: all", None, Some("")),
        ("updates: security", None, None),
        ("updates: security", Some(&some), Some(httpd)),
        (advisories, None, None),
        (advisories, Some(&some), Some(httpd)),
        (advisories, Some(&found_nowhere), None),
        (advisories, Some(&of_nothing), None),
        (
            "packages: [httpd-2.4.57-5.el9.x86_64]",
            None,
            Some("httpd-2.4.57-5.el9.x86_64"),
        ),
        ("rpms: [a.rpm]", Some(&some), None),
    ] {
        assert_eq!(told(select, preview).as_deref(), wanted, "{select}");
    }
    let two = "advisories: [RHSA-2013:0263, RHBA-2013:0300]";
    assert_eq!(
        told(two, Some(&some)),
        None,
        "one of two was not looked for"
    );
}

#[test]
fn exactly_means_this_one_and_at_least_means_no_older_one() {
    let p = |line: &str| Nevra::parse_query(line).unwrap();
    let spec = || NevraSpec::parse("kernel-5.14.0-2.el9.x86_64").unwrap();
    let kernels = |releases: &[&str]| -> Vec<Nevra> {
        let one = |r: &&str| p(&format!("kernel (none) 5.14.0 {r}.el9 x86_64"));
        releases.iter().map(one).collect()
    };
    for (releases, exactly, at_least) in [
        (&["1"][..], false, false),
        (&["1", "2"], true, true),
        (&["1", "3"], false, true),
        (&[], false, false),
    ] {
        let all = [Requested::Exactly(spec()), Requested::AtLeast(spec())];
        let met: Vec<_> = all
            .iter()
            .map(|r| r.is_met_by(&kernels(releases)))
            .collect();
        assert_eq!(met, [exactly, at_least], "{releases:?}");
        let absent = usize::from(!exactly) + usize::from(!at_least);
        assert_eq!(unmet(&all, &kernels(releases)).len(), absent);
    }
}

#[test]
fn twins_differ_in_what_comes_and_not_in_vendors_tags() {
    let rows =
        |names: &[&str]| -> Vec<Row> { names.iter().map(|n| row(Action::Upgrade, n)).collect() };
    let mut here = rows(&[
        "httpd-2.4.57-5.el9.rocky.0.2.x86_64",
        "selinux-policy-3.14.3-155.el9.noarch",
        "tzdata-2023d-1.el9.noarch",
    ]);
    here.push(row(Action::Remove, "old-1-1.noarch"));
    let twin = rows(&[
        "bash-5.1.8-9.el9.x86_64",
        "httpd-2.4.57-5.el9.x86_64",
        "selinux-policy-3.14.3-154.el9.noarch",
        "tzdata-2023d-1.el9.noarch",
    ]);
    let difference = |package: &str, here: Option<&str>, twin: Option<&str>| TwinDifference {
        package: package.to_owned(),
        here: here.map(ToOwned::to_owned),
        twin: twin.map(ToOwned::to_owned),
    };
    assert_eq!(
        differences(&here, &twin),
        [
            difference("bash.x86_64", None, Some("5.1.8-9.el9")),
            difference(
                "selinux-policy.noarch",
                Some("3.14.3-155.el9"),
                Some("3.14.3-154.el9")
            ),
        ]
    );
    assert_eq!(differences(&here, &here), []);
}

proptest! {
    /// Whatever a host prints, nothing panics and no line of a known section is lost.
    #[test]
    fn nothing_that_a_host_prints_breaks_a_reader(text in "(?s)[ -~\n]{0,400}") {
        for manager in Manager::ALL {
            let table = format!("Dependencies resolved.\nDependencies Resolved\nPackage Arch\nUpgrading:\n{text}");
            drop(read_table(manager, &table));
        }
        drop((listed(&text), offered(&text)));
    }
}
