"""What may keep a guest from a node though nothing is seen that does.

Called by explain, so that "could take it" is not said where Pacemaker may see more than
``placement`` does. Source: ``pacemaker.doubts``.
"""

from __future__ import annotations

from vmha.heartbeat.doctor.placement import Situation
from vmha.heartbeat.pacemaker import doubts, locations, terms
from vmha.heartbeat.pacemaker.inventory import Inventory


class Doubted:
    """The doubts about one guest; worked out once for all nodes."""

    def __init__(self, guest: str, now: Situation) -> None:
        cib = now.cib.root
        held = Inventory(cib)
        found = locations.read(cib, held)
        seen = now.observed.resources.items()
        running = {name: one.nodes[0] for name, one in seen if one.nodes}
        # What stands in a group is looked at as if it stood by itself.
        told = terms.told(cib, held, found, running, now.cib.in_maintenance, [guest])
        self._all = doubts.about(cib, held, found, told, guest)

    def on(self, node: str) -> list[str]:
        """Return what is not certain of a node."""
        return [one.sentence for one in self._all if one.node in ("", node)]
