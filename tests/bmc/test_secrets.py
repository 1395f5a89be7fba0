"""The password is seen by nobody but the BMC."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest
from bmc.calls import Caller
from bmc.simulator import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bmc.simulator import Simulator


# Others show the password to the processes of their simulators.
pytestmark = pytest.mark.alone


class Watcher(threading.Thread):
    """Looks at the arguments and environment of all processes, over and over."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self.secret = secret.encode()
        self.seen: set[str] = set()
        self.rounds = 0
        self._end = threading.Event()

    def __enter__(self) -> Watcher:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self.join()

    def run(self) -> None:
        while not self._end.is_set():
            self.rounds += 1
            for pid in filter(str.isdigit, os.listdir("/proc")):
                self._look(pid)

    def _look(self, pid: str) -> None:
        for name in ("cmdline", "environ"):
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    if self.secret in file.read():
                        self.seen.add(name)
            except OSError:
                continue  # it has ended


def test_the_password_is_in_no_process_list(fence: Caller, bmc: Simulator) -> None:
    bmc.plan(off_takes_s=0.5)
    with Watcher(PASSWORD) as watcher:
        assert fence("reboot").exit_code == 0
        assert fence("status").exit_code == 0
    assert watcher.rounds > 5
    assert watcher.seen == set()


def test_the_watcher_would_see_it(peer: Caller) -> None:
    with Watcher(PASSWORD) as watcher:
        for _ in range(50):
            assert peer("status").exit_code == 0
            if watcher.seen:
                break
    assert watcher.seen == {"cmdline"}


def test_a_password_program_is_run_without_a_shell(
    fence: Caller, tmp_path: Path
) -> None:
    script = tmp_path / "tell me"
    script.write_text(f'#!/bin/sh\n[ "$1" = "a b;c" ] && echo {PASSWORD}\n')
    script.chmod(0o700)
    with Watcher(PASSWORD) as watcher:
        outcome = fence("status", password=None, password_script=f"'{script}' 'a b;c'")
    assert (outcome.exit_code, outcome.stdout) == (0, "Status: ON\n")
    assert watcher.seen == set()


def test_verbose_tells_the_progress_without_the_password(fence: Caller) -> None:
    outcome = fence("off", verbose=1)
    assert outcome.exit_code == 0
    assert "chassis status 00" in outcome.stderr
    assert PASSWORD not in outcome.stderr


def test_quiet_leaves_stderr_empty(fence: Caller) -> None:
    outcome = fence("off", quiet=1, password="wrong")
    assert (outcome.exit_code, outcome.stderr) == (1, "")


DEVICES = {"null": 3, "zero": 5, "random": 8, "urandom": 9}
MEMORY = 1  # the major number of those devices, null(4) and random(4)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[socket.socket]:
    """Return the log daemon's socket of the folder that will be the agent's /dev."""
    (tmp_path / "dev").mkdir()
    for name, minor in DEVICES.items():
        os.mknod(tmp_path / "dev" / name, 0o20666, os.makedev(MEMORY, minor))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(tmp_path / "dev/log"))
        door.setblocking(False)
        yield door


def lines_of(log: socket.socket) -> str:
    """Return what was logged until now."""
    lines = []
    while True:
        try:
            lines.append(log.recv(65536).decode(errors="replace"))
        except BlockingIOError:
            return "\n".join(lines)


@pytest.mark.parametrize("secret", [PASSWORD, "not-the-password"])
def test_nothing_that_is_written_holds_the_password(
    fence: Caller, tmp_path: Path, log: socket.socket, secret: str
) -> None:
    kept = tmp_path / "password"
    kept.write_text(secret + "\n")
    kept.chmod(0o600)
    wrapped = tmp_path / "fence_with_log"
    wrapped.write_text(
        f"#!/bin/sh\nmount --bind {tmp_path}/dev /dev && exec {fence.executable}\n"
    )
    wrapped.chmod(0o700)
    apart = tmp_path / "fence_apart"
    apart.write_text(f"#!/bin/sh\nexec unshare --mount {wrapped}\n")
    apart.chmod(0o700)
    loud = Caller(apart, fence.bmc, verbose=1, debug_file=f"{tmp_path}/debug")
    given: tuple[dict[str, object], ...] = (
        {"password": secret},
        {"password": None, "password_file": kept},
        {"password": None, "password_script": f"/usr/bin/cat {kept}"},
    )
    written = ""
    for action in ("status", "reboot", "monitor"):
        for source in given:
            outcome = loud(action, {"HA_debug": "1"}, **source)
            assert (outcome.exit_code == 0) == (secret == PASSWORD), outcome
            # The kernel keeps ten messages for a socket: read them each time.
            written += outcome.stdout + outcome.stderr + lines_of(log)
    written += (tmp_path / "debug").read_text()
    assert written.count("looking for 127.0.0.1") >= 3 * 9
    assert secret not in written
    assert secret.encode().hex() not in written


def test_a_log_daemon_is_heard_in_that_test(log: socket.socket, tmp_path: Path) -> None:
    script = f"mount --bind {tmp_path}/dev /dev && exec logger --socket-errors=on hello"
    subprocess.run(["unshare", "--mount", "sh", "-c", script], check=True, timeout=20)
    assert "hello" in lines_of(log)
