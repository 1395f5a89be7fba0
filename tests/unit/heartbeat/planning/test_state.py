"""A cluster that runs: nodes that rest, guests that nobody manages, orders."""

from __future__ import annotations

import pytest

from vmha.heartbeat.planning import quorum
from vmha.heartbeat.planning.changes import Add, Remove, Resize, played, what_if
from vmha.heartbeat.planning.failures import plan, planned
from vmha.heartbeat.planning.fit import fit
from vmha.heartbeat.planning.instructions import (
    ColocationTerm,
    GuestTerms,
    Instructions,
    OrderTerm,
    instructions,
)
from vmha.heartbeat.planning.model import Cluster, Guest, Node, Together
from vmha.heartbeat.planning.prediction import Scheduler
from vmha.heartbeat.planning.scores import INFINITY
from vmha.heartbeat.planning.state import State, amended

NAMES = ("n1", "n2", "n3")
GUESTS = tuple(Guest(f"on-{name}", 1, 1024, runs_on=name) for name in NAMES)
CLUSTER = Cluster(tuple(Node(name, 8, 4096, name) for name in NAMES), GUESTS)


def told(**meta: str) -> Instructions:
    """Return what Pacemaker is told, with this of the first guest."""
    known = instructions(CLUSTER)
    first, *rest = known.guests
    changed = first._replace(meta={**first.meta, **meta})
    return known._replace(guests=(changed, *rest))


def reasons(scheduler: Scheduler, lost: str) -> dict[str, str]:
    """Return who stays down after a loss, and by which code."""
    return {e.guest: e.reason for e in scheduler.outcome((lost,)).unplaced}


def test_a_guest_in_maintenance_is_restarted_by_nobody() -> None:
    frozen = State(told=told(**{"is-managed": "false"}))
    scheduler = Scheduler(CLUSTER, frozen)
    assert reasons(scheduler, "n1") == {"on-n1": "unmanaged"}
    assert planned(scheduler, 1, search=False).tolerates == 0


def test_a_node_in_maintenance_keeps_its_guests_and_gets_no_other() -> None:
    known = told(**{"is-managed": "false"})
    scheduler = Scheduler(CLUSTER, State(frozen=("n1",), told=known))
    assert scheduler.outcome().placed == {}
    assert set(scheduler.outcome(("n2",)).placed.values()) == {"n3"}
    lost = [outcome.lost for outcome in planned(scheduler, 1, search=False).failures]
    assert lost == [("n1",), ("n2",), ("n3",)]


def test_a_cluster_that_stops_everything_runs_nothing() -> None:
    known = instructions(CLUSTER)
    stopping = known._replace(
        guests=tuple(
            one._replace(meta={**one.meta, "target-role": "Stopped"})
            for one in known.guests
        )
    )
    scheduler = Scheduler(CLUSTER, State(told=stopping))
    assert reasons(scheduler, "n1") == {"on-n1": "stopped"}
    assert len(scheduler.outcome().preempted) == 3
    assert planned(scheduler, 1, search=False).tolerates == 0


OTHER = GuestTerms("disks", {"priority": "0"}, 0, 0, None, is_sized=False)


@pytest.mark.parametrize("role", ["Started", "Stopped"])
def test_a_guest_runs_only_after_what_it_waits_for(role: str) -> None:
    known = instructions(CLUSTER)
    meta = {**OTHER.meta, "target-role": role}
    known = known._replace(
        guests=(*known.guests, OTHER._replace(meta=meta)),
        orders=(OrderTerm("disks", "on-n1"),),
    )
    scheduler = Scheduler(CLUSTER, State(told=known))
    is_down = role == "Stopped"
    assert reasons(scheduler, "n1") == ({"on-n1": "rule"} if is_down else {})
    assert [e.guest for e in scheduler.outcome().preempted] == ["on-n1"] * is_down


def test_who_must_be_beside_what_is_lost_and_not_managed_is_stopped() -> None:
    """Also where both are placed by one another, and a node was found for it."""
    known = told(**{"is-managed": "false"})
    circle = (
        ColocationTerm("on-n2", "on-n1", INFINITY),
        ColocationTerm("on-n1", "on-n2", 1000),
    )
    scheduler = Scheduler(CLUSTER, State(told=known._replace(colocations=circle)))
    outcome = scheduler.outcome(("n1",))
    assert [(e.guest, e.for_guest) for e in outcome.preempted] == [("on-n2", "on-n1")]


