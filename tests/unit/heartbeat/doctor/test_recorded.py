"""A recorded cluster of three nodes, Debian 12 with Pacemaker 2.1.5, set up with pcs.

The CIB, crm_mon's answer and the nodes' facts are as the lab gave them; the long lists
of its hypervisor are cut short.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vmha.heartbeat.doctor import asking, overview
from vmha.heartbeat.doctor.catalogue import checks
from vmha.heartbeat.doctor.cib import parse
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.doctor.examination import Report, examine
from vmha.heartbeat.doctor.observed import parse as parse_mon
from vmha.heartbeat.doctor.survival import plan_of

DATA = Path(__file__).resolve().parents[3] / "data/doctor"
NODES = ("node1", "node2", "node3")
RUNS_ON = {"web1": "node1", "web2": "node2"}


def recorded(**changed: Any) -> Report:
    """Examine the recording; ``changed`` replaces parts of node2's facts."""
    cib = parse((DATA / "cib.xml").read_text())
    told = {n: json.loads((DATA / f"{n}.json").read_text()) for n in NODES}
    told["node2"].update(changed)
    facts = {node: asking.read(json.dumps(raw)) for node, raw in told.items()}
    plan = plan_of(cib, RUNS_ON, 1)
    return examine(Evidence(None, cib, True, facts, {}, True, plan), checks())


def test_a_recorded_healthy_cluster_has_no_fault_and_no_gap() -> None:
    report = recorded()
    assert [(r.check.id, r.findings) for r in report.results if r.findings] == []
    assert [(r.check.id, r.unknown) for r in report.results if r.unknown] == []
    assert report.exit_code == 0


def test_a_libvirt_that_was_silent_leaves_only_its_checks_unknown() -> None:
    report = recorded(libvirt=None, unknown={"libvirt": "it cannot be reached"})
    gaps = {r.check.id: r.unknown for r in report.results if r.unknown}
    assert set(gaps) == {
        *("running-twice", "running-unnoticed", "autostart", "disk-locks"),
    }
    assert report.exit_code == 3


def test_the_recorded_overview_is_well() -> None:
    cib = parse((DATA / "cib.xml").read_text())
    seen = parse_mon((DATA / "crm_mon.xml").read_text())
    found = overview.of(cib, seen, plan_of(cib, RUNS_ON, 1), 1, {})
    assert found.is_well
    assert {guest.name: guest.node for guest in found.guests} == RUNS_ON
    assert {device.said for device in found.devices} == {
        f"monitored by {node}" for node in NODES
    }
