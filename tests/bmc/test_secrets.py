"""The password is seen by nobody but the BMC."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from bmc.simulator import PASSWORD

if TYPE_CHECKING:
    from pathlib import Path

    from bmc.calls import Caller
    from bmc.simulator import Simulator


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
