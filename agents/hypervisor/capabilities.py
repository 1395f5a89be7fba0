"""What each of libvirt's drivers can do, known before it is tried.

Used by start, stop, migration and validation. Sources: libvirt's "API support matrix"
(hvsupport) and the function tables and flag checks in the named source files; the rows
of qemu, lxc and test are also run against the real driver by the tests. The table in
docs/hypervisors.md is checked against this one. Pure, but for ``can_migrate_live``,
which asks the connection. Imports nothing that a monitor does not already have.
"""

from __future__ import annotations

from vmha.agents.hypervisor.connection import Connection
from vmha.agents.hypervisor.errors import Unsupported
from vmha.agents.protocol.deadline import Deadline

QEMU_PROCESS = "qemu-system-*, by UUID"
LXC_PROCESS = "libvirt_lxc, by name and libvirt's record of it"


class Driver:
    """One of libvirt's drivers.

    ``can`` holds the words of ABILITIES that it has. ``shutdown`` are the methods of
    virDomainShutdownFlags that it takes, ``asked_by`` those that a guest is asked by
    where nobody chose, "" being the driver's own choice. ``undefine`` are the kinds of
    state about which virDomainUndefineFlags takes a flag. ``process`` is what of a
    guest is seen in this node's process table, "" where nothing is: then only libvirt's
    word proves a stop. ``sources`` are paths in libvirt's source tree.
    """

    __slots__ = (
        "asked_by",
        "can",
        "note",
        "process",
        "shutdown",
        "sources",
        "tested",
        "undefine",
    )

    def __init__(
        self,
        can: tuple[str, ...],
        sources: tuple[str, ...],
        shutdown: tuple[str, ...] = (),
        asked_by: tuple[str, ...] = ("",),
        undefine: tuple[str, ...] = (),
        process: str = "",
        tested: bool = False,
        note: str = "",
    ) -> None:
        self.can = can
        self.sources = sources
        self.shutdown = shutdown
        self.asked_by = asked_by
        self.undefine = undefine
        self.process = process
        self.tested = tested
        self.note = note


# Each with the libvirt API that it stands for.
ABILITIES = {
    "live migration": "virDomainMigrate3, and <live/> in the capabilities",
    "transient": "virDomainCreateXML: a guest that libvirt forgets when it stops",
    "fresh boot": "virDomainCreateWithFlags with VIR_DOMAIN_START_FORCE_BOOT",
    "pause": "virDomainSuspend and virDomainResume",
    "save": "virDomainSaveFlags and virDomainRestoreFlags",
    "managed save": "virDomainManagedSave",
    "job": "virDomainGetJobStats",
    "job abort": "virDomainAbortJob",
    "disk errors": "virDomainGetDiskErrors",
    "guest agent": "virDomainQemuAgentCommand",
    "autostart": "virDomainGetAutostart",
    "events": "virConnectDomainEventRegisterAny",
}

