//! Findings, and what could not be seen, as people read them: labelled lines, safe for every outlet.

use patchgate_core::{
    text::one_line,
    verdict::{
        Cause, CauseKind, Class, DeniedAccess, Fate, Finding, HostSummary, Proof, Seen, SeenDenial,
        Standing, StateStatement, Twin, Undecided, Verdict, WaveTold, WavesTold,
    },
};

/// The longest line that is told.
const MAX_LINE: usize = 600;
/// How many symptoms of one finding are told.
const MAX_SYMPTOMS: usize = 8;
/// How many kinds of denials of one state are told.
const MAX_DENIALS: usize = 5;
/// How many event numbers of one finding are told.
const MAX_EVENTS: usize = 12;

/// A finding told: a title, and lines of a label and a text.
pub(crate) struct Story {
    /// `rebuild-only regression on lab-rebuild (httpd)`.
    pub(crate) title: String,
    /// What was seen, why, by what, and where to look.
    pub(crate) lines: Vec<(String, String)>,
}

/// Tells a finding.
pub(crate) fn of_finding(finding: &Finding) -> Story {
    let mut lines = symptoms(finding);
    lines.extend(cause(&finding.cause));
    lines.extend(
        finding
            .suspects
            .iter()
            .map(|s| line("suspect", &format!("{} ({})", s.nevra, s.why))),
    );
    lines.extend(finding.twin.as_ref().map(twin));
    lines.extend(
        finding
            .cause
            .look
            .as_ref()
            .map(|look| line("look further", look)),
    );
    lines.extend(evidence(&finding.evidence));
    Story {
        title: title(finding),
        lines,
    }
}

/// `rebuild-only regression on lab-rebuild (httpd)`.
pub(crate) fn title(finding: &Finding) -> String {
    let hosts: Vec<_> = finding.hosts.iter().map(ToString::to_string).collect();
    let suite = finding
        .suite
        .as_ref()
        .map(|s| format!(" ({s})"))
        .unwrap_or_default();
    let hosts = match hosts.as_slice() {
        [] => String::new(),
        hosts => format!(" on {}", hosts.join(", ")),
    };
    format!("{}{hosts}{suite}", class(finding.class))
}

/// What a proof level means.
pub(crate) fn proof_means(proof: Proof) -> &'static str {
    match proof {
        Proof::Proven => {
            "with the domain permissive the checks passed, with the policy as it was they failed again"
        }
        Proof::Supported => "independent evidence agrees",
        Proof::Suspected => "it fits, and nothing more",
    }
}

/// What a class of finding is called by people.
fn class(class: Class) -> &'static str {
    match class {
        Class::RebuildOnlyRegression => "rebuild-only regression",
        Class::Regression => "regression",
        Class::NewDenial => "new denial",
        Class::ModeDrift => "SELinux mode drift",
        Class::Failure => "failure",
        Class::HostLost => "host lost",
        Class::Outage => "outage",
        Class::RebootLoop => "booted more than once",
        Class::OtherKernel => "another kernel than the newest",
        Class::BrokenBefore => "broken before the patch",
        Class::Fixed => "fixed by the patch",
        Class::AccessLost => "access lost, and no failed check explained by it",
        Class::AllowExpired => "allow-list entries that have expired",
        Class::AllowUnused => "allow-list entries that nothing needed",
    }
}

fn line(label: &str, text: &str) -> (String, String) {
    (label.to_owned(), one_line(text, MAX_LINE))
}

fn symptoms(finding: &Finding) -> Vec<(String, String)> {
    if finding.symptoms.is_empty() {
        return vec![line("seen", &finding.symptom)];
    }
    let mut lines: Vec<_> = finding
        .symptoms
        .iter()
        .take(MAX_SYMPTOMS)
        .map(symptom)
        .collect();
    let more = finding.symptoms.len().saturating_sub(MAX_SYMPTOMS);
    if more > 0 {
        lines.push(line("seen", &format!("and {more} more of this kind")));
    }
    lines
}

pub(crate) fn symptom(seen: &Seen) -> (String, String) {
    let Seen {
        state,
        check,
        vantage,
        text,
    } = seen;
    let text = one_line(text, MAX_LINE);
    line(
        state.word(),
        &format!("{text} ({check}, {})", vantage.phrase()),
    )
}

fn cause(cause: &Cause) -> Vec<(String, String)> {
    let label = if cause.kind == CauseKind::Unknown {
        "explanation".to_owned()
    } else {
        format!("cause ({})", cause.proof.word())
    };
    let mut lines = vec![line(&label, &cause.explanation)];
    lines.extend(cause.denial.as_ref().map(access));
    lines
}

fn access(denial: &DeniedAccess) -> (String, String) {
    line("access", &denial.to_string())
}

pub(crate) fn twin(twin: &Twin) -> (String, String) {
    let fate = match twin.fate {
        Fate::Unaffected => "unaffected",
        Fate::Affected => "affected too",
        Fate::Unknown => "not seen to pass or to fail",
    };
    line("twin", &format!("{} {fate}", twin.host))
}

