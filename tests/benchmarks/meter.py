"""What commands cost inside a host: CPU, wall time, processes; and the daemon's share.

The commands run in turn, round by round, so that a busy machine burdens all alike.
CPU time is that of the command and its descendants (wait4). Processes are counted by
the kernel's process accounting (acct(2)), which a host has of its own: every process
that ended, threads apart.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from hosts.host import Host

PROGRAM = "/run/guests/meter"
PLAN = "/run/guests/plan"
LIMIT_S = 900

METER = """
import ctypes, glob, json, os, sys, time
rounds, daemon, commands = json.load(open(sys.argv[1]))
libc = ctypes.CDLL(None, use_errno=True)
ACCOUNT, RECORD = "/run/guests/acct", 64
open(ACCOUNT, "wb").close()
counts = libc.acct(ACCOUNT.encode()) == 0
spent = [[] for _ in commands]

def daemons():
    total = 0
    for path in glob.glob(f"/proc/{daemon}/task/*/schedstat"):
        try:
            total += int(open(path).read().split()[0])
        except OSError:
            pass
    return total / 1e9

for turn in range(rounds):
    for number, variants in enumerate(commands):
        argv, environ, code = variants[turn % len(variants)]
        served, size, began = daemons(), os.path.getsize(ACCOUNT), time.monotonic()
        pid = os.posix_spawn(argv[0], argv, environ)
        _, status, usage = os.wait4(pid, 0)
        took = time.monotonic() - began
        assert os.waitstatus_to_exitcode(status) == code, (argv, status)
        ended = (os.path.getsize(ACCOUNT) - size) // RECORD if counts else None
        cpu = usage.ru_utime + usage.ru_stime
        spent[number].append((cpu, took, ended, daemons() - served))
libc.acct(None)
print(json.dumps(spent))
"""


@dataclass(frozen=True)
class Command:
    """A command line, its whole environment and the exit code it must have."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    code: int = 0


@dataclass(frozen=True)
class Cost:
    """Medians of one command; ``processes`` is None where the kernel does not count."""

    cpu_s: float
    wall_s: float
    processes: int | None
    daemon_cpu_s: float


def measured(
    host: Host, rounds: int, commands: Sequence[Sequence[Command]]
) -> list[Cost]:
    """Return what each command costs; of its variants, each round takes the next."""
    plan = [[(c.argv, dict(c.environ), c.code) for c in one] for one in commands]
    daemon = host.pids_inside("/usr/sbin/libvirtd")[0]
    host.path(PROGRAM).write_text(METER)
    host.path(PLAN).write_text(json.dumps([rounds, daemon, plan]))
    python = ("/usr/bin/python3", "-I", PROGRAM, PLAN)
    # What the commands print comes first; the meter's own is the last line.
    done = host.run(*python, timeout_s=LIMIT_S)
    rows = json.loads(done.stdout.splitlines()[-1])
    return [_cost(row) for row in rows]


def _cost(row: list[tuple[float, float, int | None, float]]) -> Cost:
    cpu, wall, processes, served = zip(*row)
    counted = [number for number in processes if number is not None]
    return Cost(
        statistics.median(cpu),
        statistics.median(wall),
        int(statistics.median_low(counted)) if counted else None,
        # The daemon answers from threads whose work falls into any round.
        statistics.mean(served),
    )


def facts(cost: Cost) -> dict[str, float | int | None]:
    """Return the cost for JSON, times in seconds."""
    return asdict(cost)
