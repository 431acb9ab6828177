//! Inventories as they lie on a disk: folders, executables, files of variables, several of them.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::Place;

/// The lines of `patchgate hosts`, each without its spaces.
fn hosts(place: &Place, arguments: &str) -> Vec<String> {
    let ended = place.run(&format!("hosts {arguments}")).with(0);
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    ended.stdout.lines().map(words).collect()
}

/// Makes the folders of a file and writes it; one that begins with `#!` may be executed.
fn write(place: &Place, name: &str, text: &str) {
    let path = place.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

const SCRIPT: &str = "#!/bin/sh\n[ $1 = --list ] && echo '{\"web\": [\"w1\", \"w2\"]}' && exit\n\
                      [ $2 = w1 ] && echo '{\"ansible_port\": 2201}'\nexit 0\n";

#[test]
fn a_folder_of_everything_is_read_in_ansibles_order() {
    let place = Place::new(&[]);
    for (name, text) in [
        ("env/01-script", SCRIPT),
        (
            "env/02-more.ini",
            "[web]\nw3 ansible_user=ini\n[web:vars]\nansible_user=vars\n",
        ),
        ("env/README.md", "no inventory"),
        ("env/group_vars/web/a.yml", "ansible_user: file\n"),
        (
            "env/group_vars/web/vault.txt",
            "$ANSIBLE_VAULT;1.1;AES256\n",
        ),
        ("env/group_vars/unknown.yml", "- not read\n"),
        ("env/host_vars/w2.yml", "ansible_host: 192.0.2.2\n"),
        ("last.yml", "all: { hosts: { w2: { ansible_port: 2222 } } }"),
    ] {
        write(&place, name, text);
    }
    assert_eq!(
        hosts(&place, "-i env -i last.yml -i lone,"),
        [
            "w1 file@w1:2201 -",
            "w2 file@192.0.2.2:2222 -",
            "w3 ini@w3:22 -",
            "lone root@lone:22 -"
        ]
    );
    write(&place, "some", "w1\n\nw3 \n");
    assert_eq!(
        hosts(&place, "-i env --limit @some:!~w[12]"),
        ["w3 ini@w3:22 -"]
    );
}

#[test]
fn ssh_config_counts_where_the_inventory_is_silent() {
    let place = Place::new(&[]);
    write(&place, "hosts", "w1\nw2 ansible_port=1 ansible_user=own\n");
    write(
        &place,
        "config",
        "Host w*\n HostName %h.example\n Port 2222\n User conf\n ProxyJump gw\nHost gw\n User jump\n",
    );
    assert_eq!(
        hosts(&place, "-i hosts --ssh-config config"),
        [
            "w1 conf@w1.example:2222 - jump=jump@gw:22",
            "w2 own@w2.example:1 - jump=jump@gw:22"
        ]
    );
    assert_eq!(
        hosts(&place, "-i hosts --ssh-config none"),
        ["w1 root@w1:22 -", "w2 own@w2:1 -"]
    );
}

#[test]
fn what_is_wrong_with_hosts_that_a_limit_leaves_out_does_not_matter() {
    let place = Place::new(&[]);
    write(
        &place,
        "hosts",
        "localhost ansible_connection=local\n[web]\nw1\n",
    );
    let told = place.run("hosts -i hosts").with(2);
    let _told = told.telling(&["`ansible_connection` cannot be `local`", "hosts:1:30"]);
    assert_eq!(hosts(&place, "-i hosts --limit web"), ["w1 root@w1:22 -"]);
}

#[test]
fn what_cannot_be_read_of_an_inventory_is_told_with_its_place() {
    for (name, text, told) in [
        (
            "x.sh",
            "#!/bin/sh\nexit 3\n",
            "`x.sh --list` failed: exit status: 3",
        ),
        (
            "x.sh",
            "#!/bin/sh\necho no\n",
            "`x.sh --list` did not print a JSON object",
        ),
        (
            "x.sh",
            "#!/bin/sh\necho '{\"web\": {\"hosts\": [7]}, \"b/c\": []}'\n",
            "x.sh --list:1:20",
        ),
        ("x.toml", "[web]\n", "TOML inventories are not supported"),
        (
            "x",
            "$ANSIBLE_VAULT;1.1;AES256\n61\n",
            "this file is encrypted with Ansible Vault",
        ),
        ("x", "[web]\na b\n", "x:2:3"),
        ("x", "a ansible_port={{ p }}\n", "is not `key=value`"),
    ] {
        let place = Place::new(&[]);
        write(&place, name, text);
        let ended = place.run(&format!("hosts -i {name}")).with(2);
        let _told = ended.telling(&[told]);
    }
}
