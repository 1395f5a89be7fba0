"""A tier in several processes: each test once, one seed, all figures."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiers.declared import TIERS, Tier
from tiers.main import _parts

CONFTEST = Path(__file__).resolve().parents[2] / "conftest.py"
MEASURING = """
import pytest

@pytest.mark.parametrize("number", range(4))
def test_one(number, seed, figures):
    figures.append(f"measured {number} with {seed}")

@pytest.mark.alone
def test_quiet(figures):
    figures.append("in quiet")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(CONFTEST, tmp_path / "conftest.py")
    (tmp_path / "test_measuring.py").write_text(MEASURING)
    return tmp_path


def test_what_workers_have_measured_is_shown_and_nothing_runs_twice(
    folder: Path,
) -> None:
    shown = ""
    for part in _parts(named("libvirt")):
        command = ["-m", "pytest", "-q", "--seed", "77", *part.options, "."]
        done = subprocess.run(
            [sys.executable, *command],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        shown += done.stdout
    figures = [line for line in shown.splitlines() if line.startswith("measured")]
    assert sorted(figures) == [f"measured {number} with 77" for number in range(4)]
    assert shown.count("in quiet") == 1


def test_a_tier_with_one_worker_is_run_at_once() -> None:
    assert [part.options for part in _parts(named("unit"))] == [()]


def test_a_tier_in_which_nothing_wants_quiet_has_no_second_part() -> None:
    assert [part.name for part in _parts(named("heartbeat"))] == ["heartbeat"]


def named(name: str) -> Tier:
    return next(tier for tier in TIERS if tier.name == name)
