"""One lab for all scenarios; before each, the cluster is whole and its guests tick.

Every scenario is watched from its beginning to its end: whatever it does, no guest may
ever execute twice.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab import Lab, LabError, Progress
from lab.cache import CACHE, hold
from lab.commands import run
from lab.errors import TimedOut

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from lab.watch import Watch

ROOT = Path(__file__).resolve().parent.parent.parent
GUESTS = ("web1", "web2")
KEPT = ROOT / "build/tests/logs"
BUILD_S = 900.0
LABS = 9


@pytest.fixture(scope="session")
def debs() -> list[Path]:
    """Return the suite's packages, built from this tree."""
    built = run([sys.executable, "-I", str(ROOT / "packaging/build-deb")], BUILD_S)
    return [Path(line) for line in built.stdout.splitlines()]


@pytest.fixture(scope="session")
def whole_lab(debs: list[Path], suite: str) -> Iterator[Lab]:
    """Bring up a lab of this run's own and take it away at the end.

    The first name that no other run holds: a killed run's lab is so cleared by the
    next.
    """
    if os.geteuid() != 0:
        pytest.skip("needs root: namespaces and mounts")
    for number in range(1, LABS + 1):
        name = f"tests-{number}"
        try:
            with hold(CACHE / f".{name}.lock", 0):
                yield from _up(name, suite, debs)
                return
        except TimedOut:
            continue
    raise LabError(f"{LABS} runs hold a lab each already")


def _up(name: str, suite: str, debs: list[Path]) -> Iterator[Lab]:
    lab = Lab(name, suite=suite, debs=debs, progress=Progress(sys.stderr))
    lab.down()
    try:
        lab.up()
        lab.configure(GUESTS)
        yield lab
    finally:
        lab.down()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the nodes' logs of a scenario that failed: the lab goes at the end."""
    report = yield
    used = getattr(item, "funcargs", {})
    lab = used.get("whole_lab", used.get("empty"))
    if report.failed and isinstance(lab, Lab):
        lab.keep_logs(KEPT / item.name.partition("[")[0])
    return report


@pytest.fixture
def lab(whole_lab: Lab) -> Lab:
    """Give a lab that is whole: all nodes online, every guest runs and ticks."""
    whole_lab.recover()
    status = whole_lab.cluster.status()
    if status.find("./nodes/node[@standby='true']") is not None:
        whole_lab.cluster.pcs("node", "unstandby", "--all")
    if status.find("./failures/failure") is not None:
        whole_lab.cluster.pcs("resource", "cleanup")
    whole_lab.wait_idle()
    for guest in GUESTS:
        whole_lab.cluster.wait_running(guest)
    return whole_lab


@pytest.fixture
def watch(lab: Lab) -> Iterator[Watch]:
    """Watch the scenario; at its end, no guest may ever have executed twice."""
    with lab.watch() as witness:
        for guest in GUESTS:
            witness.wait_tick(guest, 0.0, 60.0)
        yield witness
    for guest in witness.guests():
        spans = [(c.node, c.began_s, c.last_s) for c in witness.copies(guest)]
        assert witness.most_copies(guest) == 1, f"{guest} executed twice: {spans}"


@pytest.fixture
def repetitions(is_long: bool) -> int:
    """Return how often a scenario is repeated."""
    return 5 if is_long else 1
