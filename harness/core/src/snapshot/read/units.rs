//! Units, as systemd and the service managers before it tell them.

use std::collections::BTreeMap;

use crate::snapshot::system::UnitState;

/// The units of `systemctl list-units --state=failed --no-legend --plain`. Before systemd 230 a bullet
/// stands before each, `●` or, in the C locale, `*`.
#[must_use]
pub fn failed(text: &str) -> Vec<String> {
    let unit = |line: &str| {
        let first = line
            .split_whitespace()
            .take(2)
            .find(|word| word.contains('.'))?;
        Some(first.to_owned())
    };
    text.lines().filter_map(unit).collect()
}

/// The name that people give a unit: without `.service`.
#[must_use]
pub fn short(unit: &str) -> &str {
    unit.strip_suffix(".service").unwrap_or(unit)
}

/// Reads `systemctl show -p Id -p ActiveState -p SubState -p Result UNIT…`: a paragraph a unit, in the
/// order of the question. A unit that was asked for under an alias keeps that name.
///
/// # Errors
/// When a paragraph does not say its state, or there are not as many as were asked for.
pub fn of_systemctl(asked: &[String], text: &str) -> Result<BTreeMap<String, UnitState>, String> {
    let paragraphs: Vec<&str> = text
        .split("\n\n")
        .filter(|p| !p.trim().is_empty())
        .collect();
    if paragraphs.len() != asked.len() {
        return Err(format!(
            "systemctl tells of {} units instead of {}",
            paragraphs.len(),
            asked.len()
        ));
    }
    let unit = |(name, paragraph): (&String, &&str)| {
        let state =
            state(paragraph).ok_or_else(|| format!("systemctl does not say how {name} is"))?;
        Ok((short(name).to_owned(), state))
    };
    asked.iter().zip(&paragraphs).map(unit).collect()
}

fn state(paragraph: &str) -> Option<UnitState> {
    let value = |key: &str| {
        let mut values = paragraph
            .lines()
            .filter_map(|l| l.strip_prefix(key)?.strip_prefix('='));
        values
            .next()
            .filter(|v| !v.is_empty())
            .map(ToOwned::to_owned)
    };
    Some(UnitState {
        active: value("ActiveState")?,
        sub: value("SubState"),
        result: value("Result"),
    })
}

/// What the exit status of `service UNIT status` means, by the Linux Standard Base; none where it says
/// that nobody knows.
#[must_use]
pub fn of_status(exit: u8) -> Option<UnitState> {
    let active = match exit {
        0 => "active",
        // Dead, and its pid or lock file is still there.
        1 | 2 => "failed",
        3 => "inactive",
        _ => return None,
    };
    Some(UnitState {
        active: active.to_owned(),
        sub: None,
        result: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_units_are_found_with_and_without_a_bullet() {
        let el9 = "httpd.service loaded failed failed The Apache HTTP Server\n\
                   backup.timer  loaded failed failed Nightly backup v1.2\n";
        assert_eq!(failed(el9), ["httpd.service", "backup.timer"]);
        for bullet in ["● ", "* ", "  "] {
            let line = format!("{bullet}kdump.service loaded failed failed Crash recovery\n");
            assert_eq!(failed(&line), ["kdump.service"]);
        }
        assert_eq!(failed(""), Vec::<String>::new());
    }

    #[test]
    fn units_keep_the_names_that_they_were_asked_by() {
        let text = "Id=httpd.service\nActiveState=failed\nSubState=failed\nResult=exit-code\n\n\
                    Id=dbus-broker.service\nActiveState=active\nSubState=running\nResult=success\n\n\
                    Id=web.socket\nActiveState=inactive\nSubState=dead\n";
        let asked = ["httpd", "dbus.service", "web.socket"].map(str::to_owned);
        let units = of_systemctl(&asked, text).unwrap();
        let names: Vec<_> = units.keys().map(String::as_str).collect();
        assert_eq!(names, ["dbus", "httpd", "web.socket"]);
        assert_eq!(units["httpd"].result.as_deref(), Some("exit-code"));
        assert_eq!(units["web.socket"].result, None);
    }

    #[test]
    fn the_units_of_a_lab_guest_are_read() {
        let list = include_str!("../../../tests/captured/snapshot/lab.failed");
        assert_eq!(failed(list), ["boom.service", "eater.service"]);
        // sshd is an alias there; the properties come in an order of their own.
        let asked = ["httpd", "sshd", "nosuch", "boom.service", "eater.service"].map(str::to_owned);
        let text = include_str!("../../../tests/captured/snapshot/lab.units");
        let units = of_systemctl(&asked, text).unwrap();
        let told: Vec<_> = units
            .iter()
            .map(|(n, u)| (n.as_str(), u.active.as_str(), u.result.as_deref().unwrap()))
            .collect();
        assert_eq!(
            told,
            [
                ("boom", "failed", "exit-code"),
                ("eater", "failed", "oom-kill"),
                ("httpd", "inactive", "success"),
                ("nosuch", "inactive", "success"),
                ("sshd", "active", "success"),
            ]
        );
    }

    #[test]
    fn a_unit_without_a_state_is_no_unit() {
        let asked = ["httpd".to_owned()];
        assert!(of_systemctl(&asked, "").is_err());
        assert!(of_systemctl(&asked, "Id=httpd.service\n").is_err());
    }

    #[test]
    fn exit_statuses_of_sysv_scripts_are_states() {
        let states = [0, 1, 2, 3, 4, 150].map(|n| of_status(n).map(|s| s.active));
        let word = |w: &str| Some(w.to_owned());
        assert_eq!(
            states,
            [
                word("active"),
                word("failed"),
                word("failed"),
                word("inactive"),
                None,
                None
            ]
        );
    }
}
