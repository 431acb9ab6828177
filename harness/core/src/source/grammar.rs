//! The forms of names that reach a command line on a host.
//!
//! They are quoted there as well; here they are held to what their owners allow, so that no file can
//! smuggle an option, a list or a command in.

/// Whether a text has 1 to `most` characters, begins with a letter, a digit or one of `first`, and goes on
/// with letters, digits or characters of `rest`.
fn is_made_of(text: &str, most: usize, first: &str, rest: &str) -> bool {
    let one_of = |c: char, set: &str| c.is_ascii_alphanumeric() || set.contains(c);
    text.len() <= most
        && text.starts_with(|c| one_of(c, first))
        && text.chars().all(|c| one_of(c, rest))
}

/// Whether this is a package's name, as RPM allows it.
#[must_use]
pub fn is_package(text: &str) -> bool {
    is_made_of(text, 255, "_", "._+-")
}

/// What [`is_package`] takes.
pub const PACKAGE: &str = "a package's name, as `httpd`";

/// Whether this is a package's name, version or both, with `*` and `?` standing for anything.
#[must_use]
pub fn is_package_glob(text: &str) -> bool {
    is_made_of(text, 255, "_*?", "._+:~^*?-")
}

/// What [`is_package_glob`] takes.
pub const PACKAGE_GLOB: &str = "a package's name, `*` and `?` standing for anything, as `kernel*`";

/// Whether this is the id of a repository, with `*` and `?` standing for anything.
#[must_use]
pub fn is_repository(text: &str) -> bool {
    is_made_of(text, 255, "_*?", "._:+*?-")
}

/// What [`is_repository`] takes.
pub const REPOSITORY: &str = "a repository's id, `*` and `?` standing for anything, as `updates`";

/// Whether this is a unit's name, with or without its suffix.
#[must_use]
pub fn is_unit(text: &str) -> bool {
    is_made_of(text, 255, "_", "._:@-")
}

/// What [`is_unit`] takes.
pub const UNIT: &str = "a unit's name, as `httpd` or `httpd.service`";

/// Whether this is a name of the SELinux policy: a type or a boolean.
#[must_use]
pub fn is_policy_name(text: &str) -> bool {
    is_made_of(text, 128, "_", "_") && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// What a domain must be.
pub const DOMAIN: &str = "an SELinux type, as `httpd_t`";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_names_are_taken() {
        for (is_good, names) in [
            (
                is_package as fn(&str) -> bool,
                "httpd gtk+ libstdc++ selinux-policy-targeted 389-ds-base",
            ),
            (
                is_package_glob,
                "kernel* *-debuginfo glibc-2.12-1.107.el6_4.2 1:openssl* python3?",
            ),
            (
                is_repository,
                "updates epel* * rhel-6-server-rpms:6.4 copr:x.org:group_a:b",
            ),
            (
                is_unit,
                "httpd httpd.service getty@tty1.service dbus-org.x:1",
            ),
            (is_policy_name, "httpd_t httpd_can_network_connect _x"),
        ] {
            for name in names.split(' ') {
                assert!(is_good(name), "{name}");
            }
        }
    }

    #[test]
    fn nothing_that_a_shell_or_a_tool_would_read_otherwise_is_taken() {
        for bad in [
            "",
            "-x",
            "--setopt=x",
            "a b",
            "a;b",
            "a,b",
            "$(id)",
            "`id`",
            "a\nb",
            "a'b",
            "a\"b",
            "a|b",
            "a&b",
            "../x",
            "a/b",
            "a\\b",
            "é",
            "!a",
            "a>b",
            "{a,b}",
        ] {
            for is_good in [
                is_package,
                is_package_glob,
                is_repository,
                is_unit,
                is_policy_name,
            ] {
                assert!(!is_good(bad), "{bad}");
            }
        }
        assert!(!is_policy_name("system_u:system_r:httpd_t:s0"));
        assert!(!is_policy_name("1st"));
        assert!(!is_package("kernel*"));
    }
}
