//! The YAML of a patch set → [`PatchSet`].

use std::{ops::RangeInclusive, time::Duration};

use super::{PatchSet, Services, select};
use crate::{
    id::check_name,
    source::{
        Diagnostics, Problem, Sink,
        grammar::{PACKAGE_GLOB, REPOSITORY, UNIT, is_package_glob, is_repository, is_unit},
        load,
        node::{Node, Value},
        reader::{Field, Reader, not_built},
    },
};

/// How long the transaction may take on one host where the file does not say.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30 * 60);

/// How long a patch set may wish to take: a transaction cut short is worse than a slow one.
const DEADLINES: RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(24 * 3600);

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
    let exclude = reader
        .optional("exclude")
        .map_or_else(Vec::new, |f| f.texts(PACKAGE_GLOB, is_package_glob));
    let repos = reader.optional("repos").map(|f| read_repos(&f));
    let services = reader.or_default("services", Services::Leave, read_services);
    let deadline = reader.or_default("within", DEFAULT_DEADLINE, |f| f.duration(DEADLINES));
    only(&reader, "reboot", "never", &["when-needed", "always"]);
    only(&reader, "on_failure", "keep", &["rollback", "reset"]);
    reader.finish();
    let (enable_repos, disable_repos) = repos.unwrap_or_default();
    Some(PatchSet {
        exclude,
        enable_repos,
        disable_repos,
        services: services?,
        deadline_s: deadline?.as_secs(),
        name: name?,
        select: select?,
    })
}

fn read_name(field: &Field<'_>) -> Option<String> {
    field.tried("the name of the patch set", |text| {
        check_name(text).map(|()| text.to_owned())
    })
}

/// A key with one word that is built and some that are not.
fn only(reader: &Reader<'_>, key: &'static str, built: &'static str, planned: &[&str]) {
    let Some(field) = reader.optional(key) else {
        return;
    };
    match &field.node.value {
        Value::Scalar(scalar) if planned.contains(&scalar.text.as_str()) => {
            let problem = not_built(field.span(), &scalar.text);
            reader.sink().report(problem.expected(format!("`{built}`")));
        }
        Value::Scalar(_) | Value::Seq(_) | Value::Map(_) | Value::Refused | Value::Later(_) => {
            let _: Option<()> = field.one_of(&[(built, ())]);
        }
    }
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
