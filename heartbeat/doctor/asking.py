"""Asks the nodes for their facts: this one in this process, the others over ssh.

Called by ``command.check``. As root, without prompts, known hosts only, all at the same
time, and bounded. There is no daemon of ours: ssh runs ``vmha node-facts`` there. A
node that did not answer is returned with the reason, never left out.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from vmha.agents.protocol import process
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, Refused
from vmha.heartbeat.doctor import facts
from vmha.heartbeat.doctor.evidence import Facts
from vmha.heartbeat.doctor.reading import Reading

BOUND_S = 10.0
SSH = "/usr/bin/ssh"
OPTIONS = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ConnectTimeout=4",
    "ConnectionAttempts=1",
    "LogLevel=ERROR",
)
# sshd gives programs a path without the sbin folders.
THERE = "PATH=/usr/sbin:/usr/bin:/sbin:/bin; export PATH; exec vmha node-facts --json"
_NOT_FOUND = 127
_OF_SSH = 255


class Told(NamedTuple):
    """What the nodes told, and why others did not."""

    facts: Mapping[str, Facts]
    unasked: Mapping[str, str]


def ask(nodes: Sequence[str], own: str, environ: Mapping[str, str]) -> Told:
    """Ask every node for its facts, within BOUND_S for all of them together.

    ``own`` is this node's name, "" where it is none of them.
    """
    from vmha.heartbeat.doctor.parallel import together

    deadline = Deadline(BOUND_S)
    questions = {
        node: partial(_own, node, deadline)
        if node == own
        else partial(_other, node, dict(environ), deadline)
        for node in nodes
    }
    answers = together(questions, deadline)
    return Told(
        {n: a for n, a in answers.items() if isinstance(a, Facts)},
        {n: str(a) for n, a in answers.items() if isinstance(a, AgentError)},
    )


def read(text: str, node: str = "") -> Facts:
    """Read facts from JSON; raises Refused for what is none.

    ``node`` is the cluster's name of the node that was asked, "" to believe the facts.
    """
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise Refused(f"the answer is no JSON: {error}") from error
    if not isinstance(raw, dict) or raw.get("form") != facts.FORM:
        raise Refused(
            f"the answer is not of form {facts.FORM} of vmha node-facts: bring the "
            "nodes to one version of vmha"
        )
    told = Reading(raw)
    name = node or told.text("node")
    if not name:
        raise Refused("the answer does not say of which node it is")
    return Facts(name, told)


def _own(node: str, deadline: Deadline) -> Facts:
    began_s = time.time()
    told = facts.gather(deadline)
    return _timed(Facts(node, Reading(told)), began_s)


def _other(node: str, environ: Mapping[str, str], deadline: Deadline) -> Facts:
    options = [word for option in OPTIONS for word in ("-o", option)]
    words = [SSH, *options, "-l", "root", "--", node, THERE]
    # The administrator's agent may hold the key that root's folder has not.
    passed = {n: environ[n] for n in ("SSH_AUTH_SOCK", "HOME") if n in environ}
    began_s = time.time()
    result = process.run(words, deadline, passed)
    if result.exit_code == _NOT_FOUND:
        raise Refused("vmha is not installed there")
    if result.exit_code == _OF_SSH:
        said = " ".join(result.stderr.split()) or "it gave no reason"
        raise Refused(f"ssh cannot log in as root: {said}")
    if result.exit_code != 0:
        said = " ".join(result.stderr.split()) or f"exit code {result.exit_code}"
        raise Refused(f"vmha node-facts failed there: {said}")
    return _timed(read(result.stdout, node), began_s)


def _timed(told: Facts, began_s: float) -> Facts:
    """Compare a node's clock with ours: it told the time somewhere in between."""
    took_s = time.time() - began_s
    clock = told.told.part("time")
    there_s = clock.number("epoch_s") if clock is not None else None
    if there_s is None:
        return told
    offset_s = there_s - (began_s + took_s / 2)
    return Facts(told.node, told.told, offset_s, took_s / 2)


def own_name(deadline: Deadline) -> str:
    """Return the cluster's name of this node, "" where it belongs to no cluster."""
    try:
        return facts.tool(["crm_node", "--name"], deadline).strip()
    except AgentError:
        return "" if not os.path.exists("/etc/corosync") else os.uname().nodename
