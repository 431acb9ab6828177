"""What patchgate and ansible-inventory make of the same inventories, compared.

usage: inventory_diff.py PATCHGATE ANSIBLE-INVENTORY DOCS OWN [INVENTORY...]
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

USER = "somebody"
# Ansible's own words for the same: the new name first.
NAMES = {
    "address": ["ansible_host", "ansible_ssh_host"],
    "port": ["ansible_port", "ansible_ssh_port"],
    "user": ["ansible_user", "ansible_ssh_user"],
    "key_file": ["ansible_ssh_private_key_file", "ansible_private_key_file"],
}


def run(command, folder, home, more=None):
    environment = {"PATH": os.environ["PATH"], "HOME": home, "USER": USER, "LC_ALL": "C.UTF-8",
                   "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_FAILED": "true",
                   **(more or {})}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def members(groups):
    """Group -> hosts, also through children."""
    def hosts(name, seen=()):
        group = groups.get(name, {})
        found = set(group.get("hosts", []))
        for child in group.get("children", []):
            if child not in seen:
                found |= hosts(child, (*seen, name))
        return found
    return {name: hosts(name) for name in groups if name not in ("_meta", "all")}


def key_file(text, folder, home):
    """Where a key is: Ansible leaves `~` and relative paths to ssh, patchgate does not."""
    if text is None:
        return None
    return str(folder / re.sub("^~(?=/|$)", home, text))


def of_ansible(listed, folder, home):
    variables = listed["_meta"]["hostvars"]
    by_group = members(listed)
    names = set(variables).union(*by_group.values(), listed.get("all", {}).get("hosts", []))
    hosts = {}
    for name in names:
        own = variables.get(name, {})
        given = {field: next((own[n] for n in names if n in own), None) for field, names in NAMES.items()}
        hosts[name] = {
            "address": given["address"] or name,
            "port": int(given["port"] or 22),
            "user": str(given["user"] or USER),
            "key_file": key_file(given["key_file"], folder, home),
            "become_root": str(own.get("ansible_become", False)).lower() in ("true", "yes", "on", "1"),
            "groups": sorted(g for g, hosts in by_group.items() if name in hosts),
        }
    return hosts


def of_patchgate(listed, folder, home):
    fields = ["address", "port", "user", "key_file", "become_root", "groups"]
    hosts = {host["name"]: {field: host[field] for field in fields} for host in listed}
    for host in hosts.values():
        host["key_file"] = key_file(host["key_file"], folder, home)
    return hosts


def documented(docs):
    """The reasons that the documentation lists, as patterns."""
    rows = re.findall(r"^\| [^|]*\| “([^|]*)” \|", Path(docs).read_text(), re.MULTILINE)
    return [re.compile(".*".join(re.escape(part) for part in row.split("…"))) for row in rows]


def reasons(text):
    found = re.findall(r"^(?:\S.*: )?error: (.*)$", text, re.MULTILINE)
    return [reason for reason in found if "in the configuration; nothing was touched" not in reason]


def refused_by_ansible(tool, sources, folder, home):
    """Whether Ansible too cannot read it, or a file of it: of a folder it only warns."""
    strict = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}
    return run([tool, *sources, "--list"], folder, home, strict).returncode != 0


def compare(tools, inventory, known, home, own):
    """The word for what came of it, and the details."""
    folder = inventory if inventory.is_dir() else inventory.parent
    named = [inventory.name]
    if inventory.is_dir():
        listed = inventory / "sources"
        hosts = sorted(p.name for p in inventory.glob("hosts*"))
        named = listed.read_text().split() if listed.exists() else hosts or ["."]
    sources = [word for name in named for word in ("-i", name)]
    ours = run([tools[0], "hosts", *sources, "--ssh-config", "none", "--format", "json"], folder, home)
    wanted = inventory / "refused" if inventory.is_dir() else None
    if ours.returncode not in (0, 4):
        told = reasons(ours.stderr)
        unknown = [reason for reason in told if not any(k.search(reason) for k in known)]
        if told and unknown and refused_by_ansible(tools[1], sources, folder, home):
            return "refused", "by Ansible too: " + "; ".join(sorted(set(told))[:3])
        if not told or unknown:
            return "UNDOCUMENTED", "\n".join(unknown) or ours.stderr
        if wanted and wanted.exists() and wanted.read_text().strip() not in ours.stderr:
            return "DIFFERS", f"another reason than the one wanted:\n{ours.stderr}"
        if wanted and own and not wanted.exists():
            return "DIFFERS", "it should not have been refused: " + "; ".join(told)
        return "refused", "; ".join(sorted(set(told))[:3])
    if wanted and wanted.exists():
        return "DIFFERS", "it should have been refused"
    theirs = run([tools[1], *sources, "--list"], folder, home)
    if theirs.returncode != 0:
        return "DIFFERS", f"Ansible refuses it:\n{theirs.stderr}"
    left = of_ansible(json.loads(theirs.stdout), folder, home)
    right = of_patchgate(json.loads(ours.stdout), folder, home)
    lines = []
    for name in sorted(left.keys() | right.keys()):
        if left.get(name) != right.get(name):
            lines.append(f"  {name}: Ansible   {left.get(name)}\n  {name}: patchgate {right.get(name)}")
    if lines:
        return "DIFFERS", "\n".join(lines)
    return "agrees", f"{len(right)} hosts"


def main():
    *tools, docs, own = sys.argv[1:5]
    named = [Path(p).resolve() for p in sys.argv[5:]]
    inventories = named or sorted(p for p in Path(own).resolve().iterdir() if p.is_dir())
    tools = [str(Path(tool).resolve()) for tool in tools]
    known = documented(docs)
    counts = {}
    with tempfile.TemporaryDirectory() as home:
        for inventory in inventories:
            word, details = compare(tools, inventory, known, home, not named)
            counts[word] = counts.get(word, 0) + 1
            print(f"{word:<12} {inventory.name}: {details}", flush=True)
    good = counts.get("agrees", 0) + counts.get("refused", 0)
    print(f"{good} of {len(inventories)}: " + ", ".join(f"{n} {word}" for word, n in sorted(counts.items())))
    sys.exit(good != len(inventories))


main()
