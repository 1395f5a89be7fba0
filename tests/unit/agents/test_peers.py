"""What other nodes' answers mean for a start, and how long they are waited for."""

from __future__ import annotations

import subprocess
import time
from typing import Any

import pytest
from unit.agents.world import URI, UUID, Notebook, operation

from vmha.agents import pacemaker
from vmha.agents.hypervisor import connection, domains
from vmha.agents.hypervisor.domains import Sight
from vmha.agents.hypervisor.state import State
from vmha.agents.hypervisor.uri import unattended
from vmha.agents.protocol import children
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import PermissionRefused, Refused, Unreachable
from vmha.agents.vm import peers
from vmha.agents.vm.identity import Identity
from vmha.agents.vm.peers import Answer
from vmha.agents.vm.states import Presence

THERE, NOT, UNKNOWN = Presence.RUNNING, Presence.NOT_RUNNING, Presence.UNKNOWN
GUEST = Identity("vm1", UUID, "qemu", URI, "/srv/vm1.xml")
NAMED = Identity("vm1", "", "qemu", URI, "/srv/vm1.xml")


@pytest.mark.parametrize(
    ("words", "may_start", "may_start_strictly"),
    [
        ((), True, True),
        ((NOT,), True, True),
        ((NOT, NOT), True, True),
        ((THERE,), False, False),
        ((NOT, THERE), False, False),
        ((UNKNOWN, THERE), False, False),
        ((UNKNOWN,), True, False),
        ((NOT, UNKNOWN), True, False),
    ],
)
def test_a_guest_that_lives_elsewhere_is_never_started(
    words: tuple[Presence, ...], may_start: bool, may_start_strictly: bool
) -> None:
    answers = [Answer(f"node{n}", word, "seen") for n, word in enumerate(words)]
    assert (peers.objection("vm1", answers, False) == "") is may_start
    assert (peers.objection("vm1", answers, True) == "") is may_start_strictly


def test_nodes_are_asked_at_once_and_the_late_are_unknown() -> None:
    def question(node: str, bound: Deadline) -> Answer:
        if node == "lame":
            raise Unreachable("it is lame")
        time.sleep(5 if node == "late" else 0.1)
        return Answer(node, NOT, "")

    began = time.monotonic()
    nodes = ["late", *(f"node{n}" for n in range(8)), "lame"]
    answers = peers.at_once(nodes, question, Deadline(0.6))
    assert time.monotonic() - began < 1.0
    assert [a.node for a in answers] == nodes
    unknown = {a.node: a.told for a in answers if a.presence is UNKNOWN}
    assert set(unknown) == {"late", "lame"}
    assert unknown["lame"] == "it is lame"


def test_a_program_left_behind_by_a_late_answer_is_ended_and_no_other() -> None:
    own = subprocess.Popen(["/bin/sleep", "20"])
    begun: list[subprocess.Popen[bytes]] = []

    def question(node: str, bound: Deadline) -> Answer:
        begun.append(subprocess.Popen(["/bin/sleep", "20"]))
        time.sleep(2)
        return Answer(node, NOT, "")

    peers.at_once(["node2"], question, Deadline(0.3))

    assert begun[0].wait(2) == -9
    assert own.poll() is None
    assert own.pid in children.pids()
    own.kill()
    own.wait()


class World:
    """Other nodes as libvirt and Pacemaker show them."""

    def __init__(self, patch: pytest.MonkeyPatch, **nodes: Any) -> None:
        self.nodes = nodes
        self.asked: list[str] = []
        self.logged: list[str] = []
        self.online: Any = ["alpha", *nodes]
        patch.setattr(pacemaker, "online_nodes", self._online)
        patch.setattr(connection, "connect", self._connect)
        patch.setattr(domains, "look", self._look)

    def start(self, guest: Identity = GUEST, uuid: str = "", **given: str) -> None:
        asking = operation("start", given)
        asking.node = "alpha"
        asking.log = Notebook(self.logged)
        peers.refuse_second_copy(asking, guest, uuid)

    def _online(self, _deadline: Deadline) -> list[str]:
        if isinstance(self.online, Exception):
            raise self.online
        return list(self.online)

    def _connect(self, uri: str, _deadline: Deadline) -> Any:
        self.asked.append(uri)
        node = uri.partition("://")[2].partition("/")[0]
        if isinstance(self.nodes[node], Exception):
            raise self.nodes[node]
        return _Connection(self.nodes[node])

    def _look(self, seen: Any, _deadline: Deadline, name: str, uuid: str) -> Sight:
        return Sight(seen.has.get(uuid or name, State.ABSENT))


class _Connection:
    def __init__(self, has: dict[str, State]) -> None:
        self.has = has

    def close(self, _deadline: Deadline) -> None:
        pass


ACTIVE = [state for state in State if state.is_active]


@pytest.mark.parametrize("state", ACTIVE, ids=lambda s: s.name)
def test_any_active_state_elsewhere_refuses(
    monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    world = World(monkeypatch, beta={}, gamma={UUID: state})
    with pytest.raises(Refused, match="gamma"):
        world.start()


def test_own_node_is_not_asked_and_the_others_over_the_migrations_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(monkeypatch, beta={UUID: State.SHUT_OFF, "vm1": State.RUNNING})
    world.start(migration_transport="ssh")
    assert world.asked == ["qemu+ssh://beta/system?no_tty=1"]


def test_a_name_is_the_guest_where_the_file_gives_no_uuid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for has in ({"vm1": State.RUNNING}, {UUID: State.PAUSED}):
        world = World(monkeypatch, beta=has)
        with pytest.raises(Refused):
            world.start(NAMED, UUID)


def test_who_cannot_say_is_logged_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, beta=PermissionRefused("no login"), gamma={})
    world.start()
    assert len(world.logged) == 1
    assert "beta" in world.logged[0]
    assert "no login" in world.logged[0]
    with pytest.raises(Refused, match="beta: no login"):
        world.start(peer_unknown="fail")


@pytest.mark.parametrize("word", [[], Unreachable("hung")], ids=["nobody", "silent"])
def test_without_pacemaker_nobody_is_asked(
    monkeypatch: pytest.MonkeyPatch, word: Any
) -> None:
    world = World(monkeypatch)
    world.online = word
    world.start()
    assert len(world.logged) == 1
    with pytest.raises(Refused, match="Pacemaker"):
        world.start(peer_unknown="fail")


@pytest.mark.parametrize("uri", ["esx://host/", "test:///default", "qemu+ssh://h/x"])
def test_a_guest_that_lives_on_no_node_is_asked_of_none(
    monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    world = World(monkeypatch, beta={UUID: State.RUNNING})
    world.start(Identity("vm1", UUID, "qemu", uri, "vm1"), peer_unknown="fail")
    assert world.asked == []


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("qemu+ssh://n/system", "qemu+ssh://n/system?no_tty=1"),
        ("qemu+ssh://n/system?keyfile=/k", "qemu+ssh://n/system?keyfile=/k&no_tty=1"),
        ("qemu+ssh://n/system?no_tty=0", "qemu+ssh://n/system?no_tty=0"),
        ("qemu+tcp://n/system", "qemu+tcp://n/system"),
        ("qemu://n/system", "qemu://n/system"),
    ],
)
def test_ssh_asks_nobody_for_a_password(uri: str, expected: str) -> None:
    assert unattended(uri) == expected
