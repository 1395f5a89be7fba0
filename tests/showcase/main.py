"""The command ``tests/demo``: one story from bare machine to the lab's removal."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab import Lab
from lab.errors import LabError
from lab.progress import Progress

from showcase import report, suites
from showcase.acts import Broken, Move, Story
from showcase.timeline import Comparison, Failover, compare

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD_S = 900.0
DESCRIPTION = """\
Shows vmha's main job on a real cluster: three nodes with Corosync, Pacemaker, libvirt
and QEMU run in namespaces of this machine, each with an IPMI controller. A guest moves
alive; then the node of a guest is cut off, is powered off with proof, and the guest
starts elsewhere; then the node comes back. What executes is watched all the time. Needs
root; what is missing is installed with apt and named first. The lab is removed in the
end.
"""
EPILOG = "exit codes: 0 every step held; 1 one did not, and the last line says which."


def main(argv: Sequence[str] | None = None) -> int:
    """Tell the story; 0 only if every step held."""
    options = _options(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    progress = Progress(sys.stdout)
    try:
        return _tell(options, progress)
    except (Broken, LabError) as error:
        progress.say(f"demo: {error}")
    except KeyboardInterrupt:
        progress.say("demo: interrupted")
    return 1


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="demo",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the timelines")
    parser.add_argument(
        "--peers",
        action="store_true",
        help="the same with ocf:heartbeat:VirtualDomain and fence_ipmilan, alternating",
    )
    parser.add_argument(
        "--runs", type=int, default=1, metavar="N", help="failovers of each side"
    )
    parser.add_argument(
        "--suite",
        choices=("bookworm", "trixie"),
        default="bookworm",
        help="the nodes' Debian: 12 (default) or 13",
    )
    parser.add_argument("--name", default="demo", help="the lab's name (default: demo)")
    options = parser.parse_args(argv)
    if options.runs < 1:
        parser.error(f"--runs {options.runs}: give a number from 1 up")
    return options


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _tell(options: argparse.Namespace, progress: Progress) -> int:
    if os.geteuid():
        raise LabError("it makes namespaces and mounts: run it as root")
    began_s = time.monotonic()
    debs = _packages(progress)
    lab = Lab(options.name, suite=options.suite, debs=debs, progress=progress)
    lab.down()
    try:
        lab.up()
        with lab.watch() as watch:
            story = Story(lab, watch, progress.say)
            moves, failovers = _acts(story, options, progress)
            story.check_copies()
            gap_s = watch.worst_gap_s
    finally:
        lab.down()
    comparisons = _compared(failovers, progress) if options.peers else []
    progress.say(
        "at no instant did two copies of a guest execute (looked at every "
        f"{gap_s:.2f} s or more often)"
    )
    took_s = time.monotonic() - began_s
    if options.json:
        more = _more(options, moves, gap_s, took_s)
        document = report.document(failovers, comparisons, more)
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    held = all(comparison.holds for comparison in comparisons)
    last = "every step held" if held else "a comparison with the peers did not hold"
    progress.say(f"{last}; {took_s:.0f} s in all")
    return 0 if held else 1


def _packages(progress: Progress) -> list[Path]:
    """Build the suite's own packages from this checkout."""
    with progress.step("building the packages"):
        built = subprocess.run(
            [str(ROOT / "packaging/build-deb")],
            stdout=subprocess.PIPE,  # its stderr says what it installs
            timeout=BUILD_S,
            check=False,
            text=True,
        )
    if built.returncode:
        raise LabError("packaging/build-deb failed; its reason stands above")
    return [Path(line) for line in built.stdout.splitlines()]


def _acts(
    story: Story, options: argparse.Namespace, progress: Progress
) -> tuple[list[Move], list[Failover]]:
    """Act the story; with peers, their runs alternate with ours."""
    sides = [suites.VMHA, suites.PEERS] if options.peers else [suites.VMHA]
    moves: list[Move] = []
    failovers: list[Failover] = []
    for run in range(1, options.runs + 1):
        for suite in sides:
            first = run == 1 and suite is suites.VMHA
            told = f"run {run} of {options.runs}, {suite.name}: "
            head = told if options.runs > 1 or options.peers else ""
            if first or options.peers:
                progress.say(f"\n{head}fencing devices and guests")
                story.set_up(suite)
            if first:
                progress.say("\n(a) live migration by standby")
                moves = story.migrate()
            progress.say(f"\n{head}(b) a node is cut off")
            failover = story.cut(suite)
            progress.say(report.stages_table(failover))
            failovers.append(failover)
            progress.say(f"\n{head}(c) the dead node comes back")
            story.come_back(failover.dead)
            story.check_copies()
            if options.peers:
                story.tear_down()
    progress.say("")
    return moves, failovers


def _compared(failovers: list[Failover], progress: Progress) -> list[Comparison]:
    """Print both columns and the claims."""
    ours = [f for f in failovers if f.suite == suites.VMHA.name]
    peers = [f for f in failovers if f.suite == suites.PEERS.name]
    progress.say(report.columns(ours, peers))
    comparisons = compare(ours, peers)
    for comparison in comparisons:
        progress.say(report.verdict_line(comparison))
    return comparisons


def _more(
    options: argparse.Namespace, moves: list[Move], gap_s: float, took_s: float
) -> dict[str, Any]:
    return {
        "nodes_debian": options.suite,
        "migrations": [vars(move) for move in moves],
        "watched_every_s": round(gap_s, 3),
        "took_s": round(took_s, 1),
    }
