//! `patchgate plan`: hosts are asked what a patch set would do, and nothing is done.

use patchgate_core::{
    exit,
    transaction::{HostPlan, survey, survey_exit},
    verdict::Decision,
};
use patchgate_report::{console::Paint, planned};
use patchgate_testkit::{Effect, HostScript, Moment, Played, Scenario, Undoing, assert_file};

const BY_ADVISORY: &str = "patch_set: x\nselect: { advisories: [RHSA-2013:0263] }\n";
const ALL_BUT_POLICY: &str =
    "patch_set: x\nselect: { updates: all }\nexclude: ['selinux-policy-targeted']\n";
const SECURITY_BUT_BASH: &str = "patch_set: x\nselect: { updates: security }\nexclude: ['bash*']\n";
const BY_PACKAGE: &str = "patch_set: x\nselect: { packages: [nosuch-1-1.noarch] }\n";
const BY_FILE: &str = "patch_set: x\nselect: { rpms: [openssl-libs.rpm] }\n";

const POLICY: &str = "selinux-policy-targeted-3.14.3-155.el9_3.14.noarch";

async fn played(name: &'static str, patch: &'static str, hosts: [HostScript; 2]) -> Played {
    let scenario = Scenario {
        patch: Some(patch),
        preview: true,
        ..Scenario::new(name, hosts)
    };
    scenario.play().await
}

fn hosts() -> [HostScript; 2] {
    [
        HostScript::upstream().advises(&[("RHSA-2013:0263", "bash-5.1.8-9.el9.x86_64")]),
        HostScript::rebuild().advises(&[("CESA-2013:0263", POLICY)]),
    ]
}

/// Holds the pages against `scenarios/<name>/plan.txt`, and says what is true of every preview.
fn assert_pages(played: &Played, code: u8) {
    assert_eq!(played.world.unknown(), [] as [String; 0]);
    let told = survey(&played.plan, &played.events);
    let pages = planned::pages(&told, Paint::PLAIN);
    assert_file(played.name, "plan.txt", &pages);
    assert_eq!(survey_exit(&played.plan, &played.events).code, code);
    assert_eq!(played.judgement.verdict.verdict, Decision::Undecided);
    for host in ["rhel-web", "centos-web"] {
        let untouched = played.world.look(host, |m| !m.had_job() && !m.is_locked());
        assert!(untouched, "{host}");
    }
    let harmless = [
        "connect",
        "lock-read",
        "mark-read",
        "facts",
        "packages",
        "advisories",
        "plan",
        "offered",
    ];
    for heard in played.world.heard() {
        assert!(harmless.contains(&heard.ask), "{heard:?}");
        assert!(!heard.deadline.is_zero(), "{heard:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_host_says_what_would_change_and_twins_are_compared() {
    let rebuild = || HostScript::rebuild().when(Moment::Before, Effect::PlansNothing);
    let [upstream, advised] = hosts();
    for (name, patch, pair, code) in [
        ("plan-all", ALL_BUT_POLICY, hosts(), 0),
        ("plan-advisory", BY_ADVISORY, hosts(), 0),
        ("plan-security", SECURITY_BUT_BASH, hosts(), 0),
        (
            "plan-advisory-unknown",
            BY_ADVISORY,
            [upstream.clone(), HostScript::rebuild()],
            3,
        ),
        (
            "plan-package-absent",
            BY_PACKAGE,
            [upstream.clone(), rebuild()],
            3,
        ),
        ("plan-file", BY_FILE, [upstream, advised], 3),
    ] {
        assert_pages(&played(name, patch, pair).await, code);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_somebody_works_on_is_not_asked() {
    let [upstream, rebuild] = hosts();
    let held = Effect::LockedBy("20130222T000000Z-other", "running");
    let pair = [upstream, rebuild.when(Moment::Before, held)];
    let played = played("plan-locked", BY_ADVISORY, pair).await;
    let told = survey(&played.plan, &played.events);
    assert!(told[0].is_whole() && !told[1].is_whole());
    assert!(told[1].troubles[0].starts_with("host locked"), "{told:?}");
    let code = survey_exit(&played.plan, &played.events);
    assert_eq!(code, exit::LOCKED);
}

/// Nothing is changed here, so that a mark keeps nobody from asking; it is told.
#[tokio::test(start_paused = true)]
async fn the_mark_of_a_dirty_host_is_told() {
    let [upstream, rebuild] = hosts();
    let mark = Undoing::MarkedBy("20130221T020000Z-earlier");
    let pair = [upstream, rebuild.when(Moment::Before, mark)];
    let played = played("plan-marked", BY_ADVISORY, pair).await;
    let told = survey(&played.plan, &played.events);
    assert!(told[0].mark.is_none() && told[1].is_whole(), "{told:?}");
    let pages = planned::pages(&told, Paint::PLAIN);
    assert!(
        pages.contains("dirty: run 20130221T020000Z-earlier"),
        "{pages}"
    );
    assert_eq!(survey_exit(&played.plan, &played.events), exit::OPEN);
}

/// In a run the second wave would not begin: nothing of the first one was seen to be well.
#[tokio::test(start_paused = true)]
async fn waves_keep_nobody_from_being_asked() {
    let [mut upstream, rebuild] = hosts();
    upstream.inventory = "patchgate_role: upstream, patchgate_wave: 1";
    let played = played("plan-waves", BY_ADVISORY, [upstream, rebuild]).await;
    assert_eq!(played.plan.waves.as_ref().map(|w| w.hosts.len()), Some(2));
    let told = survey(&played.plan, &played.events);
    assert!(told.iter().all(HostPlan::is_whole), "{told:?}");
    assert_eq!(survey_exit(&played.plan, &played.events), exit::OPEN);
}
