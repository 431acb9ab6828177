//! Denials that patchgate provokes itself.

use super::{SILENT, begin, capture, end, insert, names};
use crate::evidence::{
    capture::{Reading, WindowCapture},
    control::{Control, ForcedDenial},
    coverage::Coverage,
    window::{Expectations, WindowEvidence, examine, statement},
};

const FROM: &str = "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023";
const TO: &str = "system_u:system_r:init_t:s0";

/// A denial that was provoked by this process.
pub(super) fn refused(pid: u32) -> Control {
    Control::Refused(ForcedDenial {
        pid,
        comm: Some("patchgate-5f3a9".to_owned()),
        source: FROM.to_owned(),
        target: TO.to_owned(),
        permission: "dyntransition".to_owned(),
    })
}

/// As a lab guest logs it (kernel 6.1, reference policy).
fn line(pid: u32, comm: &str) -> String {
    format!(
        "type=AVC msg=audit(1795300375.064:259): avc:  denied  {{ dyntransition }} for  pid={pid} \
         comm=\"{comm}\" scontext={FROM} tcontext={TO} tclass=process permissive=0"
    )
}

/// A window with a control at both ends, of which these lines came to the log.
fn look(lines: &[String]) -> WindowEvidence {
    let mut capture = capture("w-silent", SILENT);
    begin(&mut capture).control = Some(Reading::Known(refused(354)));
    end(&mut capture).control = Some(Reading::Known(refused(376)));
    lines.iter().for_each(|line| insert(&mut capture, line));
    examine(&capture, Expectations::default())
}

#[test]
fn a_control_that_is_seen_is_no_denial_of_the_hosts() {
    let evidence = look(&[line(354, "patchgate-5f3a9"), line(376, "patchgate-5f3a9")]);
    assert_eq!(evidence.coverage, Coverage::Complete);
    assert_eq!((evidence.decisions.len(), evidence.notes.len()), (0, 0));
    assert_eq!(statement(&evidence), "no denials");
}

#[test]
fn one_that_is_not_seen_is_a_gap_of_its_end() {
    let evidence = look(&[line(354, "patchgate-5f3a9")]);
    assert_eq!(
        statement(&evidence),
        "none seen, 1 gap: a denial that was provoked at the end of the window is not in the log"
    );
    let evidence = look(&[]);
    assert_eq!(names(&evidence), ["control-not-seen", "control-not-seen"]);
}

#[test]
fn only_the_very_denial_is_taken_out() {
    let ours = [line(354, "patchgate-5f3a9"), line(376, "patchgate-5f3a9")];
    for other in [
        line(355, "patchgate-5f3a9"),
        line(354, "patchgate-5f3a8"),
        line(354, "sh"),
        line(354, "patchgate-5f3a9").replace("init_t", "kernel_t"),
        line(354, "patchgate-5f3a9").replace("dyntransition", "setcurrent"),
        line(354, "patchgate-5f3a9").replace("denied ", "granted "),
        line(354, "patchgate-5f3a9").replace("tclass=process", "tclass=process2"),
    ] {
        let evidence = look(&[ours[0].clone(), ours[1].clone(), other.clone()]);
        assert_eq!(evidence.coverage, Coverage::Complete);
        assert_eq!(evidence.decisions.len(), 1, "{other}");
    }
}

/// A window whose controller died at its end, and that another one ended: that took a marker of its own, and
/// the first one's control is nobody's denial. Only one, and only in a window that was broken off.
#[test]
fn a_control_that_a_dead_controller_did_not_hear_of_is_taken_out_once() {
    let ours = [line(354, "patchgate-5f3a9"), line(376, "patchgate-5f3a9")];
    let again = |looks: u32, unheard: &[String]| {
        let mut capture = capture("w-silent", SILENT);
        begin(&mut capture).control = Some(Reading::Known(refused(354)));
        end(&mut capture).control = Some(Reading::Known(refused(376)));
        ours.iter()
            .chain(unheard)
            .for_each(|line| insert(&mut capture, line));
        capture.looks = looks;
        if looks > 0 {
            let (first, last) = (
                capture.log.text.rfind("w-silent end").unwrap(),
                "w-silent end",
            );
            let own = format!("{last} after {looks}");
            capture
                .log
                .text
                .replace_range(first..first + last.len(), &own);
        }
        examine(&capture, Expectations::default())
    };
    let unheard = [line(360, "patchgate-5f3a9"), line(361, "patchgate-5f3a9")];
    for (looks, n, left) in [(0, 1, 1), (1, 0, 0), (1, 1, 0), (1, 2, 1), (2, 2, 0)] {
        let evidence = again(looks, &unheard[..n]);
        assert_eq!(
            evidence.coverage,
            Coverage::Complete,
            "{looks} looks, {n} unheard"
        );
        assert_eq!(evidence.decisions.len(), left, "{looks} looks, {n} unheard");
    }
    let foreign = [line(360, "sh")];
    assert_eq!(again(1, &foreign).decisions.len(), 1);
}

#[test]
fn an_end_without_its_marker_has_one_gap_and_not_two() {
    let mut capture = capture("w-silent", SILENT);
    super::cut(&mut capture, " end ");
    end(&mut capture).control = Some(Reading::Known(refused(376)));
    let evidence = examine(&capture, Expectations::default());
    assert_eq!(names(&evidence), ["marker-end-missing"]);
}

fn impossible(capture: &mut WindowCapture, whys: [&str; 2]) {
    for (edge, why) in [&mut capture.begin, &mut capture.end].into_iter().zip(whys) {
        let Reading::Known(edge) = edge else {
            unreachable!()
        };
        let why = why.to_owned();
        edge.control = Some(Reading::Known(Control::Impossible { why }));
    }
}

#[test]
fn one_that_is_impossible_is_told_and_no_gap() {
    let hidden = "a dontaudit rule hides dyntransition";
    for (whys, count) in [
        ([hidden, hidden], 1),
        ([hidden, "there is no selinuxfs"], 2),
    ] {
        let mut capture = capture("w-silent", SILENT);
        impossible(&mut capture, whys);
        let evidence = examine(&capture, Expectations::default());
        assert_eq!(evidence.coverage, Coverage::Complete);
        assert_eq!(statement(&evidence), "no denials");
        assert_eq!(evidence.notes.len(), count);
        assert_eq!(evidence.notes[0].name(), "control-impossible");
        assert_eq!(
            evidence.notes[0].to_string(),
            format!("no denial could be provoked at the begin of the window: {hidden}")
        );
    }
}
