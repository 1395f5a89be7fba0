"""Calls of a fence agent as the fencer makes them: name=value lines on stdin."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bmc.simulator import PASSWORD

if TYPE_CHECKING:
    from typing import Protocol

    class Bmc(Protocol):
        """What is called: something at a port of this machine."""

        port: int


PEER = Path("/usr/sbin/fence_ipmilan")
LIMIT_S = 60.0


class Outcome:
    """How a call ended, and how long it took."""

    def __init__(
        self, exit_code: int, stdout: str, stderr: str, seconds: float
    ) -> None:
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr
        self.seconds = seconds

    def __repr__(self) -> str:
        shown = f"{self.exit_code} {self.stdout!r} {self.stderr!r}"
        return f"{shown} in {self.seconds:.2f} s"


class Started:
    """A call that is under way."""

    def __init__(self, executable: Path, lines: str, environ: dict[str, str]) -> None:
        self._begin = time.monotonic()
        self.process = subprocess.Popen(
            [executable],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], **environ},
            text=True,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(lines)
        self.process.stdin.close()
        self.process.stdin = None

    def outcome(self) -> Outcome:
        """Wait for the end."""
        stdout, stderr = self.process.communicate(timeout=LIMIT_S)
        seconds = time.monotonic() - self._begin
        return Outcome(self.process.returncode, stdout, stderr, seconds)


class Caller:
    """Calls one agent for one simulated BMC."""

    def __init__(self, executable: Path, bmc: Bmc, **standard: object) -> None:
        self.executable = executable
        self.bmc = bmc
        self.standard = standard

    def start(
        self, action: str, environ: dict[str, str] | None = None, **more: object
    ) -> Started:
        """Start a call; parameters that are None are left out."""
        parameters: dict[str, object] = {
            "action": action,
            "nodename": "node1",
            "plug": "node1",
            "ip": "127.0.0.1",
            "ipport": self.bmc.port,
            "username": "admin",
            "password": PASSWORD,
            **self.standard,
            **more,
        }
        given = {k: v for k, v in parameters.items() if v is not None}
        lines = "".join(f"{name}={value}\n" for name, value in given.items())
        return Started(self.executable, lines, environ or {})

    def __call__(
        self, action: str, environ: dict[str, str] | None = None, **more: object
    ) -> Outcome:
        """Make a call and wait for its end."""
        return self.start(action, environ, **more).outcome()
