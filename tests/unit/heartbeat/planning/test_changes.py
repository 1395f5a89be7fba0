"""One change: what Pacemaker does at once, and what is tolerated afterwards."""

from __future__ import annotations

import pytest

from vmha.heartbeat.planning.changes import (
    Add,
    Change,
    Kill,
    Remove,
    Resize,
    Standby,
    UnknownName,
    what_if,
)
from vmha.heartbeat.planning.failures import plan
from vmha.heartbeat.planning.fit import fit
from vmha.heartbeat.planning.model import Cluster, Guest, Node, Spread
from vmha.heartbeat.planning.outcome import Free


def cluster(count: int = 3, memory_mib: int = 8192) -> Cluster:
    names = [f"n{number}" for number in range(1, count + 1)]
    return Cluster(
        tuple(Node(name, 8, memory_mib, name) for name in names),
        tuple(Guest(f"on-{name}", 1, 2048, runs_on=name) for name in names),
    )


def test_a_killed_node_gives_its_guests_away_and_no_more_may_be_lost() -> None:
    found = what_if(cluster(), Kill(("n1",)))
    [outcome] = found.failures
    assert (outcome.lost, outcome.placed) == (("n1",), {"on-n1": "n2"})
    assert found.tolerates == 0  # one of three has no quorum
    assert found.headroom == {"n2": Free(6, 4096), "n3": Free(7, 6144)}


def test_votes_of_a_killed_node_stay_expected() -> None:
    """Four nodes: two of four have no quorum, though two of the last three would."""
    assert what_if(cluster(4), Kill(("n1",))).tolerates == 0
    assert what_if(cluster(5), Kill(("n1",))).tolerates == 1


def test_a_node_in_standby_gives_its_guests_away_and_still_votes() -> None:
    found = what_if(cluster(4), Standby(("n1",)))
    assert found.failures[0].placed == {"on-n1": "n2"}
    assert found.tolerates == 1


def test_a_guest_more_is_placed_and_the_rest_of_the_plan_is_that_of_all() -> None:
    found = what_if(cluster(), Add(Guest("new", 1, 2048)))
    [outcome] = found.failures
    assert (outcome.lost, outcome.placed) == ((), {"new": "n1"})
    assert found.tolerates == 1
    assert found.headroom["n1"] == Free(6, 4096)


def test_a_guest_too_many_is_told_with_the_reason() -> None:
    found = what_if(cluster(), Add(Guest("new", 1, 7000)))
    [entry] = found.failures[0].unplaced
    assert (entry.guest, entry.reason) == ("new", "capacity")
    assert found.tolerates == 0


def test_a_guest_less_leaves_its_rules_too() -> None:
    full = cluster()._replace(rules=(Spread(("on-n1", "on-n2", "on-n3")),))
    assert plan(full).tolerates == 0
    assert what_if(full, Remove("on-n3")).tolerates == 1


def test_a_guest_that_outgrows_its_node_moves() -> None:
    mixed = cluster()._replace(
        nodes=(Node("n1", 8, 4096, "n1"), *cluster().nodes[1:]),
    )
    found = what_if(mixed, Resize("on-n1", memory_mib=5000))
    [move] = found.failures[0].moved
    assert (move.guest, move.from_node) == ("on-n1", "n1")
    assert what_if(mixed, Resize("on-n1", cpu=2)).failures[0].moved == ()


@pytest.mark.parametrize(
    "change",
    [
        Kill(("n9",)),
        Standby(("n1", "n9")),
        Remove("nobody"),
        Resize("nobody", 1),
        Add(Guest("on-n1", 1, 1024)),
    ],
)
def test_a_change_of_what_is_not_there_is_refused_by_name(change: Change) -> None:
    with pytest.raises(UnknownName) as caught:
        what_if(cluster(), change)
    assert caught.value.name in str(caught.value)


def test_as_many_guests_fit_as_survive_one_failure() -> None:
    """Two survivors of 8 GiB hold 16 GiB: 3 guests are there, so 5 more of 2 GiB."""
    assert fit(cluster(), 1, 2048) == 5
    assert fit(cluster(), 1, 4096) == 2  # 4 GiB do not divide what is left
    assert fit(cluster(), 7, 1024) == 1  # beside one more of a processor, not of 7
    assert fit(cluster(), 8, 1024) == 0
    assert fit(cluster()._replace(tolerate=2), 1, 1024) == 0


def test_what_fits_can_be_added_and_one_more_cannot() -> None:
    for size in (1024, 1536, 3000):
        base = cluster(5, 16384)
        count = fit(base, 1, size)
        more = tuple(Guest(f"x{at:03}", 1, size) for at in range(count + 1))
        guests = base.guests
        assert plan(base._replace(guests=guests + more[:-1])).tolerates == 1
        assert plan(base._replace(guests=guests + more)).tolerates == 0


def test_nothing_fits_into_a_cluster_that_does_not_survive_a_failure_today() -> None:
    assert fit(cluster(2), 1, 1) == 0


def test_without_a_failure_to_tolerate_guests_only_have_to_be_placed() -> None:
    assert fit(cluster()._replace(tolerate=0), 1, 6144) == 3


def test_progress_is_told_failure_by_failure() -> None:
    told: list[tuple[int, int]] = []
    plan(cluster(), 2, progress=lambda done, of: told.append((done, of)))
    assert told == [(number, 6) for number in range(1, 7)]
