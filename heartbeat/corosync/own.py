"""This node's corosync.conf, as far as it is that of the cluster in question.

Called by plan, whatif and status of a running cluster.
"""

from __future__ import annotations

from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError
from vmha.agents.protocol.files import read_text
from vmha.heartbeat.corosync import reading
from vmha.heartbeat.corosync.reading import Section

TWO = 2


def read(deadline: Deadline, saved: set[str] | None) -> tuple[Section, tuple[str, ...]]:
    """Return this node's corosync.conf; another, and why, where it is unread.

    ``saved`` are the nodes of a saved CIB. The file of another cluster than theirs says
    nothing of them; two nodes are then taken for two_node, as the doctor does.
    """
    try:
        conf = reading.parse(read_text(reading.PATH, deadline))
    except (AgentError, reading.BadConf) as error:
        if saved is None:
            sentence = f"{error}: neither two_node nor a qdevice is assumed."
            return reading.Section(), (sentence,)
    else:
        listed = conf.first("nodelist").inner.get("node", [])
        if saved is None or {one.words.get("name") for one in listed} == saved:
            return conf, ()
    if len(saved) != TWO:
        return reading.Section(), ()
    sentence = (
        "The CIB is a saved one, and its cluster's corosync.conf is not here: two_node "
        "is assumed of its two nodes, and no qdevice."
    )
    return reading.parse("quorum {\n two_node: 1\n}"), (sentence,)
