//! The types of audit records, by name and by number.

/// The type of one audit record, as far as patchgate tells types apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordKind<'a> {
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
    /// `EOE` (1320): the kernel has said all of an event; auditd of EL5 and EL6 writes it.
    EndOfEvent,
    /// `PROCTITLE` (1327): the command line, the last record of an event from EL7 on.
    Proctitle,
    /// `DAEMON_START` (1200): auditd started.
    DaemonStart,
    /// `DAEMON_END` (1201) or `DAEMON_ABORT` (1202): auditd stopped.
    DaemonEnd,
    /// Any other type, as it was written.
    Other(&'a str),
    /// No audit record was recognised in this text.
    Unrecognized,
}

impl<'a> RecordKind<'a> {
    /// Reads a type as logs write it: `AVC`, `1400`, `UNKNOWN[1323]`, `AUDIT1420`, `<audit-1420>`.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        Self::from_name(text)
            .or_else(|| Self::from_number(number(text)?))
            .unwrap_or(Self::Other(text))
    }

    /// True for the record that the kernel writes last about an event.
    pub(super) fn ends_event(self) -> bool {
        self == Self::EndOfEvent || self == Self::Proctitle
    }

    /// True for what auditd writes of itself; such records have numbers of their own.
    pub(super) fn is_of_auditd(self) -> bool {
        let named = matches!(self, Self::Other(name) if name.starts_with("DAEMON_"));
        named || self == Self::DaemonStart || self == Self::DaemonEnd
    }

    /// True for the types whose records can be decisions.
    pub(super) fn may_decide(self) -> bool {
        match self {
            Self::Avc | Self::UserAvc | Self::SelinuxErr => true,
            Self::UserSelinuxErr
            | Self::AvcPath
            | Self::MacPolicyLoad
            | Self::MacStatus
            | Self::MacConfigChange
            | Self::User
            | Self::Syscall
            | Self::Path
            | Self::Cwd
            | Self::ConfigChange
            | Self::EndOfEvent
            | Self::Proctitle
            | Self::DaemonStart
            | Self::DaemonEnd
            | Self::Other(_)
            | Self::Unrecognized => false,
        }
    }

    /// True for what speaks of the policy, its mode or the audit system itself, and for text that
    /// is no record.
    pub(super) fn is_notable(self) -> bool {
        match self {
            Self::SelinuxErr
            | Self::UserSelinuxErr
            | Self::MacPolicyLoad
            | Self::MacStatus
            | Self::MacConfigChange
            | Self::ConfigChange
            | Self::DaemonStart
            | Self::DaemonEnd
            | Self::Unrecognized => true,
            Self::Avc
            | Self::UserAvc
            | Self::AvcPath
            | Self::User
            | Self::Syscall
            | Self::Path
            | Self::Cwd
            | Self::EndOfEvent
            | Self::Proctitle
            | Self::Other(_) => false,
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
            1320 => Self::EndOfEvent,
            1327 => Self::Proctitle,
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
            "EOE" => Self::EndOfEvent,
            "PROCTITLE" => Self::Proctitle,
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

/// Reads the number in `1400`, `UNKNOWN[1400]`, `AUDIT1400` or `<audit-1400>`.
fn number(text: &str) -> Option<u16> {
    let inside = |before: &str, after: &str| text.strip_prefix(before)?.strip_suffix(after);
    let digits = inside("UNKNOWN[", "]")
        .or_else(|| inside("<audit-", ">"))
        .or_else(|| inside("AUDIT", ""));
    digits.unwrap_or(text).parse().ok()
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
            assert_eq!(RecordKind::parse(text), RecordKind::Other(text));
        }
    }
}
