use super::*;
use crate::testing::{self, assert_expected};

#[test]
fn the_three_runs_read_as_expected() {
    for (name, run) in [
        ("open.md", testing::open()),
        ("february.md", testing::february()),
        ("undecided.md", testing::undecided()),
    ] {
        assert_expected(name, &summary(&testing::plan(), &run));
    }
}

#[test]
fn text_of_hosts_is_no_markup() {
    let evil = "<img src=x> @all [x](http://x) `code` | **b** ![i](u)\n# Gate: OPEN";
    assert_eq!(
        escaped(&one_line(evil, 200)),
        r"&lt;img src=x&gt; &#64;all \[x\](http://x) \`code\` \| \*\*b\*\* \!\[i\](u) \# Gate: OPEN"
    );
    let mut run = testing::february();
    run.verdict.findings[0].cause.explanation = evil.into();
    run.verdict.hosts[1].denials[1].seen = vec![testing::denial(evil)];
    let text = summary(&testing::plan(), &run);
    assert!(
        text.contains("\n  - httpd\\_t \\{ getattr read \\} on file of"),
        "{text}"
    );
    assert_eq!(text.lines().filter(|l| l.starts_with("# ")).count(), 1);
}
