"""Numbers of libvirt's interface that a binding older than them does not name.

RHEL 9.0 has libvirt 8.0, Debian 11 has 7.0. The numbers are libvirt's ABI and never
change (libvirt-domain.h); a daemon that is older than a flag refuses it by itself.
Called by ``reasons``, ``migration`` and ``health``.
"""

from __future__ import annotations

RUNNING_POSTCOPY_FAILED = 11  # virDomainRunningReason, 8.5.0
MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES = 1 << 18  # virDomainMigrateFlags, 8.0.0
MIGRATE_ZEROCOPY = 1 << 20  # virDomainMigrateFlags, 8.5.0
JOB_OPERATION_SNAPSHOT_DELETE = 10  # virDomainJobOperation, 9.0.0
