"""Rules that would keep Pacemaker's scheduler busy for too long are refused."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from vmha.heartbeat.clusterfile import acceptable, reading
from vmha.heartbeat.clusterfile.content import ClusterFile, SpreadEntry
from vmha.heartbeat.clusterfile.errors import BadClusterFile

CROSSING = (range(12), range(6, 20))
NODES = "cluster: {name: demo}\nnodes:\n" + "".join(
    f"  n{n}: {{capacity: {{cpu: 8, memory_mib: 8192}}}}\n" for n in range(1, 5)
)


def text(size: int, rules: str) -> str:
    guests = "".join(f"  g{n:02}: {{cpu: 1, memory_mib: 1}}\n" for n in range(size))
    spread = ", ".join(f"g{n:02}" for n in range(size))
    return f"{NODES}guests:\n{guests}rules:\n{rules.format(spread)}\n"


@pytest.mark.parametrize("end", ["", ", across: rack", ", hard: false"])
def test_a_spread_of_too_many_is_refused_where_it_stands(end: str) -> None:
    rules = (
        "- {{avoid: [g00], nodes: [n1], hard: false}}\n- {{spread: [{}]" + end + "}}"
    )
    whole = text(18, rules)
    line = whole[: whole.index("spread:")].count("\n") + 1
    with pytest.raises(BadClusterFile) as caught:
        reading.parse(whole, "vmha.yaml")
    (problem,) = caught.value.problems
    assert (problem.line, problem.path) == (line, "rules[1]")
    assert problem.message.startswith(
        "18 guests, with the other rules about them, keep"
    )


def test_rules_that_share_guests_are_counted_together() -> None:
    first, second = (", ".join(f"g{n:02}" for n in part) for part in CROSSING)
    rules = f"- {{{{spread: [{first}]}}}}\n- {{{{spread: [{second}]}}}}"
    with pytest.raises(BadClusterFile, match="keep Pacemaker's scheduler busy"):
        reading.parse(text(20, rules), "vmha.yaml")


def test_rules_of_two_guests_each_count_as_one_of_all_of_them() -> None:
    pairs = combinations([f"g{n:02}" for n in range(18)], 2)
    rules = "\n".join(f"- {{{{spread: [{one}, {other}]}}}}" for one, other in pairs)
    with pytest.raises(BadClusterFile, match="keep Pacemaker's scheduler busy"):
        reading.parse(text(18, rules), "vmha.yaml")


def test_a_spread_across_hosts_and_racks_counts_twice() -> None:
    rules = "- {{spread: [{0}]}}\n- {{spread: [{0}], across: rack, hard: false}}"
    with pytest.raises(BadClusterFile, match="keep Pacemaker's scheduler busy"):
        reading.parse(text(12, rules), "vmha.yaml")
    assert not slow(reading.parse(text(10, rules), "vmha.yaml"))


def test_the_largest_that_is_accepted_is_warned_of() -> None:
    (warning,) = slow(reading.parse(text(17, "- {{spread: [{}]}}"), "vmha.yaml"))
    assert warning.startswith("Guest g00: the rules about it and those that it shuns")
    assert not slow(reading.parse(text(16, "- {{spread: [{}]}}"), "vmha.yaml"))


def slow(file: ClusterFile) -> list[str]:
    return [one for one in file.warnings if "a second and more" in one]


def test_an_import_leaves_out_what_would_be_refused() -> None:
    file = reading.parse(text(20, "  []"), "vmha.yaml")
    names = tuple(guest.name for guest in file.guests)
    file = replace(file, rules=(SpreadEntry(names, hard=False),))
    left, told = acceptable.accepted(file)
    assert left.rules == ()
    assert "20 guests, with the other rules about them" in told[0]
