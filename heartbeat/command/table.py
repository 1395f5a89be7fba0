"""Which subcommands there are, with the one line that ``vmha --help`` shows of each.

Read by ``main``. A subcommand NAME lives in the module of that name here, "-" written
as "_", or in the one that ``file`` names. The summaries stand in this table, so that
help and every other subcommand start without importing it. Such a module has:

    DESCRIPTION  what ``vmha NAME --help`` says before the options
    EXAMPLES     what it says after them: lines of shell, "" for none
    add(parser)  declares its arguments
    run(arguments, streams)  does it and returns the exit code; raises what ``errors``
                 and ``clusterfile.errors`` declare for bad input (exit code 2)

It imports lxml, jsonschema, rich and its own floor inside of run and below only.
"""

from __future__ import annotations

from typing import NamedTuple


class Subcommand(NamedTuple):
    """A subcommand's name, its one line of help, and its module if named otherwise."""

    name: str
    summary: str
    file: str = ""

    @property
    def module(self) -> str:
        """The dotted name of the module that carries it out."""
        file = self.file or self.name.replace("-", "_")
        return f"vmha.heartbeat.command.{file}"


PLANNING: tuple[Subcommand, ...] = (
    Subcommand("plan", "what each failure does to the guests, and what still fits"),
    Subcommand("whatif", "the same for one change: kill, standby, add, remove, resize"),
)

CONFIGURATION: tuple[Subcommand, ...] = (
    Subcommand("render", "the configuration for Corosync, pcs, crm or as CIB"),
    Subcommand("diff", "what applying the file would change, and what Pacemaker does"),
    Subcommand("apply", "make the cluster what the file says"),
    Subcommand("undo", "take the last apply back"),
    Subcommand("import", "write a file from an existing cluster", "importing"),
)

OBSERVATION: tuple[Subcommand, ...] = (
    Subcommand("status", "nodes, guests, fencing and margin on one screen"),
    Subcommand("check", "look for what will go wrong, and say what to do"),
    Subcommand("explain", "why a guest is where it is, or why it is down"),
)

INSTALLATION: tuple[Subcommand, ...] = (
    Subcommand("install-agents", "put the agents of a virtual environment in place"),
)

INTERNAL: tuple[Subcommand, ...] = (
    Subcommand("node-facts", "tell what this node has, for vmha check elsewhere"),
)
"""Those that vmha itself calls on other nodes; not in the list that --help shows."""

GROUPS = {
    "Plan": PLANNING,
    "Configure": CONFIGURATION,
    "Observe": OBSERVATION,
    "Install": INSTALLATION,
}
