"""The command ``tests/bench``: which comparison, in which form."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from contract import ocf_root
from hosts.host import Host

from benchmarks import cost, fencing, table
from benchmarks.cost import OURS, THEIRS, THEIRS_TUNED, Row
from benchmarks.meter import facts

ROUNDS, LONG_ROUNDS = 15, 51
FENCINGS, LONG_FENCINGS = 5, 21
NODES = (1, 100, 300)
OF_THE_PEER = 0.33
PLANNED = ((8, 200), (16, 500), (32, 2000))
CLUSTERS, FEW_CLUSTERS = 300, 40


def main() -> int:
    """Run a comparison; 0 when ours is as good as is promised."""
    options = _arguments()
    if os.geteuid():
        print("tests/bench: run it as root; it starts libvirtd in namespaces")
        return 2
    return COMMANDS[options.what](options)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tests/bench",
        description="Compare vmha with what it replaces, in one run on this machine.",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers")
    parser.add_argument("--long", action="store_true", help="run the full counts")
    which = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    which.add_parser("agents", help="what a recurring monitor costs")
    behaviour = which.add_parser("behaviour", help="what agents answer when it matters")
    answers = which.add_parser(
        "fence-behaviour", help="what fence agents say, and whether the node is off"
    )
    times = which.add_parser("fencing", help="how long status, off and reboot take")
    times.add_argument("--runs", type=int, metavar="N", help="so many runs of each")
    times.add_argument("--only", metavar="TEXT", help="BMCs named like this")
    which.add_parser("planning", help="all failures planned, one simulated")
    told = which.add_parser("renderings", help="what a failover disturbs, by rendering")
    told.add_argument("--clusters", type=int, metavar="N", help="on so many clusters")
    for table_of in (behaviour, answers):
        table_of.add_argument(
            "--only", metavar="TEXT", help="situations named like this"
        )
    return parser.parse_args()


def _agents(options: argparse.Namespace) -> int:
    """Print what monitors cost; 1 when ours costs more than is promised."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        host = Host("alpha", Path(folder), "127.0.0.1 localhost alpha\n")
        try:
            host.start_libvirtd()
            for number in NODES:
                print(f"measuring with {number} guests ...", file=sys.stderr)
                rounds = LONG_ROUNDS if options.long else ROUNDS
                rows += cost.compared(host, number, rounds)
        finally:
            host.end()
    for line in table.lines([HEADING, *map(_cells, rows)], numbers_from=2):
        print(line)
    kept = [_promise(rows, number) for number in NODES]
    for line, _ in kept:
        print(line)
    if options.json:
        told = [
            {
                "what": row.what,
                "guests": row.guests,
                **facts(row.cost),
                "share_of_a_core": row.share_of_a_core,
            }
            for row in rows
        ]
        options.json.write_text(json.dumps(told, indent=2) + "\n")
    return int(not all(good for _, good in kept))


HEADING = (
    "guests",
    "monitor",
    "CPU ms",
    "wall ms",
    "processes",
    "libvirtd ms",
    "core share, each 10 s",
)


def _cells(row: Row) -> tuple[str, ...]:
    spawned = row.cost.processes
    return (
        str(row.guests),
        row.what,
        f"{1000 * row.cost.cpu_s:.1f}",
        f"{1000 * row.cost.wall_s:.1f}",
        "?" if spawned is None else str(spawned),
        f"{1000 * row.cost.daemon_cpu_s:.1f}",
        f"{100 * row.share_of_a_core:.1f} %",
    )


def _promise(rows: list[Row], number: int) -> tuple[str, bool]:
    """Hold the figures of one node against what is promised."""
    by = {row.what: row.cost for row in rows if row.guests == number}
    of_default = by[OURS].cpu_s / by[THEIRS].cpu_s
    of_tuned = by[OURS].cpu_s / by[THEIRS_TUNED].cpu_s
    spawned = by[OURS].processes
    good = of_default <= OF_THE_PEER and of_tuned <= 1 and spawned in (1, None)
    line = (
        f"{number} guests: CPU {of_default:.2f} of VirtualDomain's (promised: at most "
        f"{OF_THE_PEER}), {of_tuned:.2f} of it without utilization (at most 1); "
        f"{'?' if spawned is None else spawned} process{'' if good else '  NOT KEPT'}"
    )
    return line, good


def _behaviour(options: argparse.Namespace) -> int:
    from behaviour.shown import run

    return run(options.only, options.json)


def _fence_behaviour(options: argparse.Namespace) -> int:
    from fencing.shown import run

    return run(options.only, options.json)


def _fencing(options: argparse.Namespace) -> int:
    """Print how long fencing takes; 1 when ours takes longer than is promised.

    An interrupted run prints what it has, and fails.
    """
    runs = options.runs or (LONG_FENCINGS if options.long else FENCINGS)
    found: dict[fencing.Key, fencing.Measured] = {}
    was_interrupted = False
    with tempfile.TemporaryDirectory() as at:
        executable = ocf_root.build(Path(at)) / "sbin/fence_vmha_ipmi"
        try:
            fencing.measured(executable, Path(at), runs, options.only, found)
        except KeyboardInterrupt:
            was_interrupted = True
    for line in table.lines(fencing.rows(found), numbers_from=2):
        print(line)
    kept = list(fencing.promises(found))
    for line in ("", *fencing.after_off(found), "", *map(str, kept), ""):
        print(line)
    print(fencing.how(found), end="")
    if options.json:
        told = [asdict(row) for row in found.values()]
        options.json.write_text(json.dumps(told, indent=2) + "\n")
    return int(was_interrupted or not all(promise.is_kept for promise in kept))


def _planning(options: argparse.Namespace) -> int:
    """Print what planning costs; 1 when it costs more than is promised."""
    from benchmarks import planning

    timings = [planning.measured(*size) for size in PLANNED]
    for line in table.lines(
        [planning.HEADING, *map(planning.row, timings)], numbers_from=0
    ):
        print(line)
    for timing in timings:
        word = "" if timing.is_kept else "  NOT KEPT"
        print(
            f"{timing.nodes} nodes: all failures in "
            f"{timing.planner_s / timing.simulator_s:.2f} of the time crm_simulate "
            f"takes for one (promised: less than 1), {timing.differences} guests "
            f"placed otherwise (promised: 0){word}"
        )
    if options.json:
        told = [timing._asdict() for timing in timings]
        options.json.write_text(json.dumps(told, indent=2) + "\n")
    return int(not all(timing.is_kept for timing in timings))


def _renderings(options: argparse.Namespace) -> int:
    """Print what failovers disturb; there is no promise in it."""
    from benchmarks import renderings

    clusters = options.clusters or (CLUSTERS if options.long else FEW_CLUSTERS)
    rows = []
    for name in renderings.RENDERINGS:
        print(f"playing {clusters} clusters: {name} ...", file=sys.stderr)
        total = renderings.measured(renderings.SEED, clusters, name)
        rows.append(renderings.row(name, total))
    for line in table.lines([renderings.HEADING, *rows], numbers_from=1):
        print(line)
    return 0


COMMANDS = {
    "agents": _agents,
    "behaviour": _behaviour,
    "fencing": _fencing,
    "fence-behaviour": _fence_behaviour,
    "planning": _planning,
    "renderings": _renderings,
}
