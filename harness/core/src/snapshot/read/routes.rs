//! Routes, as `ip` tells them.

/// Reads `ip -o route`, sorted; how long a route has still to live is left out.
#[must_use]
pub fn of_ip(text: &str) -> Vec<String> {
    let mut routes: Vec<_> = text.lines().map(still).filter(|l| !l.is_empty()).collect();
    routes.sort();
    routes.dedup();
    routes
}

fn still(line: &str) -> String {
    let mut words = line.split_whitespace().filter(|w| *w != "\\");
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        if word == "expires" {
            words.next();
        } else {
            kept.push(word);
        }
    }
    kept.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_the_same_however_long_they_live() {
        let text = "default via 10.0.2.2 dev eth0 proto dhcp metric 100 \n\
                    10.0.2.0/24 dev eth0 proto kernel scope link src 10.0.2.15\n\
                    2001:db8::/64 dev eth0 proto ra metric 100 expires 86388sec pref medium\n";
        assert_eq!(
            of_ip(text),
            [
                "10.0.2.0/24 dev eth0 proto kernel scope link src 10.0.2.15",
                "2001:db8::/64 dev eth0 proto ra metric 100 pref medium",
                "default via 10.0.2.2 dev eth0 proto dhcp metric 100",
            ]
        );
    }

    #[test]
    fn the_routes_of_a_lab_guest_are_read() {
        let routes = of_ip(include_str!("../../../tests/captured/snapshot/lab.routes"));
        assert_eq!(
            routes,
            [
                "10.77.0.0/24 dev eth0 proto kernel scope link src 10.77.0.11",
                "default via 10.77.0.1 dev eth0 proto static",
            ]
        );
    }
}
