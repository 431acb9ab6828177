use patchgate_core::{
    id::{CheckId, HostName},
    judge::{EXPLANATION_VERSION, ExperimentTold, Held, PhaseTold, StepTold, Told},
    state::State,
};
use proptest::prelude::*;

use super::*;
use crate::testing;

fn explanation(text: &str) -> Explanation {
    let judgement = testing::february();
    let finding = judgement.verdict.findings[0].clone();
    let check = CheckId::try_from("httpd/root-page".to_owned()).unwrap();
    let phase = |phase: &str, saw: &str, denials| PhaseTold {
        phase: phase.to_owned(),
        started: vec![],
        saw: vec![(check.clone(), saw.to_owned())],
        denials,
    };
    let told = |line: &str| {
        vec![Told {
            host: HostName::new("lab-rebuild").unwrap(),
            state: State::Patched,
            lines: vec![line.to_owned()],
        }]
    };
    Explanation {
        v: EXPLANATION_VERSION,
        run: judgement.verdict.run.clone(),
        finding,
        rests_on: vec![Held {
            event: 31,
            state: Some(State::Patched),
            of_cause: true,
            text: text.to_owned(),
        }],
        steps: vec![StepTold {
            event: 40,
            state: State::Patched,
            elapsed_ms: 20,
            text: text.to_owned(),
        }],
        experiments: vec![ExperimentTold {
            state: State::Patched,
            domain: "httpd_t".to_owned(),
            phases: vec![
                phase("before", "timed out without a byte after 5s", None),
                phase("domain-permissive", "passes", Some(2)),
            ],
            answer: text.to_owned(),
            events: vec![50, 51],
        }],
        denials: told(text),
        vectors: told("httpd_t on tcp_socket of httpd_t: lost, silently, { accept listen }"),
        differences: told(text),
        unseen: vec![text.to_owned()],
    }
}

#[test]
fn everything_is_told() {
    let explanation = explanation("x");
    testing::assert_expected("explain.txt", &text(&explanation, Paint::PLAIN));
    testing::assert_expected("explain.md", &markdown(&explanation));
}

proptest! {
    #[test]
    fn no_text_of_a_host_gets_out_unescaped(hostile in any::<String>()) {
        let hostile = format!("\u{1b}[2J<b>|\u{202e}{hostile}");
        let explanation = explanation(&hostile);
        for told in [text(&explanation, Paint::PLAIN), markdown(&explanation)] {
            let safe = patchgate_core::text::visible(&told);
            prop_assert_eq!(&safe, &told);
        }
        let md = markdown(&explanation);
        prop_assert!(!md.contains("<b>"));
    }
}
