"""fence_vmha_ipmi against scripted BMCs that refuse, stumble, lie, restart or vanish.

Each row of ``situations`` is one call of the real agent. All are played, several at a
time, before the first one is judged.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from bmc.proxy import Trouble
from bmc.scenes import SHORT, Played, Scene, play_all
from bmc.simulator import PASSWORD
from bmc.situations import ROWS

if TYPE_CHECKING:
    from pathlib import Path

# An off takes ten packets in each direction; the last one is the answer to the close.
ANY_WAY = [f"{way} after {n}" for way in ("deaf", "mute") for n in range(9)]


@pytest.fixture(scope="module")
def played(root: Path) -> dict[str, Played]:
    """Return what came of every scene."""
    scenes = {name: row.scene for name, row in ROWS.items()}
    for name in ANY_WAY:
        way, _, count = name.partition(" after ")
        trouble = Trouble(**{f"{way}_after": int(count)})  # type: ignore[arg-type]
        scenes[name] = Scene("off", parameters=SHORT, trouble=trouble)
    return play_all(root / "sbin/fence_vmha_ipmi", scenes)


@pytest.mark.parametrize("name", ROWS)
def test_a_scene_ends_as_it_must(played: dict[str, Played], name: str) -> None:
    row, came = ROWS[name], played[name]
    outcome = came.outcome
    assert (outcome.exit_code, outcome.stdout) == (row.code(), row.stdout)
    if row.orders is not None:
        assert came.orders == list(row.orders)
    assert len(outcome.stderr.splitlines()) == (1 if outcome.exit_code else 0)
    for word in row.words:
        assert word in outcome.stderr
    assert not re.search("timeout|timed out|unrecogni", without_names(outcome.stderr))
    assert PASSWORD not in outcome.stderr
    assert outcome.seconds < row.within_s


@pytest.mark.parametrize("name", ROWS)
def test_no_success_is_false_unless_the_bmc_always_lies(
    played: dict[str, Played], name: str
) -> None:
    scene, came = ROWS[name].scene, played[name]
    if came.outcome.exit_code == 0 and scene.plan.lie is None:
        wanted = {"off": False, "on": True, "reboot": True}
        if scene.action in wanted:
            assert (
                came.server.node.was_on(came.outcome.ended_at) is (wanted[scene.action])
            )
    assert came.power.count(False) <= 1, "it was powered off a second time"


@pytest.mark.parametrize("name", [n for n, r in ROWS.items() if r.every_packet_arrives])
def test_no_session_is_left_behind_where_every_packet_arrives(
    played: dict[str, Played], name: str
) -> None:
    assert played[name].server.sessions == {}


@pytest.mark.parametrize("name", ANY_WAY)
def test_silence_from_any_packet_on_ends_with_one_line(
    played: dict[str, Played], name: str
) -> None:
    outcome = played[name].outcome
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert len(outcome.stderr.splitlines()) == 1
    assert outcome.seconds < 1 + 1 + 2 + 1.5 + 2


def test_a_bad_parameter_sends_nothing(played: dict[str, Played]) -> None:
    for name in ("a port that is none", "a time that is none"):
        assert played[name].server.received == 0


def test_a_liar_is_believed_and_the_node_runs(played: dict[str, Played]) -> None:
    for name, row in ROWS.items():
        if row.scene.plan.lie is not None:
            assert played[name].power == [True]


def without_names(text: str) -> str:
    """Return a line without the names of parameters that it gives."""
    return re.sub(r"\w+_timeout", "", text.lower())
