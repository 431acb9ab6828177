//! Packet filter rules, as `nft` and `iptables-save` tell them, one a line with its table and chain.

/// Reads `nft -s list ruleset`: `inet hole in: tcp dport 80 drop`.
///
/// Tables and chains without a rule say nothing. What changes by itself is left out: counters, handles,
/// how long an element has still to live.
#[must_use]
pub fn of_nft(text: &str) -> Vec<String> {
    let mut rules = Vec::new();
    let mut blocks: Vec<String> = Vec::new();
    let mut begun = String::new();
    for line in text.lines().map(str::trim).filter(|l| !l.starts_with('#')) {
        if begun.is_empty() && line == "}" {
            blocks.pop();
            continue;
        }
        if begun.is_empty() && line.ends_with('{') && is_block(line) {
            blocks.push(line.trim_end_matches('{').trim().to_owned());
            continue;
        }
        // The elements of a set go on over several lines.
        begun = format!("{begun} {line}").trim().to_owned();
        if is_balanced(&begun) {
            let rule = still(&std::mem::take(&mut begun));
            if !rule.is_empty() {
                rules.push(format!("{}: {rule}", place(&blocks)));
            }
        }
    }
    rules
}

fn is_block(line: &str) -> bool {
    const BLOCKS: [&str; 10] = [
        "table",
        "chain",
        "set",
        "map",
        "flowtable",
        "ct",
        "counter",
        "quota",
        "limit",
        "secmark",
    ];
    let first = line.split_whitespace().next();
    first.is_some_and(|word| BLOCKS.contains(&word))
}

fn is_balanced(text: &str) -> bool {
    let (mut open, mut quoted) = (0_i32, false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '{' if !quoted => open += 1,
            '}' if !quoted => open -= 1,
            _ => {}
        }
    }
    open <= 0
}

/// `table inet hole`, `chain in` → `inet hole in`; of others the kind stays.
fn place(blocks: &[String]) -> String {
    let short = |b: &String| {
        let block = b
            .strip_prefix("table ")
            .or_else(|| b.strip_prefix("chain "));
        block.unwrap_or(b).to_owned()
    };
    blocks.iter().map(short).collect::<Vec<_>>().join(" ")
}

/// The rule without what changes by itself.
fn still(rule: &str) -> String {
    let rule = rule.split(" # handle ").next().unwrap_or(rule);
    let mut kept: Vec<String> = Vec::new();
    let mut words = rule.split_whitespace();
    while let Some(word) = words.next() {
        let last = kept.last_mut();
        match (word, last) {
            ("packets" | "bytes", Some(last)) if last == "counter" => {
                words.next();
            }
            ("expires", Some(last)) => {
                // The comma after it belongs to the element.
                let left = words.next().unwrap_or_default();
                last.push_str(left.trim_start_matches(|c: char| c.is_ascii_alphanumeric()));
            }
            (word, _) => kept.push(word.to_owned()),
        }
    }
    kept.join(" ")
}

/// Reads `iptables-save` (`ip`) or `ip6tables-save` (`ip6`): `ip filter INPUT: -p tcp --dport 80 -j DROP`.
///
/// Chains that let everything through by their policy and have no rule say nothing.
#[must_use]
pub fn of_iptables(family: &str, text: &str) -> Vec<String> {
    let mut table = "";
    let mut rules = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('*') {
            table = name;
        } else if let Some(chain) = line.strip_prefix(':') {
            let mut words = chain.split_whitespace();
            let (name, policy) = (words.next().unwrap_or_default(), words.next());
            match policy {
                Some("ACCEPT" | "-") | None => {}
                Some(policy) => rules.push(format!("{family} {table} {name}: policy {policy}")),
            }
        } else if let Some((chain, rule)) = rule(line) {
            rules.push(format!("{family} {table} {chain}: {rule}"));
        }
    }
    rules
}

/// `[12:720] -A INPUT -j DROP` → `INPUT`, `-j DROP`.
fn rule(line: &str) -> Option<(&str, &str)> {
    let (_, rule) = line.split_once("-A ")?;
    Some(rule.split_once(' ').unwrap_or((rule, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_stand_with_their_table_and_chain() {
        let text = "table inet filter {\n\tset blocked {\n\t\ttype ipv4_addr\n\t\tflags timeout\n\
                    \t\telements = { 192.0.2.1 timeout 1h expires 59m57s990ms, 192.0.2.2,\n\
                    \t\t\t     192.0.2.3 timeout 1h expires 3s }\n\t}\n\n\
                    \tchain input {\n\t\ttype filter hook input priority 0; policy accept;\n\
                    \t\tct state { established, related } accept\n\
                    \t\ttcp dport 80 counter packets 7 bytes 420 drop comment \"no {web\" # handle 5\n\t}\n\n\
                    \tchain empty {\n\t}\n}\n# Warning: table ip nat is managed by iptables-nft, do not touch!\n\
                    table ip nat {\n}\n";
        assert_eq!(
            of_nft(text),
            [
                "inet filter set blocked: type ipv4_addr",
                "inet filter set blocked: flags timeout",
                "inet filter set blocked: elements = { 192.0.2.1 timeout 1h, 192.0.2.2, 192.0.2.3 timeout 1h }",
                "inet filter input: type filter hook input priority 0; policy accept;",
                "inet filter input: ct state { established, related } accept",
                "inet filter input: tcp dport 80 counter drop comment \"no {web\"",
            ]
        );
        assert_eq!(of_nft(""), Vec::<String>::new());
    }

    /// With and without `-s`, which the oldest nft does not have: counters and lives say nothing.
    #[test]
    fn the_rules_of_a_lab_guest_are_read() {
        let rules = of_nft(include_str!("../../../tests/captured/snapshot/lab.nft"));
        assert_eq!(
            rules,
            [
                "inet hole set blocked: type ipv4_addr",
                "inet hole set blocked: flags timeout",
                "inet hole set blocked: elements = { 192.0.2.1 timeout 1h, 192.0.2.2, 192.0.2.3, \
                 192.0.2.4, 192.0.2.5, 192.0.2.6 timeout 2h }",
                "inet hole in: type filter hook input priority filter; policy accept;",
                "inet hole in: tcp dport 81 counter drop",
                "inet hole in: ip saddr @blocked counter reject with icmp port-unreachable",
                "inet hole in: tcp dport { 22, 80 } ct state { established, new } counter accept \
                 comment \"let { in\"",
            ]
        );
        let counted = include_str!("../../../tests/captured/snapshot/lab-counters.nft");
        assert_eq!(of_nft(counted), rules);
    }

    #[test]
    fn iptables_of_every_generation_is_read() {
        let text = "# Generated by iptables-save v1.4.7 on Fri Feb 22 03:04:05 2013\n*filter\n\
                    :INPUT DROP [12:720]\n:FORWARD ACCEPT [0:0]\n:RH-Firewall-1-INPUT - [0:0]\n\
                    -A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT \n\
                    [3:180] -A INPUT -p tcp -m tcp --dport 80 -j REJECT --reject-with icmp-host-prohibited\n\
                    COMMIT\n# Completed on Fri Feb 22 03:04:05 2013\n";
        assert_eq!(
            of_iptables("ip", text),
            [
                "ip filter INPUT: policy DROP",
                "ip filter INPUT: -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT",
                "ip filter INPUT: -p tcp -m tcp --dport 80 -j REJECT --reject-with icmp-host-prohibited",
            ]
        );
        let open = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n";
        assert_eq!(of_iptables("ip6", open), Vec::<String>::new());
    }
}
