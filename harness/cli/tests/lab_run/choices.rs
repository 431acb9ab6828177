//! February and March chosen by advisory, by package and by file, with real dnf; and once more, to see that
//! nothing is left to do.

use serde_json::{Value, json};

use crate::lab::{Ended, Lab, REBUILD, UPSTREAM};

/// February's policy, by Red Hat's id.
const FEBRUARY: &str = "patch_set: february\nselect: { advisories: [RHBA-2024:0155] }\n\
                        repos: { enable: [updates-february] }\nservices: { restart: [httpd] }\n";

/// March's policy, by Oracle's id, which no host of the lab has.
const MARCH: &str = "patch_set: march\nselect: { advisories: [ELBA-2024-0195] }\n\
                     repos: { enable: [updates-march] }\nservices: { restart: [httpd] }\n";

const MARCH_POLICY: [&str; 2] = [
    "selinux-policy-3.14.3-195.el9_4.3.noarch",
    "selinux-policy-targeted-3.14.3-195.el9_4.3.noarch",
];

#[test]
fn nightly_february_by_advisory_closes_the_gate() {
    let lab = Lab::with(&[UPSTREAM, REBUILD]);
    let planned = ask(&lab, FEBRUARY).with_code(0);
    for told in [
        "RHBA-2024:0155 is CEBA-2024:0155 here",
        "from updates-february",
        "twin lab-upstream: the same",
        "nothing was changed",
    ] {
        planned.assert_told(told);
    }
    let ended = run(&lab, FEBRUARY).with_code(1);
    let verdict = ended.record.verdict();
    assert_eq!(
        verdict["findings"][0]["cause"]["kind"],
        "selinux-silent-denial"
    );
    for host in [UPSTREAM, REBUILD] {
        let packages = names(&verdict, host);
        assert_eq!(
            packages,
            [
                "selinux-policy-3.14.3-155",
                "selinux-policy-targeted-3.14.3-155"
            ]
        );
        let proven = "all 2 packages that were asked for are installed";
        assert_eq!(host_of(&verdict, host)["patch"], proven);
    }
}

#[test]
fn nightly_march_by_advisory_opens_the_gate_and_converges() {
    let lab = Lab::with(&[UPSTREAM, REBUILD]);
    let ended = run(&lab, MARCH).with_code(0);
    assert_policy_alone(&ended.record.verdict());
    assert_converged(run(&lab, MARCH));
}

#[test]
fn nightly_march_by_package_opens_the_gate_and_converges() {
    let lab = Lab::with(&[UPSTREAM, REBUILD]);
    let set = format!(
        "patch_set: march\nselect: {{ packages: [{}] }}\nrepos: {{ enable: [updates-march] }}\n\
         services: {{ restart: [httpd] }}\n",
        MARCH_POLICY.join(", ")
    );
    let ended = run(&lab, &set).with_code(0);
    assert_policy_alone(&ended.record.verdict());
    assert_converged(run(&lab, &set));
}

#[test]
fn nightly_an_advisory_that_no_repository_has_is_not_applied() {
    let lab = Lab::with(&[REBUILD]);
    let set = FEBRUARY.replace("RHBA-2024:0155", "RHSA-2024:0155");
    let ended = run(&lab, &set).with_code(3);
    ended.assert_told("no enabled repository has an advisory for a package of this host");
    assert_eq!(
        host_of(&ended.record.verdict(), REBUILD)["packages"],
        json!([])
    );
}

#[test]
fn nightly_march_by_files_opens_the_gate_converges_and_leaves_no_file() {
    let lab = Lab::with(&[REBUILD]);
    let mut files = Vec::new();
    for package in MARCH_POLICY {
        let path = format!("/srv/repo/updates-march/{package}.rpm");
        let bytes = lab.try_in_guest(REBUILD, &format!("cat {path}")).stdout;
        let file = lab.file(&format!("{package}.rpm"), "");
        std::fs::write(&file, bytes).unwrap();
        files.push(file.display().to_string());
    }
    let set = format!(
        "patch_set: march\nselect: {{ rpms: [{}] }}\nservices: {{ restart: [httpd] }}\n",
        files.join(", ")
    );
    let ended = run(&lab, &set).with_code(0);
    let packages = names(&ended.record.verdict(), REBUILD);
    assert_eq!(packages.len(), 2, "{packages:?}");
    let left = lab.try_in_guest(REBUILD, "test -e /var/lib/patchgate/rpms");
    assert_eq!(left.status.code(), Some(1));
    assert_converged(run(&lab, &set));
}

fn run(lab: &Lab, set: &str) -> Ended {
    let set = lab.file("set.yaml", set).display().to_string();
    lab.start(lab.inventory(), &["run", "--patch", &set]).end()
}

fn ask(lab: &Lab, set: &str) -> Ended {
    let set = lab.file("set.yaml", set).display().to_string();
    lab.start(lab.inventory(), &["plan", "--patch", &set]).end()
}

/// Both hosts have March's policy, and nothing else was changed.
fn assert_policy_alone(verdict: &Value) {
    for host in [UPSTREAM, REBUILD] {
        let packages = names(verdict, host);
        assert_eq!(
            packages,
            [
                "selinux-policy-3.14.3-195",
                "selinux-policy-targeted-3.14.3-195"
            ]
        );
    }
}

/// A second run changed nothing, and says so.
fn assert_converged(ended: Ended) {
    let ended = ended.with_code(0);
    let verdict = ended.record.verdict();
    for host in verdict["hosts"].as_array().unwrap() {
        assert_eq!(host["packages"], json!([]), "{host}");
        let proven = "converged: nothing was to change, and all 2 packages that were asked for are installed";
        assert_eq!(host["patch"], proven);
    }
    ended.assert_told("converged: nothing was to change");
}

/// What came to a host, up to the release's first dot.
fn names(verdict: &Value, host: &str) -> Vec<String> {
    let packages = host_of(verdict, host)["packages"].as_array().unwrap();
    let name = |p: &Value| {
        let text = p.as_str().unwrap();
        text.split(".el9").next().unwrap().to_owned()
    };
    packages.iter().map(name).collect()
}

fn host_of<'a>(verdict: &'a Value, name: &str) -> &'a Value {
    let hosts = verdict["hosts"].as_array().unwrap();
    hosts.iter().find(|host| host["host"] == name).unwrap()
}
