"""The cluster's word on a host without a cluster: who is online.

A stand-in for ``crm_mon`` answers in its place, in the host's own mounts; what it says
is a file that a test may change.
"""

from __future__ import annotations

from hosts.host import Host

TOOL = "/usr/sbin/crm_mon"
STAND_IN = "/run/crm_mon"
ANSWER = "/run/crm_mon.xml"
SCRIPT = f"#!/bin/sh\n[ -e {ANSWER} ] && exec cat {ANSWER}\nexit 102\n"
NODE = "<node name='{}' id='{}' online='true' type='member'/>"


def online(host: Host, *nodes: str) -> None:
    """Let Pacemaker say on this host that these nodes are online."""
    stand_in = host.path(STAND_IN)
    if not stand_in.exists():
        stand_in.write_text(SCRIPT)
        stand_in.chmod(0o755)
        host.run("mount", "--bind", STAND_IN, TOOL)
    listed = "".join(NODE.format(node, i) for i, node in enumerate(nodes, 1))
    text = f"<pacemaker-result><nodes>{listed}</nodes></pacemaker-result>"
    host.path(ANSWER).write_text(text)


def gone(host: Host) -> None:
    """Let Pacemaker give no answer on this host."""
    host.path(ANSWER).unlink(missing_ok=True)
