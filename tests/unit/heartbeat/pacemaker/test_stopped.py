"""Guests that are meant to be stopped take no room and are nobody's failure."""

from __future__ import annotations

from lxml import etree

from vmha.heartbeat.pacemaker import stopped
from vmha.heartbeat.planning.failures import plan
from vmha.heartbeat.planning.model import Cluster, Guest, Node, Rule, Spread, Together

NODES = tuple(Node(name, 8, 8192, name) for name in ("n1", "n2", "n3"))
GUESTS = (Guest("down", 1, 8192), Guest("up", 1, 4096, runs_on="n1"))
CIB = etree.fromstring(
    "<cib><configuration><resources>"
    "<primitive id='down'><meta_attributes id='m'>"
    "<nvpair id='r' name='target-role' value='Stopped'/></meta_attributes></primitive>"
    "<primitive id='up'/></resources></configuration></cib>"
)


def left(*rules: Rule) -> Cluster:
    return stopped.left_out(Cluster(NODES, GUESTS, rules), CIB)


def test_a_stopped_guest_is_not_planned() -> None:
    made = left(Spread(("down", "up")))
    assert [guest.name for guest in made.guests] == ["up"]
    assert plan(made).tolerates == 1
    assert all(not outcome.unplaced for outcome in plan(made).failures)


def test_who_must_be_beside_a_stopped_guest_stays_down() -> None:
    first = plan(left(Together(("down", "up")))).failures[0]
    assert [(entry.guest, entry.reason) for entry in first.unplaced] == [("up", "rule")]


def test_who_leads_a_stopped_guest_runs_on() -> None:
    assert plan(left(Together(("up", "down")))).tolerates == 1
