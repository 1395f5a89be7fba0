"""The behaviour table: ours has no bad cell; --long shows VirtualDomain's as well.

The situations that no other test brings about run always; --long plays them all.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from behaviour.play import play
from behaviour.scenarios import SITUATIONS, Situation
from hosts.operation import PEER
from hosts.pair import Pair
from hosts.pool import Pool

ALWAYS = (
    "paused by an I/O error",
    "half of it has arrived here",
    "file gone, all memory lost",
    "file on a hung mount",
    "libvirt dead, file gone",
    "it dies right after its creation",
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the situations of this run."""
    if "situation" not in metafunc.fixturenames:
        return
    is_long = metafunc.config.getoption("--long")
    chosen = [s for s in SITUATIONS if is_long or s.name in ALWAYS]
    metafunc.parametrize("situation", chosen, ids=[s.name for s in chosen])


def test_the_short_table_is_a_part_of_the_whole() -> None:
    assert set(ALWAYS) <= {situation.name for situation in SITUATIONS}


@pytest.mark.timeout(180)
def test_every_answer_is_one_that_ocf_allows(
    situation: Situation,
    pair: Pair,
    pool: Pool,
    agent: Path,
    is_long: bool,
    figures: list[str],
) -> None:
    pool.drain()  # what runs here without a record may be anybody's
    cells = play(pair, agent, situation)
    if is_long:
        theirs = [cell for cell in play(pair, PEER, situation) if cell.mark]
        marks = [f"{cell.action} {cell.mark.lower()}" for cell in theirs]
        told = ", ".join(marks) or "as OCF wants"
        figures.append(f"{situation.name}: VirtualDomain {told}")
    assert [f"{c.action}: {c.mark}, {c.why}" for c in cells if c.mark] == []
