"""All checks of the doctor, in the order in which they are shown.

A new check is a module in ``checks`` and a line here; docs/doctor.md has its row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmha.heartbeat.doctor.checks import (
    autostart,
    bmc_on_shared_power,
    clock_difference,
    corosync_token,
    disk_locks,
    failed_actions,
    failure_ignored,
    failure_margin,
    fence_account,
    fence_device_banned,
    fence_device_missing,
    fence_device_stopped,
    fence_device_untested,
    fence_level_refused,
    fence_timeout,
    fence_unreachable,
    fencing_disabled,
    file_warnings,
    guest_definition,
    guest_machine,
    guest_network,
    guest_one_node,
    guest_storage,
    guest_timeouts,
    guest_utilization,
    leftover_move,
    libvirt_guests,
    maintenance,
    no_quorum_policy,
    node_capacity,
    node_down,
    option_unknown,
    placement_strategy,
    rule_ineffective,
    rule_infeasible,
    rules_entangled,
    running_twice,
    running_unnoticed,
    single_ring,
    stop_all,
    two_node_race,
    virtualdomain_leftovers,
    xml_drift,
)

if TYPE_CHECKING:
    from vmha.heartbeat.doctor.check import Check

FENCING: tuple[Check, ...] = (
    fencing_disabled.CHECK,
    fence_device_missing.CHECK,
    fence_device_stopped.CHECK,
    fence_device_banned.CHECK,
    fence_level_refused.CHECK,
    fence_device_untested.CHECK,
    fence_account.CHECK,
    fence_unreachable.CHECK,
    fence_timeout.CHECK,
    bmc_on_shared_power.CHECK,
    two_node_race.CHECK,
)
CLUSTER: tuple[Check, ...] = (
    no_quorum_policy.CHECK,
    node_down.CHECK,
    single_ring.CHECK,
    corosync_token.CHECK,
    clock_difference.CHECK,
    option_unknown.CHECK,
    maintenance.CHECK,
    stop_all.CHECK,
    failed_actions.CHECK,
    libvirt_guests.CHECK,
)
PLACEMENT: tuple[Check, ...] = (
    placement_strategy.CHECK,
    node_capacity.CHECK,
    guest_utilization.CHECK,
    failure_margin.CHECK,
    rule_infeasible.CHECK,
    rule_ineffective.CHECK,
    rules_entangled.CHECK,
    guest_one_node.CHECK,
    leftover_move.CHECK,
    file_warnings.CHECK,
)
GUESTS: tuple[Check, ...] = (
    running_twice.CHECK,
    running_unnoticed.CHECK,
    failure_ignored.CHECK,
    autostart.CHECK,
    guest_definition.CHECK,
    guest_storage.CHECK,
    guest_network.CHECK,
    guest_machine.CHECK,
    xml_drift.CHECK,
    guest_timeouts.CHECK,
    disk_locks.CHECK,
    virtualdomain_leftovers.CHECK,
)
GROUPS = {
    "Fencing": FENCING,
    "Cluster": CLUSTER,
    "Placement": PLACEMENT,
    "Guests": GUESTS,
}


def checks() -> tuple[Check, ...]:
    """Return all checks in their order."""
    return tuple(check for group in GROUPS.values() for check in group)
