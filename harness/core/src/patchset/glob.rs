//! Package globs, as package managers match them.

use crate::{package::Nevra, wildcard};

/// Whether a glob of `exclude` fits a package: its name, or any of the longer forms that package managers
/// take (`name.arch`, `name-version`, `name-version-release`, with architecture, with epoch).
#[must_use]
pub fn excludes(glob: &str, package: &Nevra) -> bool {
    let Nevra {
        name,
        epoch,
        version,
        release,
        arch,
    } = package;
    [
        name.clone(),
        format!("{name}.{arch}"),
        format!("{name}-{version}"),
        format!("{name}-{version}-{release}"),
        format!("{name}-{version}-{release}.{arch}"),
        format!("{name}-{epoch}:{version}-{release}"),
        format!("{name}-{epoch}:{version}-{release}.{arch}"),
        format!("{epoch}:{name}-{version}-{release}.{arch}"),
    ]
    .iter()
    .any(|form| wildcard::glob(glob, form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_name_is_matched() {
        let openssl = Nevra::parse_query("openssl-libs 1 3.0.7 25.el9_3 x86_64").unwrap();
        for (glob, wanted) in [
            ("openssl-libs", true),
            ("openssl*", true),
            ("*", true),
            ("**", true),
            ("*-libs", true),
            ("openssl-lib?", true),
            ("openssl-libs.x86_64", true),
            ("openssl-libs-3.0.7*", true),
            ("1:openssl*", true),
            ("openssl-libs-1:3.0.7-25.el9_3", true),
            ("openssl", false),
            ("openssl-libs.i686", false),
            ("?", false),
            ("*kernel*", false),
            ("openssl-libs-3.0.8*", false),
        ] {
            assert_eq!(excludes(glob, &openssl), wanted, "{glob}");
        }
    }
}
