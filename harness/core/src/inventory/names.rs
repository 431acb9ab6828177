//! Names of groups and hosts as a text gives them.

use super::{
    range::{self, MAX_HOSTS},
    raw::{MAX_GROUPS, Place},
    vars::Vars,
    written::Reading,
};
use crate::{
    id::{GroupName, HostName},
    source::{Problem, Span, quote},
};

impl Reading<'_> {
    /// Takes a group of a name; none where it cannot be one, which is reported.
    pub(super) fn group(&mut self, name: &str, span: Span) -> Option<GroupName> {
        if self.raw.full {
            return None;
        }
        match GroupName::new(name) {
            Ok(group) => {
                self.raw.group(&group);
                self.check_number(span, self.raw.groups.len(), MAX_GROUPS, "groups");
                Some(group)
            }
            Err(why) => {
                let message = format!("{} cannot be a group: {why}", quote(name));
                self.sink.report(Problem::new(span, message));
                None
            }
        }
    }

    /// Puts a group under another, or says why it cannot stand there.
    pub(super) fn child(&mut self, parent: &GroupName, child: &GroupName, span: Span) {
        if !self.raw.add_child(parent, child) {
            let message = format!("`{child}` cannot be a child of `{parent}`");
            let help = format!("`{child}` stands above `{parent}` already");
            self.sink.report(Problem::new(span, message).help(help));
        }
    }

    /// Puts the hosts that a pattern stands for into a group.
    pub(super) fn hosts(&mut self, pattern: &str, span: Span, group: &GroupName, vars: &Vars) {
        if self.raw.full {
            return;
        }
        let Some((names, port)) = self.host_names(pattern, span) else {
            return;
        };
        let at = self.at(span);
        let place = Place { at, port, group };
        for name in names {
            self.raw.add_host(name, &place, vars.clone());
        }
        self.check_number(span, self.raw.hosts.len(), MAX_HOSTS, "hosts");
    }

    fn check_number(&mut self, span: Span, number: usize, most: usize, of: &str) {
        if number > most && !self.raw.full {
            self.raw.full = true;
            let message = format!("this inventory has more than {most} {of}");
            self.sink.report(Problem::new(span, message));
        }
    }

    fn host_names(&self, pattern: &str, span: Span) -> Option<(Vec<HostName>, Option<u16>)> {
        let refuse = |why: &dyn std::fmt::Display, help: Option<&str>| {
            let message = format!("{} cannot be a host: {why}", quote(pattern));
            let problem = Problem::new(span, message);
            self.sink
                .report(problem.maybe_help(help.map(str::to_owned)));
        };
        let expanded = match range::expand(pattern) {
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
                refuse(&why, help_for_name(pattern));
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
