"""The fence devices, each asked from this node; and what this node's fencer knows.

The agents are called as the fencer calls them for a monitor: parameters on standard
input, the secrets among them from this node's own CIB or files, which they never leave.
``offset`` lets every node begin with another device: a BMC has few sessions.
"""

from __future__ import annotations

import os
import re
import time

from lxml import etree

from vmha.agents.protocol import files, process
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, Unreachable
from vmha.heartbeat.doctor import devices
from vmha.heartbeat.doctor.cib import Cib, Resource
from vmha.heartbeat.doctor.parallel import together

FOLDERS = ("/usr/sbin", "/sbin")
ADMIN = "/usr/sbin/stonith_admin"
SECRETS = "/var/lib/pacemaker/lrm/secrets"
BY_FILE = "lrm://"  # cibsecret(8): the value is in a file on each node
LONGEST = 300
_AGENT = re.compile(r"fence_[a-z0-9_]+")
_HIDDEN = ("passw", "secret", "kg", "snmp", "ssh_key", "token")
AT_ONCE = 4


def tell(cib: Cib, node: str, deadline: Deadline) -> dict[str, object]:
    """Return each device's answer, who can fence whom, and the history of fencing."""
    found = _in_turn(cib, node)
    questions = {d.id: _question(d, deadline) for d in found}
    answers = together(questions, deadline, AT_ONCE)
    told = {
        name: {"is": "unanswered", "said": str(answer), "took_s": None}
        if isinstance(answer, AgentError)
        else answer
        for name, answer in answers.items()
    }
    return {
        "devices": told,
        "can_fence": {n: who for n in cib.nodes for who in [_fencers(n, deadline)]},
        "history": history(_admin(["--history=*", "--verbose"], deadline)),
    }


def ask(device: Resource, deadline: Deadline) -> dict[str, object]:
    """Run a device's monitor here; raises Unreachable where it does not end."""
    agent = _program(devices.kind(device))
    if not agent:
        said = f"{devices.kind(device)} is not installed on this node"
        return {"is": "failed", "said": said, "took_s": None}
    given = {n: _plain(device.id, n, v, deadline) for n, v in device.parameters.items()}
    own = {n: v for n, v in given.items() if not n.startswith(("pcmk_", "CRM_meta"))}
    lines = [f"{name}={value}\n" for name, value in own.items()]
    began_s = time.monotonic()
    stdin = "".join([*lines, "action=monitor\n"])
    result = process.run([agent], deadline, stdin=stdin)
    took_s = round(time.monotonic() - began_s, 2)
    if result.exit_code == 0:
        return {"is": "ok", "said": "", "took_s": took_s}
    words = " ".join((result.stderr or result.stdout).split())
    return {"is": "failed", "said": without_secrets(words, own), "took_s": took_s}


def without_secrets(words: str, parameters: dict[str, str]) -> str:
    """Take out of an agent's words whatever a parameter keeps secret, and shorten."""
    for name, value in parameters.items():
        if value and any(part in name.lower() for part in _HIDDEN):
            words = words.replace(value, "(hidden)")
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"


def history(text: str) -> list[dict[str, str]]:
    """Read stonith_admin's history of fencing, newest first."""
    found = [
        {
            "action": str(event.get("action") or ""),
            "target": str(event.get("target") or ""),
            "is": str(event.get("status") or ""),
            "by": str(event.get("delegate") or ""),
            "completed": str(event.get("completed") or ""),
            "reason": str(event.get("exit-reason") or ""),
        }
        for event in _elements(text, "fence_event")
    ]
    return sorted(found, key=lambda event: event["completed"], reverse=True)


def _in_turn(cib: Cib, node: str) -> list[Resource]:
    """Return the devices, beginning at another one on each node."""
    found = [d for d in cib.devices if d.agent != "stonith:fence_watchdog"]
    at = cib.nodes.index(node) % len(found) if node in cib.nodes and found else 0
    return found[at:] + found[:at]


def _question(device: Resource, deadline: Deadline):  # type: ignore[no-untyped-def]
    return lambda: ask(device, deadline)


def _program(name: str) -> str:
    """Return where an agent is; only names that fence agents have are run."""
    if not _AGENT.fullmatch(name):
        return ""
    paths = [os.path.join(folder, name) for folder in FOLDERS]
    return next((path for path in paths if os.access(path, os.X_OK)), "")


def _plain(device: str, name: str, value: str, deadline: Deadline) -> str:
    """Return a parameter's value, a CIB secret (lrm://) from this node's file."""
    if value != BY_FILE:
        return value
    text = files.read_text(os.path.join(SECRETS, device, name), deadline)
    return text.rstrip("\n")


def _fencers(node: str, deadline: Deadline) -> list[str]:
    text = _admin([f"--list={node}"], deadline)
    return sorted(str(item.text) for item in _elements(text, "item") if item.text)


def _admin(words: list[str], deadline: Deadline) -> str:
    """Ask the local fencer; raises Unreachable where it does not run."""
    result = process.run([ADMIN, *words, "--output-as=xml"], deadline)
    if "<pacemaker-result" not in result.stdout:
        said = " ".join((result.stderr or result.stdout).split())
        raise Unreachable(f"the fencer does not answer here: {said}")
    return result.stdout


def _elements(text: str, tag: str) -> list[etree._Element]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return list(etree.fromstring(text.encode(), parser).iter(tag))
    except etree.XMLSyntaxError as error:
        raise Unreachable(f"the fencer answers no XML: {error}") from error
