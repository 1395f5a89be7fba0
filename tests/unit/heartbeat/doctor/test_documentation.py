"""docs/doctor.md says of each check what the catalogue says."""

from __future__ import annotations

import re
from pathlib import Path

from vmha.heartbeat.doctor import catalogue, placement
from vmha.heartbeat.doctor.observed import NodeState

ROOT = Path(__file__).resolve().parents[4]
TEXT = (ROOT / "docs/doctor.md").read_text(encoding="utf-8")


def test_the_table_holds_every_check_in_its_order() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \| ([^|]+) \|", TEXT, re.MULTILINE)
    told = [(name, severity, title.strip()) for name, severity, title in rows]
    checks = catalogue.checks()
    assert told == [(c.id, c.severity.value, c.title) for c in checks]


def test_the_number_of_checks_in_the_example_is_true() -> None:
    assert f'"checks": {len(catalogue.checks())}}}' in TEXT


def test_every_code_of_an_obstacle_is_explained() -> None:
    source = Path(placement.__file__).read_text(encoding="utf-8")
    codes = set(re.findall(r'Obstacle\("([a-z-]+)"', source))
    states = [
        NodeState("n", True, is_unclean=True),
        NodeState("n", True, is_pending=True),
        NodeState("n", True, is_in_maintenance=True),
        NodeState("n", True, is_standby=True),
    ]
    codes |= {f"node-{s.word}" for s in (*states, NodeState("n", False))}
    codes.add("node-unknown")
    rows = [line for line in TEXT.splitlines() if line.startswith("| `")]
    explained = {c for row in rows for c in re.findall(r"`([a-z-]+)`", row)}
    assert codes <= explained
