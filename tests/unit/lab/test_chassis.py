"""The hand on the power switch: what it takes to cut a node with two supplies."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab.processes import Process

if TYPE_CHECKING:
    from collections.abc import Iterator

CHASSIS = Path(__file__).resolve().parents[2] / "lab/chassis"
STARTED_S = 10.0
MACHINE = """\
import sys
open(f"{sys.argv[1]}/started", "w").write("yes")
"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Path]:
    """Give the directory of a node that runs and has two supplies, both on."""
    (tmp_path / "bmc").mkdir()
    (tmp_path / "feeds").mkdir()
    for feed in ("a", "b"):
        (tmp_path / "feeds" / feed).write_text("on\n")
    (tmp_path / "power").write_text("on\n")
    (tmp_path / "boot_delay").write_text("0\n")
    (tmp_path / "machine.py").write_text(MACHINE)
    (tmp_path / "program").write_text(f"{tmp_path}/machine.py\n")
    with subprocess.Popen(["sleep", "60"]) as init:
        Process.of(init.pid).write(tmp_path / "init")
        yield tmp_path
        init.kill()


def ask(node: Path, *words: str) -> str:
    shown = subprocess.run(
        [str(CHASSIS), str(node), *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    return shown.stdout.strip()


def runs(node: Path) -> bool:
    init = Process.read(node / "init")
    return init is not None and init.alive()


def wait_off(node: Path, *outlet: str) -> None:
    ends = time.monotonic() + STARTED_S
    while ask(node, *outlet, "get", "power") != "power:0":
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_a_node_is_cut_only_when_its_last_supply_is_off(node: Path) -> None:
    ask(node, "feed", "a", "set", "power", "0")
    assert ask(node, "feed", "a", "get", "power") == "power:0"
    assert ask(node, "feed", "b", "get", "power") == "power:1"
    assert ask(node, "get", "power") == "power:1"
    assert runs(node)
    ask(node, "feed", "b", "set", "power", "0")
    wait_off(node, "feed", "b")
    assert not runs(node)
    assert ask(node, "get", "power") == "power:0"


def test_a_node_starts_with_its_first_supply_and_not_without_one(node: Path) -> None:
    for feed in ("a", "b"):
        ask(node, "feed", feed, "set", "power", "0")
    wait_off(node)
    ask(node, "set", "power", "1")
    assert ask(node, "get", "power") == "power:0", "it started without a supply"
    ask(node, "feed", "b", "set", "power", "1")
    ends = time.monotonic() + STARTED_S
    while not (node / "started").exists():
        assert time.monotonic() < ends, "it does not start by itself"
        time.sleep(0.01)
    assert ask(node, "get", "power") == "power:1"


def test_a_node_that_its_bmc_turned_off_stays_so_while_it_is_fed(node: Path) -> None:
    ask(node, "set", "power", "0")
    wait_off(node)
    ask(node, "feed", "a", "set", "power", "0")
    ask(node, "feed", "a", "set", "power", "1")
    assert ask(node, "get", "power") == "power:0"
    assert not (node / "started").exists()


def test_the_crash_kernel_dies_with_the_power(node: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as kernel:
        Process.of(kernel.pid).write(node / "kdump")
        ask(node, "set", "power", "0")
        assert kernel.wait(10) < 0
