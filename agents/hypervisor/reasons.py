"""libvirt's states and their reasons → vmha's states.

Called by ``domains``; source: virDomainState and the virDomain…Reason enums of
libvirt-domain.h, as virDomainGetState gives them. A reason that is not known here keeps
the guest alive in every decision. Text is for messages only.
"""

from __future__ import annotations

import libvirt

from vmha.agents.hypervisor import additions
from vmha.agents.hypervisor.state import State

_STATES = {
    libvirt.VIR_DOMAIN_NOSTATE: State.RUNNING,
    libvirt.VIR_DOMAIN_RUNNING: State.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: State.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: State.HALTED,
    libvirt.VIR_DOMAIN_SHUTDOWN: State.SHUTTING_DOWN,
    libvirt.VIR_DOMAIN_SHUTOFF: State.SHUT_OFF,
    libvirt.VIR_DOMAIN_CRASHED: State.CRASHED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: State.SUSPENDED,
}
_PAUSES = {
    libvirt.VIR_DOMAIN_PAUSED_UNKNOWN: State.HALTED,
    libvirt.VIR_DOMAIN_PAUSED_USER: State.PAUSED,
    libvirt.VIR_DOMAIN_PAUSED_MIGRATION: State.MIGRATING,
    libvirt.VIR_DOMAIN_PAUSED_SAVE: State.HELD,
    libvirt.VIR_DOMAIN_PAUSED_DUMP: State.HELD,
    libvirt.VIR_DOMAIN_PAUSED_IOERROR: State.IO_ERROR,
    libvirt.VIR_DOMAIN_PAUSED_WATCHDOG: State.WATCHDOG,
    # What its snapshot was taken from was paused by somebody.
    libvirt.VIR_DOMAIN_PAUSED_FROM_SNAPSHOT: State.PAUSED,
    libvirt.VIR_DOMAIN_PAUSED_SHUTTING_DOWN: State.SHUTTING_DOWN,
    libvirt.VIR_DOMAIN_PAUSED_SNAPSHOT: State.HELD,
    libvirt.VIR_DOMAIN_PAUSED_CRASHED: State.CRASHED,
    libvirt.VIR_DOMAIN_PAUSED_STARTING_UP: State.STARTING,
    libvirt.VIR_DOMAIN_PAUSED_POSTCOPY: State.TORN,
    libvirt.VIR_DOMAIN_PAUSED_POSTCOPY_FAILED: State.TORN,
}
_RUNS = {
    libvirt.VIR_DOMAIN_RUNNING_POSTCOPY: State.POSTCOPY,
    additions.RUNNING_POSTCOPY_FAILED: State.POSTCOPY,
}
_TOLD = {
    libvirt.VIR_DOMAIN_RUNNING: {
        additions.RUNNING_POSTCOPY_FAILED: "(the post-copy has failed)",
        libvirt.VIR_DOMAIN_RUNNING_CRASHED: "after a panic",
    },
    libvirt.VIR_DOMAIN_PAUSED: {
        libvirt.VIR_DOMAIN_PAUSED_SAVE: "while it is saved",
        libvirt.VIR_DOMAIN_PAUSED_DUMP: "while it is dumped",
        libvirt.VIR_DOMAIN_PAUSED_SNAPSHOT: "while a snapshot is taken",
        libvirt.VIR_DOMAIN_PAUSED_FROM_SNAPSHOT: "when its snapshot was taken",
        libvirt.VIR_DOMAIN_PAUSED_POSTCOPY_FAILED: "(the post-copy has failed)",
        libvirt.VIR_DOMAIN_PAUSED_CRASHED: "(its kernel panicked)",
    },
    libvirt.VIR_DOMAIN_CRASHED: {
        libvirt.VIR_DOMAIN_CRASHED_PANICKED: "(its kernel panicked)",
    },
    libvirt.VIR_DOMAIN_SHUTOFF: {
        libvirt.VIR_DOMAIN_SHUTOFF_SHUTDOWN: "by itself",
        libvirt.VIR_DOMAIN_SHUTOFF_DESTROYED: "by a destroy from outside",
        libvirt.VIR_DOMAIN_SHUTOFF_CRASHED: "because it crashed",
        libvirt.VIR_DOMAIN_SHUTOFF_MIGRATED: "since it was migrated to another host",
        libvirt.VIR_DOMAIN_SHUTOFF_SAVED: "since it was saved to a file",
        libvirt.VIR_DOMAIN_SHUTOFF_FAILED: "because its emulator failed",
        libvirt.VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT: "as its snapshot was",
        libvirt.VIR_DOMAIN_SHUTOFF_DAEMON: "because libvirt lost it",
    },
}


def state_of(number: int, why: int) -> State:
    """Return vmha's state for a pair of virDomainGetState.

    An I/O error is told from a lack of space by ``disk_errors`` alone.
    """
    if number == libvirt.VIR_DOMAIN_PAUSED:
        return _PAUSES.get(why, State.HALTED)
    if number == libvirt.VIR_DOMAIN_RUNNING:
        return _RUNS.get(why, State.RUNNING)
    return _STATES.get(number, State.SILENT)


def told(number: int, why: int) -> str:
    """Return what the reason adds to the state's phrase, "" where it is nothing."""
    return _TOLD.get(number, {}).get(why, "")
