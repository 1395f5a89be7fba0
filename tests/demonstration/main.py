"""The command ``tests/demo``: set up, perform the acts, report, clear away."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lab import Lab, LabError, Progress
from lab.cache import CACHE, hold
from lab.commands import run as run_program
from lab.requirements import require

from . import report
from .acts import Run, Stage
from .settings import OURS, PEERS, clear, configure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .settings import Agents

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD_S = 1200.0
DESCRIPTION = """\
Builds vmha's package, boots a three-node cluster on this machine (real Corosync,
Pacemaker, libvirt and QEMU in namespaces, one real IPMI BMC for each node) and shows a
virtual machine surviving the death of its node: (a) a live migration by standby, (b)
the node's cable is pulled and it is powered off with proof before the guest starts
elsewhere, (c) the node comes back. All the while a witness counts the executing copies
of every guest. Exits 0 only if every step held; leaves nothing but its cache in
/var/cache/vmha-lab.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; 0 when every step held, 1 when one did not or it broke off."""
    arguments = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    progress = Progress(sys.stdout)
    runs: list[Run] = []
    try:
        with hold(CACHE / ".demo.lock", 1.0):
            _demonstrate(arguments, progress, runs)
    except LabError as error:
        progress.say(f"tests/demo: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        progress.say("tests/demo: interrupted; the lab was taken away")
        return 130
    finally:
        held = len(runs) > 0 and not report.failures(runs)
        if arguments.json and runs:
            report.write_json(arguments.json, runs, arguments.suite, held)
    progress.say("")
    for line in report.table(runs):
        progress.say(line)
    for sentence in report.failures(runs):
        progress.say(f"did not hold: {sentence}")
    took = time.monotonic() - began
    word = "every step held" if held else "NOT every step held"
    progress.say(f"{word}; {took:.0f} s in all")
    return 0 if held else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tests/demo",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--runs", type=int, default=1, metavar="N", help="how often (default: 1)"
    )
    parser.add_argument(
        "--peers",
        action="store_true",
        help="alternate with ocf:heartbeat:VirtualDomain and fence_ipmilan on the same "
        "cluster, and compare",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the timeline")
    parser.add_argument(
        "--suite",
        choices=("bookworm", "trixie"),
        default="bookworm",
        help="the nodes' Debian: 12 (default) or 13",
    )
    parser.add_argument(
        "--deb",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="use these packages instead of building them from this tree",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="leave the lab up at the end (tests/lab/lab --name demo)",
    )
    return parser


def _demonstrate(
    arguments: argparse.Namespace, progress: Progress, runs: list[Run]
) -> None:
    require(progress)
    debs = arguments.deb or [_build(progress)]
    lab = Lab("demo", suite=arguments.suite, debs=debs, progress=progress)
    lab.down()
    try:
        lab.up()
        sets = [OURS, PEERS] if arguments.peers else [OURS]
        for number in range(1, arguments.runs + 1):
            for agents in sets:
                run = Run(agents.name, number)
                runs.append(run)
                _perform(lab, agents, run, progress)
                if len(sets) * arguments.runs > len(runs):
                    with progress.step("clearing the cluster's configuration"):
                        clear(lab, progress.life)
    finally:
        if not arguments.keep:
            lab.down()


def _perform(lab: Lab, agents: Agents, run: Run, progress: Progress) -> None:
    progress.say(f"\nrun {run.number} with {agents.guest} and {agents.fence}")
    show = progress.say if run.number == 1 else progress.life
    with progress.step("configuring fencing and three guests"):
        configure(lab, agents, show)
    with lab.watch() as watch:
        try:
            Stage(lab, watch, progress.say).perform(run)
        except LabError as error:
            run.broken.append(f"it broke off: {error}")
            progress.say(f"    {error}")
            lab.wait_idle()


def _build(progress: Progress) -> Path:
    with progress.step("building vmha's package"):
        built = run_program([str(ROOT / "packaging/build-deb")], BUILD_S)
    return Path(built.stdout.split()[-1])


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