fn evidence(events: &[u64]) -> Option<(String, String)> {
    let shown: Vec<_> = events.iter().take(MAX_EVENTS).map(u64::to_string).collect();
    let more = match events.len().saturating_sub(MAX_EVENTS) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let text = format!("events {}{more} of the record", shown.join(", "));
    (!events.is_empty()).then(|| line("evidence", &text))
}

/// One thing that could not be seen: `lab-rebuild, patched: … (coverage)`.
pub(crate) fn of_undecided(missing: &Undecided) -> String {
    let host = missing.host.as_ref().map_or("the run", |h| h.as_str());
    let state = missing.state.map(|s| format!(", {s}")).unwrap_or_default();
    let why = one_line(&missing.why, MAX_LINE);
    format!("{host}{state}: {why} ({})", missing.what.word())
}

/// What became of the waves, a line each: `wave 2: not touched: db1, db2`.
pub(crate) fn of_waves(waves: &WavesTold) -> Vec<String> {
    let mut lines: Vec<_> = waves.waves.iter().map(of_wave).collect();
    let stopped = waves.stopped.iter();
    lines.extend(stopped.map(|why| one_line(&format!("stopped: {why}"), MAX_LINE)));
    let uncovered = waves.uncovered.iter();
    lines.extend(uncovered.map(|kind| {
        let note = format!("note: the first wave had no host of this kind: {kind}");
        one_line(&note, MAX_LINE)
    }));
    lines
}

fn of_wave(told: &WaveTold) -> String {
    let WaveTold {
        wave,
        patched,
        unpatched,
        untouched,
    } = told;
    let lists = [
        ("transaction begun", patched),
        ("no transaction", unpatched),
        ("not touched", untouched),
    ];
    let words = lists.iter().filter(|(_, hosts)| !hosts.is_empty());
    let words = words.map(|(what, hosts)| {
        let names: Vec<_> = hosts.iter().map(|h| h.as_str()).collect();
        format!("{what}: {}", names.join(", "))
    });
    format!("wave {wave}: {}", words.collect::<Vec<_>>().join("; "))
}

/// The hosts with what is proven of the patch set there, and what became of their reboots and undos.
pub(crate) fn of_patched(verdict: &Verdict) -> Vec<(&str, String)> {
    let hosts = verdict.hosts.iter();
    let told = hosts.flat_map(|h: &HostSummary| {
        let words = [&h.patch, &h.reboot, &h.undo].into_iter().flatten();
        words.map(|text| (h.host.as_str(), one_line(text, MAX_LINE)))
    });
    told.collect()
}

/// The hosts that are dirty, why, and what to do: those that this run left so, and those that it met.
pub(crate) fn of_dirty(verdict: &Verdict) -> Vec<(&str, String)> {
    let hosts = verdict.hosts.iter();
    let told = hosts.flat_map(|h: &HostSummary| {
        let words = [&h.dirty, &h.mark].into_iter().flatten();
        words.map(|text| (h.host.as_str(), one_line(text, MAX_LINE)))
    });
    told.collect()
}

/// What can be said of denials in some states of a host.
pub(crate) struct Said {
    /// `baseline, patched`.
    pub(crate) states: String,
    /// The statement, in the judgement's own words.
    pub(crate) statement: String,
    /// The denials by fingerprint.
    pub(crate) seen: Vec<String>,
}

/// What can be said of a host's denials; states of which the same is said stand together.
pub(crate) fn of_denials(host: &HostSummary) -> Vec<Said> {
    let mut groups: Vec<(Vec<&str>, &str, Vec<String>)> = Vec::new();
    for said in &host.denials {
        let (state, text, seen) = (said.state.word(), said.statement.as_str(), seen(said));
        match groups.last_mut() {
            Some((states, t, s)) if *t == text && *s == seen => states.push(state),
            Some(_) | None => groups.push((vec![state], text, seen)),
        }
    }
    let told = |(states, text, seen): (Vec<&str>, &str, _)| Said {
        states: states.join(", "),
        statement: one_line(text, MAX_LINE),
        seen,
    };
    groups.into_iter().map(told).collect()
}

fn seen(said: &StateStatement) -> Vec<String> {
    let mut lines: Vec<_> = said.seen.iter().take(MAX_DENIALS).map(denial).collect();
    let more = said.seen.len().saturating_sub(MAX_DENIALS) + said.unlisted;
    if more > 0 {
        lines.push(format!("and {more} more of other kinds"));
    }
    lines
}

/// `httpd_t { getattr } on file of shadow_t, by httpd (2 times): new, also on the twin`.
fn denial(seen: &SeenDenial) -> String {
    let SeenDenial {
        fingerprint,
        count,
        enforced: _,
        permissive,
        standing,
    } = seen;
    let times = match count {
        1 => "once".to_owned(),
        n => format!("{n} times"),
    };
    let through = match permissive {
        0 => String::new(),
        n => format!(", {n} let through"),
    };
    let words: Vec<_> = standing.iter().map(|s| standing_word(*s)).collect();
    let text = format!("{fingerprint} ({times}{through}): {}", words.join(", "));
    one_line(&text, MAX_LINE)
}

fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::New => "new",
        Standing::Uncompared => "not known to be new",
        Standing::Baseline => "there at the baseline",
        Standing::Allowed => "allowed",
        Standing::AlsoOnTwin => "also on the twin",
    }
}
