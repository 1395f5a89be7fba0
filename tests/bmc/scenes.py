"""One call of the real agent against a scripted BMC, several at a time.

A ``Scene`` says what the BMC, the network and the caller do; ``play`` gives back what
came of it. Scenes mostly wait, so that many are played at once.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bmc.calls import Caller
from bmc.listener import Listener
from bmc.plan import Plan
from bmc.proxy import Proxy, Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bmc.calls import Outcome
    from bmc.rmcp import Server

FENCER = {"PCMK_service": "pacemaker-fenced"}
SHORT: dict[str, object] = {
    "login_timeout": 1,
    "shell_timeout": 1,
    "power_timeout": 2,
}
ALWAYS = 1000  # so many answers of a kind are more than any call asks for
REPLAY_S = 0.3  # for packets that are sent again to be carried out
AT_A_TIME = 8
HEALTHY = Plan()
QUIET = Trouble()


@dataclass(frozen=True)
class Scene:
    """What is played: ``parameters`` and ``environ`` belong to the call.

    ``plays_again`` sends every packet to the BMC once more when the agent has ended.
    """

    action: str
    plan: Plan = HEALTHY
    parameters: Mapping[str, object] = field(default_factory=dict)
    trouble: Trouble = QUIET
    environ: Mapping[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"
    plays_again: bool = False


@dataclass(frozen=True)
class Played:
    """What came of it: how the call ended, and the BMC with its node."""

    outcome: Outcome
    server: Server
    dropped: int

    @property
    def orders(self) -> list[str]:
        """Return the orders that reached the chassis."""
        return self.server.node.names()

    @property
    def power(self) -> list[bool]:
        """Return the node's true power, change by change."""
        return [change.is_on for change in self.server.node.changes]


def play(executable: Path, scene: Scene) -> Played:
    """Play a scene."""
    with ExitStack() as stack:
        bmc = stack.enter_context(Listener(scene.plan, scene.host))
        network = stack.enter_context(Proxy(bmc.port, scene.trouble, scene.host))
        caller = Caller(executable, network)
        outcome = caller(scene.action, dict(scene.environ), **dict(scene.parameters))
        if scene.plays_again:
            network.replay()
            time.sleep(REPLAY_S)
        return Played(outcome, bmc.server, sum(network.dropped.values()))


def play_all(executable: Path, scenes: Mapping[str, Scene]) -> dict[str, Played]:
    """Play scenes, several at a time; return what came of each, by its name."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        played = pool.map(lambda scene: play(executable, scene), scenes.values())
        return dict(zip(scenes, played))
