"""Gives Debian's apache2 binary the compiled-in paths and the banner of Enterprise Linux's httpd.

usage: relocate_httpd.py APACHE2 HTTPD BANNER

Strings of a binary have a fixed room: a shorter one is filled up with NUL bytes.
"""
import pathlib
import sys


def replace(binary, old, new):
    if len(new) > len(old) or old not in binary:
        sys.exit(f"cannot replace {old!r} with {new!r} in httpd")
    return binary.replace(old, new.ljust(len(old), b"\0"))


def main(source, target, banner):
    binary = pathlib.Path(source).read_bytes()
    binary = replace(binary, b"\0/etc/apache2\0", b"\0/etc/httpd\0")
    binary = replace(binary, b"\0apache2.conf\0", b"\0httpd.conf\0")
    words = f"({banner})".encode()
    if len(words) != len(b"(Debian)"):
        sys.exit("the banner is part of a longer string: it must have six letters")
    binary = replace(binary, b"(Debian)", words)
    pathlib.Path(target).write_bytes(binary)


main(*sys.argv[1:4])
