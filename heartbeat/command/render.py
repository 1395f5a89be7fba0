"""``vmha render``: the configuration that a cluster file means, for other tools."""

from __future__ import annotations

import argparse
import os

from vmha.heartbeat.command.errors import CannotDo
from vmha.heartbeat.command.streams import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.heartbeat.clusterfile.content import ClusterFile

DESCRIPTION = """\
Write the configuration that a cluster file means: as commands for pcs, as text for
crm, as a CIB, or as corosync.conf. Nothing is changed: that is for "vmha apply"."""

EXAMPLES = """\
  vmha render vmha.yaml --as corosync -o corosync.conf
  vmha render vmha.yaml --as pcs
  vmha render vmha.yaml --as crm -o vmha.crm && crm configure load update vmha.crm
  vmha render vmha.yaml --as cib | crm_verify --xml-pipe"""

FORMS = ("cib", "pcs", "crm", "corosync")
ASKED_S = 10.0
READABLE = 0o644


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="the cluster file (vmha.yaml)")
    parser.add_argument(
        "--as", dest="form", choices=FORMS, default="cib", help="default: cib"
    )
    parser.add_argument(
        "-o", "--output", metavar="PATH", help="write to this file, not to the screen"
    )


def run(arguments: argparse.Namespace, streams: Streams) -> int:
    """Write the configuration."""
    from vmha.heartbeat.clusterfile.reading import read

    file = read(arguments.file)
    for sentence in file.warnings:
        streams.say(f"warning: {sentence}")
    text = rendered(file, arguments.form, streams)
    if arguments.output is None:
        streams.out.write(text)
        return 0
    from vmha.agents.protocol.files import write_atomically

    try:
        write_atomically(os.path.abspath(arguments.output), text, READABLE)
    except OSError as error:
        said = f"{arguments.output} cannot be written: {error.strerror}"
        raise CannotDo(said, "--output") from error
    return 0


def rendered(file: ClusterFile, form: str, streams: Streams) -> str:
    """Return the text of one form."""
    if form == "corosync":
        from vmha.heartbeat.corosync import conf

        return conf.text(file)
    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.clusterfile.planned import cluster_of
    from vmha.heartbeat.pacemaker import cib, crm, options, pcs, rendering
    from vmha.heartbeat.planning.instructions import instructions

    cluster = cluster_of(file)
    made = rendering.configuration(file, cluster, instructions(cluster))
    made = options.spelt(made, options.known(Deadline(ASKED_S)))
    for first, guests in sorted(rendering.awaited(file).items()):
        streams.say(f"note: {first} must exist first: {', '.join(guests)} waits for it")
    if form == "pcs":
        return pcs.text(made)
    return crm.text(made) if form == "crm" else cib.text(made)
