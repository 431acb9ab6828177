//! The answer of `auditctl -l`: rules that keep denials out of the log.
//!
//! Widely copied rule sets hold `-a always,exclude -F msgtype=AVC`. Measured: with it a denial
//! leaves no record, both markers arrive, and `lost` stays as it was. No counter shows it.

use super::kind::RecordKind;

/// The record types that a window must be able to show, by name and number.
const WATCHED: [(&str, u32); 3] = [("AVC", 1400), ("USER_AVC", 1107), ("SELINUX_ERR", 1401)];

/// Those of them that user processes send, which the kernel leads through a list of their own.
const USER_MESSAGES: [(&str, u32); 1] = [("USER_AVC", 1107)];

/// The rules that can drop a denial, each as it was written.
///
/// A rule of the exclude list drops what it matches whether it says `always` or `never`. One
/// without a record type (`-F subj_type=httpd_t`) drops all records of what it names. A rule
/// `never,user` drops messages of user processes, so the denials of dbus and systemd.
#[must_use]
pub fn excluding_rules(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| {
            let all = is_exclude(line) && can_match(line, &WATCHED);
            all || (drops_user_messages(line) && can_match(line, &USER_MESSAGES))
        })
        .map(str::to_owned)
        .collect()
}

/// True for a rule of the exclude list, as EL7 and later (`-a always,exclude`) or EL6
/// (`LIST_RULES: exclude,always`) print it.
fn is_exclude(line: &str) -> bool {
    words(line).any(|word| word == "exclude")
}

/// True for a rule that keeps messages of user processes out of the log.
fn drops_user_messages(line: &str) -> bool {
    words(line).any(|word| word == "user") && words(line).any(|word| word == "never")
}

/// List and action of a rule, in whatever order.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let list = line
        .strip_prefix("-a ")
        .or_else(|| line.strip_prefix("LIST_RULES:"));
    let list = list.and_then(|rest| rest.split_whitespace().next());
    list.unwrap_or("").split(',')
}

/// True when one of some types meets every condition on the type; no such condition means all.
fn can_match(line: &str, types: &[(&str, u32)]) -> bool {
    let conditions: Vec<&str> = line
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("msgtype"))
        .collect();
    types
        .iter()
        .any(|(_, number)| conditions.iter().all(|text| meets(*number, text)))
}

/// Tests `=AVC`, `!=1400`, `>=AVC` …; what cannot be read is taken to match.
fn meets(number: u32, condition: &str) -> bool {
    let value = condition.trim_start_matches(['=', '!', '<', '>']);
    let operator = &condition[..condition.len() - value.len()];
    let Some(limit) = type_number(value) else {
        return operator != "=" || RecordKind::from_name(value).is_none();
    };
    match operator {
        "=" => number == limit,
        "!=" => number != limit,
        "<" => number < limit,
        "<=" => number <= limit,
        ">" => number > limit,
        ">=" => number >= limit,
        _ => true,
    }
}

/// The number of a watched type, or a number as it stands.
fn type_number(value: &str) -> Option<u32> {
    let named = WATCHED
        .iter()
        .find(|(name, _)| *name == value)
        .map(|(_, number)| *number);
    named
        .or_else(|| value.parse().ok())
        .or_else(|| other_number(value))
}

/// The numbers of the other types that people exclude, so that they are not taken for ours.
fn other_number(value: &str) -> Option<u32> {
    Some(match value {
        "CWD" => 1307,
        "EOE" => 1320,
        "PATH" => 1302,
        "PROCTITLE" => 1327,
        "SYSCALL" => 1300,
        "CRYPTO_KEY_USER" => 2404,
        "CRYPTO_SESSION" => 2407,
        "CRED_ACQ" => 1103,
        "CRED_REFR" => 1110,
        "CRED_DISP" => 1104,
        "USER_START" => 1105,
        "USER_END" => 1106,
        "USER_ACCT" => 1101,
        "SERVICE_START" => 1130,
        "SERVICE_STOP" => 1131,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::excluding_rules;

    #[test]
    fn rules_that_can_drop_a_denial_are_found() {
        for rule in [
            "-a always,exclude -F msgtype=AVC",
            "-a never,exclude -F msgtype=AVC",
            "-a always,exclude -F msgtype>=AVC",
            "-a exclude,always -F msgtype=1400",
            "-a always,exclude -F msgtype=USER_AVC",
            "-a always,exclude -F subj_type=httpd_t",
            "-a always,exclude -F msgtype!=CWD",
            "LIST_RULES: exclude,always msgtype=AVC (0x578)",
            "-a always,exclude -F msgtype=NEVER_HEARD_OF",
            "-a always,exclude -F msgtype!=CONFIG_CHANGE",
            "-a always,exclude -F msgtype>=DAEMON_START",
            "-a never,user -F uid=81",
            "-a never,user -F subj_type=crond_t",
            "-a user,never -F msgtype=USER_AVC",
            "LIST_RULES: user,never uid=81 (0x51)",
        ] {
            assert_eq!(excluding_rules(rule), [rule]);
        }
    }

    #[test]
    fn other_rules_are_left_alone() {
        for rule in [
            "No rules",
            "",
            "-a never,task",
            "-a never,user -F msgtype=USER_START",
            "-a always,user -F uid=0",
            "-a always,exclude -F msgtype=CWD",
            "-a always,exclude -F msgtype=CRYPTO_KEY_USER",
            "-a always,exclude -F msgtype<USER_AVC",
            "-w /etc/exclude -p wa -k exclude",
            "-a always,exit -F arch=b64 -S open -F key=exclude",
        ] {
            assert!(excluding_rules(rule).is_empty(), "{rule}");
        }
    }

    #[test]
    fn the_list_of_a_lab_guest_is_read() {
        let text = include_str!("../../tests/captured/audit/lab/forms.rules");
        let found = excluding_rules(text);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found
                .iter()
                .all(|rule| rule.contains("exclude") && !rule.contains("CWD"))
        );
    }
}
