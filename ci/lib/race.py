"""Runs programs over one file in turn and prints a table of time, memory and what they found.

usage: race.py ROUNDS FILE NAME REGEX COMMAND [NAME REGEX COMMAND]...

A command is a shell line without redirection; the file is its standard input and takes the place of {}. Every round
runs all of them, so that they share whatever else the machine does. The median round counts. What a program found is
the sum of the numbers that REGEX captures in its output, or the number of matches if it captures none. Memory is VmHWM
of /proc/PID/status, sampled every 20 ms.
"""

import os
import pathlib
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time


def watch(pid, ended, peaks):
    """Notes the most memory that a process ever had, in KiB, until it has ended."""
    while not ended.wait(0.02):
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return
        peaks += [int(found) for found in re.findall(r"VmHWM:\s+(\d+)", status)]


def run(command, path, output):
    """Runs a command once: seconds, seconds of CPU, KiB."""
    line = "exec " + command.replace("{}", shlex.quote(path))
    ended, peaks = threading.Event(), [0]
    with open(path, "rb") as log:
        begin = time.monotonic()
        process = subprocess.Popen(["sh", "-c", line], stdin=log, stdout=output, stderr=subprocess.DEVNULL)
        watcher = threading.Thread(target=watch, args=(process.pid, ended, peaks))
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    ended.set()
    watcher.join()
    if process.returncode != 0:
        sys.exit(f"`{command}` ended with {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, max(peaks)


def found(regex, output):
    """What a program found, from its output."""
    pattern = re.compile(regex.encode(), re.MULTILINE)
    output.seek(0)
    matches = (match for line in output for match in pattern.finditer(line))
    return sum(int(match.group(1)) if pattern.groups else 1 for match in matches)


def main(rounds, path, programs):
    """Prints a line for each program, and the ratio of the others to the first."""
    times = {name: [] for name, _, _ in programs}
    counts = {}
    for _ in range(rounds):
        for name, regex, command in programs:
            with tempfile.TemporaryFile() as output:
                times[name].append(run(command, path, output))
                counts[name] = found(regex, output)
    size = os.path.getsize(path) / 1e6
    best = statistics.median(wall for wall, _, _ in times[programs[0][0]])
    first_cpu = statistics.median(cpu for _, cpu, _ in times[programs[0][0]])
    print(f"{size:.0f} MB, {rounds} rounds, medians")
    print(f"{'':12}{'wall s':>8}{'MB/s':>8}{'CPU s':>8}{'peak MiB':>10}{'decisions':>11}{'wall ×':>8}{'CPU ×':>8}")
    for name, _, _ in programs:
        wall, cpu, peak = (statistics.median(column) for column in zip(*times[name]))
        print(f"{name:12}{wall:8.2f}{size / wall:8.0f}{cpu:8.2f}{peak / 1024:10.1f}{counts[name]:11}"
              f"{wall / best:8.1f}{cpu / first_cpu:8.1f}")


if __name__ == "__main__":
    arguments = sys.argv[3:]
    main(int(sys.argv[1]), sys.argv[2], list(zip(arguments[::3], arguments[1::3], arguments[2::3])))
