"""How many more guests fit, where it is not known what Pacemaker makes of them."""

from __future__ import annotations

import io
import json

import pytest

from vmha.heartbeat.command import main, source
from vmha.heartbeat.command.source import Source
from vmha.heartbeat.command.streams import Streams
from vmha.heartbeat.pacemaker import confirmation
from vmha.heartbeat.pacemaker.live import of_document
from vmha.heartbeat.planning.model import Cluster, Guest, Node

NAMES = ("n1", "n2", "n3")
GUESTS = tuple(Guest(f"on-{name}", 1, 1024, runs_on=name) for name in NAMES)
CLUSTER = Cluster(tuple(Node(name, 8, 4096, name) for name in NAMES), GUESTS)


def planned(
    monkeypatch: pytest.MonkeyPatch,
    *words: str,
    pattern: str = "",
    doubts: tuple[str, ...] = (),
) -> str:
    """Return what ``plan --live --fit`` writes where crm_simulate agrees to all."""
    document = confirmation.document(CLUSTER)
    if pattern:
        where = document.find("configuration/constraints")
        assert where is not None
        one = where.makeelement("rsc_location", {"id": "p", "rsc-pattern": pattern})
        one.attrib.update({"node": "n3", "score": "-INFINITY"})
        where.append(one)
    running = {guest.name: str(guest.runs_on) for guest in GUESTS}
    seen = of_document(document, running)
    origin = Source("it", seen.cluster, (), document, seen.state, doubts)

    def agreed(
        _: object, outcomes: tuple[object, ...], *__: object
    ) -> confirmation.Confirmation:
        return confirmation.Confirmation(len(outcomes), (), outcomes)  # type: ignore[arg-type]

    monkeypatch.setattr(source, "read", lambda *_: origin)
    monkeypatch.setattr(confirmation, "is_possible", lambda _: True)
    monkeypatch.setattr(confirmation, "confirm", agreed)
    out = io.StringIO()
    argv = ["plan", "--live", "--fit", "1,512", *words]
    assert main.run(argv, Streams(out, io.StringIO(), {})) == 0
    return out.getvalue()


def test_more_guests_fit_for_certain_where_all_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = json.loads(planned(monkeypatch, "--json"))
    assert answer["fit"] > 0
    assert answer["fit_is_certain"]
    assert "Perhaps" not in planned(monkeypatch)


@pytest.mark.parametrize(("pattern", "doubts"), [("^new", ()), ("", ("a needs disk",))])
def test_no_guest_fits_for_certain_where_patterns_or_doubts_may_decide(
    monkeypatch: pytest.MonkeyPatch, pattern: str, doubts: tuple[str, ...]
) -> None:
    told = planned(monkeypatch, "--json", pattern=pattern, doubts=doubts)
    answer = json.loads(told)
    assert (answer["fit"], answer["fit_is_certain"]) == (0, False)
    assert "not certain" in planned(monkeypatch, pattern=pattern, doubts=doubts)
