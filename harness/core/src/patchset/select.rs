//! `select`: which of the ways to choose packages, and what it chooses.

use super::{ADVISORY, Advisory, RpmFile, Selection};
use crate::{
    package::{NEVRA, NevraSpec},
    source::{
        Problem,
        node::Value,
        reader::{Field, Reader},
    },
};

/// What an RPM file's path must be.
const RPM: &str = "the path of an RPM file, as `rpms/httpd-2.4.57-5.el9.x86_64.rpm`";

const EXPECTED: &str = "one of `updates: all`, `updates: security`, `advisories: [...]`, \
                        `packages: [...]`, `rpms: [...]`";

/// Reads the one key that there is; every other is a mistake, and so are all of its items that do not fit.
pub(super) fn read(field: &Field<'_>) -> Option<Selection> {
    let reader = field.map("`select`")?;
    let named = ["updates", "advisories", "packages", "rpms"].map(|key| reader.optional(key));
    let nothing = named.iter().all(Option::is_none) && reader.unasked().is_empty();
    let [updates, advisories, packages, rpms] = named;
    let chosen = [
        updates.map(|f| read_updates(&f)),
        advisories.map(|f| items(&f, ADVISORY, Advisory::parse).map(Selection::Advisories)),
        packages.map(|f| items(&f, NEVRA, NevraSpec::parse).map(Selection::Packages)),
        rpms.map(|f| items(&f, RPM, rpm).map(Selection::Rpms)),
    ];
    if nothing {
        let problem = Problem::new(field.span(), "`select` selects nothing");
        reader.sink().report(problem.expected(EXPECTED));
    }
    refuse_second(&reader, &named);
    reader.finish();
    chosen.into_iter().flatten().next()?
}

/// Two ways at once could mean both or either.
fn refuse_second(reader: &Reader<'_>, named: &[Option<Field<'_>>]) {
    let mut there = named.iter().flatten();
    let first = there.next();
    for second in there {
        let first = first.map(|f| f.name).unwrap_or_default();
        let message = format!("`select` has `{first}` and `{}`", second.name);
        let problem = Problem::new(second.key_span, message).expected(EXPECTED);
        reader.sink().report(problem);
    }
}

fn read_updates(field: &Field<'_>) -> Option<Selection> {
    field.one_of(&[
        ("all", Selection::AllUpdates),
        ("security", Selection::Security),
    ])
}

/// The items of a list, each once; an empty list chooses nothing.
fn items<T: PartialEq>(
    field: &Field<'_>,
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<Vec<T>> {
    if matches!(&field.node.value, Value::Seq(items) if items.is_empty()) {
        field.wrong(format!("`{}` names nothing", field.name), "at least one");
        return None;
    }
    let texts = field.texts(expected, |text| parse(text).is_some());
    Some(texts.iter().filter_map(|text| parse(text)).collect())
}

/// A path of a file whose name ends as those of packages do. What is in it is seen when it is read.
fn rpm(text: &str) -> Option<RpmFile> {
    let name = text.rsplit('/').next().unwrap_or(text);
    let plain = !text.chars().any(char::is_control);
    (plain && name.len() > 4 && name.ends_with(".rpm")).then(|| RpmFile {
        file: text.to_owned(),
        read: None,
    })
}
