//! `patchgate explain` over records that were made by hand.

use patchgate_core::event::What;
use patchgate_engine::record::{self, Journal, PLAN, RunDir};
use patchgate_testkit::night::{
    Night, failed,
    known::{february_on_the_lab, labelled},
};

use super::{Place, place, recorded};

/// A place with the record of a night in `run`.
fn with_record(night: &Night) -> Place {
    let place = place();
    let dir = RunDir::create(&place.path("run")).unwrap();
    let plan = serde_json::to_vec_pretty(&night.plan).unwrap();
    dir.write(PLAN, &plan).unwrap();
    let journal = Journal::begin(dir, Box::new(|_| {})).unwrap();
    for event in night.events() {
        let mut what = event.what;
        if let What::RunStarted { plan_sha256, .. } = &mut what {
            *plan_sha256 = record::digest(&plan);
        }
        journal
            .write(event.host.as_ref(), event.state, what)
            .unwrap();
    }
    journal.sync().unwrap();
    place
}

/// February, with a check of another suite failing besides.
fn two_findings() -> Night {
    labelled().from(patchgate_core::state::State::Patched, |s| {
        s.sees(
            "root-page",
            failed(patchgate_core::observation::HttpPhase::Reset),
        );
        s.sees("enforcing", patchgate_testkit::night::selinux("Permissive"));
    })
}

#[test]
fn the_only_finding_needs_no_name() {
    let place = with_record(&february_on_the_lab());
    let texts = [
        "regression on centos-web (httpd)",
        "proven: with the domain permissive the checks passed",
        "domain-permissive  httpd    2        passes",
        "allow httpd_t self:tcp_socket { accept listen };",
        "what was not seen",
    ];
    let ended = place.run("explain run").with(1).telling(&texts);
    assert_eq!(ended.stderr, "");
    for name in ["regression.centos-web.httpd", "regression", "r"] {
        let again = place.run(&format!("explain run {name}")).with(1);
        assert_eq!(again.stdout, ended.stdout, "{name}");
    }
}

#[test]
fn programs_and_pages_get_the_same() {
    let place = with_record(&february_on_the_lab());
    let json = place.run("explain run --format json").with(1).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["v"], 1);
    assert_eq!(json["finding"]["cause"]["proof"], "proven");
    let evidence = json["finding"]["evidence"].as_array().unwrap();
    let told = json["rests_on"].as_array().unwrap();
    assert_eq!(told.len(), evidence.len());
    assert_eq!(
        json["experiments"][1]["phases"][2]["phase"],
        "domain-permissive"
    );
    let md = place.run("explain run --format md").with(1).stdout;
    assert!(
        md.starts_with("# regression on centos-web (httpd)\n"),
        "{md}"
    );
    assert!(md.contains("## What it rests on\n"), "{md}");
}

#[test]
fn what_names_no_finding_gets_the_valid_ones() {
    let place = with_record(&two_findings());
    for (arguments, texts) in [
        (
            "explain run",
            &[
                "more than one finding",
                "new-denial.centos-web.httpd",
                "regression.centos-web.selinux",
            ][..],
        ),
        (
            "explain run lost",
            &["no finding is `lost`", "regression.centos-web.httpd"],
        ),
        (
            "explain run regression.",
            &["more than one finding begins with `regression.`"],
        ),
    ] {
        let ended = place.run(arguments).with(2);
        let ended = ended.telling(texts);
        assert_eq!(ended.stdout, "", "{arguments}");
    }
    let one = place.run("explain run regression.centos-web.s").with(1);
    assert!(
        one.stdout.starts_with("regression on centos-web (selinux)"),
        "{}",
        one.stdout
    );
}

#[test]
fn a_run_without_a_finding_and_what_is_no_run_are_mistakes_of_usage() {
    let quiet = with_record(&Night::quiet());
    let _told = quiet
        .run("explain run")
        .with(2)
        .telling(&["the run has no finding to explain"]);
    let place = recorded();
    let _told = place
        .run("explain lost")
        .with(2)
        .telling(&["is not the directory of a run"]);
    let record = place.read("run/events.jsonl");
    let place = place.with("run/events.jsonl", &record.replace("refused", "refuseD"));
    let _told = place
        .run("explain run")
        .with(6)
        .telling(&["the record was changed"]);
}
