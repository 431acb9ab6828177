//! What a scripted host answers to the steps of a diagnosis.

use std::fmt::Write as _;

use patchgate_core::diagnosis::complaint;
use patchgate_engine::host::Reply;

use super::{
    Denied, Machine,
    answer::{ended, line, printed},
};
use crate::ask::StepAsk;

/// The file that a broken configuration is in.
const BROKEN: &str = "/etc/httpd/conf.d/broken.conf";

/// Files of httpd, and those in them.
const HTTPD: [&str; 5] = [
    "/usr/lib/systemd/system/httpd.service",
    "/usr/sbin/httpd",
    "/etc/httpd/",
    "/var/www/html",
    "/var/log/httpd",
];

impl Machine {
    /// Takes a step.
    pub(super) fn step(&self, ask: &StepAsk) -> Reply {
        match ask {
            StepAsk::Unit(unit) => printed(self.unit_in_words(unit)),
            StepAsk::Listeners => printed(self.sockets()),
            StepAsk::ErrorLog(path) if path == "/var/log/httpd/error_log" => {
                printed(self.error_log())
            }
            StepAsk::ErrorLog(_) => refused("there is no such file", 1),
            StepAsk::Journal(unit) => printed(self.journal(unit)),
            StepAsk::ConfigTest(_) => self.config_test(),
            StepAsk::Labels(_) if self.enforcing.is_none() => refused("there is no selinuxfs", 1),
            StepAsk::Labels(paths) => printed(self.wrong_labels(paths)),
            StepAsk::Owners(_) if !self.rpm => refused("there is no rpm", 127),
            StepAsk::Owners([logs, units, paths]) => printed(self.owners(logs, units, paths)),
        }
    }

    fn unit_in_words(&self, unit: &str) -> String {
        let Some(state) = self.units.get(unit) else {
            return "MainPID=0\nLoadState=not-found\nActiveState=inactive\nSubState=dead\n"
                .to_owned();
        };
        let (sub, result, exit, pid) = match state.as_str() {
            "active" => (
                "running",
                "success",
                "ExecMainCode=0\nExecMainStatus=0",
                283,
            ),
            "failed" => ("failed", "exit-code", "ExecMainCode=1\nExecMainStatus=1", 0),
            _ => ("dead", "success", "ExecMainCode=1\nExecMainStatus=0", 0),
        };
        let mut text = format!(
            "MainPID={pid}\nLoadState=loaded\nActiveState={state}\nSubState={sub}\nResult={result}\n{exit}\n\
             NRestarts=0\nFragmentPath=/usr/lib/systemd/system/{unit}.service\n"
        );
        if pid != 0 {
            text += "Context=system_u:system_r:httpd_t:s0\n";
        }
        text
    }

    fn sockets(&self) -> String {
        let mut text = "State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n\
                        LISTEN 0      128    0.0.0.0:22         0.0.0.0:*        users:((\"sshd\",pid=117,fd=3))\n"
            .to_owned();
        if self.is_up() {
            let _ = writeln!(
                text,
                "LISTEN 0      511    {}:80         0.0.0.0:*        users:((\"httpd\",pid=283,fd=4))",
                self.listens
            );
        }
        text
    }

    /// Whether httpd runs.
    fn is_up(&self) -> bool {
        self.units.get("httpd").is_some_and(|s| s == "active")
    }

    fn error_log(&self) -> String {
        let policy = self.enforced();
        let page = self.enforcing == Some(true) && self.denied == Some(Denied::Page);
        let said = match self.is_up() {
            true if policy.is_some_and(|p| !p.may_accept()) => {
                "[core:error] (13)Permission denied: AH02179: apr_socket_accept: (client socket)"
            }
            false if policy.is_some_and(|p| !p.may_listen()) => {
                "(13)Permission denied: AH00073: make_sock: unable to listen for connections on address 0.0.0.0:80"
            }
            true if page => {
                "[core:error] (13)Permission denied: AH00132: file permissions deny server access: \
                 /var/www/html/index.html"
            }
            true | false => {
                "[mpm_prefork:notice] AH00163: Apache/2.4.57 configured -- resuming normal operations"
            }
        };
        format!("{said}\n")
    }

    fn journal(&self, unit: &str) -> String {
        match self.units.get(unit).map(String::as_str) {
            Some("failed") => format!(
                "{unit}.service: Main process exited, code=exited, status=1/FAILURE\n\
                 {unit}.service: Failed with result 'exit-code'.\n"
            ),
            Some(_) | None => "-- No entries --\n".to_owned(),
        }
    }

    fn config_test(&self) -> Reply {
        if !self.config_broken {
            return ended((0, "Syntax OK\n\nexit=0\n".to_owned(), String::new()), 60);
        }
        let said = format!(
            "AH00526: Syntax error on line 7 of {BROKEN}:\n\
             Invalid command 'Bogus', perhaps misspelled or defined by a module not included in the \
             server configuration"
        );
        let owners = self.owned([BROKEN.to_owned()]);
        ended((0, format!("{said}\n\nexit=1\n"), owners), 90)
    }

    fn wrong_labels(&self, paths: &[String]) -> String {
        let page = "/var/www/html/index.html";
        let asked = paths.iter().any(|p| page.starts_with(p.as_str()));
        match self.denied {
            Some(Denied::Page) if asked => format!(
                "Would relabel {page} from unconfined_u:object_r:shadow_t:s0 to \
                 unconfined_u:object_r:httpd_sys_content_t:s0\n"
            ),
            Some(Denied::Page | Denied::Unnoticed | Denied::Accept | Denied::Listen) | None => {
                String::new()
            }
        }
    }

    fn owners(&self, logs: &[String], units: &[String], paths: &[String]) -> String {
        let said = if logs.is_empty() {
            String::new()
        } else {
            self.error_log()
        };
        let named = complaint::places(&said).into_iter().map(|p| p.path);
        let of_unit = |u: &String| {
            [
                format!("/usr/lib/systemd/system/{u}.service"),
                format!("/usr/sbin/{u}"),
            ]
        };
        let all = named
            .chain(units.iter().flat_map(of_unit))
            .chain(paths.iter().cloned());
        self.owned(all.collect::<Vec<_>>())
    }

    /// rpm's word on each file.
    fn owned(&self, paths: impl IntoIterator<Item = String>) -> String {
        let httpd = self.packages.iter().find(|p| p.name == "httpd");
        let answer = |path: String| {
            let ours = HTTPD.iter().any(|f| path.starts_with(f));
            match httpd.filter(|_| ours) {
                Some(package) => format!("file:{path}\n{}", line(package)),
                None => format!("file:{path}\nfile {path} is not owned by any package\n"),
            }
        };
        paths.into_iter().map(answer).collect()
    }
}

fn refused(why: &str, exit: u8) -> Reply {
    ended((exit, String::new(), format!("{why}\n")), 0)
}