def test_what_has_no_size_fits_on_a_node_that_is_over_full() -> None:
    big = tuple(guest._replace(memory_mib=5000) for guest in GUESTS)
    cluster = CLUSTER._replace(guests=big)
    known = instructions(cluster)
    frozen = tuple(
        one._replace(meta={**one.meta, "is-managed": "false"}) for one in known.guests
    )
    known = known._replace(guests=(*frozen, OTHER))
    assert Scheduler(cluster, State(told=known)).assigned().chosen[-1] == 0


def test_nodes_that_are_gone_or_rest_leave_no_room_for_more_guests() -> None:
    whole = fit(CLUSTER, 1, 1024)
    one_less = fit(CLUSTER, 1, 1024, state=State(standby=("n3",), told=told()))
    assert fit(CLUSTER, 1, 1024, state=State(gone=("n3",), told=told())) == 0
    assert one_less < whole


def test_instructions_follow_the_guests_that_change() -> None:
    known = told()._replace(orders=(OrderTerm("on-n1", "on-n2"),))
    for change in (Add(Guest("new", 2, 512)), Remove("on-n1"), Resize("on-n2", 3)):
        done = played(CLUSTER, change, state=State(told=known))
        after = done.before.state.told
        assert after is not None
        sizes = {one.name: (one.cpu, one.memory_mib) for one in after.guests}
        guests = done.before.cluster.guests
        assert sizes == {g.name: (g.cpu, g.memory_mib) for g in guests}
        assert len(after.orders) == (0 if isinstance(change, Remove) else 1)


def test_of_guests_that_go_together_the_leader_carries_a_new_size() -> None:
    bound = CLUSTER._replace(rules=(Together(("on-n1", "on-n2")),))
    changed = bound._replace(
        guests=tuple(
            guest._replace(memory_mib=2000) if guest.name == "on-n2" else guest
            for guest in bound.guests
        )
    )
    after = amended(instructions(bound), bound, changed)
    assert [one.memory_mib for one in after.guests] == [1024 + 2000, 0, 1024]


def test_a_guest_that_is_added_to_an_opt_in_cluster_runs_nowhere() -> None:
    known = told()._replace(properties={"symmetric-cluster": "false"})
    found = what_if(CLUSTER, Add(Guest("new", 1, 512)), state=State(told=known))
    assert [entry.guest for entry in found.failures[0].unplaced] == ["new"]


def test_a_better_packing_starts_nobody_beside_a_leader_that_stays_down() -> None:
    guests = (
        Guest("leader", 1, 512, ha=False, runs_on="n2"),
        Guest("follower", 1, 512, runs_on="n2"),
    )
    rules = (Together(("leader", "follower")),)
    found = plan(Cluster(CLUSTER.nodes, guests, rules)).failures[1]
    assert "follower" in {entry.guest for entry in found.unplaced}
    assert found.could_place == ()


@pytest.mark.parametrize(
    ("nodes", "lost", "is_left"),
    [(3, 2, True), (5, 4, True), (2, 1, True), (3, 3, False)],
)
def test_with_lms_the_last_node_keeps_quorum(
    nodes: int, lost: int, is_left: bool
) -> None:
    assert is_left == quorum.has_quorum(
        nodes, lost, two_node=False, qdevice=True, last_man=True
    )


@pytest.mark.parametrize(
    ("cluster", "lost", "said"),
    [
        (CLUSTER, ("n1", "n2"), "a qdevice with the algorithm lms would"),
        (
            CLUSTER._replace(qdevice=True),
            ("n1", "n2"),
            "a qdevice with the algorithm lms would",
        ),
        (
            CLUSTER._replace(nodes=CLUSTER.nodes[:2]),
            ("n1",),
            "two_node or a qdevice would",
        ),
    ],
)
def test_what_would_help_against_a_lost_quorum_is_true(
    cluster: Cluster, lost: tuple[str, ...], said: str
) -> None:
    (text,) = {entry.text for entry in Scheduler(cluster).outcome(lost).unplaced}
    assert said in text


def test_what_is_not_shown_ends_where_failures_are_not_survived() -> None:
    full = tuple(guest._replace(memory_mib=4000) for guest in GUESTS[:2])
    tight = Scheduler(Cluster(CLUSTER.nodes[:2], full))
    shown, only = (planned(tight, 2, is_whole=whole) for whole in (True, False))
    assert [one.lost for one in shown.failures] == [("n1",), ("n2",), ("n1", "n2")]
    assert [one.lost for one in only.failures] == [("n1",), ("n2",)]
    assert (shown.tolerates, only.tolerates) == (0, 0)
