//! INI inventories: what Ansible takes, and what is refused with its place.

use crate::{
    inventory::{
        Defaults, Inventory,
        input::{Form, Part, Place, Text},
        read,
    },
    source::Diagnostics,
};

fn parsed(text: &str) -> Result<Inventory, Diagnostics> {
    let (file, text) = ("f".to_owned(), text.to_owned());
    let place = Place {
        parts: vec![Part {
            text: Text { file, text },
            form: Form::Ini,
        }],
        ..Place::default()
    };
    let defaults = Defaults {
        user: "me".to_owned(),
        ..Defaults::default()
    };
    read(&[place], &defaults).settle()
}

/// `name=user@address:port in groups` of every host.
fn told(text: &str) -> String {
    let found = parsed(text).unwrap_or_else(|e| panic!("{e}{text}"));
    let line = |h: &crate::inventory::InventoryHost| {
        let groups: Vec<&str> = h.groups.iter().map(|g| g.as_str()).collect();
        let groups = groups.join(",");
        format!("{}={}@{}:{} in {groups}", h.name, h.user, h.address, h.port)
    };
    found.hosts.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn hosts_sections_and_variables_are_read() {
    let text = "
# a comment
; another
lone ansible_host=192.0.2.1   # behind a host
[web] # behind a section
web[01:03:2].example:2222 ansible_user=\"deploy\"
twice
[web:vars]
ansible_port = 2200
ansible_user='web'
[db:children]
pg
[pg]
twice ansible_user=pg
[site:children]
web
db # with a comment
[all:vars]
ansible_user=all
";
    assert_eq!(
        told(text),
        "lone=all@192.0.2.1:22 in ungrouped\n\
         web01.example=deploy@web01.example:2222 in site,web\n\
         web03.example=deploy@web03.example:2222 in site,web\n\
         twice=pg@twice:2200 in db,pg,site,web"
    );
}

#[test]
fn mistakes_have_their_places() {
    for (text, wanted) in [
        (
            "[web\nx",
            "f:1:1: error: `[web` cannot be a host: brackets do not pair\n",
        ),
        (
            "a\n [we b]\n",
            "f:2:2: error: `[we b]` is no section (expected `[group]`, `[group:vars]` or \
             `[group:children]`, without spaces)\n",
        ),
        (
            "[web:hostz]\nnot read\n",
            "f:1:2: error: a section cannot be of the kind `hostz` (expected `vars`, `children` or \
             `hosts`)\n",
        ),
        (
            "a b\nc d=1 'e\n",
            "f:1:3: error: `b` is not `key=value`\n  help: a value with spaces stands in quotes; a comment \
             begins with `#`\nf:2:1: error: a quote is not closed in this line\n",
        ),
        (
            "[web:vars]\nx=1\n[all:children]\ndb\n[top:children]\ndb\n",
            "f:1:2: error: `web` has variables and is no group\n  help: add the section `[web]`; Ansible \
             wants it too\nf:4:1: error: `db` is a child of `all` and is no group\n  help: add the section \
             `[db]`; Ansible wants it too\n",
        ),
        (
            "a\n[web:vars]\nnothing\n[web]\na ansible_port=\"70000\" ansible_user=x\n",
            "f:3:1: error: `nothing` is not `key=value`\nf:5:16: error: `ansible_port` cannot be `70000` \
             (expected a whole number from 1 to 65535)\n",
        ),
        (
            "a patchgate_rol=x ansible_password=hunter2\n",
            "f:1:3: error: there is no variable `patchgate_rol` (expected one of `patchgate_role`, \
             `patchgate_twin`, `patchgate_lab`, `patchgate_wave`, `patchgate_known_hosts`, `patchgate_ssh_legacy`, `patchgate_snapshot`)\n  help: \
             did you mean `patchgate_role`?\nf:1:19: error: `ansible_password` is a secret\n  help: take it \
             out of the file: patchgate logs in with a key (`ansible_ssh_private_key_file` or an agent), \
             and becomes root with `sudo -n`, which asks for no password\n",
        ),
        (
            "# YAML\n---\nplugin: x.y.z\nzones: [a]\n",
            "f:3:1: error: inventory plugins are not supported\n  help: give patchgate the hosts: \
             `ansible-inventory --list --yaml` prints them\n",
        ),
        (
            "[a:children]\nb\n[b:children]\na\n",
            "f:4:1: error: `a` cannot be a child of `b`\n  help: `a` stands above `b` already\n",
        ),
    ] {
        assert_eq!(parsed(text).unwrap_err().to_string(), wanted, "{text}");
    }
}
