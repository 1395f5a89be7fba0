"""Calls of a fence agent as the fencer makes them: name=value lines on stdin."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Protocol

from bmc.simulator import PASSWORD

PEER = Path("/usr/sbin/fence_ipmilan")
LIMIT_S = 60.0


class Reachable(Protocol):
    """What a call needs to know of a BMC, or of what stands for it."""

    host: str
    port: int


class Outcome:
    """How a call ended, how long it took, and when, on the monotonic clock."""

    def __init__(
        self,
        exit_code: int,
        stdout: str,
        stderr: str,
        seconds: float,
        ended_at: float = 0.0,
    ) -> None:
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr
        self.seconds = seconds
        self.ended_at = ended_at

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

    def outcome(self, limit_s: float = LIMIT_S) -> Outcome:
        """Wait for the end; raises TimeoutExpired if it does not come."""
        stdout, stderr = self.process.communicate(timeout=limit_s)
        now = time.monotonic()
        code = self.process.returncode
        return Outcome(code, stdout, stderr, now - self._begin, now)


class Caller:
    """Calls one agent for one BMC."""

    def __init__(self, executable: Path, bmc: Reachable, **standard: object) -> None:
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
            "ip": self.bmc.host,
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
