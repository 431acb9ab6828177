//! Certificates, from their own text: `openssl x509` words dates and names in another way in each
//! generation, is not on every host, and takes a second and a half on an emulated one.

mod base64;
mod der;

use crate::snapshot::system::Certificate;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Reads the first certificate of a PEM file: the one that a service presents as its own.
///
/// # Errors
/// What is wrong with it, in words.
pub fn of_pem(path: &str, text: &str) -> Result<Certificate, String> {
    let block = text
        .split_once(BEGIN)
        .and_then(|(_, rest)| rest.split_once(END));
    let (block, _) = block.ok_or("there is no certificate in it")?;
    let bytes = base64::decode(block).ok_or("its certificate is not base64")?;
    let read = der::read(&bytes).ok_or("its certificate is damaged")?;
    Ok(Certificate {
        path: path.to_owned(),
        not_before: read.not_before,
        not_after: read.not_after,
        subject: read.subject,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LAB: &str = include_str!("../../../tests/captured/snapshot/localhost.crt");
    const MANY: &str = include_str!("../../../tests/captured/snapshot/many-names.crt");

    #[test]
    fn certificates_of_openssl_are_read() {
        let lab = of_pem("/x.crt", LAB).unwrap();
        assert_eq!(lab.path, "/x.crt");
        assert_eq!(lab.subject, "CN = localhost");
        // Nov 25 15:40:06 2026 GMT and Nov 22 15:40:06 2036 GMT, as openssl words them.
        assert_eq!(
            (lab.not_before, lab.not_after),
            (1_795_621_206, 2_110_981_206)
        );
        let many = of_pem("/x.crt", MANY).unwrap();
        assert_eq!(
            many.subject,
            "C = CH, ST = Zürich, O = Böse & Co, \"Ltd\", OU = Web, CN = web1.example.com, \
             emailAddress = root@web1.example.com"
        );
        // Before the epoch, and "never" in the words of RFC 5280.
        assert_eq!(
            (many.not_before, many.not_after),
            (-31_438_555, 253_402_300_799)
        );
    }

    #[test]
    fn a_key_before_it_and_a_chain_behind_it_are_left_alone() {
        let text =
            format!("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n{MANY}{LAB}");
        assert_eq!(of_pem("/x", &text), of_pem("/x", MANY));
    }

    #[test]
    fn what_is_no_certificate_says_so() {
        for (text, why) in [
            ("", "there is no certificate in it"),
            (&LAB.replace(END, ""), "there is no certificate in it"),
            (&LAB.replace("MII", "!!!"), "its certificate is not base64"),
            (
                &format!("{BEGIN}\nMIIB\n{END}\n"),
                "its certificate is damaged",
            ),
            (&format!("{BEGIN}\n{END}\n"), "its certificate is damaged"),
        ] {
            assert_eq!(of_pem("/x", text).unwrap_err(), why);
        }
    }

    proptest! {
        /// Whatever a host sends, it is a certificate or it is not.
        #[test]
        fn no_text_is_too_odd(at in 0..800_usize, byte in "[A-Za-z0-9+/=!]{1,4}", text in any::<String>()) {
            let mut damaged = LAB.to_owned();
            if damaged.is_char_boundary(at) && at < damaged.len() {
                damaged.insert_str(at, &byte);
            }
            let _ = of_pem("/x", &damaged).is_ok();
            let _ = of_pem("/x", &format!("{BEGIN}{text}{END}")).is_ok();
        }
    }
}
