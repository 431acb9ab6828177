//! What remote clients felt while hosts were patched, as people read it.

use std::time::Duration;

use patchgate_core::{
    text::one_line,
    time::show_duration,
    verdict::{Outage, SoakTold},
};

/// The longest line that is told.
const MAX_LINE: usize = 400;
/// How many outages of one check of a host are told.
const MAX_OUTAGES: usize = 8;

/// One check of a host: a line for all of its probes, and one for each outage.
pub(crate) fn of_check(told: &SoakTold) -> (String, Vec<String>) {
    let mut lines: Vec<_> = told.outages.iter().take(MAX_OUTAGES).map(outage).collect();
    let more = told.outages.len().saturating_sub(MAX_OUTAGES);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    (head(told), lines)
}

/// `web1, httpd/root-page: 64 probes, one every 1s, 7 failed; slowest answer 0.02s`.
fn head(told: &SoakTold) -> String {
    let every = show_duration(Duration::from_millis(told.every_ms));
    let failed = match told.failed {
        0 => "none failed".to_owned(),
        n => format!("{n} failed"),
    };
    let unseen = match told.unseen {
        0 => String::new(),
        n => format!(", {n} saw nothing"),
    };
    let slowest = told.slowest_ms.map(Duration::from_millis);
    let slowest = slowest.map_or(String::new(), |d| {
        format!("; slowest answer {}", show_duration(d))
    });
    let text = format!(
        "{}, {}: {} probes, one every {every}, {failed}{unseen}{slowest}",
        told.host, told.check, told.probes
    );
    one_line(&text, MAX_LINE)
}

/// `out for 7s from 23:14:05 UTC, during the transaction: connection refused (7)`.
fn outage(outage: &Outage) -> String {
    let length = show_duration(Duration::from_millis(outage.length_ms));
    let end = match outage.ended {
        true => "",
        false => " and not seen to come back",
    };
    let word = |(text, n): &(String, u64)| format!("{text} ({n})");
    let symptoms: Vec<_> = outage.symptoms.iter().map(word).collect();
    let text = format!(
        "out for {length}{end} from {}, {}: {}",
        outage.from.strftime("%H:%M:%S UTC"),
        outage.during,
        symptoms.join(", ")
    );
    one_line(&text, MAX_LINE)
}

#[cfg(test)]
mod tests {
    use patchgate_core::id::HostName;

    use super::*;

    fn told(outages: Vec<Outage>) -> SoakTold {
        SoakTold {
            host: HostName::new("web1").unwrap(),
            check: "httpd/root-page".to_owned().try_into().unwrap(),
            every_ms: 1000,
            probes: 64,
            failed: 7,
            unseen: 1,
            slowest_ms: Some(20),
            outages,
        }
    }

    #[test]
    fn an_outage_is_told_with_its_length_its_moment_and_what_was_seen() {
        let outage = Outage {
            from: "2026-11-21T23:14:05Z".parse().unwrap(),
            during: "during the transaction".to_owned(),
            length_ms: 7000,
            at_least_ms: 6000,
            at_most_ms: Some(8000),
            ended: true,
            symptoms: vec![("connection refused".to_owned(), 7)],
            evidence: vec![9],
        };
        let open = Outage {
            at_most_ms: None,
            ended: false,
            ..outage.clone()
        };
        let (head, lines) = of_check(&told(vec![outage, open]));
        assert_eq!(
            head,
            "web1, httpd/root-page: 64 probes, one every 1s, 7 failed, 1 saw nothing; slowest answer 0.02s"
        );
        let words = "from 23:14:05 UTC, during the transaction: connection refused (7)";
        assert_eq!(
            lines,
            [
                format!("out for 7s {words}"),
                format!("out for 7s and not seen to come back {words}")
            ]
        );
    }
}
