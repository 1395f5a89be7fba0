"""How the guest moves to another node."""

from __future__ import annotations

from vmha.agents.protocol.parameters import BOOLEAN, INTEGER, SELECT, STRING, Parameter
from vmha.agents.vm.declared.checks import (
    migrate_options,
    one_word,
    remote_uri,
    user_name,
)

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "migration_transport",
        STRING,
        "Transport to the target's libvirt",
        "Transport by which the target's libvirt is reached, such as tls, tcp or ssh. "
        "Without it libvirt's default is used, which is tls. It becomes part of the "
        "remote URI, as in qemu+ssh://node2/system.",
        reloadable=True,
        check=one_word,
    ),
    Parameter(
        "migrateuri",
        STRING,
        "URI for the memory's own path",
        "URI over which the guest's memory travels, for example tcp://%n-mig. %n is "
        "replaced by the target node's name, with migration_network_suffix where that "
        "is set. Without it the target offers an address and a free port of its own.",
        reloadable=True,
        check=one_word,
    ),
    Parameter(
        "remoteuri",
        STRING,
        "URI of the target's libvirt",
        "URI under which the source reaches the target's libvirt, with %n for the "
        "target node's name, for example qemu+ssh://admin@%n/system. It replaces the "
        "one made from hypervisor, migration_transport and migration_network_suffix.",
        reloadable=True,
        check=remote_uri,
    ),
    Parameter(
        "migration_network_suffix",
        STRING,
        "Suffix of the target's name in the migration network",
        "Text appended to the first label of the target's node name, so that libvirt's "
        "connection and the memory use another network: -mig turns node2.example into "
        "node2-mig.example.",
        reloadable=True,
        check=one_word,
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
        "migration_user",
        STRING,
        "User in the URI of the target's libvirt",
        "User name for reaching the target's libvirt, as in "
        "qemu+ssh://admin@node2/system. remoteuri replaces it.",
        check=user_name,
        reloadable=True,
    ),
    Parameter(
        "migrateport",
        INTEGER,
        "Port for the memory's own path",
        "TCP port on the target over which the guest's memory travels, where "
        "migrateuri does not name one. 0: the target picks a free one, so that "
        "parallel migrations never meet.",
        default="0",
        minimum=0,
        maximum=65535,
        reloadable=True,
    ),
    Parameter(
        "migrate_options",
        STRING,
        "Options of virsh migrate",
        "Options of virsh migrate, separated by spaces, for a resource that comes "
        "from VirtualDomain, such as --p2p or --bandwidth=100. Those that vmha knows "
        "are taken up, where no migration_* parameter says otherwise; --persistent "
        "and --undefinesource have no effect; another word is refused by start and "
        "validate-all, and left out by a migration. New resources use the "
        "migration_* parameters.",
        check=migrate_options,
        reloadable=True,
    ),
    Parameter(
        "migration_downtime_max",
        INTEGER,
        "Longest pause that is ever allowed, in ms",
        "While a guest changes its memory faster than it can be sent, the allowed "
        "pause rises step by step from migration_downtime to this many "
        "milliseconds. 0: it does not rise.",
        default="2000",
        minimum=0,
        maximum=2000000,
        reloadable=True,
    ),
    Parameter(
        "migration_auto_converge",
        BOOLEAN,
        "Slow a guest down that changes memory faster than it is sent",
        "QEMU gives such a guest's processors less time until its migration can "
        "end. Without it the migration may have to be aborted.",
        default="true",
        reloadable=True,
    ),
    Parameter(
        "migration_compression",
        SELECT,
        "Compression of the guest's memory on its way",
        "Method by which the guest's memory is compressed on its way: none, xbzrle "
        "(what has changed of a page) or mt (several threads; not with "
        "migration_parallel).",
        choices=("none", "xbzrle", "mt"),
        default="none",
        reloadable=True,
    ),
    Parameter(
        "migration_parallel",
        INTEGER,
        "Number of parallel connections of a migration",
        "Connections over which the guest's memory travels at once. 0: one, the "
        "ordinary way.",
        default="0",
        minimum=0,
        maximum=255,
        reloadable=True,
    ),
    Parameter(
        "migration_postcopy",
        BOOLEAN,
        "Let a migration that does not converge go on at the target",
        "A migration that would otherwise be aborted is switched to post-copy: the "
        "guest runs on at the target and fetches its memory from the source. If the "
        "network or the source fails then, the guest is lost.",
        default="false",
        reloadable=True,
    ),
    Parameter(
        "migration_mode",
        SELECT,
        "Who drives a migration",
        "direct: the agent drives both libvirt daemons. p2p: the source's daemon "
        "drives the target's. tunnelled: as p2p, and the memory goes through "
        "libvirt's own connection, without migrateuri, migrateport, migration_parallel "
        "and migration_postcopy; migration_tls is refused then. direct is ended by "
        "libvirt when the agent dies; the others carry on, and the next migrate_to "
        "joins them.",
        choices=("direct", "p2p", "tunnelled"),
        default="direct",
        reloadable=True,
    ),
    Parameter(
        "migration_tls",
        BOOLEAN,
        "Encrypt the guest's memory on its way",
        "The memory goes through TLS, which libvirt must be set up for on all nodes "
        "(/etc/pki/qemu or migrate_tls_x509_cert_dir).",
        default="false",
        reloadable=True,
    ),
    Parameter(
        "migration_copy_storage",
        SELECT,
        "Copy disks that are not shared",
        "none: every writable disk must be on shared storage. all: files on a file "
        "system of the source alone are copied whole. inc: only their top layer is, "
        "the base image being present on the target. Images of the right size must "
        "exist on the target. Where a disk may be shared or not (a block device), "
        "name those to be copied with --migrate-disks in migrate_options.",
        choices=("none", "all", "inc"),
        default="none",
        reloadable=True,
    ),
    Parameter(
        "cold_migration",
        BOOLEAN,
        "Migrate by a stop and a start where the hypervisor cannot do it live",
        "For hypervisors without live migration (such as lxc): migrate_to shuts the "
        "guest down, with proof, and migrate_from starts it. Without it migrate_to "
        "fails, and Pacemaker stops and starts the guest, which it does as well if "
        "allow-migrate is not set.",
        default="false",
        reloadable=True,
    ),
)
