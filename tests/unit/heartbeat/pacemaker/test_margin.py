"""What counts as survived where crm_simulate cannot be asked, and nobody knows all."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from clusters.handmade import element
from lxml import etree

from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Refused, Unreachable
from vmha.heartbeat.pacemaker import confirmation, margin, simulate
from vmha.heartbeat.pacemaker.forecast import Forecast
from vmha.heartbeat.pacemaker.margin import Margin, Verdict
from vmha.heartbeat.planning.model import Cluster, Guest, Node

FILE = Cluster((), (), (), tolerate=1)
DOWN: Mapping[tuple[str, ...], frozenset[str]] = {("n1",): frozenset({"web"})}
CLUSTER = Cluster(
    tuple(Node(name, 8, 4096, name) for name in ("n1", "n2", "n3")),
    (Guest("web", 1, 1024, runs_on="n1"),),
)


def cib(*, has_ticket: bool) -> etree._Element:
    """Return a cluster that survives any failure, unless the ticket is lost with it."""
    whole = confirmation.document(CLUSTER)
    if has_ticket:
        (constraints,) = whole.findall("configuration/constraints")
        constraints.append(element("rsc_ticket", id="t", rsc="web", ticket="T"))
    return whole


def lessened(
    monkeypatch: pytest.MonkeyPatch, *, now: bool | None, then: bool
) -> Verdict:
    """Judge a change; ``now`` and ``then`` tell whether there is the ticket."""

    def followed(found: etree._Element, _: Deadline) -> Forecast:
        if now is None:
            raise Refused("not followed")
        return Forecast(simulate.Outcome({}, {"web": "n1"}, ()), found, is_played=True)

    monkeypatch.setattr(margin, "forecast", followed)
    whole = cib(has_ticket=then)
    outcome = simulate.Outcome({}, {"web": "n1"}, ())
    after = Forecast(outcome, whole, is_played=True)
    before = cib(has_ticket=bool(now))
    return margin.lessened(before, after, FILE, Deadline(9.0))


@pytest.fixture
def too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every cluster too large for crm_simulate."""
    monkeypatch.setattr(confirmation, "is_possible", lambda _: False)


@pytest.mark.usefixtures("too_large")
def test_a_large_cluster_without_doubts_is_the_planners(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert lessened(monkeypatch, now=False, then=False) == Verdict()


@pytest.mark.usefixtures("too_large")
def test_a_doubt_that_the_change_brings_speaks_against_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = lessened(monkeypatch, now=False, then=True)
    (reason,) = found.reasons
    assert reason.startswith("it is not certain that the cluster would survive 1 fail")
    assert "depends on a ticket" in reason
    assert "too large" in reason


@pytest.mark.usefixtures("too_large")
@pytest.mark.parametrize("now", [True, None])
def test_a_cluster_that_had_a_doubt_can_be_configured_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, now: bool | None
) -> None:
    found = lessened(monkeypatch, now=now, then=True)
    assert found.reasons == ()
    (warning,) = found.warnings
    assert "and neither is it now" in warning
    assert "depends on a ticket" in warning


@pytest.mark.usefixtures("too_large")
def test_nothing_is_asked_where_nothing_is_to_be_tolerated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(globals(), "FILE", FILE._replace(tolerate=0))
    assert lessened(monkeypatch, now=False, then=True) == Verdict()


@pytest.mark.parametrize("has_doubt", [False, True])
def test_what_is_not_answered_in_time_is_said_and_with_a_doubt_not_survived(
    monkeypatch: pytest.MonkeyPatch, has_doubt: bool
) -> None:
    def late(*_: object) -> simulate.Outcome:
        raise Unreachable("crm_simulate did not end")

    monkeypatch.setattr(confirmation, "is_possible", lambda _: True)
    monkeypatch.setattr(simulate, "simulate", late)
    found = lessened(monkeypatch, now=False, then=has_doubt)
    (said,) = found.reasons if has_doubt else found.warnings
    assert "crm_simulate has confirmed only 0 of 3 failures" in said
    assert bool(found.warnings) is not has_doubt


@pytest.mark.parametrize(
    ("found", "known", "is_refused"),
    [
        (Margin(0, DOWN), Margin(1, {}), True),
        (Margin(0, DOWN), Margin(0, DOWN), False),
        (Margin(0, DOWN, "doubt"), Margin(0, {}, "doubt"), True),
        (Margin(0, {}, "doubt"), Margin(1, {}), True),
        (Margin(0, {}, "doubt"), Margin(0, DOWN), False),
        (Margin(1, {}, "doubt"), Margin(0, {}, "doubt"), False),
        (Margin(0, {}, "doubt"), Margin(1, {}, "doubt"), True),
        (Margin(0, {}, "doubt"), Margin(2, {}, has_guests=False), False),
        (Margin(0, DOWN, "doubt"), Margin(2, {}, has_guests=False), True),
    ],
)
def test_only_what_is_less_than_now_is_refused(
    found: Margin, known: Margin, is_refused: bool
) -> None:
    verdict = margin.judged(found, known, 2)
    assert bool(verdict.reasons) is is_refused
    assert bool(verdict.reasons or not found.doubt) is not bool(verdict.warnings)
