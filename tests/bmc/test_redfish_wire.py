"""fence_vmha_redfish and servers that are no good HTTP servers; its own sudden end."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from bmc import redfish_plan as plan
from bmc.redfish_calls import CLASSIFIED, FENCER, Calls
from bmc.redfish_plan import Plan
from bmc.redfish_server import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bmc.calls import Outcome

OK = b"HTTP/1.1 200 OK\r\n"
# A first part, and what follows again and again, with a pause in seconds.
TALK: dict[str, tuple[bytes, bytes, float]] = {
    "nothing, and the end": (b"", b"", 0.0),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", b"", 0.0),
    "a status that is no number": (b"HTTP/1.1 off off\r\n\r\n", b"", 0.0),
    "a length that is no number": (OK + b"Content-Length: off\r\n\r\n{}", b"", 0.0),
    "a length below zero": (OK + b"Content-Length: -5\r\n\r\n{}", b"", 0.0),
    "less than was promised": (OK + b'Content-Length: 99\r\n\r\n{"a', b"", 0.0),
    "a chunk that is no chunk": (
        OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}",
        b"",
        0.0,
    ),
    "chunks without an end": (
        OK + b"Transfer-Encoding: chunked\r\n\r\n",
        b"400\r\n" + b" " * 1024 + b"\r\n",
        0.0,
    ),
    "100 without an end": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.0),
    "headers without an end": (OK, b"X: y\r\n", 0.0),
    "one header without an end": (OK + b"X: ", b"y" * 1000, 0.0),
    "a status line in drops": (b"HTTP/1.1 20", b"0", 0.3),
    "headers in drops": (OK, b"X", 0.3),
    "chunks in drops": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", 0.3),
    "JSON that is too deep": (OK + b"\r\n" + b"[" * 500_000, b"", 0.0),
    "a number that is too long": (OK + b'\r\n{"a": ' + b"9" * 9999 + b"}", b"", 0.0),
    "bytes that are no UTF-8": (OK + b'\r\n{"PowerState": "\xff\xfe"}', b"", 0.0),
    "packed text": (OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00", b"", 0.0),
    "a redirect to itself": (
        b"HTTP/1.1 301 M\r\nLocation: /redfish/v1\r\nContent-Length: 0\r\n\r\n",
        b"",
        0.0,
    ),
    "a redirect to nothing": (
        b"HTTP/1.1 302 M\r\nContent-Length: 0\r\n\r\n",
        b"",
        0.0,
    ),
    "a page": (OK + b"Content-Length: 6\r\n\r\n<html>", b"", 0.0),
    "an object that is no root": (OK + b"Content-Length: 2\r\n\r\n{}", b"", 0.0),
}


class Talker:
    """A server that says the same to every connection, whatever it is asked."""

    def __init__(self, first: bytes, again: bytes, pause_s: float) -> None:
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._words = (first, again, pause_s)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._answer_all)

    def __enter__(self) -> Talker:
        self._door.settimeout(0.05)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._door.close()

    def _answer_all(self) -> None:
        while not self._end.is_set():
            with contextlib.suppress(OSError):
                connection, _ = self._door.accept()
                connection.settimeout(1.0)
                with connection, contextlib.suppress(OSError):
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        first, again, pause_s = self._words
        connection.recv(65536)
        connection.sendall(first)
        while again and not self._end.wait(pause_s):
            connection.sendall(again)


@pytest.fixture(scope="module")
def ends(calls: Calls) -> Mapping[str, Outcome]:
    """Ask each of them for an off."""

    def ask(name: str) -> Outcome:
        with Talker(*TALK[name]) as talker, calls.service(Plan()) as bmc:
            fence = calls.caller(bmc, ipport=talker.port, ssl=0, ca_file=None)
            return fence("off", FENCER, login_timeout=1)

    with ThreadPoolExecutor(16) as pool:
        return dict(zip(TALK, pool.map(ask, TALK)))


@pytest.mark.parametrize("name", TALK)
def test_bad_answers_end_in_one_line(ends: Mapping[str, Outcome], name: str) -> None:
    outcome = ends[name]
    assert (outcome.exit_code, outcome.stdout) == (1, ""), outcome
    assert len(outcome.stderr.splitlines()) == 1, outcome
    assert "unexpected" not in outcome.stderr
    assert PASSWORD not in outcome.stderr
    assert not any(word in outcome.stderr.lower() for word in CLASSIFIED)
    assert outcome.seconds < 6.0 + 1.5


def test_a_handshake_in_drops_ends_with_the_login_time(calls: Calls) -> None:
    record = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xf0"
    with Talker(record, b"\x03", 0.2) as talker, calls.service(Plan()) as bmc:
        outcome = calls.caller(bmc, ipport=talker.port, login_timeout=1)("off", FENCER)
    assert outcome.exit_code == 1
    assert "TLS handshake" in outcome.stderr
    assert outcome.seconds < 1 + 1.5


def test_an_agent_that_is_killed_asks_and_orders_nothing_any_more(
    calls: Calls,
) -> None:
    with calls.service(Plan(ignored_offs=9)) as bmc:
        call = calls.caller(bmc, fencing_timeout=20).start("off", FENCER)
        end = time.monotonic() + 10
        while not bmc.orders:
            assert time.monotonic() < end
            time.sleep(0.01)
        asked = len(bmc.requests)
        while len(bmc.requests) < asked + 3:  # the state is read over and over
            assert time.monotonic() < end
            time.sleep(0.01)
        call.process.send_signal(signal.SIGKILL)
        call.process.communicate()
        time.sleep(0.2)
        before = len(bmc.requests)
        time.sleep(4.5)  # an off that was ignored is ordered again after four
        assert len(bmc.requests) == before
        assert len(bmc.orders) == 1


def test_one_free_session_is_enough_for_call_after_call(calls: Calls) -> None:
    with calls.service(Plan(slots=1, off_takes_s=0.3)) as bmc:
        fence = calls.caller(bmc)
        for action in ("status", "reboot", "monitor", "off"):
            assert fence(action, FENCER).exit_code == 0, action
        assert bmc.sessions == {}


def test_a_session_that_others_leave_is_waited_for(calls: Calls) -> None:
    with calls.service(Plan(slots=1)) as bmc:
        bmc.sessions["/redfish/v1/SessionService/Sessions/other"] = "token"
        call = calls.caller(bmc).start("off", FENCER)
        time.sleep(1.0)
        bmc.sessions.clear()
        outcome = call.outcome()
        assert outcome.exit_code == 0, outcome
        assert bmc.node.power() == plan.OFF
