//! Reads the listening TCP sockets from `ss -ltnp`.

use super::Listener;

/// Reads `ss -ltnp`, with its header or without: `LISTEN 0 511 *:80 *:* users:(("httpd",pid=283,fd=4))`.
///
/// `None` when a row is not of this form. Before iproute2 4.x an IPv6 address stood without brackets
/// (`:::22`), and a program as `("sshd",1234,3)`.
#[must_use]
pub fn parse(text: &str) -> Option<Vec<Listener>> {
    let rows = text.lines().filter(|l| !l.trim().is_empty());
    rows.filter(|l| !l.starts_with("State")).map(row).collect()
}

fn row(line: &str) -> Option<Listener> {
    let mut words = line.split_whitespace();
    let local = words.next().filter(|w| *w == "LISTEN").and(words.nth(2))?;
    let (address, port) = local.rsplit_once(':')?;
    let program = line
        .split_once("users:((\"")
        .and_then(|(_, users)| users.split('"').next())
        .map(ToOwned::to_owned);
    Some(Listener {
        address: bare(address).to_owned(),
        port: port.parse().ok()?,
        program,
    })
}

/// An address without brackets and without the device that it is bound to.
fn bare(address: &str) -> &str {
    let address = address.split('%').next().unwrap_or(address);
    address.trim_start_matches('[').trim_end_matches(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let all = parse(text).unwrap();
        let program = |l: &Listener| l.program.clone().unwrap_or_default();
        all.iter()
            .map(|l| format!("{} {} {}", l.address, l.port, program(l)))
            .collect()
    }

    #[test]
    fn every_generation_is_read() {
        let root = include_str!("../../../tests/captured/ss/root.txt");
        assert_eq!(
            told(root),
            [
                "127.0.0.1 8081 python3",
                "0.0.0.0 22 python3",
                "127.0.0.53 5353 python3",
                "::1 8084 python3",
                "* 8082 python3",
                ":: 8083 python3",
            ]
        );
        let user = parse(include_str!("../../../tests/captured/ss/user.txt")).unwrap();
        assert!(user.len() == 6 && user.iter().all(|l| l.program.is_none()));
        let el6 = "State      Recv-Q Send-Q        Local Address:Port          Peer Address:Port \n\
                   LISTEN     0      128                      :::22                      :::*      users:((\"sshd\",1234,4))\n\
                   LISTEN     0      128                       *:22                       *:*      users:((\"sshd\",1234,3))\n\
                   LISTEN     0      100              127.0.0.1:25                       *:*      \n";
        assert_eq!(told(el6), [":: 22 sshd", "* 22 sshd", "127.0.0.1 25 "]);
    }

    #[test]
    fn no_listener_is_a_list_and_what_is_not_read_is_none() {
        assert_eq!(parse(""), Some(Vec::new()));
        for odd in [
            "ss: command not found",
            "LISTEN 0 128",
            "LISTEN 0 128 0.0.0.0:http *:*",
        ] {
            assert_eq!(parse(odd), None, "{odd}");
        }
    }
}
