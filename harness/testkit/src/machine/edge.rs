//! One end of a window, as the scripts print it.

use patchgate_core::evidence::marker::MarkerEnd;

use super::Machine;
use crate::ask::Edge;

impl Machine {
    /// Sends the marker and tells audit's state; what a script plans for the window comes after.
    pub(super) fn edge(&mut self, edge: &Edge) -> String {
        let Edge {
            end,
            marker,
            control,
            others,
        } = edge;
        match end {
            MarkerEnd::Begin => {
                let text = said("position", self.audit.position())
                    + &self.mark(marker)
                    + &self.other_logs(*others && self.audit.in_doubt(), marker)
                    + &self.control(control)
                    + &self.audit_state();
                self.opened(marker);
                text
            }
            MarkerEnd::End => {
                let text = self.control(control) + &self.other_logs(*others, marker);
                text + &self.mark(marker)
                    + &said("position", self.audit.position())
                    + &self.arrived(marker)
                    + &self.audit_state()
            }
        }
    }

    fn mark(&mut self, marker: &str) -> String {
        let sent = self.audit.tools.then(|| self.audit.marker(marker));
        let up = self.audit.uptime;
        said("marker", tool(sent.is_some(), "")) + &format!("marked={up}.20 {up}.30\n")
    }

    fn arrived(&self, marker: &str) -> String {
        let there = self.audit.readable && self.audit.holds(marker);
        if there { "arrived=1\n" } else { "" }.to_owned()
    }

    /// Marks the logs that stand in for auditd's.
    fn other_logs(&mut self, wanted: bool, marker: &str) -> String {
        if !wanted {
            return String::new();
        }
        let cursor = self.audit.cursor();
        self.audit.logger(marker);
        let none = || "there is no journal".to_owned();
        "weak=1\n".to_owned()
            + &said("cursor", cursor.map(|n| n.to_string()).ok_or_else(none))
            + &said("entry", cursor.map(|_| String::new()).ok_or_else(none))
            + &said("ring", Ok(String::new()))
            + &said("line", Err("there is no /dev/kmsg".to_owned()))
    }

    fn control(&mut self, name: &str) -> String {
        match self.enforcing {
            Some(true) => self.audit.control(name),
            Some(false) => "control=impossible SELinux does not enforce\n".to_owned(),
            None => "control=impossible there is no selinuxfs\n".to_owned(),
        }
    }

    /// Tells audit's state, without a marker.
    pub(super) fn audit_looked_at(&self) -> String {
        said("position", self.audit.position()) + &self.audit_state()
    }

    fn audit_state(&self) -> String {
        let tools = self.audit.tools;
        let mode = self.enforcing.map(|on| u8::from(on).to_string());
        let selinux = match mode {
            Some(mode) => "selinux=1\n".to_owned() + &said("mode", Ok(mode)),
            None => "selinux=0\nmode!no selinuxfs\n".to_owned(),
        };
        let kernel = self.kernel_log.clone().map(|lines| {
            let speaks = lines
                .iter()
                .filter(|l| l.contains("suppressed") || l.contains("audit_lost"));
            speaks.cloned().collect::<Vec<_>>().join("\n")
        });
        said("status", tool(tools, &self.audit.status()))
            + &said("rules", tool(tools, self.audit.rules))
            + &said("boot", Ok(self.boot_id()))
            + &selinux
            + &said("kernel", kernel)
    }
}

fn tool(there: bool, said: &str) -> Result<String, String> {
    if there {
        Ok(said.to_owned())
    } else {
        Err("sh: 4: auditctl: not found".to_owned())
    }
}

/// The shell's `say`.
fn said(key: &str, said: Result<String, String>) -> String {
    match said {
        Err(why) => format!("{key}!{why}\n"),
        Ok(text) => {
            let lines: String = text.split('\n').map(|l| format!("{key}:{l}\n")).collect();
            format!("{lines}{key}=ok\n")
        }
    }
}
