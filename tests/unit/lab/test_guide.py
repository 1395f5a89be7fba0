"""What is taken of the guide to be typed: all of it, for two nodes and one shell."""

from __future__ import annotations

import re

import pytest
from cluster import guide

SHELLS = pytest.mark.parametrize("shell", ["pcs", "crm"])
OTHER = {"pcs": "crm", "crm": "pcs"}
BEGINS = {"pcs": ("pcs", "passwd"), "crm": ("crm configure", "corosync-keygen")}


@SHELLS
def test_nothing_speaks_of_a_third_node(shell: str) -> None:
    assert not [step for step in guide.steps(shell) if "node3" in step.text]


@SHELLS
def test_every_command_of_one_shell_is_typed_and_none_of_the_other(shell: str) -> None:
    typed = "".join(step.text for step in guide.steps(shell))
    assert re.findall(rf"^{OTHER[shell]} ", typed, re.MULTILINE) == []
    assert f" {shell}" in next(line for line in typed.splitlines() if "chrony" in line)
    page = (guide.DOCS / guide.PAGE).read_text(encoding="utf-8")
    there = set(re.findall(rf"^{shell} .*$", page, re.MULTILINE))
    for line in there:
        left = guide.for_two(line).strip()
        assert left in typed, line
    assert there
    assert all(word in typed for word in BEGINS[shell])


@SHELLS
def test_two_nodes_are_told_to_corosync(shell: str) -> None:
    """pcs does it by itself."""
    typed = "".join(step.text for step in guide.steps(shell))
    assert ("two_node: 1" in typed) == (shell == "crm")
    assert typed.count("two_node") <= 1


def test_the_guest_is_the_guides() -> None:
    assert "<source file='/srv/guests/web.qcow2'/>" in guide.domain()
