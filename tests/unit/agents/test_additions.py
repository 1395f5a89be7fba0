"""Numbers that we name ourselves are those of a libvirt that names them, too."""

from __future__ import annotations

import libvirt
import pytest

from vmha.agents.hypervisor import additions

NAMES = {
    "RUNNING_POSTCOPY_FAILED": "VIR_DOMAIN_RUNNING_POSTCOPY_FAILED",
    "MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES": (
        "VIR_MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES"
    ),
    "MIGRATE_ZEROCOPY": "VIR_MIGRATE_ZEROCOPY",
    "JOB_OPERATION_SNAPSHOT_DELETE": "VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_DELETE",
}


def test_each_is_looked_at() -> None:
    assert {name for name in vars(additions) if name.isupper()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_number_is_libvirts_own(name: str) -> None:
    assert getattr(additions, name) == getattr(libvirt, NAMES[name])
