//! Ansible's YAML inventories.

use super::{ini, vars::Vars, written::Reading};
use crate::{
    id::GroupName,
    source::{
        Problem, Sink, Span, load_ansible,
        node::{Entry, Node, Value},
        quote,
        reader::{Field, Reader},
    },
};

/// Reads a YAML text.
pub(super) fn read(reading: &mut Reading<'_>) {
    let clean = reading.sink.is_clean();
    let root = load_ansible(reading.sink, super::MAX_INVENTORY_BYTES);
    match root {
        Some(root) => Walk { reading }.root(&root),
        None if clean && reading.sink.is_clean() => {
            let problem = Problem::new(Span::default(), "this file is empty");
            reading.sink.report(problem);
        }
        None => {}
    }
}

/// Reads a text without an extension: YAML where it is a map, else INI.
pub(super) fn read_or_ini(reading: &mut Reading<'_>) {
    let source = reading.sink.source();
    let trial = Sink::new(source.file(), source.text());
    let root = load_ansible(&trial, super::MAX_INVENTORY_BYTES);
    let is_map = |root: &Node| matches!(root.value, Value::Map(_));
    if root.is_some_and(|root| is_map(&root)) && !is_broken(&trial) {
        read(reading);
    } else {
        ini::read(reading);
    }
}

/// Whether a text is no YAML at all, also where a map could be read from its beginning.
fn is_broken(trial: &Sink<'_>) -> bool {
    trial.found_any(|message| message.starts_with("this is not YAML"))
}

struct Walk<'w, 'r> {
    reading: &'w mut Reading<'r>,
}

impl<'r> Walk<'_, 'r> {
    fn sink(&self) -> &'r Sink<'r> {
        self.reading.sink
    }

    fn root(&mut self, root: &Node) {
        let sink = self.sink();
        let Some(reader) = Reader::new(sink, root, "an inventory") else {
            return;
        };
        for field in reader.unasked() {
            match field.name {
                "hosts" | "vars" | "children" => {
                    let message = format!("`{}` stands outside of any group", field.name);
                    let problem = Problem::new(field.key_span, message);
                    sink.report(problem.help("put it under `all:`"));
                }
                "plugin" if matches!(field.node.value, Value::Scalar(_)) => {
                    self.reading.refuse_plugin(field.key_span);
                    // The other keys are the plugin's.
                    return;
                }
                _ => {
                    self.group(&field);
                }
            }
        }
    }

    /// Reads a group and all under it; its name, where it has a good one.
    fn group(&mut self, field: &Field<'_>) -> Option<GroupName> {
        let name = self.reading.group(field.name, field.key_span)?;
        if field.node.is_null() {
            return Some(name);
        }
        if let Some(reader) = Reader::new(self.sink(), field.node, "a group") {
            self.sections(&reader, &name);
            reader.finish();
        }
        Some(name)
    }

    /// Reads what a group holds, in the order of the file: what comes later counts more.
    fn sections(&mut self, reader: &Reader<'_>, group: &GroupName) {
        let mut sections: Vec<Field<'_>> = ["hosts", "vars", "children"]
            .into_iter()
            .filter_map(|key| reader.optional(key))
            .filter(|field| !field.node.is_null())
            .collect();
        sections.sort_by_key(|field| field.key_span);
        for section in sections {
            match section.name {
                "vars" => self.group_vars(&section, group),
                "children" => self.each(&section, |walk, child| walk.child(child, group)),
                _ => self.each(&section, |walk, host| walk.hosts(host, group)),
            }
        }
    }

    fn group_vars(&mut self, section: &Field<'_>, group: &GroupName) {
        if let Some(reader) = section.map("`vars`") {
            let vars = Vars::read(&reader, &self.reading.whence);
            self.reading.raw.add_group_vars(group, vars);
        }
    }

    fn child(&mut self, child: &Field<'_>, parent: &GroupName) {
        if let Some(name) = self.group(child) {
            self.reading.child(parent, &name, child.key_span);
        }
    }

    /// Reads the keys of `hosts` or `children`: a map, or the one name alone.
    fn each(&mut self, section: &Field<'_>, mut take: impl FnMut(&mut Self, &Field<'_>)) {
        match &section.node.value {
            Value::Map(entries) => {
                for entry in entries {
                    if self.is_text(entry) {
                        take(self, &Field::of_entry(section.sink(), entry));
                    }
                }
            }
            Value::Scalar(scalar) => {
                let span = section.node.span;
                take(
                    self,
                    &Field::without_value(section.sink(), &scalar.text, span),
                );
            }
            Value::Seq(_) => {
                let message = format!("`{}` cannot be a list", section.name);
                let problem = Problem::new(section.span(), message).expected("a map");
                let help = "write each name as a key, `web1:`, without a dash in front";
                self.sink().report(problem.help(help));
            }
            Value::Later(problem) => self.sink().report((**problem).clone()),
            Value::Refused => {}
        }
    }

    /// Refuses names that Ansible would not read as text.
    fn is_text(&self, entry: &Entry) -> bool {
        let text = !entry.key.is_not_text_1_1();
        if !text {
            let message = format!("{} is not a name but a value", quote(&entry.key.text));
            let problem = Problem::new(entry.key_span, message);
            self.sink().report(problem.help("put it in quotes"));
        }
        text
    }

    fn hosts(&mut self, field: &Field<'_>, group: &GroupName) {
        if self.reading.raw.full {
            return;
        }
        let vars = if field.node.is_null() {
            Vars::default()
        } else {
            field
                .map("a host")
                .map_or_else(Vars::default, |r| Vars::read(&r, &self.reading.whence))
        };
        self.reading.hosts(field.name, field.key_span, group, &vars);
    }
}
