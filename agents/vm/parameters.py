"""The declaration of ``ocf:vmha:VirtualMachine``: its texts and parameters.

Names and meanings are VirtualDomain's, so that a resource is switched by changing its
type. Everything but the guest's identity is reloadable: a change is taken up by
reload-agent and the guest runs on. Imports nothing but the protocol, because meta-data
is asked for in bulk.
"""

from __future__ import annotations

from vmha.agents.vm.declared import accounting, guest, life, migration, monitoring

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

PARAMETERS = (
    *guest.PARAMETERS,
    *life.PARAMETERS,
    *monitoring.PARAMETERS,
    *migration.PARAMETERS,
    *accounting.PARAMETERS,
)
