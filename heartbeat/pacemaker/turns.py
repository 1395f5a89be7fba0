"""When guests start that start together: head starts, in seconds.

Pure. Pacemaker's own means, an order constraint, is not used between guests: a live
migration waits for it like a start, while the start that it waits for may wait until
that guest has made room. Pacemaker breaks such a circle off and leaves guests down
("Transition failed: terminated"). A delay waits for nobody, so it keeps nobody down.
"""

from __future__ import annotations

from collections import defaultdict

from vmha.heartbeat.clusterfile.content import ClusterFile

STEP_S = 3
"""The head start of a turn before the next: a guest executes within a second or so."""

TURN, AFTER, DELAY = "vmha-turn", "vmha-after", "vmha-delay"
"""Meta attributes that keep what the file says, for ``vmha import``."""


def delays_s(file: ClusterFile) -> dict[str, int]:
    """Return for how many seconds each guest's start is held back."""
    position = _positions(file)
    return {
        guest.name: STEP_S * position[guest.name] + guest.start_delay_s
        for guest in file.guests
    }


def told(file: ClusterFile) -> dict[str, dict[str, str]]:
    """Return the meta attributes that keep each guest's turn."""
    names = {guest.name for guest in file.guests}
    found: dict[str, dict[str, str]] = {}
    for guest in file.guests:
        meta = {}
        if guest.start_order is not None:
            meta[TURN] = str(guest.start_order)
        after = sorted(names.intersection(guest.after))
        if after:
            meta[AFTER] = ",".join(after)
        if meta and guest.start_delay_s:
            meta[DELAY] = str(guest.start_delay_s)
        found[guest.name] = meta
    return found


def _positions(file: ClusterFile) -> dict[str, int]:
    """Return how many others come before each guest, one after the other.

    The reader refuses circles; the number of rounds is bounded all the same.
    """
    names = {guest.name for guest in file.guests}
    position = dict.fromkeys(names, 0)
    turns = sorted({g.start_order for g in file.guests if g.start_order is not None})
    earlier = dict(zip(turns[1:], turns))
    for _ in range(len(names) + 1):
        last: defaultdict[int, int] = defaultdict(int)
        for guest in file.guests:
            if guest.start_order is not None:
                last[guest.start_order] = max(
                    last[guest.start_order], position[guest.name]
                )
        found = {}
        for guest in file.guests:
            before = [position[name] for name in guest.after if name in names]
            if guest.start_order is not None and guest.start_order in earlier:
                before.append(last[earlier[guest.start_order]])
            found[guest.name] = max(before, default=-1) + 1
        if found == position:
            break
        position = found
    return position
