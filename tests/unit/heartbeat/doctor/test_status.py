"""``vmha status`` as a person sees it: what asks for somebody comes first."""

from __future__ import annotations

import argparse
import io

import pytest

from vmha.heartbeat.command import status
from vmha.heartbeat.command.streams import Streams
from vmha.heartbeat.doctor.observed import Fencing
from vmha.heartbeat.doctor.overview import GuestRow, Margin, NodeRow, Overview

WELL = Overview(
    "n1",
    "2.1.5",
    True,
    (NodeRow("n1", "online", 2, 4, 16, 8192, 65536),),
    (
        GuestRow("app", "gold", 3, "running", "n1", "it prefers this node (score 9)"),
        GuestRow("web", "", 10, "running", "n1", "no other node could take it now"),
    ),
    (),
    (),
    Margin(1, 1, "any failure would be survived by all"),
    (Fencing("n2", "off", "success", "n1", "2026-01-01 10:00:00Z", ""),),
)


def shown(found: Overview, **options: object) -> tuple[str, int]:
    out = io.StringIO()
    streams = Streams(out, io.StringIO(), {})
    arguments = argparse.Namespace(file=None, watch=None, json=False)
    vars(arguments).update(options)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(status, "look", lambda *_: found)
        code = status.run(arguments, streams)
    return out.getvalue(), code


def test_a_well_cluster_is_shown_with_its_last_failovers_and_exit_code_0() -> None:
    text, code = shown(WELL)
    assert code == 0
    for part in (
        "with quorum",
        "8192/65536",
        "gold",
        "any failure would",
        "2026-01-01",
    ):
        assert part in text


def test_a_guest_that_is_down_comes_first_and_makes_exit_code_1() -> None:
    lost = GuestRow("zoo", "", 1, "down", None, "no node can take it")
    text, code = shown(WELL._replace(guests=(*WELL.guests, lost)))
    assert code == 1
    assert text.index("zoo") < text.index("app")
    assert "DOWN" in text


@pytest.mark.parametrize(
    "ill",
    [
        WELL._replace(has_quorum=False),
        WELL._replace(unfenced=("n1",)),
        WELL._replace(margin=Margin(0, 1, "without n1 there is no place for web")),
        WELL._replace(nodes=(WELL.nodes[0]._replace(state="unclean"),)),
    ],
)
def test_whatever_asks_for_somebody_makes_exit_code_1(ill: Overview) -> None:
    assert shown(ill)[1] == 1


def test_watching_shows_it_again_until_it_is_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", pause)
    text, code = shown(WELL, watch=4.0)
    assert (pauses, code) == ([4.0] * 3, 0)
    assert text.count("with quorum") == 3
