"""A guest's size in the cluster's configuration: when it is written, and when not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Callable
from xml.etree import ElementTree

from hosts import guests
from hosts.host import Host
from hosts.operation import Resource
from lab.guest import Guest

CIB = """\
<cib validate-with="pacemaker-3.7" epoch="1" num_updates="0" admin_epoch="0">
<configuration><crm_config><cluster_property_set id="p">
<nvpair id="p1" name="placement-strategy" value="{strategy}"/></cluster_property_set>
</crm_config><nodes><node id="1" uname="alpha"><utilization id="n">{node}</utilization>
</node></nodes><resources><primitive id="{guest}" class="ocf" provider="vmha"
type="VirtualMachine"/></resources><constraints/></configuration><status/></cib>
"""
SIZE = {"cpu": "1", "host_memory": "128", "hv_memory": "128"}


class Clustered(Resource):
    """A resource whose cluster is a file."""

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

    def configure(self, strategy: str = "default", **node: str) -> None:
        """Begin with a configuration in which the guest needs nothing."""
        pairs = "".join(
            f'<nvpair id="n-{name}" name="{name}" value="{value}"/>'
            for name, value in node.items()
        )
        text = CIB.format(strategy=strategy, node=pairs, guest=self.instance)
        self.cib.write_text(text)

    def needs(self) -> dict[str, str]:
        """Return what is written of the guest."""
        root = ElementTree.parse(self.cib).getroot()  # noqa: S314
        pairs = root.iterfind(".//primitive/utilization/nvpair")
        return {str(p.get("name")): str(p.get("value")) for p in pairs}

    def lies(self) -> None:
        """Write another number, as an administrator might."""
        text = self.cib.read_text()
        assert 'name="cpu" value="1"' in text
        self.cib.write_text(
            text.replace('name="cpu" value="1"', 'name="cpu" value="9"')
        )


def clustered(agent: Path, guest: Guest, folder: Path) -> Clustered:
    resource = Clustered(agent, guest.name, config=guests.config_path(guest))
    resource.cib = folder / "cib.xml"
    resource.configure()
    return resource


def test_it_is_written_at_start_and_reload_and_never_by_a_plain_monitor(
    alpha: Host, agent: Path, tmp_path: Path, fresh: Callable[..., Guest]
) -> None:
    resource = clustered(agent, fresh(), tmp_path)
    assert resource.call(alpha, "start").code == 0
    assert resource.needs() == SIZE
    before = resource.cib.read_text()
    assert resource.call(alpha, "start").code == 0
    assert resource.cib.read_text() == before
    resource.lies()
    assert resource.call(alpha, "monitor", interval_s=10).code == 0
    assert resource.needs()["cpu"] == "9"
    assert resource.call(alpha, "reload-agent").code == 0
    assert resource.needs() == SIZE
    # A deep monitor compares with what was written last, and asks no cluster.
    noted = alpha.path(f"/run/vmha/utilization/{resource.instance}")
    noted.write_text(noted.read_text().replace("cpu=1", "cpu=2"))
    resource.lies()
    resource.level = 10
    assert resource.call(alpha, "monitor", interval_s=10).code == 0
    assert resource.needs() == SIZE


def test_what_would_make_the_guest_unplaceable_is_not_written(
    alpha: Host, agent: Path, tmp_path: Path, fresh: Callable[..., Guest]
) -> None:
    resource = clustered(agent, fresh(), tmp_path)
    resource.configure("balanced", cpu="4", host_memory="100", guests="2")
    assert resource.call(alpha, "start").code == 0
    assert resource.needs() == {"cpu": "1", "guests": "1"}
    resource.parameters["autoset_utilization_cpu"] = "false"
    resource.parameters["unset_utilization_cpu"] = "true"
    assert resource.call(alpha, "reload-agent").code == 0
    assert resource.needs() == {"guests": "1"}


def test_a_cluster_that_does_not_answer_fails_no_action(
    alpha: Host, agent: Path, tmp_path: Path, fresh: Callable[..., Guest]
) -> None:
    resource = clustered(agent, fresh(), tmp_path)
    resource.cib.write_text("none")
    for action in ("start", "reload-agent", "monitor"):
        assert resource.call(alpha, action).code == 0
