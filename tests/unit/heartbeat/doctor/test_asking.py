"""Other nodes are asked over ssh: bounded, without prompts, and none is left out."""

from __future__ import annotations

import json
import os
import stat
import time
from typing import TYPE_CHECKING

import pytest
from unit.heartbeat.doctor.patient import facts_of

from vmha.heartbeat.doctor import asking, facts

if TYPE_CHECKING:
    from pathlib import Path

    from vmha.agents.protocol.deadline import Deadline

SCRIPT = """\
#!/bin/sh
echo "$@" >> {folder}/calls
for word; do
  case "$word" in
    n2) exec cat {folder}/n2.json;;
    n3) echo "Permission denied (publickey)." >&2; exit 255;;
    n4) exec sleep 60;;
    n5) exit 127;;
    n6) echo "no such option" >&2; exit 2;;
    n7) echo "motd of the day"; exit 0;;
  esac
done
"""


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program in the place of ssh that answers for each node otherwise."""
    path = tmp_path / "ssh"
    path.write_text(SCRIPT.format(folder=tmp_path))
    os.chmod(path, stat.S_IRWXU)
    told = facts_of("n2")
    told["time"]["epoch_s"] = time.time() + 100
    (tmp_path / "n2.json").write_text(json.dumps(told))
    monkeypatch.setattr(asking, "SSH", str(path))
    monkeypatch.setattr(asking, "BOUND_S", 1.5)

    def own(_: Deadline) -> dict[str, object]:
        return facts_of("n1")

    monkeypatch.setattr(facts, "gather", own)
    return tmp_path


def test_every_node_gives_facts_or_a_reason_within_the_bound(ssh: Path) -> None:
    nodes = [f"n{number}" for number in range(1, 8)]
    began = time.monotonic()
    told = asking.ask(nodes, "n1", {})
    assert time.monotonic() - began < 4
    assert sorted(told.facts) == ["n1", "n2"]
    assert sorted(told.unasked) == ["n3", "n4", "n5", "n6", "n7"]
    assert "Permission denied" in told.unasked["n3"]
    assert "1.5 s" in told.unasked["n4"]
    assert "vmha is not installed there" in told.unasked["n5"]
    assert "no such option" in told.unasked["n6"]
    assert "no JSON" in told.unasked["n7"]
    assert (ssh / "calls").exists()


def test_ssh_never_prompts_and_knows_its_hosts(ssh: Path) -> None:
    asking.ask(["n2"], "n1", {})
    (call,) = (ssh / "calls").read_text().splitlines()
    assert "BatchMode=yes" in call
    assert "StrictHostKeyChecking=yes" in call
    assert "-l root -- n2" in call


def test_the_clock_of_another_node_is_compared_with_ours(ssh: Path) -> None:
    assert ssh.exists()
    offset_s = asking.ask(["n2"], "n1", {}).facts["n2"].offset_s
    assert offset_s is not None
    assert 98 < offset_s < 102
