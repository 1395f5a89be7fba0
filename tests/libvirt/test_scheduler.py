"""Every way in which a migration can be left half done, played on by both sides.

Pacemaker's scheduler reads the history and says what comes next; the real agent does it
on two hosts where the guest really is what the history left. In the end it runs once,
where Pacemaker believes it, and no answer was another than Pacemaker expected.
"""

from __future__ import annotations

from pathlib import Path
from typing import Callable, NamedTuple

import pytest
from hosts import guests
from hosts.host import Host
from hosts.operation import Answer, Resource
from hosts.scheduler import IN_FLIGHT, Past, cib, next_actions
from hosts.waiting import until
from lab.guest import Guest

Running = Callable[..., tuple[Resource, Guest]]

STARTED = Past("alpha", "start", 0)
PROBED = Past("beta", "monitor", 7)
SENT = Past("alpha", "migrate_to", 0)
NOT_SENT = Past("alpha", "migrate_to", 1)
BEING_SENT = Past("alpha", "migrate_to", IN_FLIGHT)
TAKEN = Past("beta", "migrate_from", 0)
NOT_TAKEN = Past("beta", "migrate_from", 1)
MOVES = ("start", "migrate_to", "migrate_from")
STOP_BOTH = {("stop", "alpha"), ("stop", "beta")}


class Left(NamedTuple):
    """A half-done migration: what is recorded, what is true, what comes next.

    ``moved`` tells that the guest is on beta in truth, whatever is recorded.
    """

    name: str
    history: tuple[Past, ...]
    moved: bool
    stops: set[tuple[str, str]]
    goes_on: tuple[str, ...]
    home: str
    standby: str = ""
    offline: str = ""


LEFT = (
    Left("sent", (SENT,), True, {("stop", "alpha")}, ("migrate_from",), "beta",
         standby="alpha"),
    Left("sent, and no longer wanted there", (SENT,), True, STOP_BOTH, ("start",),
         "alpha", standby="beta"),
    Left("failed with the guest at home", (NOT_SENT,), False, STOP_BOTH, ("start",),
         "beta", standby="alpha"),
    Left("failed by its word, arrived in truth", (NOT_SENT,), True, STOP_BOTH,
         ("start",), "beta", standby="alpha"),
    Left("sent and not taken", (SENT, NOT_TAKEN), True, STOP_BOTH, ("start",), "beta",
         standby="alpha"),
    Left("taken, its source not yet cleared", (SENT, TAKEN), True,
         {("stop", "alpha")}, (), "beta", standby="alpha"),
    Left("begun with the guest at home", (BEING_SENT,), False, {("stop", "alpha")},
         ("migrate_to", "migrate_from"), "beta", standby="alpha"),
    Left("begun, arrived in truth", (BEING_SENT,), True, {("stop", "alpha")},
         ("migrate_to", "migrate_from"), "beta", standby="alpha"),
    Left("sent, its source dead", (SENT,), True, {("stop", "beta")}, ("start",),
         "beta", offline="alpha"),
    Left("sent, its target dead", (SENT,), True, {("stop", "alpha")}, ("start",),
         "alpha", offline="beta"),
    Left("failed, its source dead", (NOT_SENT,), False, {("stop", "beta")},
         ("start",), "beta", offline="alpha"),
)  # fmt: skip


@pytest.mark.parametrize("left", LEFT, ids=lambda left: str(left.name))
def test_a_migration_left_half_done_ends_with_one_guest(
    left: Left, alpha: Host, beta: Host, running: Running, tmp_path: Path
) -> None:
    resource, guest = running(migration_transport="tcp")
    hosts = {"alpha": alpha, "beta": beta}
    if left.moved:
        assert resource.migrate_to(alpha, beta).answer().code == 0
    if left.offline:
        guests.end(hosts[left.offline], guest)
    document = cib((STARTED, PROBED, *left.history), left.offline, left.standby)

    actions = next_actions(tmp_path, document)
    answers = [_answer(resource, hosts, *action) for action in actions]

    assert {a for a in actions if a[0] == "stop"} == left.stops
    moves = [a for a, _ in actions if a in MOVES]
    assert moves == list(left.goes_on)
    assert [answer.code for answer in answers] == [0] * len(answers), answers
    assert ("monitor=10000", left.home) in actions
    others = [host for name, host in hosts.items() if name != left.home]
    until(
        guests.BOOTS_S,
        lambda: _executes(hosts[left.home], guest),
        "it does not run at home",
    )
    assert not any(host.emulators(guest.uuid) for host in others)


def _answer(
    resource: Resource, hosts: dict[str, Host], action: str, node: str
) -> Answer:
    """Let the agent do what Pacemaker has decided."""
    if action == "migrate_to":
        return resource.migrate_to(hosts["alpha"], hosts["beta"]).answer()
    if action == "migrate_from":
        return resource.migrate_from(hosts["alpha"], hosts["beta"])
    name, _, interval_ms = action.partition("=")
    return resource.call(hosts[node], name, interval_s=int(interval_ms or "0") / 1000)


def _executes(host: Host, guest: Guest) -> bool:
    return len(host.emulators(guest.uuid)) == 1 and bool(guests.ticks(host, guest))
