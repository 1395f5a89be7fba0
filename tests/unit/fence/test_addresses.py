"""Names and addresses of BMCs, as the real network effect reads them."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from vmha.agents.protocol.deadline import Deadline
from vmha.fence.ipmi.access import Access
from vmha.fence.ipmi.diagnoses import NameUnresolved
from vmha.fence.ipmi.network import Network
from vmha.fence.ipmi.session import open_session

LOOPBACK = socket.if_nametoindex("lo")


@pytest.mark.parametrize(
    ("host", "peer"),
    [
        ("192.0.2.7", ("192.0.2.7", 623)),
        ("2001:db8::7", ("2001:db8::7", 623, 0, 0)),
        ("[2001:db8::7]", ("2001:db8::7", 623, 0, 0)),
        ("fe80::7%lo", ("fe80::7", 623, 0, LOOPBACK)),
        ("[fe80::7%lo]", ("fe80::7", 623, 0, LOOPBACK)),
        ("[fe80::7%1]", ("fe80::7", 623, 0, 1)),
    ],
)
def test_literals_are_read_with_and_without_brackets_and_scope(
    host: str, peer: tuple[object, ...]
) -> None:
    (found,) = Network().resolve(host, 623, 1)
    name, *rest = found[4]  # newer versions of Python leave the scope out of the name
    assert (name.partition("%")[0], *rest) == peer


@pytest.mark.parametrize("host", ["[2001:db8::7", "[]", "bmc..example", "a" * 64])
def test_what_is_no_name_has_its_own_sentence(host: str) -> None:
    access = Access(host, 623, b"admin", b"secret")
    with pytest.raises(NameUnresolved, match="check the parameter ip") as caught:
        open_session(access, Deadline(1))
    assert host in str(caught.value)


def test_a_name_is_asked_for_once_in_an_action(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def getaddrinfo(*question: object) -> list[tuple[object, ...]]:
        if question[-1] == socket.AI_NUMERICHOST:
            raise socket.gaierror
        asked.append(question)
        return [(2, 2, 17, "", ("192.0.2.7", 623))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    network = Network()
    assert network.resolve("bmc", 623, 1) == network.resolve("bmc", 623, 1)
    assert len(asked) == 1


def test_a_name_server_that_is_silent_leaves_time_for_the_other_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end = threading.Event()

    def getaddrinfo(*question: object) -> list[tuple[object, ...]]:
        if question[-1] == socket.AI_NUMERICHOST:
            raise socket.gaierror
        assert end.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    begin = time.monotonic()
    with pytest.raises(NameUnresolved, match="no name server answers"):
        open_session(Access("bmc", 623, b"admin", b"secret"), Deadline(0.1))
    assert time.monotonic() - begin < 5
    end.set()
