#!/usr/bin/python3 -IS
"""The chassis behind a simulated BMC: ipmi_sim runs this program to act and to ask.

``chassis.py FOLDER get power`` prints ``power:0|1``, ``... set power 0|1`` acts and
``... peek power`` tells a test the truth. What ipmi_sim asked for is appended to
``FOLDER/log``, and ``FOLDER/changes`` tells when the true power changed.
``FOLDER/plan.json`` says how this chassis misbehaves:

    off_takes_s   an off is carried out that many seconds later; one that comes in
                  between, or for a node that is off, changes nothing
    ignore_offs   this many offs are ignored
    ignore_ons    this many ons are ignored
    refuse_on     every on fails
    false_reads   this list is shown instead of the true power, one entry per read;
                  null shows the truth
    stumble       this many reads fail
"""

from __future__ import annotations

import json
import os
import sys
import time


def read(path: str, otherwise: str) -> str:
    """Return the text of a file, or the other text where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return otherwise


def write(path: str, text: str) -> None:
    """Write a file in one step."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path + ".new", path)


class Chassis:
    """A node's power, kept in a folder of small files."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.plan = json.loads(read(f"{folder}/plan.json", "{}"))

    def power(self) -> int:
        """Return the true power now: 1 or 0; an off that was due has happened."""
        due = read(f"{self.folder}/off_at", "")
        if due and time.monotonic() >= float(due):
            os.unlink(f"{self.folder}/off_at")
            self.become("0", float(due))
            return 0
        return int(read(f"{self.folder}/power", "1"))

    def become(self, power: str, at: float) -> None:
        """Change the true power."""
        if read(f"{self.folder}/power", "1") != power:
            with open(f"{self.folder}/changes", "a", encoding="utf-8") as changes:
                changes.write(f"{at} {power}\n")
        write(f"{self.folder}/power", power)

    def count(self, name: str) -> int:
        """Return how often this was asked for before, and count this time."""
        before = int(read(f"{self.folder}/{name}.count", "0"))
        write(f"{self.folder}/{name}.count", str(before + 1))
        return before

    def show(self) -> int:
        """Answer "get power"."""
        reads = self.count("reads")
        if reads < self.plan.get("stumble", 0):
            return 1
        false_reads = self.plan.get("false_reads", [])
        shown = false_reads[reads] if reads < len(false_reads) else None
        print(f"power:{self.power() if shown is None else shown}")
        return 0

    def turn(self, wanted: str) -> int:
        """Carry out "set power"; return the exit code."""
        if wanted == "1":
            if self.plan.get("refuse_on"):
                return 1
            if self.count("ons") >= self.plan.get("ignore_ons", 0):
                self.power()
                self.become("1", time.monotonic())
        elif self.count("offs") >= self.plan.get("ignore_offs", 0):
            is_under_way = os.path.exists(f"{self.folder}/off_at")
            if self.power() and not is_under_way:
                due = time.monotonic() + self.plan.get("off_takes_s", 0)
                write(f"{self.folder}/off_at", str(due))
                self.power()
        return 0


def main() -> int:
    """Carry out one call of ipmi_sim."""
    folder, verb, *words = sys.argv[1:]
    if verb == "peek":
        print(Chassis(folder).power())
        return 0
    with open(f"{folder}/log", "a", encoding="utf-8") as log:
        log.write(f"{time.monotonic():.3f} {verb} {' '.join(words)}\n")
    chassis = Chassis(folder)
    if verb == "get":
        return chassis.show()
    if words[:1] == ["power"]:
        return chassis.turn(words[1])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
