//! Reads what the service manager says of a unit.

use super::UnitFound;
use crate::{evidence::context::Context, reading::Reading};

/// Reads `systemctl show` lines, `KEY=VALUE`, with `Context=` as one more; where there is no systemd,
/// `ActiveState` alone.
#[must_use]
pub fn parse(unit: &str, text: &str) -> Reading<UnitFound> {
    let value = |key: &str| {
        let mut lines = text.lines();
        let found = lines.find_map(|l| l.strip_prefix(key)?.strip_prefix('='));
        found.filter(|v| !v.is_empty())
    };
    if value("LoadState") == Some("not-found") {
        return Reading::missing("there is no such unit");
    }
    let Some(active) = value("ActiveState") else {
        return Reading::missing("the service manager does not answer");
    };
    let owned = |key| value(key).map(ToOwned::to_owned);
    Reading::Known(UnitFound {
        unit: unit.to_owned(),
        active: active.to_owned(),
        sub: owned("SubState"),
        result: owned("Result"),
        main_exit: main_exit(value("ExecMainCode"), value("ExecMainStatus")),
        restarts: value("NRestarts").and_then(|n| n.parse().ok()),
        fragment: owned("FragmentPath"),
        context: value("Context")
            .map(|c| c.trim_end_matches('\0'))
            .filter(|c| Context::parse(c).is_some())
            .map(ToOwned::to_owned),
    })
}

/// The end of the main process: `si_code` of `waitid(2)` and the status or signal; none while it runs, or
/// when it never ran.
fn main_exit(code: Option<&str>, status: Option<&str>) -> Option<String> {
    let word = match code? {
        "1" | "exited" => "exited",
        "2" | "killed" => "killed",
        "3" | "dumped" => "dumped",
        _ => return None,
    };
    Some(format!("{word} {}", status?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_unit_has_a_context_and_no_end() {
        let text = "LoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nExecMainCode=0\n\
                    ExecMainStatus=0\nNRestarts=2\nFragmentPath=/usr/lib/systemd/system/httpd.service\n\
                    Context=system_u:system_r:httpd_t:s0\0\n";
        let found = parse("httpd", text);
        let found = found.known().unwrap();
        assert_eq!((found.active.as_str(), &found.main_exit), ("active", &None));
        assert_eq!(
            found.context.as_deref(),
            Some("system_u:system_r:httpd_t:s0")
        );
        assert_eq!(found.restarts, Some(2));
        assert_eq!(
            found.fragment.as_deref(),
            Some("/usr/lib/systemd/system/httpd.service")
        );
    }

    #[test]
    fn an_end_is_told_in_words() {
        for (code, status, want) in [
            ("1", "1", Some("exited 1")),
            ("2", "9", Some("killed 9")),
            ("3", "11", Some("dumped 11")),
            ("0", "0", None),
            ("7", "0", None),
        ] {
            let text = format!(
                "ActiveState=failed\nResult=exit-code\nExecMainCode={code}\nExecMainStatus={status}\n"
            );
            let found = parse("httpd", &text);
            assert_eq!(found.known().unwrap().main_exit.as_deref(), want, "{code}");
        }
    }

    #[test]
    fn what_is_not_said_is_missing() {
        let gone = parse("htpd", "LoadState=not-found\nActiveState=inactive\n");
        assert_eq!(gone.why(), Some("there is no such unit"));
        assert!(parse("httpd", "").why().is_some());
        // SysV, and a host whose processes have no SELinux context.
        let old = parse("httpd", "ActiveState=active\nContext=unconfined\n");
        let old = old.known().unwrap();
        assert_eq!(
            (&old.sub, &old.restarts, &old.context),
            (&None, &None, &None)
        );
    }
}
