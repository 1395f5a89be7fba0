"""Locks keep two runs apart and leave nothing; trees with mounts are not removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lab.cache import hold, remove_tree, scratch
from lab.errors import TimedOut

if TYPE_CHECKING:
    from pathlib import Path


def test_a_lock_keeps_the_second_run_out_and_is_gone_afterwards(tmp_path: Path) -> None:
    lock = tmp_path / "cache/.lock"
    with (
        hold(lock, 0),
        pytest.raises(TimedOut, match="another run holds"),
        hold(lock, 0),
    ):
        pass
    assert not lock.exists()
    with hold(lock, 0):
        assert lock.exists()


def test_a_scratch_directory_is_gone_afterwards_and_so_are_killed_runs(
    tmp_path: Path,
) -> None:
    killed = tmp_path / ".work-4194304-abc"
    killed.mkdir()
    with scratch(tmp_path) as work:
        (work / "file").touch()
        assert not killed.exists()
    assert not list(tmp_path.iterdir())


def test_what_is_not_there_is_removed_already(tmp_path: Path) -> None:
    remove_tree(tmp_path / "absent")
