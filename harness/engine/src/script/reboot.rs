//! A reboot: whether the host asks for one, the order, and what is seen of the host meanwhile.

use std::{fmt::Write as _, time::Duration};

use patchgate_core::{
    reading::Reading,
    reboot::{Advice, RebootSigns, read_advice},
};

use super::{answer, transaction::FIND, trouble, value};
use crate::host::{Exit, Item, Reply, lock, quote, state_dir::StateDir};

/// How long the package manager may take to give its advice: it reads its metadata first.
const ADVICE_WITHIN: Duration = Duration::from_secs(180);

/// Prints a file's first line as `key=value`.
const ONE: &str = "one() { v=; IFS= read -r v <\"$2\"; [ -n \"$v\" ] && printf '%s=%s\\n' \"$1\" \"$v\"; } 2>/dev/null\n\
                   one boot_id /proc/sys/kernel/random/boot_id\none machine_id /etc/machine-id\n";

/// Asks which boot of which machine it is, and when these packages were installed.
#[must_use]
pub fn times_item(packages: &[&str]) -> Item {
    let mut script = ONE.to_owned();
    let names: String = packages
        .iter()
        .map(|p| format!(" {}", quote::sh(p)))
        .collect();
    let _ = write!(
        script,
        "while read -r k v rest; do [ \"$k\" = btime ] && printf 'btime=%s\\n' \"$v\"; done </proc/stat\n\
         rpm -qa --queryformat 'installed %{{NAME}} %{{INSTALLTIME}}\\n'{names} && echo rpm=read\n\
         exit 0\n"
    );
    Item::new(script, Duration::from_secs(60))
}

/// Asks the host's package manager whether a reboot is needed. Packages alone are looked at, as far as dnf 4
/// goes; dnf5 also knows of advisories that ask for one, from the metadata that it has.
#[must_use]
pub fn advice_item() -> Item {
    let script = FIND.to_owned()
        + "case $pm in\n\
           yum) needs-restarting -r;;\n\
           dnf4) \"$p\" -q -C --disablerepo='*' needs-restarting -r;;\n\
           dnf5) \"$p\" -C needs-restarting -r;;\nesac 2>&1\n";
    Item::new(script, ADVICE_WITHIN)
}

/// Reads both answers.
#[must_use]
pub fn read_signs(times: &Reply, advice: &Reply) -> RebootSigns {
    let text = answer(times);
    let field = |key| {
        let found = |t: &String| value(t, key).map(ToOwned::to_owned);
        text.clone().and_parse(found, "the host does not say")
    };
    RebootSigns {
        boot_id: field("boot_id"),
        machine_id: field("machine_id"),
        advice: advised(advice),
        since_boot: text
            .clone()
            .and_parse(|t| since_boot(t), "rpm or the kernel does not say"),
    }
}

fn advised(reply: &Reply) -> Reading<Advice> {
    match &reply.exit {
        Exit::Code(code) if reply.stdout.is_complete() => read_advice(*code, &reply.stdout.text()),
        Exit::Code(_) => Reading::missing("the answer was too long"),
        other @ (Exit::DeadlineExceeded | Exit::NotRun { .. } | Exit::Lost { .. }) => {
            Reading::missing(trouble(other, ""))
        }
    }
}

/// The packages whose `installed NAME SECONDS` is later than `btime=SECONDS`; none where one of the two is
/// not there whole.
fn since_boot(text: &str) -> Option<Vec<String>> {
    let booted: u64 = value(text, "btime")?.trim().parse().ok()?;
    value(text, "rpm").filter(|v| *v == "read")?;
    let lines = text.lines().filter_map(|l| l.strip_prefix("installed "));
    let mut names = Vec::new();
    for line in lines {
        let (name, time) = line.split_once(' ')?;
        let installed: u64 = time.parse().ok()?;
        if installed > booted && !names.iter().any(|n| n == name) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Some(names)
}

/// Tells the host to reboot, if it is in this boot still and the run holds its lock: sent again, the order
/// does nothing to a host that has rebooted.
///
/// systemd's inhibitors are respected: who holds one has a reason.
#[must_use]
pub fn order_item(run: &str, boot_id: &str, dir: &StateDir) -> Item {
    let script = ORDER
        .replace("@OWNED@", &lock::owned_script(run, dir))
        .replace("@BOOT@", &quote::sh(boot_id));
    Item::new(script, Duration::from_secs(60))
}

const ORDER: &str = r#"reject() { printf 'pgreboot refused %s\n' "$*"; exit 0; }
@OWNED@[ "$held" = true ] || reject "the lock is not this run's"
b=; read -r b </proc/sys/kernel/random/boot_id
[ "$b" = @BOOT@ ] || { echo 'pgreboot done'; exit 0; }
sync
if command -v systemctl >/dev/null 2>&1; then said=$(systemctl --no-block reboot 2>&1)
else said=$(shutdown -r now 2>&1 </dev/null); fi && { echo 'pgreboot ordered'; exit 0; }
reject "exit status $?: $(printf '%s' "$said" | head -n 1)"
"#;

/// Reads what became of the order: whether it was not taken, for certain, and why.
///
/// # Errors
/// The reason. No answer is none: a host that goes down may well owe it.
pub fn read_order(reply: &Reply) -> Result<(), String> {
    let text = reply.stdout.text();
    let refused = text
        .lines()
        .find_map(|l| l.strip_prefix("pgreboot refused "));
    match (&reply.exit, refused) {
        (Exit::NotRun { why }, _) => Err(why.clone()),
        (_, Some(why)) => Err(why.to_owned()),
        (Exit::Code(_) | Exit::DeadlineExceeded | Exit::Lost { .. }, None) => Ok(()),
    }
}

/// What is seen of a host that is to come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The boot that it is in.
    pub boot_id: Reading<String>,
    /// `/etc/machine-id`.
    pub machine_id: Reading<String>,
    /// What its service manager says: `running`, `starting` …
    pub ready: Reading<String>,
}

impl Sight {
    /// Whether everything was started that was to be started: systemd(1), `is-system-running`.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let words = ["running", "degraded", "maintenance"];
        self.ready
            .known()
            .is_some_and(|w| words.contains(&w.as_str()))
    }
}

/// Asks which boot it is, and whether everything has started. EL6 has no service manager to ask; there the
/// last script of a boot leaves `/var/lock/subsys/local`.
#[must_use]
pub fn sight_item() -> Item {
    let script = ONE.to_owned()
        + "if command -v systemctl >/dev/null 2>&1; then r=$(systemctl is-system-running 2>/dev/null)\n\
           elif [ -e /var/lock/subsys/local ]; then r=running; else r=starting; fi\n\
           printf 'ready=%s\\n' \"$r\"\n";
    Item::new(script, Duration::from_secs(30))
}

/// Reads what is seen.
#[must_use]
pub fn read_sight(reply: &Reply) -> Sight {
    let text = answer(reply);
    let field = |key| {
        let found = |t: &String| {
            let value = value(t, key)?.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        text.clone().and_parse(found, "the host does not say")
    };
    Sight {
        boot_id: field("boot_id"),
        machine_id: field("machine_id"),
        ready: field("ready"),
    }
}

#[cfg(test)]
mod tests;
