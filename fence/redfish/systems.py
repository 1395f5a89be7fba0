"""The one system to fence, and what its BMC lets one do with its power.

Called by ``power`` and ``rights``. A service with several systems is never guessed at:
it names them and refuses. ComputerSystem schema (DSP2046): PowerState, Actions.
"""

from __future__ import annotations

from vmha.fence.protocol.sequence import CYCLE, DIAG, OFF, ON
from vmha.fence.redfish import diagnoses
from vmha.fence.redfish.client import path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from vmha.agents.protocol.deadline import Deadline
    from vmha.agents.protocol.errors import AgentError
    from vmha.fence.redfish.client import Client

RESET = "#ComputerSystem.Reset"
ALLOWED = "ResetType@Redfish.AllowableValues"

# In the order of preference. GracefulShutdown and PushPowerButton ask the node, which
# may be the one that hangs: they are no fencing.
RESET_TYPES = {
    OFF: ("ForceOff",),
    ON: ("On", "ForceOn"),
    CYCLE: ("PowerCycle", "ForceRestart"),
    DIAG: ("Nmi",),
}
NAMES = {
    OFF: "power off",
    ON: "power on",
    CYCLE: "a power cycle",
    DIAG: "a diagnostic interrupt",
}


class System:
    """A ComputerSystem: where it is, and how it is reset.

    ``allowed`` is None where the service does not tell; ``target`` is "" and nothing is
    allowed where there is no reset.
    """

    __slots__ = ("allowed", "path", "target")

    def __init__(self, path: str, target: str, allowed: Sequence[str] | None) -> None:
        self.path = path
        self.target = target
        self.allowed = None if allowed is None else tuple(allowed)

    def reset_type(self, goal: str, label: str) -> str:
        """Return the ResetType for an order; raises ResetMissing."""
        wanted = RESET_TYPES[goal]
        if self.allowed is None:
            return wanted[0]
        for name in wanted:
            if name in self.allowed:
                return name
        raise diagnoses.ResetMissing(label, " or ".join(wanted), self.allowed)


def find(client: Client, deadline: Deadline) -> tuple[System, dict[str, Any]]:
    """Return the system and its document; raises SeveralSystems and other diagnoses."""
    path = client.access.system or _the_collection(client, deadline)
    try:
        document = client.get(path, deadline)
    except diagnoses.Missing as missing:
        if not client.access.system:
            raise
        raise _unknown(client, path, deadline) from missing
    if "Members" in document:
        path = _only_member(client, document)
        document = client.get(path, deadline)
    return _system(client, path, document, deadline), document


def power_state(document: Mapping[str, Any], label: str) -> str:
    """Return ON or OFF; raises Transitional for PoweringOff, null and all else."""
    states = {"On": ON, "Off": OFF}
    shown = document.get("PowerState")
    if not isinstance(shown, str) or shown not in states:
        raise diagnoses.Transitional(label, shown)
    return states[shown]


def _the_collection(client: Client, deadline: Deadline) -> str:
    if not client.root:  # the service root is read by the login
        client.fetch(client.access.root, deadline)
    root = client.root or client.get(client.access.root, deadline)
    path = path_of(root, "Systems")
    if not path:
        raise diagnoses.NoSystem(client.label)
    return path


def _unknown(client: Client, path: str, deadline: Deadline) -> AgentError:
    """Return the diagnosis for a chosen system that is not there."""
    found = client.get(_the_collection(client, deadline), deadline)
    names = [name for name in _members(found) if name]
    if not names:
        return diagnoses.NoSystem(client.label)
    return diagnoses.UnknownSystem(client.label, path, names)


def _members(collection: Mapping[str, Any]) -> list[str]:
    members = collection.get("Members")
    entries = members if isinstance(members, list) else []
    return [path_of({"it": entry}, "it") for entry in entries]


def _only_member(client: Client, collection: Mapping[str, Any]) -> str:
    paths = _members(collection)
    if not paths:
        raise diagnoses.NoSystem(client.label)
    if len(paths) > 1:
        raise diagnoses.SeveralSystems(client.label, paths)
    if not paths[0] or collection.get("Members@odata.nextLink"):
        what = "a list of systems that cannot be followed"
        raise diagnoses.Unintelligible(client.label, what)
    return paths[0]


def _system(
    client: Client, path: str, document: Mapping[str, Any], deadline: Deadline
) -> System:
    actions = document.get("Actions")
    reset = actions.get(RESET) if isinstance(actions, dict) else None
    if not isinstance(reset, dict):
        return System(path, "", ())  # its power can be read
    target = path_of({"it": {"@odata.id": reset.get("target")}}, "it")
    if not target:
        what = f"{path} without a target for {RESET}"
        raise diagnoses.Unintelligible(client.label, what)
    allowed = reset.get(ALLOWED)
    if allowed is None:
        allowed = _from_action_info(client, reset, deadline)
    if isinstance(allowed, list):
        return System(path, target, [str(name) for name in allowed])
    return System(path, target, None)


def _from_action_info(
    client: Client, reset: Mapping[str, Any], deadline: Deadline
) -> object:
    """Return the AllowableValues of an ActionInfo resource, None where it is mute."""
    where = reset.get("@Redfish.ActionInfo")
    path = path_of({"it": {"@odata.id": where}}, "it")
    if not path:
        return None
    try:
        info = client.get(path, deadline)
    except diagnoses.Missing:
        return None
    parameters = info.get("Parameters")
    for parameter in parameters if isinstance(parameters, list) else []:
        if isinstance(parameter, dict) and parameter.get("Name") == "ResetType":
            return parameter.get("AllowableValues")
    return None


def check(system: System, label: str) -> str:
    """Raise ResetMissing if the system could not be fenced; hint at what else lacks."""
    system.reset_type(OFF, label)
    try:
        system.reset_type(ON, label)
    except diagnoses.ResetMissing:
        return f"the BMC at {label} offers no power on: after a fencing use another way"
    return ""
