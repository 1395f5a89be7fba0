"""HTTP over one connection: what comes back is bounded in time and in size."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from vmha.agents.protocol.deadline import Deadline
from vmha.fence.redfish import diagnoses
from vmha.fence.redfish.access import PLAIN, Access
from vmha.fence.redfish.channel import MOST_BYTES, Answer, Channel

if TYPE_CHECKING:
    from collections.abc import Iterator

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    """Return a channel that is open, and the other end of it."""
    ours, theirs = socket.socketpair()
    channel = Channel(Access("bmc", 443, "user", "secret", PLAIN))
    channel._socket = ours
    yield channel, theirs
    channel.close()
    theirs.close()


def ask(channel: Channel, limit_s: float = 2.0) -> Answer:
    return channel.ask("GET", "/redfish/v1", {}, b"", Deadline(limit_s))


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (OK + b"Content-Length: 2\r\n\r\n{}", b"{}"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"{}"),
        (OK + b"Connection: close\r\n\r\n{}", b"{}"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n", b""),
    ],
)
def test_an_answer_is_read_as_it_is_framed(
    ends: tuple[Channel, socket.socket], reply: bytes, body: bytes
) -> None:
    channel, bmc = ends
    bmc.sendall(reply)
    bmc.shutdown(socket.SHUT_WR)
    assert ask(channel).body == body
    assert b"\r\nHost: bmc:443\r\n" in bmc.recv(4096)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 2",
        OK + b"Content-Length: 9\r\n\r\n{}",
        OK + b"Transfer-Encoding: chunked\r\n\r\n9\r\n{}",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    ],
)
def test_an_answer_that_ends_early_is_none(
    ends: tuple[Channel, socket.socket], reply: bytes
) -> None:
    channel, bmc = ends
    bmc.sendall(reply)
    bmc.shutdown(socket.SHUT_WR)
    with pytest.raises((diagnoses.FellSilent, diagnoses.Unintelligible)):
        ask(channel)
    assert not channel.is_ready()


@pytest.mark.parametrize(
    "reply",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 2000 What\r\n\r\n",
        b"HTTP/1.1 abc What\r\n\r\n",
        OK + b"A: b\r\n" * 200 + b"\r\n",
        OK + b"A: " + b"b" * 70000 + b"\r\n\r\n",
        OK + b"Content-Length: 9999999\r\n\r\n" + b" " * (MOST_BYTES + 1),
        OK + b"\r\n" + b" " * (MOST_BYTES + 1),
    ],
)
def test_an_answer_that_is_no_http_or_too_much_is_not_understood(
    ends: tuple[Channel, socket.socket], reply: bytes
) -> None:
    channel, bmc = ends
    sender = threading.Thread(target=send, args=(bmc, reply))
    sender.start()
    with pytest.raises(diagnoses.Unintelligible):
        ask(channel)
    bmc.close()
    sender.join()


def send(bmc: socket.socket, reply: bytes) -> None:
    with suppress(OSError):  # the channel has read enough
        bmc.sendall(reply)
        bmc.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nA: ", OK + b"\r\n"])
def test_bytes_that_drip_do_not_prolong_the_deadline(
    ends: tuple[Channel, socket.socket], begin: bytes
) -> None:
    channel, bmc = ends
    bmc.sendall(begin)
    end = threading.Event()

    def drip() -> None:
        while not end.wait(0.05):
            send_one(bmc)

    dripping = threading.Thread(target=drip)
    dripping.start()
    began = time.monotonic()
    with pytest.raises(diagnoses.FellSilent):
        ask(channel, limit_s=0.5)
    took_s = time.monotonic() - began
    end.set()
    dripping.join()
    assert 0.4 < took_s < 1.0


def send_one(bmc: socket.socket) -> None:
    with suppress(OSError):  # the channel has left
        bmc.send(b"H")


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next(
    ends: tuple[Channel, socket.socket],
) -> None:
    channel, bmc = ends
    assert channel.is_ready()
    bmc.sendall(OK + b"Content-Length: 2\r\n\r\n{}")
    assert not channel.is_ready()


def test_a_connection_that_the_service_left_is_seen(
    ends: tuple[Channel, socket.socket],
) -> None:
    channel, bmc = ends
    bmc.close()
    assert not channel.is_ready()


def test_what_cannot_be_sent_back_is_no_header(
    ends: tuple[Channel, socket.socket],
) -> None:
    channel, bmc = ends
    token = b"X-Auth-Token: a\r\n b\r\n"
    bmc.sendall(OK + token + b"ETag: \xff\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n")
    assert ask(channel).headers == {"location": "/a", "content-length": "0"}
