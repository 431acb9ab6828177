"""Drops CIL optional blocks that require names which no chosen module declares.

usage: prune_cil.py SOURCE_DIR TARGET_DIR

The policy compiler would disable those blocks anyway, after resolving them, each time a guest runs semodule.
Leaving them out halves the compile time. Top-level statements are written one a line.
"""
import pathlib
import re
import sys

TOKEN = re.compile(r'"[^"]*"|;[^\n]*|[()]|[^\s()";]+')
DECLARATIONS = {"type", "typeattribute", "typealias", "role", "roleattribute", "boolean", "user"}
REQUIREMENTS = {"typeattributeset", "roleattributeset"}


def parse(text):
    """Lists of lists and words; comments are left out."""
    top, stack = [], []
    current = top
    for token in TOKEN.findall(text):
        if token == "(":
            stack.append(current)
            current.append([])
            current = current[-1]
        elif token == ")":
            current = stack.pop()
        elif not token.startswith(";"):
            current.append(token)
    if stack:
        raise ValueError("unbalanced parentheses")
    return top


def show(node):
    return node if isinstance(node, str) else "(" + " ".join(map(show, node)) + ")"


def children(node):
    return (child for child in node if isinstance(child, list))


def keyword(node):
    """The word that says what a statement is; None for a mere list."""
    return node[0] if node and isinstance(node[0], str) else None


def declared(node):
    """All names that a statement or the statements inside it declare."""
    if keyword(node) in DECLARATIONS and isinstance(node[1], str):
        yield node[1]
    for child in children(node):
        yield from declared(child)


def is_satisfied(block, names):
    """Whether all direct requirements of an optional block are declared."""
    return all(
        child[2] in names
        for child in children(block)
        if keyword(child) in REQUIREMENTS and child[1] == "cil_gen_require" and isinstance(child[2], str)
    )


def is_dropped(node, names):
    return isinstance(node, list) and keyword(node) == "optional" and not is_satisfied(node, names)


def prune(node, names):
    return [
        prune(child, names) if isinstance(child, list) else child
        for child in node
        if not is_dropped(child, names)
    ]


def main(source, target):
    modules = {path.name: parse(path.read_text()) for path in sorted(source.glob("*.cil"))}
    names = {name for statements in modules.values() for node in statements for name in declared(node)}
    for name, statements in modules.items():
        kept = [show(node) for node in prune(statements, names)]
        (target / name).write_text("\n".join(kept) + "\n")
        print(f"{name}: {len(statements)} statements, kept {len(kept)}")


main(*map(pathlib.Path, sys.argv[1:3]))
