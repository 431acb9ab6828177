//! Whole inventories: what is refused, and what a host gets from its groups.

use proptest::prelude::*;

use super::*;

fn defaults() -> Defaults {
    Defaults {
        user: "me".to_owned(),
        known_hosts: vec!["/home/me/.ssh/known_hosts".into()],
        home: "/home/me".into(),
        ssh_config: None,
    }
}

fn read(text: &str) -> Result<Inventory, Diagnostics> {
    let place = Place {
        base_dir: "/site".into(),
        ..Place::of_yaml(text, "f")
    };
    super::read(&[place], &defaults()).settle()
}

fn good(text: &str) -> Inventory {
    read(text).unwrap_or_else(|e| panic!("{e}{text}"))
}

/// The users of all hosts, `host=user`: a variable that can be given anywhere.
fn users(text: &str) -> String {
    let shown = |h: &InventoryHost| format!("{}={}", h.name, h.user);
    good(text)
        .hosts
        .iter()
        .map(shown)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Files, and everything that is told about them.
const REFUSED: &[(&str, &str)] = &[
    (
        r#"all:
  hosts:
    a: { patchgate_role: upstream, patchgate_wave: 2 }
    b: { patchgate_role: rebuild, patchgate_twin: a, patchgate_wave: 2 }
    c: { patchgate_role: rebuild, patchgate_twin: a, patchgate_wave: 1 }
    d: { patchgate_role: rebuild, patchgate_twin: a }
"#,
        r#"f:5:70: error: `c` is in wave 1 and its twin `a` in wave 2
  help: put `a` into wave 1 or an earlier one
"#,
    ),
    (
        r#"
"#,
        r#"f:1:1: error: this file is empty
"#,
    ),
    (
        r#"# only a comment
"#,
        r#"f:1:1: error: this file is empty
"#,
    ),
    (
        r#"- a
"#,
        r#"f:1:1: error: an inventory cannot be a list (expected a map, `key: value`)
"#,
    ),
    (
        r#"all:
"#,
        r#"f:1:1: error: this inventory has no hosts
  help: name them under `all:`, `hosts:`, each as a key: `web1:`
"#,
    ),
    (
        r#"hosts: {}
vars: {}
plugin: aws
"#,
        r#"f:1:1: error: `hosts` stands outside of any group
  help: put it under `all:`
f:2:1: error: `vars` stands outside of any group
  help: put it under `all:`
f:3:1: error: inventory plugins are not supported
  help: give patchgate the hosts: `ansible-inventory --list --yaml` prints them
"#,
    ),
    (
        r#"all:
  hosts: {a: {ansible_host: 10.0.0.1}, b: {ansible_host: 10.0.0.1}, c: {ansible_host: 10.0.0.1}}
"#,
        r#"f:2:40: error: `a` and `b` and 1 more are one machine: 10.0.0.1 port 22
  help: name each machine once
"#,
    ),
    (
        r#"all:
  hosts:
    web1:
    web2: {ansible_host: WEB1.}
"#,
        r#"f:4:5: error: `web1` and `web2` are one machine: web1 port 22
  help: name each machine once
"#,
    ),
    (
        r#"all:
  hosts:
    a: {patchgate_role: rebuild, patchgate_twin: bb}
    b: {patchgate_role: rebuild, patchgate_twin: a}
    c: {patchgate_twin: b}
    d: {patchgate_role: rebuild, patchgate_twin: d}
"#,
        r#"f:3:50: error: the twin `bb` is not in this inventory
  help: did you mean `b`?
f:4:50: error: the twin `a` of `b` is not upstream
  help: give `a` the variable `patchgate_role: upstream`
f:5:25: error: `c` has a twin but is no rebuild
  help: give `c` the variable `patchgate_role: rebuild`
f:5:25: error: the twin `b` of `c` is not upstream
  help: give `b` the variable `patchgate_role: upstream`
f:6:50: error: `d` cannot be its own twin
"#,
    ),
    (
        r#"all:
  hosts:
    a: {patchgate_role: upstrem}
    b: {patchgate_role: rebuild, patchgate_twin: a}
"#,
        r#"f:3:25: error: `patchgate_role` cannot be `upstrem` (expected one of `upstream`, `rebuild`)
  help: did you mean `upstream`?
"#,
    ),
    (
        r#"a: {children: {b: {children: {a: }}}}
"#,
        r#"f:1:16: error: `b` cannot be a child of `a`
  help: `b` stands above `a` already
"#,
    ),
    (
        r#"all: {children: {web: {children: {all: }}}}
"#,
        r#"f:1:35: error: `all` cannot be a child of `web`
  help: `all` stands above `web` already
"#,
    ),
    (
        r#"all: {hosts: {a: {ansible_ssh_host: x, ansible_host: y, ansible_become: yes, ansible_become_user: bob, ansible_become_method: su}}}
"#,
        r#"f:1:37: error: `ansible_ssh_host` and `ansible_host` say different things of one host
  help: use `ansible_host` alone
f:1:99: error: `ansible_become_user` cannot be `bob` (expected `root`)
f:1:127: error: `ansible_become_method` cannot be `su` (expected `sudo`)
"#,
    ),
    (
        r#"all:
  hosts:
    a_..b:
    ~:
    1.5:
    true:
    "null":
    10:
    -bad:
    a b:
    root@web2:
    2001:db8::1:
    r[3:1]:
    web1:99999:
"#,
        r#"f:3:5: error: `a_..b` has no `ansible_host` and is no address: host names are made of letters, digits, `-`, `_` and single dots
f:4:5: error: `~` cannot be a key
  help: put it in quotes if it is a name
f:5:5: error: `1.5` is not a name but a value
  help: put it in quotes
f:6:5: error: `true` is not a name but a value
  help: put it in quotes
f:8:5: error: `10` is not a name but a value
  help: put it in quotes
f:9:5: error: `-bad` cannot be a host: a name begins with a letter or a digit, not with `-`
f:10:5: error: `a b` cannot be a host: a name holds letters, digits, `.`, `_` and `-`, not ` `
f:11:5: error: `root@web2` cannot be a host: a name holds letters, digits, `.`, `_` and `-`, not `@`
  help: put the login into `ansible_user`
f:12:5: error: `2001:db8::1` cannot be a host: a name holds letters, digits, `.`, `_` and `-`, not `:`
  help: give the host a name and put the address into `ansible_host`
f:13:5: error: `r[3:1]` cannot be a host: `[3:1]` is empty: it ends before it begins
f:14:5: error: `web1:99999` cannot be a host: `99999` is not a port
"#,
    ),
    (
        r#"all: {hosts: [a, b]}
"#,
        r#"f:1:14: error: `hosts` cannot be a list (expected a map)
  help: write each name as a key, `web1:`, without a dash in front
"#,
    ),
    (
        r#"all: hosts
"#,
        r#"f:1:6: error: a group cannot be a single value (expected a map, `key: value`)
"#,
    ),
    (
        r#"all: {hosts: {a: x}, vars: [a], childern: {}}
"#,
        r#"f:1:18: error: a host cannot be a single value (expected a map, `key: value`)
f:1:28: error: `vars` cannot be a list (expected a map, `key: value`)
f:1:33: error: `childern` is not a key of a group (expected one of `hosts`, `vars`, `children`)
  help: did you mean `children`?
"#,
    ),
    (
        r#""a b": {hosts: {a: }}
"#,
        r#"f:1:1: error: `a b` cannot be a group: a name holds letters, digits, `.`, `_` and `-`, not ` `
"#,
    ),
    (
        r#"all:
  hosts:
    a:
      ansible_port: 022
      ansible_user: "a b"
      ansible_host: -x
      ansible_ssh_private_key_file: ~bob/key
      ansible_connection: local
      ansible_become: maybe
"#,
        r#"f:4:21: error: `ansible_port` cannot be `022` (expected a whole number from 1 to 65535)
f:5:21: error: `ansible_user` cannot be `a b` (expected a login, as `root`)
f:6:21: error: `ansible_host` cannot be `-x`: host names are made of letters, digits, `-`, `_` and single dots (expected a host name or an IP address)
f:7:37: error: `ansible_ssh_private_key_file` cannot be `~bob/key`: only one's own `~/` is expanded (expected the path of a file)
f:8:27: error: `ansible_connection` cannot be `local` (expected `ssh`)
  help: patchgate is a remote client of its hosts: this very machine cannot be one of them, except through SSH; `--limit` leaves hosts out
f:9:23: error: `ansible_become` cannot be `maybe` (expected `true` or `false`, `yes` or `no`, `on` or `off`)
"#,
    ),
    (
        r#"all:
  hosts:
    a:
      ansible_host: "{{ inventory_hostname }}.example.com"
      ansible_ssh_common_args: -o ProxyJump=gw,other
      ansible_ssh_extra_args: -o UserKnownHostsFile=/dev/null
      ansible_connection: docker
"#,
        r#"f:4:21: error: `ansible_host` is a Jinja template
  help: this version evaluates none: write the value out
f:5:32: error: `ansible_ssh_common_args` sets `ProxyJump`
  help: only one jump host is supported, not a chain of them
f:6:31: error: `ansible_ssh_extra_args` sets `UserKnownHostsFile`
  help: use `patchgate_known_hosts`
f:7:27: error: `ansible_connection` cannot be `docker` (expected `ssh`)
  help: patchgate reaches hosts through SSH only; `--limit` leaves hosts out
"#,
    ),
    (
        r#"all:
  hosts:
    a:
      patchgate_rol: upstream
      patchgate_role: Upstream
      patchgate_twin:
      patchgate_lab: maybe
      patchgate_known_hosts: [~, "$HOME/x"]
      patchgate_ssh_legacy: 1
      patchgate_wave: 0
      patchgate_snapshot: clean
      patchgate_colour: red
"#,
        r#"f:4:7: error: there is no variable `patchgate_rol` (expected one of `patchgate_role`, `patchgate_twin`, `patchgate_lab`, `patchgate_wave`, `patchgate_known_hosts`, `patchgate_ssh_legacy`, `patchgate_snapshot`)
  help: did you mean `patchgate_role`?
f:5:23: error: `patchgate_role` cannot be `Upstream` (expected one of `upstream`, `rebuild`)
  help: did you mean `upstream`?
f:6:7: error: `patchgate_twin` has no value (expected the name of a host)
f:7:22: error: `patchgate_lab` cannot be `maybe` (expected `true` or `false`, `yes` or `no`, `on` or `off`)
f:8:31: error: `patchgate_known_hosts` has no value (expected the path of a file)
f:8:34: error: `patchgate_known_hosts` cannot hold `$HOME/x`: environment variables are not expanded (expected the path of a file)
f:9:29: error: `patchgate_ssh_legacy` cannot be `1` (expected `true` or `false`, `yes` or `no`, `on` or `off`)
f:10:23: error: `patchgate_wave` cannot be `0` (expected a whole number from 1 to 1000000)
f:11:27: error: `patchgate_snapshot` cannot be `clean` (expected `lab`, `{ libvirt: { uri: …, domain: …, snapshot: … } }` or `{ command: [program, …] }`)
f:12:7: error: there is no variable `patchgate_colour` (expected one of `patchgate_role`, `patchgate_twin`, `patchgate_lab`, `patchgate_wave`, `patchgate_known_hosts`, `patchgate_ssh_legacy`, `patchgate_snapshot`)
  help: did you mean `patchgate_role`?
"#,
    ),
    (
        r#"all:
  vars:
    ansible_password: hunter2
    ansible_become_pass: hunter2
    tls: { key: "-----BEGIN OPENSSH PRIVATE KEY-----" }
    mine: !vault |
      $ANSIBLE_VAULT;1.1;AES256
    ansible_user: !vault |
      $ANSIBLE_VAULT;1.1;AES256
  hosts: {a: }
"#,
        r#"f:3:5: error: `ansible_password` is a secret
  help: take it out of the file: patchgate logs in with a key (`ansible_ssh_private_key_file` or an agent), and becomes root with `sudo -n`, which asks for no password
f:4:5: error: `ansible_become_pass` is a secret
  help: take it out of the file: patchgate logs in with a key (`ansible_ssh_private_key_file` or an agent), and becomes root with `sudo -n`, which asks for no password
f:5:5: error: `tls` holds a private key
  help: keep the key in a file of its own and name that in `ansible_ssh_private_key_file`
f:8:19: error: vault-encrypted values are not taken
  help: patchgate opens no vault: write out what it needs to know, or take it out; it logs in with keys, and `sudo -n` asks for no password
"#,
    ),
];

#[test]
fn every_mistake_of_a_file_is_told() {
    for (text, wanted) in REFUSED {
        assert_eq!(read(text).unwrap_err().to_string(), *wanted, "{text}");
    }
}

#[test]
fn secrets_are_marked_so_that_nobody_draws_their_line() {
    let text = "all: { hosts: { a: { ansible_password: x, ansible_port: 0 } } }";
    let marks: Vec<bool> = read(text).unwrap_err().iter().map(|d| d.secret).collect();
    assert_eq!(marks, [true, false]);
}

#[test]
fn the_shipped_inventories_say_what_they_mean() {
    let text = include_str!("../../../../inventories/example.yaml");
    let found = good(text);
    let names: Vec<&str> = found.hosts.iter().map(|h| h.name.as_str()).collect();
    let wanted =
        "rhel-web1 rhel-db1 web01.example.com web02.example.com web03.example.com db1 el6-web";
    assert_eq!(names.join(" "), wanted);
    let last = found.hosts.last().unwrap();
    let groups = ["lab", "old", "rebuild"].map(|g| GroupName::new(g).unwrap());
    assert_eq!(
        *last,
        InventoryHost {
            name: HostName::new("el6-web").unwrap(),
            address: "192.0.2.60".to_owned(),
            port: 22,
            user: "patchgate".to_owned(),
            key_file: Some("/home/me/.ssh/patchgate_ed25519".into()),
            known_hosts: vec!["/site/known_hosts".into()],
            jump: None,
            become_root: true,
            legacy_algorithms: true,
            role: Some(Role::Rebuild),
            twin: Some(HostName::new("rhel-web1").unwrap()),
            lab: true,
            wave: None,
            snapshot: None,
            groups: groups.into(),
        }
    );
    let plain = good(include_str!("../../../../inventories/plain.yaml"));
    let only = &plain.hosts[0];
    assert_eq!((only.address.as_str(), only.port), ("web1.example.com", 22));
    assert_eq!(
        (only.user.as_str(), only.lab, only.become_root),
        ("me", false, false)
    );
    assert_eq!(
        only.known_hosts,
        [PathBuf::from("/home/me/.ssh/known_hosts")]
    );
}

/// Why, a file, and the users of its hosts as `ansible-inventory` 2.19 printed them for the same file.
const INHERITED: &[(&str, &str, &str)] = &[
    (
        "a host beats its group, a child its parent, a group `all`",
        "
all:
  vars: { ansible_user: all }
  hosts: { lone: }
  children:
    web:
      vars: { ansible_user: web }
      hosts: { w1: , w2: { ansible_user: w2 } }
      children: { inner: { vars: { ansible_user: inner }, hosts: { h1: } } }
",
        "lone=all w1=web w2=w2 h1=inner",
    ),
    (
        "at one depth the later name wins",
        "
zeta: { vars: { ansible_user: zeta }, hosts: { h: } }
alpha: { vars: { ansible_user: alpha }, hosts: { h: } }
",
        "h=zeta",
    ),
    (
        "`ansible_group_priority` comes before the name",
        "
zeta: { vars: { ansible_user: zeta }, hosts: { h: } }
alpha: { vars: { ansible_user: alpha, ansible_group_priority: 5 }, hosts: { h: } }
",
        "h=alpha",
    ),
    (
        "depth is the longest way down",
        "
top: { children: { x: } }
mid: { children: { x: }, vars: { ansible_user: mid } }
top2: { children: { mid: }, vars: { ansible_user: top2 } }
x: { hosts: { h: } }
zzz: { hosts: { h: }, vars: { ansible_user: zzz } }
",
        "h=mid",
    ),
    (
        "what a later place says of the same host wins",
        "
a: { hosts: { h: { ansible_user: first } } }
b: { hosts: { h: { ansible_user: second } } }
c: { hosts: { h: }, vars: { ansible_user: c } }
",
        "h=second",
    ),
    (
        "a group's parts are put together from everywhere",
        "
all: { children: { web: { hosts: { h: } } } }
web: { vars: { ansible_user: web } }
",
        "h=web",
    ),
];

#[test]
fn variables_are_inherited_as_in_ansible() {
    for (why, text, wanted) in INHERITED {
        assert_eq!(users(text), *wanted, "{why}");
    }
}

#[test]
fn only_the_first_place_gives_the_port_behind_a_name() {
    let text = "
all:
  vars: { ansible_port: 1 }
  hosts: { 'h:2222': , 'k:2222': { ansible_port: 3 }, 'r[1:2]:2200': }
g: { hosts: { h: }, vars: { ansible_port: 5 } }
z: { hosts: { 'h:4444': } }
";
    let ports: Vec<u16> = good(text).hosts.iter().map(|h| h.port).collect();
    assert_eq!(ports, [2222, 3, 2200, 2200]);
}

#[test]
fn what_ansible_has_for_others_is_left_alone() {
    let text = "
all:
  vars:
    ansible_python_interpreter: /usr/bin/python3
    ansible_ssh_common_args: -o ControlMaster=auto -o StrictHostKeyChecking=no
    ansible_connection: ssh
    http_port: 80
    app: { list: [1, two, '{{ three }}'], nothing: ~ }
  hosts: { a: }
";
    assert_eq!(good(text).hosts.len(), 1);
}

/// As PyYAML has it: what is in brackets or quotes may begin anywhere.
#[test]
fn lines_in_brackets_and_quotes_may_begin_anywhere() {
    let text = "all:
  vars:
    ports: [ 1,  # not the end ]
2, 'a
 b'
]
    limits: {
soft: 1,
}
    ansible_user: \"one\\
two\"
  hosts:
    web1:
";
    assert_eq!(users(text), "web1=onetwo");
    let wrong = text.replace("web1:", "web1: {\nansible_port: 0 }");
    let told = read(&wrong).unwrap_err().to_string();
    assert!(told.starts_with("f:14:15: error: `ansible_port`"), "{told}");
}

#[test]
fn the_old_names_of_variables_are_understood() {
    let text = "all: { hosts: { a: { ansible_ssh_host: 192.0.2.7, ansible_ssh_port: 23, \
                ansible_ssh_user: u, ansible_private_key_file: k } } }";
    let host = &good(text).hosts[0];
    assert_eq!(
        (host.address.as_str(), host.port, host.user.as_str()),
        ("192.0.2.7", 23, "u")
    );
    assert_eq!(host.key_file, Some("/site/k".into()));
}

#[test]
fn a_name_alone_may_stand_for_a_map_of_one() {
    assert_eq!(users("web: { hosts: single }"), "single=me");
    let found = good("all: { children: web }\nweb: { hosts: { a: } }");
    let groups: Vec<&str> = found.hosts[0].groups.iter().map(|g| g.as_str()).collect();
    assert_eq!(groups, ["web"]);
}

#[test]
fn loopback_hosts_are_taken_when_their_ports_differ() {
    let host = |name: &str, port: u16| {
        format!("{name}: {{ ansible_host: 127.0.0.1, ansible_port: {port} }}")
    };
    let text = |b| {
        format!(
            "all: {{ hosts: {{ {}, {} }} }}",
            host("a", 2201),
            host("b", b)
        )
    };
    assert_eq!(good(&text(2202)).hosts.len(), 2);
    assert!(read(&text(2201)).is_err());
}

#[test]
fn a_big_inventory_is_read_and_a_bigger_one_refused() {
    let text = |n: usize| format!("g: {{ children: {{ s: {{ hosts: {{ 'h[1:{n}]': }} }} }} }}");
    assert_eq!(good(&text(10_000)).hosts.len(), 10_000);
    let two = text(9_000) + "\nz: { hosts: { 'k[1:2000]': } }";
    let told = read(&two).unwrap_err().to_string();
    assert_eq!(
        told,
        "f:2:15: error: this inventory has more than 10000 hosts\n"
    );
}

#[test]
fn groups_have_a_number_too_and_a_long_chain_of_them_is_read() {
    let chain = |n: usize| {
        let link = |i| format!("g{i}: {{ children: {{ g{}: }} }}\n", i + 1);
        (0..n).map(link).collect::<String>() + &format!("g{n}: {{ hosts: {{ h: }} }}\n")
    };
    assert_eq!(good(&chain(1000)).hosts[0].groups.len(), 1001);
    let told = read(&chain(5000)).unwrap_err().to_string();
    assert!(
        told.contains("this inventory has more than 5000 groups"),
        "{told}"
    );
}

/// What is said nearest to a host, in the order of Ansible's levels.
fn nearest(levels: [bool; 4]) -> &'static str {
    let names = ["all", "parent", "child", "host"];
    let said = (0..4).rev().find(|i| levels[*i]);
    said.map_or("me", |i| names[i])
}

