"""Packs an initramfs of one static program and the kernel modules that it loads.

usage: initramfs.py INIT OUTPUT [MODULES_DIR]

MODULES_DIR is lib/modules/VERSION of the guest. Without it the initramfs is the accelerator probe.
A handful of modules instead of a distribution's initramfs saves about 6 s of each emulated boot.
"""
import gzip
import pathlib
import stat
import sys

NEEDED = ("crc32c_generic", "virtio_pci", "virtio_blk", "ext4", "virtio_net")


def cpio(entries):
    """An archive in "newc" format. entries: (name, mode, data)"""
    out = bytearray()
    for inode, (name, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        console = name == "dev/console"
        fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 5 if console else 0, 1 if console else 0, len(name) + 1, 0)
        out += b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        out += b"\0" * (-len(out) % 4)
        out += data
        out += b"\0" * (-len(out) % 4)
    return bytes(out)


def load_order(directory):
    """Files of the needed modules and their dependencies, dependencies first."""
    lines = (line.split(":") for line in (directory / "modules.dep").read_text().splitlines())
    needs = {file: dependencies.split() for file, dependencies in lines}
    by_name = {pathlib.Path(file).name.split(".")[0].replace("-", "_"): file for file in needs}
    order = []

    def add(file):
        for dependency in reversed(needs[file]):
            add(dependency)
        if file not in order:
            order.append(file)

    for name in NEEDED:
        if name in by_name:  # else it is part of the kernel
            add(by_name[name])
    return [directory / file for file in order]


def main(init, output, modules=None):
    entries = [
        ("dev", stat.S_IFDIR | 0o755, b""),
        ("dev/console", stat.S_IFCHR | 0o600, b""),
        ("init", stat.S_IFREG | 0o755, pathlib.Path(init).read_bytes()),
    ]
    if modules:
        files = load_order(pathlib.Path(modules))
        entries.append(("modules", stat.S_IFDIR | 0o755, b""))
        entries += [("modules/" + file.name, stat.S_IFREG | 0o644, file.read_bytes()) for file in files]
        order = "".join(file.name + "\n" for file in files)
        entries.append(("modules/order", stat.S_IFREG | 0o644, order.encode()))
    pathlib.Path(output).write_bytes(gzip.compress(cpio(entries), 1, mtime=0))


main(*sys.argv[1:4])
