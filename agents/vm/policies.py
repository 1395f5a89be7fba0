"""What the administrator wants made of the states that are a matter of opinion.

Called by start and monitor, before they ask the decision tables. A value that is
nonsense means the default and is logged: a monitor does not fail over a typo.
"""

from __future__ import annotations

from vmha.agents.protocol.agent import Operation
from vmha.agents.protocol.errors import BadParameter
from vmha.agents.vm.states import DEFAULT_POLICIES

HANG_POLICY = "hang_policy"


def policies(operation: Operation) -> dict[str, str]:
    """Return the policy parameters that ``states`` knows, by name."""
    return {
        name: chosen(operation, name, default)
        for name, default in DEFAULT_POLICIES.items()
    }


def chosen(operation: Operation, name: str, default: str) -> str:
    """Return the text of a parameter, its default where the value is nonsense."""
    try:
        return operation.values.text(name)
    except BadParameter as problem:
        operation.log.error(f"{problem}; its default, {default}, is used")
        return default


def number(operation: Operation, name: str, default: int) -> int:
    """Return a number, its default where the value is nonsense."""
    return int(chosen(operation, name, str(default)))
