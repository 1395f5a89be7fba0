"""How much memory a guest is said to need.

Called by the checks that need a guest's size. Names of the attributes: those of
VirtualDomain and vmha's agents (``agents.vm.utilization``), and that of older set-ups.
"""

from __future__ import annotations

from vmha.agents.cib import number
from vmha.heartbeat.doctor.cib import Resource
from vmha.heartbeat.pacemaker.terms import MEMORY_NAMES
from vmha.heartbeat.planning.instructions import SIZE


def memory_mib(guest: Resource) -> int:
    """Return a guest's memory in MiB, 0 where it has none in its utilization.

    Of guests that must be together the first carries the size of all; what each needs
    is then in a meta attribute that vmha has written.
    """
    own = guest.meta.get(SIZE, "").partition(",")[2]
    return number(own) or max(
        number(guest.utilization.get(name, "0")) for name in MEMORY_NAMES
    )
