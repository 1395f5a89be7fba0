"""The lab's own promises: it is clear about itself, survives a crash, leaves nothing.

Run as its users run it, by its command, beside the lab of the other scenarios.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab import sweep
from lab.cache import mounts
from lab.commands import Result, run
from lab.plan import RUN

if TYPE_CHECKING:
    from collections.abc import Iterator

LAB = Path(__file__).resolve().parents[1] / "lab/lab"
UP_S = 240.0
ONE_S = 60.0
CUT_S = 90.0
# reboot(2): restart.
RESTART = "import ctypes; ctypes.CDLL(None).reboot(0x1234567)"


@pytest.fixture(scope="module")
def name() -> Iterator[str]:
    """Give a name of this run's own; whatever is left of it goes."""
    if os.geteuid() != 0:
        pytest.skip("needs root: namespaces and mounts")
    own = f"own-{os.getpid()}"
    yield own
    sweep.sweep(RUN / own)


def lab(name: str, verb: str, *words: str, timeout_s: float = ONE_S) -> Result:
    """Run the lab's command."""
    return run([str(LAB), verb, "--name", name, *words], timeout_s, check=False)


def test_a_killed_run_is_cleared_by_the_next_and_down_leaves_nothing(
    name: str,
) -> None:
    directory = RUN / name
    kill_while_it_comes_up(name)
    assert mounts(directory), "the killed run left nothing to clear"

    assert lab(name, "up", "--nodes", "2", timeout_s=UP_S).code == 0
    again = lab(name, "up", "--nodes", "2")
    assert again.code == 0
    assert "is up already" in again.stderr
    assert lab(name, "up", "--nodes", "3").code == 1
    answers(name)
    a_node_sees_nothing_of_the_machine(name)
    a_reset_node_boots_again(name)
    a_switch_that_is_off_says_so(name)

    assert lab(name, "down").code == 0
    assert lab(name, "down").code == 0
    assert not directory.exists()
    assert not mounts(directory)
    assert not list(sweep.processes(directory))
    gone = lab(name, "status")
    assert gone.code == 7
    assert f"the lab {name} is not up" in gone.stderr


def kill_while_it_comes_up(name: str) -> None:
    """Kill a run, and all that it had started, when its nodes run."""
    argv = [str(LAB), "up", "--name", name, "--nodes", "2"]
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as killed:
        init = RUN / name / "nodes/node2/init"
        ends = time.monotonic() + UP_S
        while not init.exists():
            assert time.monotonic() < ends, "node2 was never started"
            assert killed.poll() is None, "up ended before its nodes ran"
            time.sleep(0.05)
        killed.kill()
    for process in sweep.processes(RUN / name):
        process.signal(signal.SIGKILL)


def answers(name: str) -> None:
    """Every command answers, and says what is wrong with a wrong word."""
    found = json.loads(lab(name, "status", "--json").stdout)
    assert [node["online"] for node in found["nodes"]] == [True, True]
    said = lab(name, "shell", "node2", "sh", "-c", "hostname; ls /shared; exit 3")
    assert said.code == 3
    assert said.stdout.split() == ["node2", "guest"]
    unknown = lab(name, "cut", "node9")
    assert unknown.code == 2
    assert "it has node1, node2" in unknown.stderr
    assert "cut" in lab(name, "cut", "node2").stdout
    assert "in" in lab(name, "heal", "node2").stdout


def a_reset_node_boots_again(name: str) -> None:
    """A node that resets itself boots; nothing of the machine is touched."""
    journal = RUN / name / "nodes/node2/journal"
    lab(name, "shell", "node2", "/usr/bin/python3", "-c", RESTART)
    ends = time.monotonic() + ONE_S
    while "booting" not in journal.read_text().partition(" reset\n")[2]:
        assert time.monotonic() < ends, journal.read_text()
        time.sleep(0.1)


def a_switch_that_is_off_says_so(name: str) -> None:
    """The power switch kills the node, and a dead node has no shell."""
    assert lab(name, "power", "node1", "off").stdout.split()[-1] == "off"
    assert lab(name, "shell", "node1", "true").code == 7
    assert lab(name, "power", "node1", "on").stdout.split()[-1] == "on"


def a_node_sees_nothing_of_the_machine(name: str) -> None:
    """Its devices, its settings and its root are its own."""
    devices = lab(name, "shell", "node1", "find", "/dev", "-type", "b").stdout
    assert not devices.strip(), "a node must not see the machine's disks"
    said = lab(name, "shell", "node1", "sh", "-c", "echo 1 >/proc/sys/kernel/panic")
    assert said.code != 0
    trigger = Path("/proc/sysrq-trigger")
    if trigger.exists():
        inside = lab(name, "shell", "node1", "stat", "-c%F", str(trigger)).stdout
        assert inside.strip() == "fifo"
