"""Parameters that are declared and not supported: said, never silently ignored.

Called by start, validate-all and reload-agent. Stop and monitor do not care.
"""

from __future__ import annotations

from vmha.agents.protocol.errors import BadParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.protocol.agent import Operation
    from vmha.agents.protocol.parameters import Values

# To ignore these would change what is written to the guest's disks.
_DECIDE_OVER_DISKS = ("backingfile", "stateless", "copyindirs")


def refuse(values: Values) -> None:
    """Raise BadParameter (6) for a wish about the disks that nobody would fulfil."""
    for parameter in values.deprecated():
        if parameter.name in _DECIDE_OVER_DISKS and values.text(parameter.name):
            if parameter.name == "stateless" and not values.flag("stateless"):
                continue
            text = values.text(parameter.name)
            raise BadParameter(parameter.name, text, str(parameter.deprecated))


def warn(operation: Operation) -> None:
    """Log every deprecated parameter that is given, with what to use instead."""
    for parameter in operation.values.deprecated():
        operation.log.warning(f"parameter {parameter.name}: {parameter.deprecated}")
