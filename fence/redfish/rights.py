"""May this account power the node off? Asked by the monitor, answered by the service.

Accounts and roles are not shown to everybody, and some services have none: what cannot
be read is no reason to fail. DSP0266, 13.2.8: a reset needs ConfigureComponents.
"""

from __future__ import annotations

from vmha.agents.protocol.errors import AgentError
from vmha.fence.redfish import diagnoses
from vmha.fence.redfish.client import path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from vmha.agents.protocol.deadline import Deadline
    from vmha.fence.redfish.client import Client

NEEDED = "ConfigureComponents"
LOOKS_ONLY = "ReadOnly"  # the one standard role that has not got it (13.2.7)
MOST_ACCOUNTS = 16
MOST_S = 4.0  # some BMCs need a second for each account, and a monitor has few


def check(client: Client, deadline: Deadline) -> None:
    """Raise PrivilegeTooLow if the account's role is known and does not suffice."""
    patience = deadline.part(min(MOST_S, deadline.remaining_s() / 2))
    account = _account(client, patience)
    shown = _shown(client, path_of(account.get("Links"), "Role"), patience)
    name = shown.get("Id") or account.get("RoleId")
    granted = shown.get("AssignedPrivileges")
    unfit = NEEDED not in granted if isinstance(granted, list) else name == LOOKS_ONLY
    if unfit:
        role = diagnoses.harmless(name)
        what = f"to change the power (its role {role} has no {NEEDED})"
        raise diagnoses.PrivilegeTooLow(client.label, client.access.username, what)


def _account(client: Client, deadline: Deadline) -> dict[str, Any]:
    """Return our account, {} where the service does not show it."""
    service = _shown(client, path_of(client.root, "AccountService"), deadline)
    accounts = _shown(client, path_of(service, "Accounts"), deadline)
    members = accounts.get("Members")
    for entry in (members if isinstance(members, list) else [])[:MOST_ACCOUNTS]:
        account = _shown(client, path_of({"it": entry}, "it"), deadline)
        if account.get("UserName") == client.access.username:
            return account
    return {}


def _shown(client: Client, path: str, deadline: Deadline) -> dict[str, Any]:
    """Return a resource, {} where there is none that this account may see in time."""
    if not path or deadline.expired():
        return {}
    try:
        return client.get(path, deadline)
    except AgentError:
        return {}
