"""The README's first command, run as a reader would run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEMO_S = 290.0
PEERS_S = 1500.0
CLEAN_UP_S = 60.0


def run_demo(words: list[str], limit_s: float) -> tuple[int, str]:
    """Run the demo; at the limit it is interrupted, so that it removes its lab."""
    with subprocess.Popen(
        [str(ROOT / "tests/demo"), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as demo:
        try:
            shown, _ = demo.communicate(timeout=limit_s)
        except BaseException:
            demo.send_signal(signal.SIGINT)
            demo.wait(CLEAN_UP_S)
            raise
        return demo.returncode, shown


@pytest.mark.timeout(PEERS_S + 60)
def test_the_demo_shows_every_step_and_with_peers_beats_them(
    tmp_path: Path, is_long: bool, figures: list[str]
) -> None:
    """One story; with --long five alternating runs beside the peers, and the ratios."""
    told = tmp_path / "demo.json"
    words = ["--json", str(told), "--name", f"demo-{os.getpid()}"]
    words += ["--peers", "--runs", "5"] if is_long else []
    code, shown = run_demo(words, PEERS_S if is_long else DEMO_S)
    print(shown)
    assert code == 0, shown.splitlines()[-1]
    story = json.loads(told.read_text(encoding="utf-8"))
    assert all(migration["unbroken"] for migration in story["migrations"])
    assert [f["suite"] for f in story["failovers"]].count("vmha") == (
        5 if is_long else 1
    )
    figures += [
        f"failover, {f['suite']}: {f['total_s']:.2f} s, fencing {f['fencing_s']:.2f} s"
        for f in story["failovers"]
    ]
    figures += [
        f"{c['measure']}: {c['ours_median_s']:.2f} s of {c['peers_median_s']:.2f} s, "
        f"ratio {c['ratio']:.2f}, at most {c['limit']:.2f}"
        for c in story["comparisons"]
    ]


def test_the_demo_refuses_nonsense_in_one_sentence() -> None:
    asked = subprocess.run(
        [str(ROOT / "tests/demo"), "--runs", "0"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert asked.returncode == 2
    assert "--runs 0: give a number from 1 up" in asked.stderr
