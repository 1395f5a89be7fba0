"""A guest that executes where Pacemaker has it as stopped, told from one on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lxml import etree
from unit.heartbeat.doctor.patient import Patient
from unit.heartbeat.doctor.seeds import unnoticed

if TYPE_CHECKING:
    from collections.abc import Sequence

HISTORIES: dict[str, tuple[Sequence[tuple[str, ...]], bool]] = {
    "it was never seen there": ([], True),
    "a probe found nothing": ([("monitor", "0", "7", "0", "3")], True),
    "it was stopped": (
        [("start", "0", "0", "0", "3"), ("stop", "0", "0", "0", "5")],
        True,
    ),
    "old monitors say it runs": (
        [("monitor", "10000", "0", "0", "4"), ("stop", "0", "0", "0", "5")],
        True,
    ),
    "an arrival before the last stop": (
        [("migrate_from", "0", "0", "0", "4"), ("stop", "0", "0", "0", "5")],
        True,
    ),
    "it was started": (
        [("stop", "0", "0", "0", "5"), ("start", "0", "0", "0", "6")],
        False,
    ),
    "it arrived": ([("migrate_from", "0", "0", "0", "6")], False),
    "a probe found it": ([("monitor", "0", "0", "0", "6")], False),
    "its start is under way": ([("start", "0", "193", "-1", "-1")], False),
    "its stop is under way": (
        [("start", "0", "0", "0", "3"), ("stop", "0", "193", "-1", "-1")],
        False,
    ),
    "a stop that failed": ([("stop", "0", "1", "4", "6")], False),
}


def record(ill: Patient, node: str, operations: Sequence[tuple[str, ...]]) -> None:
    """Make these (operation, interval, rc-code, op-status, call-id) the history."""
    state = ill.one(f"status/node_state[@uname='{node}']")
    for old in state.findall(".//lrm_resource[@id='web1']"):
        parent = old.getparent()
        assert parent is not None
        parent.remove(old)
    (resources,) = state.findall("lrm/lrm_resources")
    resource = etree.SubElement(resources, "lrm_resource", id="web1")
    names = ("operation", "interval", "rc-code", "op-status", "call-id")
    for operation in operations:
        etree.SubElement(resource, "lrm_rsc_op", dict(zip(names, operation)), id="x")


def found(ill: Patient) -> bool:
    return "running-unnoticed" in {name for name, _, _ in ill.found()}


@pytest.mark.parametrize("name", HISTORIES)
def test_the_nodes_last_action_decides(name: str) -> None:
    operations, is_unnoticed = HISTORIES[name]
    ill = Patient()
    unnoticed(ill)
    record(ill, "n1", operations)
    record(ill, "n2", [("stop", "0", "0", "0", "9")])
    assert found(ill) == is_unnoticed


@pytest.mark.parametrize(
    "operation",
    [("migrate_to", "0", "193", "-1", "-1"), ("migrate_to", "0", "0", "0", "9")],
    ids=["under way", "yet to arrive"],
)
def test_a_guest_on_its_way_is_passed_over(operation: tuple[str, ...]) -> None:
    ill = Patient()
    unnoticed(ill)
    record(ill, "n1", [("stop", "0", "0", "0", "5")])
    record(ill, "n2", [("start", "0", "0", "0", "8"), operation])
    assert not found(ill)
