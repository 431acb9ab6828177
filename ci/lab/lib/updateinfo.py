"""Writes the updateinfo.xml of a repository to stdout: one advisory a source package.

usage: updateinfo.py REPOSITORY_DIR ADVISORIES_FILE PREFIX

PREFIX is that of the distribution's advisory ids ("RH" makes RHSA, RHBA, RHEA). Every package needs an advisory.
"""
import fnmatch
import pathlib
import subprocess
import sys
from xml.etree import ElementTree

LETTERS = {"security": "SA", "bugfix": "BA", "enhancement": "EA"}
QUERY = "%{SOURCERPM} %{NAME} %{VERSION} %{RELEASE} %{ARCH}\\n"


def packages_by_source(directory):
    """{source RPM: [(name, version, release, arch)]}"""
    files = sorted(str(path) for path in directory.glob("*.rpm"))
    answer = subprocess.run(
        ["rpm", "-qp", "--nosignature", "--qf", QUERY, *files], check=True, capture_output=True, text=True
    )
    sources = {}
    for line in sorted(answer.stdout.splitlines()):
        source, *package = line.split()
        sources.setdefault(source, []).append(package)
    return sources


def read_advisories(path):
    lines = (line.split("#")[0].split() for line in path.read_text().splitlines())
    return [words for words in lines if words]


def advisory_of(source, advisories):
    for pattern, *rest in advisories:
        if fnmatch.fnmatch(source, pattern):
            return rest
    sys.exit(f"no advisory for {source}")


def add(parent, tag, text=None, **attributes):
    node = ElementTree.SubElement(parent, tag, attributes)
    node.text = text
    return node


def add_update(root, source, packages, advisory, prefix):
    number, date, kind, severity = advisory
    title = f"{source.rsplit('-', 2)[0]} {kind} update"
    update = add(root, "update", **{"from": "lab@localhost", "status": "final", "type": kind, "version": "1"})
    add(update, "id", f"{prefix}{LETTERS[kind]}-{number}")
    add(update, "title", title)
    add(update, "issued", date=f"{date} 00:00:00")
    add(update, "updated", date=f"{date} 00:00:00")
    add(update, "severity", severity)
    add(update, "description", title)
    references = add(update, "references")
    if kind == "security":
        cve = "CVE-" + number.replace(":", "-")
        add(references, "reference", href=f"https://cve.example/{cve}", id=cve, type="cve", title=cve)
    collection = add(add(update, "pkglist"), "collection", short="lab")
    add(collection, "name", "patchgate lab")
    for name, version, release, arch in packages:
        package = add(collection, "package", name=name, version=version, release=release, epoch="0", arch=arch, src=source)
        add(package, "filename", f"{name}-{version}-{release}.{arch}.rpm")


def main(directory, advisories_file, prefix):
    advisories = read_advisories(pathlib.Path(advisories_file))
    root = ElementTree.Element("updates")
    for source, packages in packages_by_source(pathlib.Path(directory)).items():
        add_update(root, source, packages, advisory_of(source, advisories), prefix)
    ElementTree.indent(root)
    print('<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode"))


main(*sys.argv[1:4])
