//! `patchgate_snapshot`: how a host is brought back to its snapshot.

use super::secrets::is_template;
use crate::{
    source::{Problem, node::Value, reader::Field},
    undo::SnapshotSource,
};

/// What the variable can be.
const EXPECTED: &str =
    "`lab`, `{ libvirt: { uri: …, domain: …, snapshot: … } }` or `{ command: [program, …] }`";

/// Reads the variable.
pub(super) fn read(field: &Field<'_>) -> Option<SnapshotSource> {
    if !matches!(field.node.value, Value::Map(_)) {
        return field.parsed(EXPECTED, |text| {
            (text == "lab").then_some(SnapshotSource::Lab)
        });
    }
    let reader = field.map("`patchgate_snapshot`")?;
    let (libvirt, command) = (reader.optional("libvirt"), reader.optional("command"));
    let span = reader.span();
    reader.finish();
    match (libvirt, command) {
        (Some(field), None) => libvirt_of(&field),
        (None, Some(field)) => command_of(&field),
        (Some(_), Some(_)) | (None, None) => {
            let problem = Problem::new(span, "`patchgate_snapshot` names one way to reset a host");
            field.sink().report(problem.expected(EXPECTED));
            None
        }
    }
}

fn libvirt_of(field: &Field<'_>) -> Option<SnapshotSource> {
    let reader = field.map("`libvirt`")?;
    let [uri, domain, snapshot] =
        ["uri", "domain", "snapshot"].map(|key| reader.required(key).and_then(|f| word(&f)));
    reader.finish();
    Some(SnapshotSource::Libvirt {
        uri: uri?,
        domain: domain?,
        snapshot: snapshot?,
    })
}

/// A word that a program takes for no option of its own.
fn word(field: &Field<'_>) -> Option<String> {
    refuse_template(field)?;
    let is_word = |text: &str| {
        let bad = |c: char| c.is_control() || c.is_whitespace();
        !text.is_empty() && text.len() <= 256 && !text.starts_with('-') && !text.contains(bad)
    };
    let expected = "a word of at most 256 characters that does not begin with `-`";
    field.parsed(expected, |text| is_word(text).then(|| text.to_owned()))
}

fn command_of(field: &Field<'_>) -> Option<SnapshotSource> {
    let expected = "a list of words, the program first";
    if !matches!(&field.node.value, Value::Seq(items) if !items.is_empty()) {
        field.wrong("`command` names no program", expected);
        return None;
    }
    let items = field.list_or_one();
    let mut words = Vec::new();
    for item in &items {
        refuse_template(item)?;
        let is_argument = |text: &str| !text.contains('\0') && text.len() <= 4096;
        words.push(item.parsed(expected, |text| is_argument(text).then(|| text.to_owned()))?);
    }
    match words.first().is_some_and(|w| w.is_empty()) {
        true => {
            field.wrong("`command` names no program", expected);
            None
        }
        false => Some(SnapshotSource::Command(words)),
    }
}

fn refuse_template(field: &Field<'_>) -> Option<()> {
    let Value::Scalar(scalar) = &field.node.value else {
        return Some(());
    };
    if !is_template(&scalar.text) {
        return Some(());
    }
    let message = format!("`{}` is a Jinja template", field.name);
    let problem = Problem::new(field.span(), message);
    field.sink().report(problem.help(
        "this version evaluates none: write the value out for each host, or take a command, \
                      which finds the host's name in PATCHGATE_HOST",
    ));
    None
}
