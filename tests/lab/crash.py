"""Whether a guest's own kernel has crashed, as it says itself on its console.

QEMU without KVM may lose a write of a guest that changes its memory while it is sent
(the virtual CPU and the migration race for the dirty bitmap; QEMU's own tests leave
such cases out). The guest then crashes after a migration that went right. A scenario
asks here before it blames an agent, and says what it found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .files import SERIALS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .node import Node

SIGNS = (b"Kernel panic - not syncing", b"BUG: ", b"Oops: ")


def crashes(nodes: Iterable[Node], guest: str) -> int:
    """How many lines of this guest's consoles tell of a crash of its kernel."""
    count = 0
    for node in nodes:
        console = node.disk / SERIALS[1:] / f"{guest}.serial"
        if console.exists():
            lines = console.read_bytes().splitlines()
            count += sum(any(sign in line for sign in SIGNS) for line in lines)
    return count
