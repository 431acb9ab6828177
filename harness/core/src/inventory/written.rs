//! From texts to hosts: reads everything, lets a pattern choose, and settles what the chosen hosts need.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Defaults, Inventory, check,
    given::At,
    ini,
    input::{Form, Part, Place, Text},
    limit::{Limit, LimitError},
    login::Settling,
    raw::{ALL, Raw, UNGROUPED},
    resolve::{self, Resolved},
    script,
    sinks::Sinks,
    ssh_config::SshConfig,
    vars::{Vars, Whence},
    vars_files, yaml,
};
use crate::{
    id::{GroupName, HostName},
    source::{Diagnostics, Problem, Sink, Span},
};

/// One text that is being read, and what is known so far of the whole inventory.
pub(super) struct Reading<'r> {
    pub(super) sink: &'r Sink<'r>,
    pub(super) whence: Whence<'r>,
    pub(super) raw: &'r mut Raw,
}

impl Reading<'_> {
    /// The place of a stretch of this text.
    pub(super) fn at(&self, span: Span) -> At {
        let file = self.whence.file;
        At { file, span }
    }

    /// Refuses a text that is encrypted as a whole; true where it is.
    pub(super) fn refuse_vault(&self) -> bool {
        const HEADER: &str = "$ANSIBLE_VAULT";
        let found = self.sink.source().text().starts_with(HEADER);
        if found {
            let span = Span {
                start: 0,
                end: HEADER.len(),
            };
            let problem = Problem::new(span, "this file is encrypted with Ansible Vault");
            self.sink.report(problem.help(
                "patchgate opens no vault, and cannot know what is in it: keep the connection variables \
                 in a file of their own, and give patchgate an inventory without this one",
            ));
        }
        found
    }

    /// Refuses what tells an inventory plugin where to look for hosts.
    pub(super) fn refuse_plugin(&self, span: Span) {
        let problem = Problem::new(span, "inventory plugins are not supported");
        let help = "give patchgate the hosts: `ansible-inventory --list --yaml` prints them";
        self.sink.report(problem.help(help));
    }
}

/// An inventory that was read: its hosts, and everything that is wrong with it so far.
#[derive(Debug)]
pub struct Written<'i> {
    defaults: &'i Defaults,
    sinks: Sinks<'i>,
    config: SshConfig,
    raw: Raw,
    /// The hosts that a pattern chose.
    chosen: Option<BTreeSet<HostName>>,
}

/// Reads the texts of an inventory; places that come later count more, as several `-i` do in Ansible.
#[must_use]
pub fn read<'i>(places: &'i [Place], defaults: &'i Defaults) -> Written<'i> {
    let mut written = Written {
        defaults,
        sinks: Sinks::default(),
        config: SshConfig::default(),
        raw: Raw::default(),
        chosen: None,
    };
    for place in places {
        for part in &place.parts {
            written.part(place, part);
        }
    }
    for place in places {
        written.vars_of(place);
    }
    written.config = SshConfig::read(&mut written.sinks, defaults);
    written
}

impl<'i> Written<'i> {
    fn part(&mut self, place: &'i Place, part: &'i Part) {
        let read = match &part.form {
            Form::Yaml => yaml::read,
            Form::Ini => ini::read,
            Form::Either => yaml::read_or_ini,
            Form::Script { hosts } => return self.script(place, &part.text, hosts),
        };
        self.text(place, &part.text, |reading| {
            if !reading.refuse_vault() {
                read(reading);
            }
        });
    }

    fn script(&mut self, place: &'i Place, list: &'i Text, hosts: &'i [(String, Text)]) {
        self.text(place, list, script::read);
        for (name, text) in hosts {
            self.text(place, text, |reading| script::read_host(reading, name));
        }
    }

    fn text<T>(
        &mut self,
        place: &'i Place,
        text: &'i Text,
        read: impl FnOnce(&mut Reading<'_>) -> T,
    ) -> T {
        let sink = Sink::new(&text.file, &text.text);
        let whence = Whence {
            file: self.sinks.next(),
            base_dir: &place.base_dir,
            home: &self.defaults.home,
        };
        let mut reading = Reading {
            sink: &sink,
            whence,
            raw: &mut self.raw,
        };
        let done = read(&mut reading);
        self.sinks.keep(sink);
        done
    }

    /// Reads the files of variables of all groups and hosts that there are.
    fn vars_of(&mut self, place: &'i Place) {
        let entries = vars_files::by_name(&place.group_vars);
        let known = self.raw.groups.keys().map(GroupName::as_str);
        let names: BTreeSet<String> = known.chain([ALL, UNGROUPED]).map(str::to_owned).collect();
        let mut groups = BTreeMap::new();
        for name in names {
            if let Some(entry) = entries.get(name.as_str()) {
                groups.insert(name, self.files(place, &entry.files));
            }
        }
        self.raw.group_files.push(groups);
        let entries = vars_files::by_name(&place.host_vars);
        let mut hosts = BTreeMap::new();
        for at in 0..self.raw.hosts.len() {
            let name = self.raw.hosts[at].name.clone();
            if let Some(entry) = entries.get(name.as_str()) {
                hosts.insert(name, self.files(place, &entry.files));
            }
        }
        self.raw.host_files.push(hosts);
    }

    fn files(&mut self, place: &'i Place, files: &'i [Text]) -> Vars {
        let mut vars = Vars::default();
        for file in files {
            let mut above = self.text(place, file, |reading| vars_files::read(reading));
            above.fill_from(&vars);
            vars = above;
        }
        vars
    }

    /// Whether nothing has been found wrong so far.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.sinks.is_clean()
    }

    /// Keeps the hosts that a pattern names; what is wrong with the others matters no more, as far as it
    /// is wrong with them alone.
    ///
    /// # Errors
    /// A part of the pattern that names nothing at all, or that this version cannot read.
    pub fn limit(&mut self, limit: &Limit) -> Result<(), LimitError> {
        let members = resolve::members(&self.raw);
        self.chosen = Some(limit.choose(&members)?);
        Ok(())
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Everything that is wrong, file by file, in the order of each.
    pub fn settle(self) -> Result<Inventory, Diagnostics> {
        let all = resolve::resolve(&self.raw);
        let is_chosen = |h: &&Resolved| self.chosen.as_ref().is_none_or(|c| c.contains(&h.name));
        let chosen: Vec<&Resolved> = all.iter().filter(is_chosen).collect();
        let settling = Settling {
            sinks: &self.sinks,
            config: &self.config,
            defaults: self.defaults,
        };
        let hosts: Vec<_> = chosen.iter().map(|h| settling.host(h)).collect();
        if all.is_empty() && self.is_clean() {
            let problem = Problem::new(Span::default(), "this inventory has no hosts");
            let help = "name them under `all:`, `hosts:`, each as a key: `web1:`";
            self.sinks.report(0, problem.help(help));
        }
        check::twins(&self.sinks, &all, &chosen);
        check::addresses(&self.sinks, &chosen, &hosts);
        let mistakes = self.sinks.finish();
        match mistakes.is_empty() {
            true => Ok(Inventory { hosts }),
            false => Err(mistakes),
        }
    }
}
