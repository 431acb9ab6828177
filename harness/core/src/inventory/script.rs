//! What inventory executables print: groups for `--list`, variables of one host for `--host`.

use std::collections::{BTreeMap, BTreeSet};

use super::{given::At, raw::Place, vars::Vars, written::Reading};
use crate::{
    id::{GroupName, HostName},
    source::{
        Problem, load_ansible,
        node::{Node, Value},
        quote,
        reader::{Field, Reader},
    },
};

/// The hosts that an executable must be asked about one by one: all of them, where what it printed for
/// `--list` holds no `_meta`.
#[must_use]
pub fn hosts_to_ask(list: &str) -> Vec<String> {
    let groups: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(list).unwrap_or_default();
    if groups.contains_key("_meta") {
        return Vec::new();
    }
    let hosts = |group: &serde_json::Value| {
        let list = group.get("hosts").unwrap_or(group).as_array().cloned();
        list.unwrap_or_default()
    };
    let all = groups.values().flat_map(hosts);
    let names: BTreeSet<String> = all.filter_map(|h| h.as_str().map(str::to_owned)).collect();
    names.into_iter().collect()
}

/// Reads what was printed for `--list`.
pub(super) fn read(reading: &mut Reading<'_>) {
    let Some(root) = load_ansible(reading.sink, super::MAX_INVENTORY_BYTES) else {
        return;
    };
    let Some(reader) = Reader::new(reading.sink, &root, "what an inventory executable prints")
    else {
        return;
    };
    let vars = reader
        .optional("_meta")
        .and_then(|meta| meta.map("`_meta`"))
        .map(|meta| host_vars(reading, &meta))
        .unwrap_or_default();
    for field in reader.unasked() {
        group(reading, &field, &vars);
    }
}

/// Reads what was printed for `--host`; nothing at all stands for no variables.
pub(super) fn read_host(reading: &mut Reading<'_>, name: &str) {
    let Ok(name) = HostName::new(name) else {
        return;
    };
    let Some(root) = load_ansible(reading.sink, super::MAX_INVENTORY_BYTES) else {
        return;
    };
    if let Some(reader) = Reader::new(reading.sink, &root, "what an executable prints of a host") {
        let vars = Vars::read(&reader, &reading.whence);
        reading.raw.add_host_vars(&name, vars);
    }
}

/// The variables of each host, by `_meta.hostvars`.
fn host_vars(reading: &Reading<'_>, meta: &Reader<'_>) -> BTreeMap<String, Vars> {
    let hosts = meta.required("hostvars").and_then(|h| h.map("`hostvars`"));
    let Some(hosts) = hosts else {
        return BTreeMap::new();
    };
    let read = |field: &Field<'_>| {
        let vars = Vars::read(&field.map("a host")?, &reading.whence);
        Some((field.name.to_owned(), vars))
    };
    hosts.unasked().iter().filter_map(read).collect()
}

fn group(reading: &mut Reading<'_>, field: &Field<'_>, vars: &BTreeMap<String, Vars>) {
    let Some(name) = reading.group(field.name, field.key_span) else {
        return;
    };
    if let Value::Seq(items) = &field.node.value {
        return hosts(reading, items, &name, vars);
    }
    let Some(reader) = Reader::new(reading.sink, field.node, "a group") else {
        return;
    };
    let parts = ["hosts", "vars", "children"].map(|key| reader.optional(key));
    if parts.iter().all(Option::is_none) {
        let message = format!(
            "the group {} holds no hosts, vars or children",
            quote(field.name)
        );
        let problem = Problem::new(field.key_span, message);
        let help =
            "Ansible takes it for a host of that name, and warns: let the executable print `hosts`";
        return reading.sink.report(problem.help(help));
    }
    let [list, own, children] = parts;
    if let Some(list) = list {
        hosts(reading, items(&list), &name, vars);
    }
    if let Some(own) = own.and_then(|own| own.map("`vars`")) {
        let own = Vars::read(&own, &reading.whence);
        reading.raw.add_group_vars(&name, own);
    }
    for child in children.iter().flat_map(|c| items(c)) {
        let Value::Scalar(scalar) = &child.value else {
            continue;
        };
        if let Some(group) = reading.group(&scalar.text, child.span) {
            reading.child(&name, &group, child.span);
        }
    }
}

/// The items of a list; anything else is reported.
fn items<'n>(field: &Field<'n>) -> &'n [Node] {
    match &field.node.value {
        Value::Seq(items) => items,
        Value::Scalar(_) | Value::Map(_) | Value::Refused | Value::Later(_) => {
            field.wrong(
                format!("`{}` is not a list", field.name),
                "a list, `[a, b]`",
            );
            &[]
        }
    }
}

fn hosts(
    reading: &mut Reading<'_>,
    items: &[Node],
    group: &GroupName,
    vars: &BTreeMap<String, Vars>,
) {
    for item in items {
        let Value::Scalar(scalar) = &item.value else {
            let problem = Problem::new(item.span, "a host is a name").expected("a text");
            reading.sink.report(problem);
            continue;
        };
        let at: At = reading.at(item.span);
        match HostName::new(&scalar.text) {
            Ok(host) => {
                let own = vars.get(&scalar.text).cloned().unwrap_or_default();
                let port = None;
                reading.raw.add_host(host, &Place { at, port, group }, own);
            }
            Err(why) => {
                let message = format!("{} cannot be a host: {why}", quote(&scalar.text));
                reading.sink.report(Problem::new(item.span, message));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_asked_about_only_where_the_list_does_not_tell() {
        for (list, wanted) in [
            (
                r#"{"web": {"hosts": ["a", "b"]}, "db": ["b", "c"]}"#,
                "a b c",
            ),
            (
                r#"{"web": {"hosts": ["a"]}, "_meta": {"hostvars": {}}}"#,
                "",
            ),
            ("{}", ""),
            ("no JSON", ""),
        ] {
            assert_eq!(hosts_to_ask(list).join(" "), wanted, "{list}");
        }
    }
}
