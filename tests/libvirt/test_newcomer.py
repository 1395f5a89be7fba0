"""A failed migrate_from beside guests that are others': the stop leaves them alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Callable

from hosts import guests
from hosts.host import Host
from hosts.operation import Resource
from lab.guest import Guest

Fresh = Callable[..., Guest]
CIB = """\
<cib validate-with="pacemaker-3.7" epoch="1" num_updates="0" admin_epoch="0">
<configuration><crm_config/><nodes/><resources>
<primitive id="theirs" class="ocf" provider="heartbeat" type="VirtualDomain">
<instance_attributes id="i"><nvpair id="n" name="config" value="{config}"/>
</instance_attributes></primitive></resources><constraints/></configuration><status/>
</cib>
"""


class Clustered(Resource):
    """A resource in whose cluster another guest is a VirtualDomain resource's."""

    cib: Path

    def environment(
        self,
        host: Host,
        action: str,
        timeout_s: float,
        interval_s: float,
        meta: Mapping[str, str],
    ) -> dict[str, str]:
        """Return the executor's environment, and where the configuration is."""
        environ = super().environment(host, action, timeout_s, interval_s, meta)
        return {**environ, "CIB_file": str(self.cib)}


def test_a_guest_that_came_for_another_resource_survives_the_stop(
    alpha: Host, beta: Host, agent: Path, fresh: Fresh, tmp_path: Path
) -> None:
    """Ours died on its way; theirs came a moment ago, and no record tells whose."""
    ours, theirs = fresh(), fresh()
    alpha.virsh("create", guests.config_path(theirs))
    guests.await_tick(alpha, theirs)
    alpha.virsh("migrate", "--live", theirs.name, "qemu+tcp://beta/system")
    assert "migrated" in beta.virsh("domstate", theirs.name, "--reason")
    resource = Clustered(
        agent, ours.name, config=guests.config_path(ours), force_stop="yes"
    )
    resource.cib = tmp_path / "cib.xml"
    resource.cib.write_text(CIB.format(config=guests.config_path(theirs)))

    came = resource.migrate_from(alpha, beta)

    assert came.code == 1
    assert "resource theirs" in came.reason
    assert "administrator" in came.reason
    assert resource.call(beta, "stop").code == 0
    assert beta.emulators(theirs.uuid)
    guests.await_tick(beta, theirs)
    beta.virsh("destroy", theirs.name)


def test_one_of_two_that_came_is_found_by_what_the_cluster_says_of_the_other(
    alpha: Host, beta: Host, agent: Path, fresh: Fresh, tmp_path: Path
) -> None:
    """Ours is another guest by beta's file; theirs came at the same time."""
    ours, theirs = fresh(), fresh()
    other = guests.define(f"{ours.name}-other")
    guests.put_config(beta, ours, other.xml())
    alpha.virsh("create", guests.config_path(theirs))
    resource = Clustered(
        agent,
        ours.name,
        config=guests.config_path(ours),
        force_stop="yes",
        migration_transport="tcp",
    )
    resource.cib = tmp_path / "cib.xml"
    resource.cib.write_text(CIB.format(config=guests.config_path(theirs)))
    assert resource.call(alpha, "start").code == 0
    for guest in (ours, theirs):
        guests.await_tick(alpha, guest)
    alpha.virsh("migrate", "--live", theirs.name, "qemu+tcp://beta/system")
    assert resource.migrate_to(alpha, beta).answer().code == 0

    came = resource.migrate_from(alpha, beta)

    assert came.code == 1
    assert "differ" in came.reason
    assert resource.call(beta, "stop").code == 0
    assert beta.emulators(ours.uuid) == []
    assert beta.emulators(theirs.uuid)
    assert resource.call(alpha, "stop").code == 0
    beta.virsh("destroy", theirs.name)
