//! Ansible's YAML inventory → [`Inventory`].

use super::{
    Defaults, Inventory, check,
    range::{self, MAX_HOSTS},
    raw::{MAX_GROUPS, Place, Raw},
    resolve::{Resolved, resolve},
    vars::Vars,
};
use crate::{
    id::{GroupName, HostName},
    source::{
        Diagnostics, Problem, Sink, load,
        node::{Entry, Node, Value},
        quote,
        reader::{Field, Reader},
    },
};

/// Reads an inventory in Ansible's YAML format.
///
/// `file` is the name that diagnostics give the text; `defaults` stands in where the inventory is silent.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn parse(text: &str, file: &str, defaults: &Defaults) -> Result<Inventory, Diagnostics> {
    let sink = Sink::new(file, text);
    let Some(root) = load(&sink) else {
        return sink.finish(None);
    };
    let mut walk = Walk {
        sink: &sink,
        defaults,
        raw: Raw::default(),
        full: false,
    };
    let is_map = walk.root(&root);
    let raw = walk.raw;
    let hosts = is_map.then(|| resolve(&sink, &raw, defaults));
    if let Some(hosts) = &hosts {
        check::across_hosts(&sink, hosts);
    }
    let inventory = |hosts: Vec<Resolved>| Inventory {
        hosts: hosts.into_iter().map(|h| h.host).collect(),
    };
    sink.finish(hosts.map(inventory))
}

struct Walk<'w> {
    sink: &'w Sink<'w>,
    defaults: &'w Defaults,
    raw: Raw,
    /// Whether there is more than a file may hold: the rest is not read.
    full: bool,
}

impl<'w> Walk<'w> {
    fn root(&mut self, root: &'w Node) -> bool {
        let Some(reader) = Reader::new(self.sink, root, "an inventory") else {
            return false;
        };
        for field in reader.unasked() {
            match field.name {
                "hosts" | "vars" | "children" => {
                    let message = format!("`{}` stands outside of any group", field.name);
                    let problem = Problem::new(field.key_span, message);
                    self.sink.report(problem.help("put it under `all:`"));
                }
                "plugin" if matches!(field.node.value, Value::Scalar(_)) => {
                    let problem =
                        Problem::new(field.key_span, "inventory plugins are not supported");
                    let help =
                        "give patchgate the hosts: `ansible-inventory --list --yaml` prints them";
                    self.sink.report(problem.help(help));
                }
                _ => {
                    self.group(&field);
                }
            }
        }
        true
    }

    /// Reads a group and all under it; its name, where it has a good one.
    fn group(&mut self, field: &Field<'w>) -> Option<GroupName> {
        if self.full {
            return None;
        }
        let name = self.group_name(field)?;
        self.raw.group(&name);
        self.check_number(field, self.raw.groups.len(), MAX_GROUPS, "groups");
        if field.node.is_null() {
            return Some(name);
        }
        if let Some(reader) = Reader::new(self.sink, field.node, "a group") {
            self.sections(&reader, &name);
            reader.finish();
        }
        Some(name)
    }

    /// Reads what a group holds, in the order of the file: what comes later counts more.
    fn sections(&mut self, reader: &Reader<'w>, group: &GroupName) {
        let mut sections: Vec<Field<'w>> = ["hosts", "vars", "children"]
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

    fn group_name(&self, field: &Field<'_>) -> Option<GroupName> {
        match GroupName::new(field.name) {
            Ok(name) => Some(name),
            Err(why) => {
                let message = format!("{} cannot be a group: {why}", quote(field.name));
                self.sink.report(Problem::new(field.key_span, message));
                None
            }
        }
    }

    fn group_vars(&mut self, section: &Field<'w>, group: &GroupName) {
        if let Some(reader) = section.map("`vars`") {
            let vars = Vars::read(&reader, self.defaults);
            let known = &mut self.raw.group(group).vars;
            *known = vars.lay_over(std::mem::take(known));
        }
    }

    fn child(&mut self, child: &Field<'w>, parent: &GroupName) {
        let Some(name) = self.group(child) else {
            return;
        };
        if !self.raw.add_child(parent, &name) {
            let message = format!("`{name}` cannot be a child of `{parent}`");
            let help = format!("`{name}` stands above `{parent}` already");
            self.sink
                .report(Problem::new(child.key_span, message).help(help));
        }
    }

    /// Reads the keys of `hosts` or `children`: a map, or the one name alone.
    fn each(&mut self, section: &Field<'w>, mut take: impl FnMut(&mut Self, &Field<'w>)) {
        match &section.node.value {
            Value::Map(entries) => {
                for entry in entries {
                    if self.is_text(entry) {
                        take(self, &Field::of_entry(self.sink, entry));
                    }
                }
            }
            Value::Scalar(scalar) => {
                let span = section.node.span;
                take(self, &Field::without_value(self.sink, &scalar.text, span));
            }
            Value::Seq(_) => {
                let message = format!("`{}` cannot be a list", section.name);
                let problem = Problem::new(section.span(), message).expected("a map");
                let help = "write each name as a key, `web1:`, without a dash in front";
                self.sink.report(problem.help(help));
            }
            Value::Refused => {}
        }
    }

    /// Refuses names that Ansible would not read as text.
    fn is_text(&self, entry: &Entry) -> bool {
        let text = !entry.key.is_not_text_1_1();
        if !text {
            let message = format!("{} is not a name but a value", quote(&entry.key.text));
            let problem = Problem::new(entry.key_span, message);
            self.sink.report(problem.help("put it in quotes"));
        }
        text
    }

    fn hosts(&mut self, field: &Field<'w>, group: &GroupName) {
        if self.full {
            return;
        }
        let vars = if field.node.is_null() {
            Vars::default()
        } else {
            field
                .map("a host")
                .map_or_else(Vars::default, |r| Vars::read(&r, self.defaults))
        };
        let Some((names, port)) = self.host_names(field) else {
            return;
        };
        let place = Place {
            span: field.key_span,
            port,
            group,
        };
        for name in names {
            self.raw.add_host(name, &place, vars.clone());
        }
        self.check_number(field, self.raw.hosts.len(), MAX_HOSTS, "hosts");
    }

    fn check_number(&mut self, field: &Field<'_>, number: usize, most: usize, of: &str) {
        if number > most && !self.full {
            self.full = true;
            let message = format!("this inventory has more than {most} {of}");
            self.sink.report(Problem::new(field.key_span, message));
        }
    }

    fn host_names(&self, field: &Field<'_>) -> Option<(Vec<HostName>, Option<u16>)> {
        let refuse = |why: &dyn std::fmt::Display, help: Option<&str>| {
            let message = format!("{} cannot be a host: {why}", quote(field.name));
            let problem = Problem::new(field.key_span, message);
            self.sink
                .report(problem.maybe_help(help.map(str::to_owned)));
        };
        let expanded = match range::expand(field.name) {
            Ok(expanded) => expanded,
            Err(why) => {
                refuse(&why, None);
                return None;
            }
        };
        let names: Result<Vec<_>, _> = expanded.names.iter().map(|n| HostName::new(n)).collect();
        match names {
            Ok(names) => Some((names, expanded.port)),
            Err(why) => {
                refuse(&why, help_for_name(field.name));
                None
            }
        }
    }
}

fn help_for_name(name: &str) -> Option<&'static str> {
    if name.contains('@') {
        return Some("put the login into `ansible_user`");
    }
    if name.matches(':').count() > 1 {
        return Some("give the host a name and put the address into `ansible_host`");
    }
    None
}
