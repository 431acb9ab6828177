"""Holds the records of the demo's three nights against what must come out, and prints a table.

usage: nights.py DIRECTORY     with the run directories quiet, february and march in it
Exit code 0 only if each verdict, and February's finding, is what the story says.
"""

import json
import pathlib
import sys

EXPECTED = {"quiet": ("open", 0), "february": ("closed", 1), "march": ("open", 0)}
OUTAGE = {
    "class": "rebuild-only-regression",
    "hosts": ["lab-rebuild"],
    "twin": {"host": "lab-upstream", "fate": "unaffected"},
}
CAUSE = {
    "kind": "selinux-silent-denial",
    "denial": {
        "source": "httpd_t",
        "target": "httpd_t",
        "class": "tcp_socket",
        "perms": ["accept", "listen"],
        "silenced": True,
    },
}
SYMPTOMS = {"patched": "timed out without a byte", "restarted": "connection refused"}
SUSPECT = "selinux-policy-targeted-3.14.3-155."


def february(verdict):
    """The mistakes in February's verdict."""
    findings = [f for f in verdict["findings"] if f["class"] == OUTAGE["class"]]
    if len(findings) != 1:
        return [f"{len(findings)} findings of class {OUTAGE['class']} instead of 1"]
    found = findings[0]
    wrong = [f"{key}: {found[key]}" for key in OUTAGE if found[key] != OUTAGE[key]]
    wrong += [f"cause {key}: {found['cause'][key]}" for key in CAUSE if found["cause"][key] != CAUSE[key]]
    for state, words in SYMPTOMS.items():
        seen = [s["text"] for s in found["symptoms"] if s["state"] == state and s["vantage"] == "controller"]
        if not any(words in text for text in seen):
            wrong.append(f"{state}, from the controller: {seen}")
    suspects = [s["nevra"] for s in found["suspects"]]
    if not suspects or not suspects[0].startswith(SUSPECT):
        wrong.append(f"suspects: {suspects}")
    return wrong


def cause(verdict):
    """The first cause, in a few words."""
    for found in verdict["findings"]:
        denial = found["cause"]["denial"]
        if denial:
            silenced = ", silenced" if denial["silenced"] else ""
            return f"{found['cause']['kind']}: {denial['source']} {denial['class']} {{ {' '.join(denial['perms'])} }}{silenced}"
    return "-"


def main(directory):
    wrong, rows = [], []
    for night, expected in EXPECTED.items():
        verdict = json.loads((directory / night / "verdict.json").read_text())
        got = (verdict["verdict"], verdict["exit"])
        if got != expected:
            wrong.append(f"{night}: {got} instead of {expected}")
        wrong += [f"{night}: {w}" for w in (february(verdict) if night == "february" else [])]
        rows.append((night, verdict["verdict"], cause(verdict), str(directory / night / "junit.xml")))
    head = ("night", "gate", "cause", "JUnit")
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(4)]
    for row in [head, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    for line in wrong:
        print(f"WRONG  {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
