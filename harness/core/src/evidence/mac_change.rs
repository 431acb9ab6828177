//! Changes of policy, mode and booleans that the audit log records.

use serde::{Deserialize, Serialize};

use super::{
    fields::{Fields, Style},
    kind::RecordKind,
    record::{Record, Stamp},
};

/// What was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MacChangeKind {
    /// A policy was loaded (`semodule`, `load_policy`, `setsebool -P`, a policy package).
    PolicyLoad,
    /// Enforcing was set; `None` where the record does not say.
    Mode {
        /// The mode after it.
        enforcing: Option<bool>,
        /// The mode before it.
        was_enforcing: Option<bool>,
    },
    /// A boolean was set in the running policy.
    Boolean {
        /// Its name.
        name: String,
        /// Its value after it.
        value: Option<bool>,
        /// Its value before it.
        was: Option<bool>,
    },
}

impl MacChangeKind {
    /// False for a call that set what was set already.
    #[must_use]
    pub fn is_real(&self) -> bool {
        match self {
            Self::PolicyLoad => true,
            Self::Mode {
                enforcing,
                was_enforcing,
            } => enforcing.is_none() || enforcing != was_enforcing,
            Self::Boolean { value, was, .. } => value.is_none() || value != was,
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MacChange {
    /// What was changed.
    pub kind: MacChangeKind,
    /// When.
    pub stamp: Option<Stamp>,
    /// The record, verbatim.
    pub raw: String,
}

/// Reads the kernel's own record of a change.
///
/// The notices of userspace object managers (`avc:  received policyload notice`,
/// `avc:  op=load_policy …`) are no changes: dbus sends one whenever it happens to look.
#[must_use]
pub fn mac_change(record: &Record) -> Option<MacChange> {
    let fields = Fields::scan(record.body, Style::Raw);
    let flag = |key: &str| fields.number::<u32>(key).map(|value| value != 0);
    let kind = if record.kind == RecordKind::MacPolicyLoad {
        MacChangeKind::PolicyLoad
    } else if record.kind == RecordKind::MacStatus {
        MacChangeKind::Mode {
            enforcing: flag("enforcing"),
            was_enforcing: flag("old_enforcing"),
        }
    } else if record.kind == RecordKind::MacConfigChange {
        MacChangeKind::Boolean {
            name: fields.string("bool").unwrap_or_default(),
            value: flag("val"),
            was: flag("old_val"),
        }
    } else {
        return None;
    };
    Some(MacChange {
        kind,
        stamp: record.stamp,
        raw: record.raw.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{MacChangeKind as Kind, mac_change};
    use crate::evidence::record::{Grammar, parse};

    fn kinds(text: &str) -> Vec<Kind> {
        let records = parse(text, Grammar::AuditLog);
        records
            .iter()
            .filter_map(mac_change)
            .map(|change| change.kind)
            .collect()
    }

    #[test]
    fn a_lab_guest_shows_two_mode_changes_a_load_and_two_booleans() {
        let found = kinds(include_str!("../../tests/captured/audit/lab/mac.log"));
        let mode = |enforcing: bool| Kind::Mode {
            enforcing: Some(enforcing),
            was_enforcing: Some(!enforcing),
        };
        let boolean = |value: bool| Kind::Boolean {
            name: "httpd_can_network_connect".to_owned(),
            value: Some(value),
            was: Some(!value),
        };
        let wanted = [
            mode(false),
            mode(true),
            Kind::PolicyLoad,
            boolean(true),
            boolean(false),
        ];
        assert_eq!(found, wanted);
        assert!(found.iter().all(Kind::is_real));
    }

    #[test]
    fn the_forms_of_el6_are_read() {
        let text = "type=MAC_POLICY_LOAD msg=audit(1361930000.123:71): policy loaded auid=0 ses=2\n\
            type=MAC_STATUS msg=audit(1361930001.123:72): enforcing=1 old_enforcing=1 auid=0 ses=2";
        let found = kinds(text);
        assert_eq!(found[0], Kind::PolicyLoad);
        assert!(
            !found[1].is_real(),
            "setenforce 1 on an enforcing host changes nothing"
        );
    }
}
