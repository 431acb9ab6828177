//! Package globs, as package managers match them.

use crate::package::Nevra;

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
    .any(|form| fits(glob.as_bytes(), form.as_bytes()))
}

/// `*` stands for anything, `?` for one character. Back to the last star where it does not fit.
fn fits(glob: &[u8], text: &[u8]) -> bool {
    let (mut g, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match glob.get(g) {
            Some(b'*') => {
                star = Some((g, t));
                g += 1;
            }
            Some(c) if *c == b'?' || *c == text[t] => {
                g += 1;
                t += 1;
            }
            Some(_) | None => match star {
                Some((at, from)) => {
                    g = at + 1;
                    t = from + 1;
                    star = Some((at, t));
                }
                None => return false,
            },
        }
    }
    glob[g..].iter().all(|c| *c == b'*')
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
