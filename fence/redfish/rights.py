"""May this account power the node off? Asked by the monitor, answered by the service.

Accounts and roles are not shown to everybody, and some services have none: what cannot
be read is no reason to fail. DSP0266, 13.2.8: a reset needs ConfigureComponents.
"""

from __future__ import annotations

from vmha.agents.protocol.errors import AgentError, Unreachable
from vmha.fence.redfish import diagnoses
from vmha.fence.redfish.client import path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from vmha.agents.protocol.deadline import Deadline
    from vmha.fence.redfish.client import Client

NEEDED = "ConfigureComponents"
MOST_ACCOUNTS = 16


def check(client: Client, deadline: Deadline) -> None:
    """Raise PrivilegeTooLow if the account's role is known and does not suffice."""
    role = _role(client, deadline)
    granted = role.get("AssignedPrivileges") if role else None
    if isinstance(granted, list) and NEEDED not in granted:
        what = f"to change the power (its role {role.get('Id')} has no {NEEDED})"
        raise diagnoses.PrivilegeTooLow(client.label, client.access.username, what)


def _role(client: Client, deadline: Deadline) -> dict[str, Any]:
    """Return our account's role, {} where the service does not show it."""
    service = _shown(client, path_of(client.root, "AccountService"), deadline)
    accounts = _shown(client, path_of(service, "Accounts"), deadline)
    members = accounts.get("Members")
    for entry in (members if isinstance(members, list) else [])[:MOST_ACCOUNTS]:
        account = _shown(client, path_of({"it": entry}, "it"), deadline)
        if account.get("UserName") == client.access.username:
            path = path_of(account.get("Links"), "Role")
            return _shown(client, path, deadline)
    return {}


def _shown(client: Client, path: str, deadline: Deadline) -> dict[str, Any]:
    """Return a resource, {} where there is none that this account may see."""
    if not path:
        return {}
    try:
        return client.get(path, deadline)
    except (Unreachable, diagnoses.Busy):
        raise
    except AgentError:
        return {}
