"""The command ``tests/lab/lab``: a cluster to try things on, from the shell."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import plan as plans
from .commands import environment
from .errors import LabError
from .lab import Lab
from .progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .node import Node

DESCRIPTION = """\
A real cluster on this one machine: Corosync, Pacemaker, libvirt and QEMU (software
emulation) run in nodes made of Linux namespaces; every node has a real IPMI BMC
(ipmi_sim) whose power switch really kills and boots it. The machine itself is left
alone: each node has its own root, devices, processes and network, and `down` takes
everything away again. Needs root, Debian's tools (installed with apt when missing) and
about 1 GB in /var/cache/vmha-lab for the nodes' common root, made once in about two
minutes.
"""
EPILOG = """\
examples:
  lab up --guests 2            three nodes, fencing, two guests that tick
  lab shell node1 pcs status   ask the cluster
  lab cut node1                pull its cable: it is fenced, its guests start elsewhere
  lab heal node1               plug the cable in: the node rejoins
  lab power node2 off          cut its power through the BMC's hand
  lab status                   nodes, power, cables, guests
  lab down                     leave nothing behind

exit codes: 0 done; 1 it did not work (the sentence says why); 2 wrong words, or no such
node; 4 something did not happen in its time; 5 this machine cannot host the lab;
7 the lab or the node is not up. `shell` passes on the command's own exit code.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("lab: interrupted; `lab down` clears what is left", file=sys.stderr)
        return 130
    return code


def parser() -> argparse.ArgumentParser:
    """The command's words."""
    top = argparse.ArgumentParser(
        prog="lab",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--name",
        default="vmha",
        help="which lab; several can run side by side (default: %(default)s)",
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, parents=[common], help=text, description=text)

    _up(command("up", "bring the lab up; a lab that is up already stays as it is"))
    status = command("status", "show the nodes, their power, cables and guests")
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(run=_status)
    shell = command("shell", "open a shell in a node, or run a command in it")
    shell.add_argument("node")
    shell.add_argument("command", nargs=argparse.REMAINDER, metavar="CMD")
    shell.set_defaults(run=_shell)
    for verb, text in (
        ("cut", "pull a node's network cable"),
        ("heal", "plug a node's network cable in again"),
    ):
        one = command(verb, text)
        one.add_argument("node")
        one.set_defaults(run=_cable, verb=verb)
    power = command("power", "switch a node's power, or say whether it is on")
    power.add_argument("node")
    power.add_argument("power", choices=("on", "off", "status"))
    power.set_defaults(run=_power)
    down = command("down", "take the lab away: processes, namespaces, mounts, files")
    down.set_defaults(run=_down)
    return top


def _up(up: argparse.ArgumentParser) -> None:
    up.add_argument("--nodes", type=int, default=3, metavar="N", help="default: 3")
    up.add_argument(
        "--guests",
        type=int,
        default=0,
        metavar="N",
        help="configure fencing and N guests (web1 ...): with the suite's agents when "
        "--deb is given, else with VirtualDomain and fence_ipmilan",
    )
    up.add_argument(
        "--suite",
        choices=("bookworm", "trixie"),
        default="bookworm",
        help="the nodes' Debian: 12 (default) or 13",
    )
    up.add_argument(
        "--deb",
        action="extend",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="packages to install in the nodes, for instance dist/*.deb",
    )
    up.set_defaults(run=_run_up)


def _run_up(arguments: argparse.Namespace) -> int:
    lab = Lab(
        arguments.name,
        arguments.nodes,
        arguments.suite,
        arguments.deb,
        progress=Progress(),
    )
    lab.up()
    if arguments.guests:
        names = [f"web{number}" for number in range(1, arguments.guests + 1)]
        with lab.progress.step(f"configuring fencing and {', '.join(names)}"):
            lab.configure(names, peers=not lab.has_suite())
    return 0


def _status(arguments: argparse.Namespace) -> int:
    lab = Lab.find(arguments.name)
    found = lab.status()
    if arguments.json:
        print(json.dumps(found, indent=2))
        return 0
    print(f"lab {lab.name}: {found['suite']}, DC {found['dc'] or 'none'}")
    for node in found["nodes"]:
        words = [
            node["name"],
            node["address"],
            f"power {node['power']}",
            "running" if node["running"] else "not running",
            "cable cut" if node["cut"] else "cable in",
            "online" if node["online"] else "not online",
            f"guests: {' '.join(node['guests']) or '-'}",
        ]
        print("  ".join(words))
    return 0


def _shell(arguments: argparse.Namespace) -> int:
    node = _node(arguments)
    wanted = arguments.command
    if wanted[:1] == ["--"]:
        wanted = wanted[1:]
    terminal = os.environ.get("TERM", "dumb")
    done = subprocess.run(
        node.command(wanted or ["/bin/bash", "-l"]),
        env=environment({"TERM": terminal}),
        check=False,
    )
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


def _cable(arguments: argparse.Namespace) -> int:
    node = _node(arguments)
    if arguments.verb == "cut":
        node.cut()
    else:
        node.heal()
    print(f"{node.name}: cable {'cut' if node.is_cut() else 'in'}")
    return 0


def _power(arguments: argparse.Namespace) -> int:
    node = _node(arguments)
    if arguments.power == "off":
        node.power_off()
    elif arguments.power == "on":
        node.power_on()
    print(f"{node.name}: power {node.power()}")
    return 0


def _down(arguments: argparse.Namespace) -> int:
    plans.check(arguments.name, 1)
    Lab(arguments.name, progress=Progress()).down()
    return 0


def _node(arguments: argparse.Namespace) -> Node:
    return Lab.find(arguments.name).node(arguments.node)
