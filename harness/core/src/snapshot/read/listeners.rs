//! Listening sockets, as `ss` and `/proc/net/tcp` tell them.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::snapshot::system::Listener;

/// Reads `ss -ltnp`, sorted, each socket once: a port that several processes share is one listener.
///
/// `*` stays `*`: iproute means IPv4 alone by it up to EL7, and both families from EL8 on.
///
/// # Errors
/// The first line of a listening socket that has no known form.
pub fn of_ss(text: &str) -> Result<Vec<Listener>, String> {
    let lines = text.lines().filter(|l| l.starts_with("LISTEN"));
    let read = |line: &str| ss_line(line).ok_or_else(|| line.to_owned());
    lines.map(read).collect::<Result<Vec<_>, _>>().map(sorted)
}

/// `LISTEN 0 128 127.0.0.1%lo:25 0.0.0.0:* users:(("master",pid=1,fd=13))`.
fn ss_line(line: &str) -> Option<Listener> {
    let local = line.split_whitespace().nth(3)?;
    let (address, port) = local.rsplit_once(':')?;
    let program = line
        .split_once("users:((\"")
        .and_then(|(_, users)| users.split_once("\","))
        .map(|(name, _)| name.to_owned());
    Some(Listener {
        address: plain(address),
        port: port.parse().ok()?,
        program,
    })
}

/// Without brackets and interface; an IPv4 address that is mapped into IPv6 as itself.
fn plain(address: &str) -> String {
    let address = address.trim_start_matches('[');
    let address = address.split([']', '%']).next().unwrap_or(address);
    match address.strip_prefix("::ffff:") {
        Some(mapped) if mapped.parse::<Ipv4Addr>().is_ok() => mapped.to_owned(),
        Some(_) | None => address.to_owned(),
    }
}

/// Reads the second column (`0100007F:0050`) of the listening lines of `/proc/net/tcp` and
/// `/proc/net/tcp6` on a little-endian machine. Programs are not named there.
///
/// # Errors
/// The first line that has no known form.
pub fn of_proc(text: &str) -> Result<Vec<Listener>, String> {
    let read = |line: &str| proc_line(line).ok_or_else(|| line.to_owned());
    let all: Result<Vec<_>, _> = text.lines().map(read).collect();
    all.map(sorted)
}

fn proc_line(line: &str) -> Option<Listener> {
    let (address, port) = line.trim().split_once(':')?;
    let words: Option<Vec<u32>> = (0..address.len())
        .step_by(8)
        .map(|at| u32::from_str_radix(address.get(at..at + 8)?, 16).ok())
        .collect();
    let bytes: Vec<u8> = words?.into_iter().flat_map(u32::to_le_bytes).collect();
    let address = match (
        <[u8; 4]>::try_from(&bytes[..]),
        <[u8; 16]>::try_from(&bytes[..]),
    ) {
        (Ok(four), _) => Ipv4Addr::from(four).to_string(),
        (_, Ok(sixteen)) => plain(&Ipv6Addr::from(sixteen).to_string()),
        (Err(_), Err(_)) => return None,
    };
    Some(Listener {
        address,
        port: u16::from_str_radix(port, 16).ok()?,
        program: None,
    })
}

fn sorted(mut listeners: Vec<Listener>) -> Vec<Listener> {
    listeners.sort_by(|a, b| (a.port, a).cmp(&(b.port, b)));
    listeners.dedup();
    listeners
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(listeners: &[Listener]) -> Vec<String> {
        let one = |l: &Listener| {
            let program = l.program.as_deref().unwrap_or("?");
            format!("{} {} {program}", l.address, l.port)
        };
        listeners.iter().map(one).collect()
    }

    #[test]
    fn every_generation_of_ss_is_read() {
        let el6 = "State      Recv-Q Send-Q        Local Address:Port          Peer Address:Port \n\
                   LISTEN     0      128                      :::80                      :::*      users:((\"httpd\",1521,4),(\"httpd\",1523,4))\n\
                   LISTEN     0      128                       *:22                       *:*      users:((\"sshd\",1480,3))\n\
                   LISTEN     0      100               127.0.0.1:25                       *:*      users:((\"master\",1501,12))\n";
        assert_eq!(
            told(&of_ss(el6).unwrap()),
            ["* 22 sshd", "127.0.0.1 25 master", ":: 80 httpd"]
        );
        let el9 = "State  Recv-Q Send-Q      Local Address:Port Peer Address:PortProcess\n\
                   LISTEN 0      511                     *:80              *:*    users:((\"httpd\",pid=283,fd=4),(\"httpd\",pid=282,fd=4))\n\
                   LISTEN 0      128               0.0.0.0:22        0.0.0.0:*    users:((\"sshd\",pid=201,fd=3))\n\
                   LISTEN 0      128                  [::]:22           [::]:*    users:((\"sshd\",pid=201,fd=4))\n\
                   LISTEN 0      4096    127.0.0.53%lo:53            0.0.0.0:*   \n\
                   LISTEN 0      100    [::ffff:127.0.0.1]:8005            *:*    users:((\"java\",pid=9,fd=40))\n\
                   LISTEN 0      100    [fe80::1%eth0]:546              [::]:*   \n";
        let found = of_ss(el9).unwrap();
        assert_eq!(
            told(&found),
            [
                "0.0.0.0 22 sshd",
                ":: 22 sshd",
                "127.0.0.53 53 ?",
                "* 80 httpd",
                "fe80::1 546 ?",
                "127.0.0.1 8005 java"
            ]
        );
        let local: Vec<_> = found.iter().filter(|l| l.is_loopback()).collect();
        assert_eq!(local.len(), 2);
    }

    #[test]
    fn the_sockets_of_a_lab_guest_are_read() {
        let found = of_ss(include_str!("../../../tests/captured/snapshot/lab.ss")).unwrap();
        assert_eq!(told(&found), ["0.0.0.0 22 sshd", ":: 22 sshd"]);
    }

    #[test]
    fn a_listener_of_no_known_form_is_told() {
        let odd = "LISTEN 0 128 somewhere\n";
        assert_eq!(of_ss(odd), Err("LISTEN 0 128 somewhere".to_owned()));
        assert_eq!(of_ss(""), Ok(Vec::new()));
        assert!(of_proc("0100007F:0050\nXYZ:1\n").is_err());
    }

    #[test]
    fn the_kernels_own_table_is_read() {
        let text = "00000000:0050\n0100007F:0019\n00000000000000000000000001000000:0277\n\
                    0000000000000000FFFF00000100007F:1F45\n";
        assert_eq!(
            told(&of_proc(text).unwrap()),
            [
                "127.0.0.1 25 ?",
                "0.0.0.0 80 ?",
                "::1 631 ?",
                "127.0.0.1 8005 ?"
            ]
        );
    }
}
