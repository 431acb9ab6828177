//! One end of a window, as the scripts print it.

use patchgate_core::evidence::marker::MarkerEnd;

use super::Machine;

impl Machine {
    /// Sends the marker and tells audit's state; what a script plans for the window comes after.
    pub(super) fn edge(&mut self, end: MarkerEnd, marker: &str) -> String {
        let first = match end {
            MarkerEnd::Begin => self.audit.position(),
            MarkerEnd::End => Ok(String::new()),
        };
        let sent = self.audit.tools.then(|| self.audit.marker(marker));
        let mut text = match end {
            MarkerEnd::Begin => said("position", first) + &said("marker", tool(sent.is_some(), "")),
            MarkerEnd::End => {
                said("marker", tool(sent.is_some(), "")) + &said("position", self.audit.position())
            }
        };
        text += &self.audit_state();
        if end == MarkerEnd::Begin {
            self.opened(marker);
        }
        text
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
