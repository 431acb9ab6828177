//! Certificates, as `openssl x509` tells them.

use crate::snapshot::system::Certificate;

/// Reads `openssl x509 -noout -subject -startdate -enddate` of every generation.
///
/// # Errors
/// What could not be read: openssl's own first line, or what is missing in it.
pub fn of_openssl(path: &str, text: &str) -> Result<Certificate, String> {
    let value = |key: &str| {
        let line = text.lines().find_map(|l| l.strip_prefix(key))?;
        Some(line.trim())
    };
    let date = |key: &str| {
        let word = value(key).ok_or_else(|| format!("{path}: openssl does not say its {key}"))?;
        seconds(word).ok_or_else(|| format!("{path}: `{word}` is no date"))
    };
    Ok(Certificate {
        path: path.to_owned(),
        not_before: date("notBefore=")?,
        not_after: date("notAfter=")?,
        subject: value("subject=").unwrap_or_default().to_owned(),
    })
}

/// `Nov  5 15:49:11 2026 GMT`, in seconds since the epoch. The day is padded with a space.
fn seconds(date: &str) -> Option<i64> {
    let plain = date.split_whitespace().collect::<Vec<_>>().join(" ");
    let date = jiff::civil::DateTime::strptime("%b %d %H:%M:%S %Y GMT", plain).ok()?;
    let epoch = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);
    Some(date.duration_since(epoch).as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generation_of_openssl_is_read() {
        for (text, subject) in [
            (
                "subject= /C=--/O=SomeOrganization/CN=web1\nnotBefore=Feb  5 03:04:05 2013 GMT\nnotAfter=Feb  5 03:04:05 2014 GMT\n",
                "/C=--/O=SomeOrganization/CN=web1",
            ),
            (
                "subject=C = US, CN = web1\nnotBefore=Feb  5 03:04:05 2013 GMT\nnotAfter=Feb  5 03:04:05 2014 GMT\n",
                "C = US, CN = web1",
            ),
        ] {
            let read = of_openssl("/etc/pki/tls/certs/localhost.crt", text).unwrap();
            assert_eq!(read.subject, subject);
            assert_eq!(
                (read.not_before, read.not_after),
                (1_360_033_445, 1_391_569_445)
            );
        }
    }

    #[test]
    fn dates_before_the_epoch_and_far_ahead_are_dates() {
        assert_eq!(seconds("Dec 31 23:59:59 1969 GMT"), Some(-1));
        // "Never", in the words of RFC 5280.
        assert_eq!(seconds("Dec 31 23:59:59 9999 GMT"), Some(253_402_300_799));
        assert_eq!(seconds("soon"), None);
    }

    #[test]
    fn what_is_no_certificate_says_so() {
        let why = of_openssl("/x.crt", "unable to load certificate\n").unwrap_err();
        assert_eq!(why, "/x.crt: openssl does not say its notBefore=");
    }
}