DRIVERS = {
    "qemu": Driver(
        can=tuple(ABILITIES),
        sources=("src/qemu/qemu_driver.c",),
        shutdown=("acpi", "agent"),
        undefine=("managed save", "nvram", "tpm", "snapshots", "checkpoints"),
        process=QEMU_PROCESS,
        tested=True,
    ),
    "lxc": Driver(
        can=("transient", "pause", "autostart", "events"),
        sources=("src/lxc/lxc_driver.c", "src/lxc/lxc_controller.c"),
        shutdown=("initctl", "signal"),
        asked_by=("signal", "initctl"),
        process=LXC_PROCESS,
        tested=True,
        note="A container's processes end with its first one; the controller is not "
        "among them, so both are looked for. The driver's own shutdown writes to a "
        "FIFO, initctl, and answers success where there is none, so a container gets "
        "SIGTERM first.",
    ),
    "test": Driver(
        can=(
            "transient",
            "pause",
            "save",
            "managed save",
            "autostart",
            "events",
        ),
        sources=("src/test/test_driver.c",),
        tested=True,
        note="libvirt's mock: no guest executes. It answers virDomainGetDiskErrors "
        "with an invented error, so that is not asked. In test:///default every "
        "process has a hypervisor of its own; through libvirtd (test+unix) it lasts.",
    ),
    "xen": Driver(
        can=(
            "live migration",
            "transient",
            "pause",
            "save",
            "managed save",
            "job",
            "autostart",
            "events",
        ),
        sources=("src/libxl/libxl_driver.c",),
        shutdown=("paravirt", "acpi"),
        undefine=("managed save",),
        note="A migration under way cannot be aborted. A paravirtual guest has no "
        "process in the control domain.",
    ),
    "openvz": Driver(
        can=("transient", "pause", "autostart"),
        sources=("src/openvz/openvz_driver.c",),
        note="libvirt can call vzmigrate, but does not announce live migration, so "
        "vmha stops and starts.",
    ),
    "vbox": Driver(
        can=("transient", "pause"),
        sources=("src/vbox/vbox_common.c",),
        note="virDomainCreateXML defines the guest, and it stays defined. The guests "
        "are those of one user.",
    ),
    "esx": Driver(
        can=("pause", "autostart"),
        sources=("src/esx/esx_driver.c",),
        note="The guests live on another machine. Only guests defined there "
        "(parameter domain) can be started. vMotion needs a vpx connection and is "
        "VMware's own business: no node of this cluster takes part in it.",
    ),
    "vpx": Driver(
        can=("pause", "autostart"),
        sources=("src/esx/esx_driver.c",),
        note="As esx, through a vCenter.",
    ),
    "gsx": Driver(
        can=("pause", "autostart"),
        sources=("src/esx/esx_driver.c",),
        note="As esx; VMware Server 2.",
    ),
    "ch": Driver(
        can=("transient", "pause"),
        sources=("src/ch/ch_driver.c",),
        note="Cloud Hypervisor. Newer libvirt (10 and 11) has save and migration, "
        "which vmha does not use yet.",
    ),
}


def driver_of(name: str) -> Driver:
    """Return a driver's row; one that is not in the table can do nothing."""
    return DRIVERS.get(name) or Driver((), ())


def able(name: str, ability: str) -> bool:
    """Tell whether a driver has one of ABILITIES."""
    return ability in driver_of(name).can


def shutdown_methods(name: str) -> tuple[str, ...]:
    """Return the shutdown methods that a driver takes; "" (its default) fits all."""
    return driver_of(name).shutdown


def fitting_methods(name: str, wanted: list[str]) -> tuple[list[str], list[str]]:
    """Divide wanted shutdown methods into those to be tried, and those it has not.

    Where none is wanted, or left, those of ``asked_by`` stand in. Of a driver that is
    not in the table nothing is known, and all are tried.
    """
    if name not in DRIVERS:
        return wanted, []
    has = shutdown_methods(name)
    kept = [method for method in wanted if method in has]
    missing = [method for method in wanted if method and method not in has]
    return kept or list(driver_of(name).asked_by), missing


def has_process(name: str) -> bool:
    """Tell whether a guest of this driver is seen in this node's process table."""
    return bool(driver_of(name).process)


def why_not_live(name: str) -> str:
    """Return the sentence for a driver that cannot migrate live, "" for one that can.

    Pacemaker's answer to a failed migrate_to, and to an absent allow-migrate, is a stop
    here and a start there.
    """
    if able(name, "live migration"):
        return ""
    return (
        f"libvirt's {name or 'unknown'} driver cannot migrate a running guest; take "
        "allow-migrate off the resource, and Pacemaker moves it by a stop and a start"
    )


def can_migrate_live(connection: Connection, deadline: Deadline) -> bool:
    """Tell whether guests of a connection can be migrated while they run.

    Asks the hypervisor itself (``<migration_features><live/>`` of its capabilities,
    virConnectGetCapabilities) where the driver can migrate at all. Raises Unreachable
    where libvirt gives no answer: that is no "no".
    """
    from vmha.agents.domainxml import host
    from vmha.agents.hypervisor import uri

    if not able(uri.driver(connection.uri), "live migration"):
        return False
    asking = connection.handle.getCapabilities
    try:
        text = connection.call("read the hypervisor's capabilities", deadline, asking)
    except Unsupported:
        return False
    return host.announces_live_migration(str(text))
