"""Guests that run nowhere yet are placed before anything fails."""

from __future__ import annotations

from vmha.heartbeat.planning.failures import plan
from vmha.heartbeat.planning.model import Cluster, Guest, Node
from vmha.heartbeat.planning.prediction import settled


def test_who_makes_room_for_a_new_guest_is_counted_where_it_goes() -> None:
    """Else the node that it leaves is planned with both of them on it."""
    nodes = tuple(Node(name, 8, 8192, name) for name in ("n1", "n2"))
    guests = (
        Guest("low", 1, 5000, 1, runs_on="n1"),
        Guest("other", 1, 3000, 2, runs_on="n2"),
        Guest("new", 1, 8000, 3),
    )
    made = settled(Cluster(nodes, guests, two_node=True))
    at = {guest.name: guest.runs_on for guest in made.guests}
    assert at == {"new": "n1", "low": "n2", "other": "n2"}
    free = plan(Cluster(nodes, guests, two_node=True)).headroom
    assert [one.memory_mib for one in free.values()] == [192, 192]
