//! The types of audit records, by name and by number.

/// The type of one audit record, as far as patchgate tells types apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordKind {
    /// `AVC` (1400): a decision of the kernel's access vector cache; AppArmor uses the type too.
    Avc,
    /// `USER_AVC` (1107): a decision or notice of a userspace object manager (dbus, systemd).
    UserAvc,
    /// `SELINUX_ERR` (1401): the policy itself refused or could not compute something.
    SelinuxErr,
    /// `USER_SELINUX_ERR` (1122): the same from userspace.
    UserSelinuxErr,
    /// `AVC_PATH` (1402): the path of the object of an EL5 denial.
    AvcPath,
    /// `MAC_POLICY_LOAD` (1403): a policy was loaded into the kernel.
    MacPolicyLoad,
    /// `MAC_STATUS` (1404): enforcing or permissive was set.
    MacStatus,
    /// `MAC_CONFIG_CHANGE` (1405): a boolean was set.
    MacConfigChange,
    /// `USER` (1005): free text of a privileged user process, as `auditctl -m` writes it.
    User,
    /// `SYSCALL` (1300): the system call of the event.
    Syscall,
    /// `PATH` (1302): a file that the system call named.
    Path,
    /// `CWD` (1307): the directory in which the system call was made.
    Cwd,
    /// `CONFIG_CHANGE` (1305): the audit system's own settings changed.
    ConfigChange,
    /// `DAEMON_START` (1200): auditd started.
    DaemonStart,
    /// `DAEMON_END` (1201) or `DAEMON_ABORT` (1202): auditd stopped.
    DaemonEnd,
    /// Any other type, as it was written.
    Other(String),
    /// No audit record was recognised in this text.
    Unrecognized,
}

impl RecordKind {
    /// Reads a type as logs write it: `AVC`, `1400`, `UNKNOWN[1323]`, `AUDIT1420`, `<audit-1420>`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let digits = text
            .strip_prefix("UNKNOWN[")
            .and_then(|rest| rest.strip_suffix(']'))
            .or_else(|| {
                text.strip_prefix("<audit-")
                    .and_then(|rest| rest.strip_suffix('>'))
            })
            .or_else(|| text.strip_prefix("AUDIT"))
            .unwrap_or(text);
        match digits.parse::<u16>() {
            Ok(number) => Self::from_number(number).unwrap_or_else(|| Self::Other(text.to_owned())),
            Err(_) => Self::from_name(text).unwrap_or_else(|| Self::Other(text.to_owned())),
        }
    }

    /// Finds the kind that the kernel's and libaudit's headers give a type number.
    fn from_number(number: u16) -> Option<Self> {
        Some(match number {
            1005 => Self::User,
            1107 => Self::UserAvc,
            1122 => Self::UserSelinuxErr,
            1200 => Self::DaemonStart,
            1201 | 1202 => Self::DaemonEnd,
            1300 => Self::Syscall,
            1302 => Self::Path,
            1305 => Self::ConfigChange,
            1307 => Self::Cwd,
            1400 => Self::Avc,
            1401 => Self::SelinuxErr,
            1402 => Self::AvcPath,
            1403 => Self::MacPolicyLoad,
            1404 => Self::MacStatus,
            1405 => Self::MacConfigChange,
            _ => return None,
        })
    }

    /// Finds the kind that auditd writes under this name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "USER" => Self::User,
            "USER_AVC" => Self::UserAvc,
            "USER_SELINUX_ERR" => Self::UserSelinuxErr,
            "DAEMON_START" => Self::DaemonStart,
            "DAEMON_END" | "DAEMON_ABORT" => Self::DaemonEnd,
            "SYSCALL" => Self::Syscall,
            "PATH" => Self::Path,
            "CONFIG_CHANGE" => Self::ConfigChange,
            "CWD" => Self::Cwd,
            "AVC" => Self::Avc,
            "SELINUX_ERR" => Self::SelinuxErr,
            "AVC_PATH" => Self::AvcPath,
            "MAC_POLICY_LOAD" => Self::MacPolicyLoad,
            "MAC_STATUS" => Self::MacStatus,
            "MAC_CONFIG_CHANGE" => Self::MacConfigChange,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::RecordKind;

    #[test]
    fn a_type_is_read_in_every_spelling() {
        for text in ["AVC", "1400", "UNKNOWN[1400]", "AUDIT1400", "<audit-1400>"] {
            assert_eq!(RecordKind::parse(text), RecordKind::Avc, "{text}");
        }
        for text in ["USER_AVC", "1107"] {
            assert_eq!(RecordKind::parse(text), RecordKind::UserAvc, "{text}");
        }
        assert_eq!(RecordKind::parse("DAEMON_ABORT"), RecordKind::DaemonEnd);
    }

    #[test]
    fn a_type_that_nobody_knows_is_kept_as_written() {
        for text in [
            "UNKNOWN[1323]",
            "AUDIT1420",
            "SOFTWARE_UPDATE",
            "99999999",
            "",
        ] {
            assert_eq!(RecordKind::parse(text), RecordKind::Other(text.to_owned()));
        }
    }
}