proptest! {
    #[test]
    fn the_nearest_level_wins(levels in any::<[bool; 4]>()) {
        let say = |i: usize, name: &str| match levels[i] {
            true => format!("ansible_user: {name}"),
            false => String::new(),
        };
        let text = format!(
            "all: {{ vars: {{ {} }} }}\nparent: {{ vars: {{ {} }}, children: {{ child: }} }}\n\
             child: {{ vars: {{ {} }}, hosts: {{ h: {{ {} }} }} }}\n",
            say(0, "all"), say(1, "parent"), say(2, "child"), say(3, "host"),
        );
        prop_assert_eq!(users(&text), format!("h={}", nearest(levels)));
    }
}

/// What a snapshot is, and everything that is told about one that is none.
#[test]
fn a_host_says_how_it_is_reset() {
    let snapshot = |text: &str| {
        let text = format!(
            "all:\n  hosts:\n    a: {{ patchgate_lab: true, patchgate_snapshot: {text} }}\n"
        );
        let text = text.replace("a:", "192.0.2.1:");
        read(&text).map(|i| i.hosts[0].snapshot.clone().unwrap())
    };
    assert_eq!(snapshot("lab").unwrap(), SnapshotSource::Lab);
    assert_eq!(
        snapshot(
            "{ libvirt: { uri: 'qemu+ssh://root@kvm1/system', domain: web1, snapshot: clean } }"
        )
        .unwrap(),
        SnapshotSource::Libvirt {
            uri: "qemu+ssh://root@kvm1/system".to_owned(),
            domain: "web1".to_owned(),
            snapshot: "clean".to_owned(),
        }
    );
    let command = ["/usr/local/bin/revert", "--vm", "web 1; rm -rf /"].map(str::to_owned);
    assert_eq!(
        snapshot("{ command: [/usr/local/bin/revert, --vm, 'web 1; rm -rf /'] }").unwrap(),
        SnapshotSource::Command(command.to_vec())
    );
    for (text, wanted) in [
        ("clean", "`patchgate_snapshot` cannot be `clean`"),
        ("{}", "names one way to reset a host"),
        (
            "{ lab: true }",
            "`lab` is not a key of `patchgate_snapshot`",
        ),
        (
            "{ libvirt: { domain: web1, snapshot: x } }",
            "`libvirt` needs the key `uri`",
        ),
        (
            "{ libvirt: { uri: u, domain: -x, snapshot: x } }",
            "`domain` cannot be `-x`",
        ),
        ("{ command: [] }", "`command` names no program"),
        ("{ command: reboot }", "`command` names no program"),
        ("{ command: [''] }", "names no program"),
        (
            "{ command: [x], libvirt: { uri: u, domain: d, snapshot: s } }",
            "names one way",
        ),
        (
            "{ command: [revert, '{{ inventory_hostname }}'] }",
            "is a Jinja template",
        ),
        ("'{{ how }}'", "is a Jinja template"),
    ] {
        let told = snapshot(text).unwrap_err().to_string();
        assert!(told.contains(wanted), "{text}: {told}");
        assert!(told.starts_with("f:"), "{told}");
    }
}

#[test]
fn only_lab_hosts_go_back_to_the_labs_state() {
    let text = "all:\n  vars: { patchgate_snapshot: lab }\n  hosts:\n    \
                192.0.2.1: { patchgate_lab: true }\n    192.0.2.2:\n";
    let told = read(text).unwrap_err().to_string();
    assert!(told.starts_with("f:2:31: error: only lab hosts"), "{told}");
}
