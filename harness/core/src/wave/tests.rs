use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::inventory::{self, Defaults, Inventory};

fn inventory(hosts: &str) -> Inventory {
    let lines = hosts.split_whitespace().enumerate().map(|(n, host)| {
        let (name, vars) = host.split_once(':').unwrap_or((host, ""));
        let vars = vars.split('+').filter(|v| !v.is_empty()).map(|v| match v {
            "up" => "patchgate_role: upstream".to_owned(),
            "re" => "patchgate_role: rebuild".to_owned(),
            wave if wave.starts_with(|c: char| c.is_ascii_digit()) => {
                format!("patchgate_wave: {wave}")
            }
            twin => format!("patchgate_role: rebuild, patchgate_twin: {twin}"),
        });
        let vars = vars.collect::<Vec<_>>().join(", ");
        format!("    {name}: {{ ansible_host: 192.0.2.{n}, {vars} }}\n")
    });
    let text = format!("all:\n  hosts:\n{}", lines.collect::<String>());
    inventory::parse(&text, "f", &Defaults::default()).unwrap()
}

fn staging(batch: &str, max_bad: Option<&str>) -> Staging {
    Staging {
        batch: batch
            .split(',')
            .filter(|s| !s.is_empty())
            .map(|s| s.parse().unwrap())
            .collect(),
        max_bad: max_bad.map(|s| s.parse().unwrap()),
    }
}

fn told(hosts: &str, batch: &str) -> String {
    let Some(waves) = Waves::lay(&inventory(hosts), &staging(batch, None)) else {
        return "none".to_owned();
    };
    let wave = |w: &Vec<HostName>| w.iter().map(HostName::as_str).collect::<Vec<_>>().join(" ");
    waves.hosts.iter().map(wave).collect::<Vec<_>>().join(" | ")
}

#[test]
fn waves_are_laid_from_inventory_and_options() {
    for (hosts, batch, wanted) in [
        ("a b c", "", "none"),
        ("a b c", "100%", "a b c"),
        ("a b c d e f g", "1,2,100%", "a | b c | d e f g"),
        // The last size is repeated.
        ("a b c d e", "1,2", "a | b c | d e"),
        ("a b c d e", "2", "a b | c d | e"),
        // Per cents of all, rounded up.
        ("a b c d e f g", "1%,30%,100%", "a | b c d | e f g"),
        ("a b c", "200", "a b c"),
        // What the inventory names comes first, in the numbers' order.
        ("a b:20 c:3 d:20 e", "", "c | b d | a e"),
        ("a b:2 c d e", "1", "b | a | c | d | e"),
        // A twin is never later than a host that is compared with it.
        ("r:u s u:up", "1", "r s u"),
        ("a:re r:u+1 u:up b:re", "", "r u | a b"),
        ("r:u+2 q:u+1 u:up", "", "q u | r"),
        ("r:u+2 u:up+1", "", "u | r"),
        ("r:u u:up+1 s", "1", "u | r | s"),
        // The first wave has every role.
        ("u:up v:up r:u s:v", "1", "u r | v | s"),
        ("u:up v:up x r:v s", "2,100%", "v x r | u s"),
        ("u:up v:up w:up r:v", "3,1", "u v r | w"),
    ] {
        assert_eq!(told(hosts, batch), wanted, "{hosts} in {batch}");
    }
}

#[test]
fn the_budget_is_of_the_whole_run_and_never_rounded_up() {
    for (max_bad, wanted) in [
        (None, 0),
        (Some("0"), 0),
        (Some("2"), 2),
        (Some("33%"), 0),
        (Some("34%"), 1),
        (Some("99%"), 2),
        (Some("100%"), 3),
    ] {
        let waves = Waves::lay(&inventory("a b c"), &staging("1", max_bad)).unwrap();
        assert_eq!(waves.max_bad, wanted, "{max_bad:?}");
    }
}

#[test]
fn what_is_no_size_is_refused() {
    for text in [
        "",
        "%",
        "-1",
        "+1",
        "1.5",
        "101%",
        "x",
        "1 %",
        "99999999999999999999",
    ] {
        assert_eq!(text.parse::<Size>(), Err(SizeError), "{text}");
    }
}

/// Hosts of any roles, twins and waves, no twin of a later wave than a host that names both.
fn hosts() -> impl Strategy<Value = String> {
    let rebuild = (prop::option::of(0..4_usize), prop::option::of(3..6_u8));
    let upstream = prop::option::of(1..4_u8);
    let all = (
        prop::collection::vec(upstream, 4),
        prop::collection::vec(rebuild, 0..20),
    );
    all.prop_map(|(upstreams, rebuilds)| {
        let wave = |w: Option<u8>| w.map(|w| format!("+{w}")).unwrap_or_default();
        let up = upstreams.iter().enumerate();
        let up = up.map(|(n, w)| format!("u{n}:up{}", wave(*w)));
        let re = rebuilds.iter().enumerate().map(|(n, (twin, w))| {
            let twin = twin.map_or("re".to_owned(), |t| format!("u{t}"));
            format!("r{n}:{twin}{}", wave(*w))
        });
        let mut all: Vec<String> = re.chain(up).collect();
        all.sort_by_key(|h| h.len() % 3);
        all.join(" ")
    })
}

fn size() -> impl Strategy<Value = Size> {
    prop_oneof![
        (1..9_usize).prop_map(Size::Hosts),
        (1..=100_usize).prop_map(Size::Percent)
    ]
}

proptest! {
    #[test]
    fn every_host_is_in_one_wave_and_no_twin_is_late(
        hosts in hosts(),
        batch in prop::collection::vec(size(), 0..4),
    ) {
        let inventory = inventory(&hosts);
        let Some(waves) = Waves::lay(&inventory, &Staging { batch, max_bad: None }) else {
            return Ok(());
        };
        prop_assert!(waves.hosts.iter().all(|w| !w.is_empty()));
        let all: Vec<_> = waves.hosts.iter().flatten().collect();
        let each: BTreeSet<_> = all.iter().copied().collect();
        prop_assert_eq!(all.len(), inventory.hosts.len());
        prop_assert_eq!(each.len(), inventory.hosts.len());
        for host in &inventory.hosts {
            let own = waves.of(&host.name).unwrap();
            if let Some(twin) = &host.twin {
                prop_assert!(waves.of(twin).unwrap() <= own, "{} before its twin", host.name);
            }
            if let Some(wave) = host.wave {
                let later = |h: &&crate::inventory::InventoryHost| {
                    h.wave.is_none_or(|w| w > wave) && waves.of(&h.name).unwrap() < own
                };
                let pulled = |h: &crate::inventory::InventoryHost| {
                    h.role == Some(inventory::Role::Upstream) && h.wave.is_none()
                };
                prop_assert!(inventory.hosts.iter().filter(later).all(pulled));
            }
        }
        if inventory.hosts.iter().all(|h| h.wave.is_none()) {
            for host in &inventory.hosts {
                let covers = |h: &&HostName| inventory.host(h).unwrap().role == host.role;
                prop_assert!(waves.hosts[0].iter().any(|h| covers(&h)));
            }
        }
    }
}
