"""One call of a resource agent inside a host, as Pacemaker's executor makes it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hosts.host import PATH, Host

PEER = Path("/usr/lib/ocf/resource.d/heartbeat/VirtualDomain")
REASON = "ocf-exit-reason:"
GRACE_S = 3.0


@dataclass(frozen=True)
class Answer:
    """What an agent answered; ``killed`` when Pacemaker's timeout ended it."""

    code: int
    stderr: str
    seconds: float
    killed: bool = False

    @property
    def reasons(self) -> list[str]:
        """The exit reasons, without their prefix."""
        lines = self.stderr.splitlines()
        return [line[len(REASON) :] for line in lines if line.startswith(REASON)]

    @property
    def reason(self) -> str:
        """The one that Pacemaker shows: the last."""
        return self.reasons[-1] if self.reasons else ""


class Running:
    """An agent under way, to be waited for or killed."""

    def __init__(self, child: subprocess.Popen[str], timeout_s: float) -> None:
        self._child = child
        self._timeout_s = timeout_s
        self._started = time.monotonic()

    def kill(self) -> None:
        """End the agent's process group as the executor does at its timeout."""
        os.killpg(self._child.pid, signal.SIGKILL)
        self._child.communicate(timeout=10)

    def is_over(self) -> bool:
        """Tell whether it has ended."""
        return self._child.poll() is not None

    def answer(self) -> Answer:
        """Wait for the end; the operation's timeout kills it."""
        try:
            left_s = self._started + self._timeout_s - time.monotonic()
            _, stderr = self._child.communicate(timeout=max(0.2, left_s))
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.communicate(timeout=10)
            return Answer(-9, "", self._timeout_s, killed=True)
        seconds = time.monotonic() - self._started
        return Answer(self._child.returncode, stderr, seconds)


class Resource:
    """A resource as Pacemaker configures it: an agent, an instance, parameters."""

    def __init__(self, agent: Path, instance: str, **parameters: str) -> None:
        self.agent = agent
        self.instance = instance
        self.parameters = parameters
        self.level: int | None = None  # Pacemaker gives none by itself

    def but(self, **changed: str | None) -> Resource:
        """Return the same resource with parameters changed or (None) left out."""
        merged = {**self.parameters, **changed}
        kept = {name: value for name, value in merged.items() if value is not None}
        return Resource(self.agent, self.instance, **kept)

    def leveled(self, level: int) -> Resource:
        """Return the same resource, asked at a check level."""
        same = self.but()
        same.level = level
        return same

    def by(self, agent: Path) -> Resource:
        """Return the same resource in the hands of another agent."""
        return Resource(agent, self.instance, **self.parameters)

    def begin(
        self,
        host: Host,
        action: str,
        timeout_s: float = 20,
        interval_s: float = 0,
        **meta: str,
    ) -> Running:
        """Start an operation and leave it running."""
        environ = self.environment(host, action, timeout_s, interval_s, meta)
        child = subprocess.Popen(
            host.inside([str(self.agent), *([action] if action else [])]),
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return Running(child, timeout_s)

    def call(
        self,
        host: Host,
        action: str,
        timeout_s: float = 20,
        interval_s: float = 0,
        **meta: str,
    ) -> Answer:
        """Run an operation to its end, killing it at Pacemaker's timeout."""
        return self.begin(host, action, timeout_s, interval_s, **meta).answer()

    def migrate_to(self, source: Host, target: Host, timeout_s: float = 30) -> Running:
        """Begin a migrate_to on the source."""
        return self.begin(
            source,
            "migrate_to",
            timeout_s,
            migrate_source=source.name,
            migrate_target=target.name,
        )

    def migrate_from(self, source: Host, target: Host, timeout_s: float = 20) -> Answer:
        """Run migrate_from on the target."""
        return self.call(
            target,
            "migrate_from",
            timeout_s,
            migrate_source=source.name,
            migrate_target=target.name,
        )

    def environment(
        self,
        host: Host,
        action: str,
        timeout_s: float,
        interval_s: float,
        meta: Mapping[str, str],
    ) -> dict[str, str]:
        """Return the environment that the executor gives an agent."""
        metas = {
            "timeout": str(int(timeout_s * 1000)),
            "interval": str(int(interval_s * 1000)),
            "name": action,
            "on_node": host.name,
            **meta,
        }
        level = {} if self.level is None else {"OCF_CHECK_LEVEL": str(self.level)}
        return {
            **level,
            "PATH": PATH,
            "LC_ALL": "C",
            "OCF_ROOT": str(PEER.parents[2]),
            "OCF_RA_VERSION_MAJOR": "1",
            "OCF_RA_VERSION_MINOR": "1",
            "OCF_RESOURCE_INSTANCE": self.instance,
            "OCF_RESOURCE_PROVIDER": self.agent.parent.name,
            "OCF_RESOURCE_TYPE": self.agent.name,
            "HA_LOGFACILITY": "none",
            **{f"OCF_RESKEY_CRM_meta_{key}": text for key, text in metas.items()},
            **{f"OCF_RESKEY_{key}": text for key, text in self.parameters.items()},
        }
