"""What a change is said to leave tolerated; a fake stands in for crm_simulate."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from lxml import etree

from vmha.agents.protocol.deadline import Deadline
from vmha.heartbeat.command.rehearsal import rehearsed
from vmha.heartbeat.command.source import Source
from vmha.heartbeat.command.streams import Streams
from vmha.heartbeat.pacemaker import confirmation, simulate
from vmha.heartbeat.planning.changes import Remove
from vmha.heartbeat.planning.model import Cluster, Guest, Node

NAMES = ("n1", "n2", "n3")
GUESTS = tuple(Guest(f"on-{name}", 1, 1024, runs_on=name) for name in NAMES)
CLUSTER = Cluster(tuple(Node(name, 8, 4096, name) for name in NAMES), GUESTS)
HOMES = {guest.name: str(guest.runs_on) for guest in GUESTS}


@pytest.mark.parametrize(("asks", "tolerates"), [(True, 0), (False, 1)])
def test_what_is_tolerated_after_a_change_is_asked_of_pacemaker(
    monkeypatch: pytest.MonkeyPatch, *, asks: bool, tolerates: int
) -> None:
    def none_of_the_lost(
        _: etree._Element, __: Deadline, lost: Sequence[str] = ()
    ) -> simulate.Outcome:
        after = {name: at for name, at in HOMES.items() if at not in lost}
        return simulate.Outcome({}, after, ())

    monkeypatch.setattr(confirmation, "is_possible", lambda _: True)
    monkeypatch.setattr(simulate, "simulate", none_of_the_lost)
    monkeypatch.setattr(simulate, "saved", lambda whole, *_: whole)
    origin = Source("it", CLUSTER, document=confirmation.document(CLUSTER))
    streams = Streams(io.StringIO(), io.StringIO(), {})
    found = rehearsed(origin, Remove("on-n3"), streams, search=False, asks=asks)
    assert found.plan.tolerates == tolerates
