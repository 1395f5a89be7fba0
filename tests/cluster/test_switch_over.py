"""A guest under VirtualDomain is taken over while it runs, as README.md tells."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab import Lab
    from lab.watch import Watch

README = Path(__file__).resolve().parents[2] / "README.md"
GUEST = "web1"
SETTLES_S = 120.0
TWO_MONITORS_S = 22.0


def recipe() -> str:
    """Return README's commands for a guest, with our guest's name."""
    text = README.read_text(encoding="utf-8")
    found = re.findall(r"^```sh switch\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    name = re.compile(r"\bweb\b")
    return name.sub(GUEST, next(block for block in found if name.search(block)))


def backwards(script: str) -> str:
    """Turn the recipe round: from our agent to the predecessor's."""
    words = {"heartbeat": "vmha", "VirtualDomain": "VirtualMachine"}
    words |= {new: old for old, new in words.items()}
    quoted = re.compile(f'"({"|".join(words)})"')
    return quoted.sub(lambda found: f'"{words[found.group(1)]}"', script)


def test_a_running_guest_is_switched_over_and_runs_on(lab: Lab, watch: Watch) -> None:
    source = lab.cluster.wait_running(GUEST)
    node = lab.node(source)
    for script, agent in (
        (backwards(recipe()), "ocf:heartbeat:VirtualDomain"),
        (recipe(), "ocf:vmha:VirtualMachine"),
    ):
        node.run(["sh", "-euc", f"cd /root\n{script}"], SETTLES_S)
        lab.wait_idle()
        assert agent in node.run(["crm_mon", "-1"], SETTLES_S).stdout
        assert lab.cluster.where(GUEST) == [source]
    time.sleep(TWO_MONITORS_S)
    assert lab.cluster.where(GUEST) == [source]
    assert watch.unbroken(GUEST)
    record = f"/run/vmha/guests/{GUEST}.guest"
    assert f"name={GUEST}" in node.run(["cat", record], SETTLES_S).stdout
