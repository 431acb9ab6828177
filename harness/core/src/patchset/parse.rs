//! The YAML of a patch set → [`PatchSet`].

use std::{ops::RangeInclusive, time::Duration};

use super::{PatchSet, Selection, Services, contradictions, select};
use crate::{
    id::check_name,
    reboot::Reboot,
    source::{
        Diagnostics, Problem, Sink,
        grammar::{PACKAGE_GLOB, REPOSITORY, UNIT, is_package_glob, is_repository, is_unit},
        load,
        node::{Node, Value},
        reader::{Field, Reader, not_built},
    },
    undo::OnFailure,
};

/// How long the transaction may take on one host where the file does not say.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30 * 60);

/// How long a patch set may wish to take: a transaction cut short is worse than a slow one.
const DEADLINES: RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(24 * 3600);

/// How long a host may take to come back from its reboot where the file does not say. Servers that test their
/// memory take longer.
pub const DEFAULT_REBOOT: Duration = Duration::from_secs(10 * 60);

/// How long a reboot may be let take.
const REBOOTS: RangeInclusive<Duration> = Duration::from_secs(30)..=Duration::from_secs(2 * 3600);

/// Of records that are older than reboots.
pub(super) fn default_reboot_s() -> u64 {
    DEFAULT_REBOOT.as_secs()
}

/// Reads a patch set; `file` is the name that diagnostics give the text.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn parse(text: &str, file: &str) -> Result<PatchSet, Diagnostics> {
    let sink = Sink::new(file, text);
    let patch_set = load(&sink).and_then(|root| read(&sink, &root));
    sink.finish(patch_set)
}

fn read(sink: &Sink<'_>, root: &Node) -> Option<PatchSet> {
    let reader = Reader::new(sink, root, "a patch set")?;
    let name = reader.required("patch_set").and_then(|f| read_name(&f));
    let select = reader.required("select").and_then(|f| select::read(&f));
    let excluding = reader.optional("exclude");
    let exclude = excluding.map_or_else(Vec::new, |f| f.texts(PACKAGE_GLOB, is_package_glob));
    if let (Some(field), Some(select)) = (&excluding, &select) {
        refuse_contradictions(field, &exclude, select);
    }
    let repos = reader.optional("repos").map(|f| read_repos(&f));
    let services = reader.or_default("services", Services::Leave, read_services);
    let deadline = reader.or_default("within", DEFAULT_DEADLINE, |f| f.duration(DEADLINES));
    let reboot = reader.or_default("reboot", Reboot::Never, read_reboot);
    let on_failure = reader.or_default("on_failure", OnFailure::Keep, read_on_failure);
    let reboot_within = read_reboot_within(&reader, reboot, on_failure);
    reader.finish();
    let (enable_repos, disable_repos) = repos.unwrap_or_default();
    Some(PatchSet {
        exclude,
        enable_repos,
        disable_repos,
        services: services?,
        deadline_s: deadline?.as_secs(),
        reboot: reboot?,
        reboot_within_s: reboot_within?.as_secs(),
        on_failure: on_failure?,
        name: name?,
        select: select?,
    })
}

/// Packages that are named and left out.
fn refuse_contradictions(excluding: &Field<'_>, exclude: &[String], select: &Selection) {
    for (package, glob) in contradictions(select, exclude) {
        let message = format!("`{glob}` leaves out {package}, which `select` names");
        let problem = Problem::new(excluding.key_span, message);
        excluding.sink().report(problem);
    }
}

fn read_name(field: &Field<'_>) -> Option<String> {
    field.tried("the name of the patch set", |text| {
        check_name(text).map(|()| text.to_owned())
    })
}

fn read_reboot(field: &Field<'_>) -> Option<Reboot> {
    let words = [Reboot::Never, Reboot::WhenNeeded, Reboot::Always].map(|r| (r.word(), r));
    field.one_of(&words)
}

