"""What Pacemaker does next is told in bounded time, and whether it was played through.

A fake stands in for crm_simulate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from clusters.examples import live

from vmha.agents.protocol import process
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Unreachable
from vmha.heartbeat.pacemaker import forecast

GUEST = '<primitive id="{}" class="ocf" provider="vmha" type="VirtualMachine"/>'
HEAD = (
    '<cluster_status><nodes><node name="n1" online="true" type="member"/></nodes>'
    "<resources/></cluster_status>"
)
ACTIONS = (
    '<actions><rsc_action action="start" resource="a" node="n2"/>'
    '<rsc_action action="start" resource="b" node="n1" blocked="true"/></actions>'
)
RESULT = HEAD.replace("cluster_status", "revised_cluster_status")


class Simulator:
    """Remembers how it was called; ``is_slow`` plays nothing through in time."""

    def __init__(self, *, is_slow: bool = False) -> None:
        self.calls: list[Sequence[str]] = []
        self._is_slow = is_slow

    def __call__(
        self, argv: Sequence[str], deadline: Deadline, environ: Mapping[str, str]
    ) -> process.Result:
        self.calls.append(argv)
        text = HEAD + ACTIONS
        if "--simulate" in argv:
            if self._is_slow:
                raise Unreachable(f"not within {deadline.timeout_s}")
            text += RESULT
        for word in argv:
            if word.startswith("--save-output="):
                Path(word.partition("=")[2]).write_text("<cib after='1'/>", "utf-8")
        return process.Result(0, f"<r>{text}</r>", "")


def asked(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> forecast.Forecast:
    monkeypatch.setattr(process, "run", simulator)
    cib = live(3, GUEST.format("a") + GUEST.format("b"))
    return forecast.forecast(cib, Deadline(9.0))


def test_a_small_change_is_played_through_in_one_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulator = Simulator()
    found = asked(simulator, monkeypatch)
    assert len(simulator.calls) == 1
    assert found.cib.get("after") == "1"
    assert (found.is_played, found.warnings) == (True, [])


def test_a_large_change_is_decided_only_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forecast, "MOST_PROBES", 5)
    simulator = Simulator()
    found = asked(simulator, monkeypatch)
    assert ["--run" in call for call in simulator.calls] == [True]
    assert found.warnings == [forecast.UNPLAYED]


def test_what_takes_too_long_to_play_through_is_decided_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulator = Simulator(is_slow=True)
    found = asked(simulator, monkeypatch)
    assert len(simulator.calls) == 2
    assert not found.is_played


def test_what_is_decided_and_blocked_does_not_run_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = asked(Simulator(is_slow=True), monkeypatch)
    assert found.outcome.after == {"a": "n2"}
    started = found.cib.xpath(
        "status/node_state[.//lrm_rsc_op[@operation='start']]/@uname"
    )
    assert started == ["n2"]
