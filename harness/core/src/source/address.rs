//! What a network address may look like: a host name or an IP address, and nothing that a library could
//! read in another way.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing at all, or more than 253 bytes.
    #[error("an address has 1 to 253 characters")]
    Length,
    /// `user@host`.
    #[error("the login does not belong into the address, but into `ansible_user`")]
    Login,
    /// `host:22`, or an IPv6 address in brackets.
    #[error("the port does not belong into the address, but into `ansible_port`")]
    Port,
    /// `fe80::1%eth0`.
    #[error("IPv6 zones are not supported by this version")]
    Zone,
    /// Letters outside ASCII.
    #[error("international names are written in their `xn--` form")]
    International,
    /// `10.1`, `0x7f.1`: some libraries take these for IPv4 addresses, others for names.
    #[error("it looks like an IPv4 address without being one")]
    Number,
    /// Anything else that no host name can hold.
    #[error("host names are made of letters, digits, `-`, `_` and single dots")]
    Form,
}

/// Checks that a text is a host name, an IPv4 or an IPv6 address.
///
/// # Errors
/// Why it is none.
pub fn check_address(text: &str) -> Result<(), AddressError> {
    if text.is_empty() || text.len() > 253 {
        return Err(AddressError::Length);
    }
    if text.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    if text.contains('@') {
        return Err(AddressError::Login);
    }
    if text.contains('%') {
        return Err(AddressError::Zone);
    }
    if text.contains([':', '[', ']']) {
        return Err(AddressError::Port);
    }
    if !text.is_ascii() {
        return Err(AddressError::International);
    }
    check_host_name(text)
}

fn check_host_name(text: &str) -> Result<(), AddressError> {
    let labels: Vec<&str> = text.strip_suffix('.').unwrap_or(text).split('.').collect();
    if !labels.iter().all(|l| is_label(l)) {
        return Err(AddressError::Form);
    }
    let last = labels[labels.len() - 1].to_ascii_lowercase();
    if last.chars().all(|c| c.is_ascii_digit()) || last.starts_with("0x") {
        return Err(AddressError::Number);
    }
    Ok(())
}

fn is_label(label: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=63).contains(&label.len())
        && label.chars().all(good)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Whether an address always means the machine that asks: `localhost`, `127.0.0.0/8`, `::1`, and the
/// unspecified addresses, which connect there too.
#[must_use]
pub fn is_loopback(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let v4 = |ip: Ipv4Addr| ip.is_loopback() || ip.is_unspecified();
    let v6 = |ip: Ipv6Addr| {
        ip.is_loopback() || ip.is_unspecified() || ip.to_ipv4_mapped().is_some_and(v4)
    };
    match name.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => v4(ip),
        Ok(IpAddr::V6(ip)) => v6(ip),
        Err(_) => {
            let local = [
                "localhost",
                "localhost4",
                "localhost6",
                "localhost.localdomain",
            ];
            local.contains(&name.as_str()) || name.ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_names_or_ip_addresses() {
        for good in [
            "web1",
            "web1.example.com",
            "web1.example.com.",
            "192.0.2.1",
            "2001:db8::1",
            "xn--bcher-kva.example",
            "a_b",
        ] {
            assert_eq!(check_address(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        for (bad, why) in [
            ("", AddressError::Length),
            ("root@web1", AddressError::Login),
            ("web1:22", AddressError::Port),
            ("[2001:db8::1]", AddressError::Port),
            ("fe80::1%eth0", AddressError::Zone),
            ("bücher.example", AddressError::International),
            ("10.1", AddressError::Number),
            ("2130706433", AddressError::Number),
            ("192.0.2.256", AddressError::Number),
            ("010.0.0.1", AddressError::Number),
            ("0x7f.0x1", AddressError::Number),
            ("-oProxyCommand=x", AddressError::Form),
            ("web..1", AddressError::Form),
            ("web1 ", AddressError::Form),
            ("a/b", AddressError::Form),
        ] {
            assert_eq!(check_address(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn loopback_is_seen_in_every_spelling() {
        for yes in [
            "localhost",
            "LOCALHOST.",
            "x.localhost",
            "127.0.0.1",
            "127.1.2.3",
            "::1",
            "0:0:0:0:0:0:0:1",
            "::ffff:127.0.0.1",
            "0.0.0.0",
            "::",
        ] {
            assert!(is_loopback(yes), "{yes}");
        }
        for no in ["web1", "192.0.2.1", "localhost.example.com", "2001:db8::1"] {
            assert!(!is_loopback(no), "{no}");
        }
    }
}
