"""How long Corosync takes to notice that a node is gone, by its settings.

Pure. Called by rendering (what is written), the doctor (what is configured) and status.
Source: corosync.conf(5), token, token_coefficient and consensus. Measured with kill -9
of one member of 3 to 16: the loss is noticed after 0.93 to 1.0 of token + consensus,
because for a dead peer the consensus timer runs out as well.
"""

from __future__ import annotations

from typing import NamedTuple

DEFAULT_TOKEN_MS = 3000
"""Of Corosync 3.1 and later; 1000 before."""

COEFFICIENT_MS = 650
CONSENSUS_RATIO = 1.2
EARLIEST = 0.93


class Detection(NamedTuple):
    """Effective times in milliseconds; ``least`` and ``most`` until a loss is known."""

    token_ms: int
    consensus_ms: int
    least_ms: int
    most_ms: int


def detection(
    nodes: int,
    token_ms: int | None = None,
    coefficient_ms: int = COEFFICIENT_MS,
    consensus_ms: int | None = None,
) -> Detection:
    """Return what a cluster of so many nodes makes of its settings.

    ``token_ms`` is the configured token, before the coefficient, which counts from the
    third node on.
    """
    configured_ms = DEFAULT_TOKEN_MS if token_ms is None else token_ms
    effective_ms = configured_ms + coefficient_ms * max(0, nodes - 2)
    if consensus_ms is None:
        consensus_ms = round(effective_ms * CONSENSUS_RATIO)
    total_ms = effective_ms + consensus_ms
    least_ms = round(total_ms * EARLIEST)
    return Detection(effective_ms, consensus_ms, least_ms, total_ms)


def tolerated_jitter_ms(nodes: int, token_ms: int | None = None) -> int:
    """Return how long a node may be silent before it counts as lost."""
    return detection(nodes, token_ms).token_ms
