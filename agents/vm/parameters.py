"""The declaration of ``ocf:vmha:VirtualMachine``: texts, parameters, actions.

Names and meanings are VirtualDomain's, so that a resource is switched by changing its
type. Everything but the guest's identity is reloadable: a change is taken up by
reload-agent and the guest runs on. Imports nothing but the protocol, because meta-data
is asked for in bulk.
"""

from __future__ import annotations

from vmha.agents.protocol.parameters import BOOLEAN, INTEGER, STRING, Parameter

SHUTDOWN_MODES = ("acpi", "agent", "initctl", "signal", "paravirt")

NAME = "VirtualMachine"
SHORTDESC = "Runs a libvirt virtual machine, at most once in the cluster"
LONGDESC = """\
Starts, stops, monitors and live-migrates one virtual machine through libvirt.

The guest is given by its XML file (config), and is then transient: libvirt forgets it
when it stops; or by name or UUID (domain), and is then defined in libvirt on every node
that may run it. Give exactly one of the two.

stop answers success only after proof that no emulator of the guest is left on the node:
libvirt's word and the process table. A missing file, a wrong parameter or a dead
libvirt never makes a running guest count as stopped. If libvirt stays silent the
emulator itself is ended, by UUID.

For live migration set the meta attribute allow-migrate=true. The target is checked
before the guest is touched. A migration that does not end in its time is aborted with
the guest still running at the source; give migrate_to a timeout that fits the guest's
memory."""


def _absolute(text: str) -> str:
    return "" if text.startswith("/") else "give an absolute path"


def _scripts(text: str) -> str:
    fine = all(script.startswith("/") for script in text.split())
    return "" if fine else "give absolute paths, separated by spaces"


def _uri(text: str) -> str:
    from vmha.agents.hypervisor.uri import driver

    return "" if driver(text) else "give a libvirt URI such as qemu:///system"


def _remote_uri(text: str) -> str:
    return _uri(text.replace("%n", "node"))


def _modes(text: str) -> str:
    modes = text.replace(",", " ").split()
    if modes and all(mode in SHUTDOWN_MODES for mode in modes):
        return ""
    return "give one or more of " + ", ".join(SHUTDOWN_MODES)


def _one_word(text: str) -> str:
    return "give it without spaces" if len(text.split()) != 1 else ""


PARAMETERS = (
    Parameter(
        "config",
        STRING,
        "Path of the guest's libvirt XML",
        "Absolute path of the libvirt XML that describes the guest. It must be "
        "readable under the same path on every node that may run the guest: on shared "
        "storage, or copied to each node. Give either config or domain.",
        unique_group="config",
        check=_absolute,
    ),
    Parameter(
        "domain",
        STRING,
        "Name or UUID of a guest defined in libvirt",
        "Name or UUID of a persistent guest. It must be defined (virsh define) on "
        "every node that may run it, and not be marked autostart. Give either config "
        "or domain.",
        unique_group="domain",
    ),
    Parameter(
        "hypervisor",
        STRING,
        "libvirt connection URI",
        "URI of the local libvirt connection, for example qemu:///system.",
        default="qemu:///system",
        check=_uri,
    ),
    Parameter(
        "force_stop",
        BOOLEAN,
        "Stop without asking the guest",
        "Stop the guest by taking its power away at once, without asking it to shut "
        "down. The guest's file systems will have to recover.",
        default="false",
        reloadable=True,
    ),
    Parameter(
        "shutdown_mode",
        STRING,
        "How to ask the guest to shut down",
        "One or more methods, in their order, separated by commas: "
        + ", ".join(SHUTDOWN_MODES)
        + ". A method that fails, or that the guest does not follow, is followed by "
        "the next. Without it the hypervisor's default is used. In the end the guest "
        "is destroyed, inside the stop timeout.",
        reloadable=True,
        check=_modes,
    ),
    Parameter(
        "migration_transport",
        STRING,
        "Transport to the target's libvirt",
        "Transport by which the target's libvirt is reached, such as tls, tcp or ssh. "
        "Without it libvirt's default is used, which is tls. It becomes part of the "
        "remote URI, as in qemu+ssh://node2/system.",
        reloadable=True,
        check=_one_word,
    ),
    Parameter(
        "migrateuri",
        STRING,
        "URI for the memory's own path",
        "URI over which the guest's memory travels, for example tcp://%n-mig. %n is "
        "replaced by the target node's name, with migration_network_suffix where that "
        "is set. Without it the target offers an address and a free port of its own.",
        reloadable=True,
        check=_one_word,
    ),
    Parameter(
        "remoteuri",
        STRING,
        "URI of the target's libvirt",
        "URI under which the source reaches the target's libvirt, with %n for the "
        "target node's name, for example qemu+ssh://admin@%n/system. It replaces the "
        "one made from hypervisor, migration_transport and migration_network_suffix.",
        reloadable=True,
        check=_remote_uri,
    ),
    Parameter(
        "migration_network_suffix",
        STRING,
        "Suffix of the target's name in the migration network",
        "Text appended to the first label of the target's node name, so that libvirt's "
        "connection and the memory use another network: -mig turns node2.example into "
        "node2-mig.example.",
        reloadable=True,
        check=_one_word,
    ),
    Parameter(
        "migration_downtime",
        INTEGER,
        "Longest pause at the end of a migration, in ms",
        "Longest time in milliseconds for which the guest may stand still at the end "
        "of a live migration. 0 leaves the hypervisor's default (QEMU: 300).",
        default="0",
        minimum=0,
        maximum=2_000_000,
        reloadable=True,
    ),
    Parameter(
        "migration_speed",
        INTEGER,
        "Bandwidth of a migration, in MiB/s",
        "Largest bandwidth of a live migration in MiB/s. 0 leaves the hypervisor's "
        "default.",
        default="0",
        minimum=0,
        maximum=8_796_093_022_207,
        reloadable=True,
    ),
    Parameter(
        "monitor_scripts",
        STRING,
        "Programs that must succeed for the guest to count as healthy",
        "Absolute paths of programs, separated by spaces, that a recurring monitor "
        "runs one after the other once the guest is seen running. If one of them ends "
        "with another code than 0 the monitor fails, and Pacemaker restarts the guest. "
        "They share the monitor's timeout.",
        reloadable=True,
        check=_scripts,
    ),
    Parameter(
        "start_resources",
        BOOLEAN,
        "Start the networks and storage pools that the guest uses",
        "Start inactive virtual networks and storage pools that the guest's definition "
        "names, before the guest is started, and on the target before it is migrated. "
        "They are never stopped.",
        default="false",
        reloadable=True,
    ),
)