/// What is wrong with a patch set beside hosts that it would reset and that have no snapshot, by name.
///
/// # Errors
/// That hosts lack one, at the place that asks for it; `text` and `file` are those of the patch set.
pub fn refuse_without_snapshot(text: &str, file: &str, hosts: &[&str]) -> Result<(), Diagnostics> {
    let sink = Sink::new(file, text);
    let reader = load(&sink).filter(|_| !hosts.is_empty());
    let reader = reader
        .as_ref()
        .and_then(|root| Reader::new(&sink, root, "a patch set"));
    let field = reader.as_ref().and_then(|r| r.optional("on_failure"));
    if let Some(field) = field {
        let shown = hosts[..hosts.len().min(MOST_NAMED)].join(", ");
        let more = match hosts.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let message = format!("no `patchgate_snapshot` to reset to: {shown}{more}");
        let problem = Problem::new(field.span(), message);
        sink.report(problem.help(
            "give these hosts the variable in the inventory, or leave them out with `--limit`",
        ));
    }
    sink.finish(Some(()))
}

/// How many hosts a message names.
const MOST_NAMED: usize = 8;

fn read_on_failure(field: &Field<'_>) -> Option<OnFailure> {
    let words = [OnFailure::Keep, OnFailure::Rollback, OnFailure::Reset].map(|w| (w.word(), w));
    field.one_of(&words)
}

/// A deadline for boots that never come is a mistake: somebody expects them.
fn read_reboot_within(
    reader: &Reader<'_>,
    reboot: Option<Reboot>,
    on_failure: Option<OnFailure>,
) -> Option<Duration> {
    const KEY: &str = "reboot_within";
    let never = (reboot, on_failure) == (Some(Reboot::Never), Some(OnFailure::Keep))
        || (reboot, on_failure) == (Some(Reboot::Never), Some(OnFailure::Rollback));
    if let (Some(field), true) = (reader.optional(KEY), never) {
        let problem = Problem::new(field.key_span, format!("`{KEY}` and no reboot"));
        reader.sink().report(
            problem.expected(
                "`reboot: when-needed`, `reboot: always` or `on_failure: reset` beside it",
            ),
        );
    }
    reader.or_default(KEY, DEFAULT_REBOOT, |f| f.duration(REBOOTS))
}

fn read_repos(field: &Field<'_>) -> (Vec<String>, Vec<String>) {
    let Some(reader) = field.map("`repos`") else {
        return Default::default();
    };
    let [enable, disable] = ["enable", "disable"].map(|key| {
        let field = reader.optional(key);
        (
            field,
            field.map_or_else(Vec::new, |f| f.texts(REPOSITORY, is_repository)),
        )
    });
    reader.finish();
    if let Some(both) = enable.1.iter().find(|id| disable.1.contains(id))
        && let Some(field) = disable.0
    {
        let message = format!("`{both}` is both enabled and disabled");
        field.sink().report(Problem::new(field.key_span, message));
    }
    (enable.1, disable.1)
}

fn read_services(field: &Field<'_>) -> Option<Services> {
    const EXPECTED: &str = "`leave` or `{ restart: [units] }`";
    match &field.node.value {
        Value::Map(_) => read_restart(field.map("`services`")?),
        Value::Scalar(scalar) if scalar.text == "restart-affected" => {
            let problem = not_built(field.span(), &scalar.text);
            field.sink().report(problem.expected(EXPECTED));
            None
        }
        Value::Scalar(_) | Value::Seq(_) | Value::Refused | Value::Later(_) => field
            .parsed(EXPECTED, |text| {
                (text == "leave").then_some(Services::Leave)
            }),
    }
}

fn read_restart(reader: Reader<'_>) -> Option<Services> {
    let restart = reader.required("restart");
    reader.finish();
    let restart = restart?;
    if matches!(&restart.node.value, Value::Seq(items) if items.is_empty()) {
        let expected = "at least one, or `services: leave`";
        restart.wrong("`restart` names no unit", expected);
    }
    Some(Services::Restart(restart.texts(UNIT, is_unit)))
}
