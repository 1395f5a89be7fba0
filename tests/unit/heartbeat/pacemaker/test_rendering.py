"""Guests, orders and properties as rendered from a cluster file."""

from __future__ import annotations

import random

from clusters.examples import THREE, configuration

from vmha.heartbeat.clusterfile.reading import parse
from vmha.heartbeat.clusterfile.schema import refused_guest_name
from vmha.heartbeat.pacemaker import cib, rendering, timeouts, turns
from vmha.heartbeat.pacemaker.configuration import Order, Primitive


def guests(text: str = THREE) -> dict[str, Primitive]:
    made = configuration(parse(text, "vmha.yaml"))
    return {one.id: one for one in made.resources if isinstance(one, Primitive)}


def test_memory_is_never_ignored() -> None:
    made = configuration(parse(THREE, "vmha.yaml"))
    assert made.properties["placement-strategy"] != "default"
    offers = {node.name: node.utilization for node in made.nodes}
    assert offers["n3"] == {"cpu": 8, "hv_memory": 15360}
    needs = [guest.utilization for guest in guests().values() if guest.utilization]
    assert all(need.keys() == {"cpu", "hv_memory"} for need in needs)
    assert len(needs) == 6


def test_what_the_file_says_of_a_size_is_not_overwritten_by_the_agent() -> None:
    parameters = guests()["web1"].parameters
    for name in ("cpu", "guests", "host_memory", "hv_memory"):
        assert parameters[f"autoset_utilization_{name}"] == "false"
    assert parameters["migration_transport"] == "ssh"


def test_no_guest_may_have_a_name_that_rendering_gives_to_something_else() -> None:
    made = cib.document(configuration(parse(THREE, "vmha.yaml")))
    written = {str(one.get("id")) for one in made.iter() if one.get("id")}
    assert len(written) > 100
    fine = {name for name in written if not refused_guest_name(name)}
    assert fine == {guest.name for guest in parse(THREE, "vmha.yaml").guests}


def test_everything_is_marked_and_nothing_applies_to_resources_of_others() -> None:
    made = configuration(parse(THREE, "vmha.yaml"))
    marks = {one.id: one.meta.get("written-by") for one in made.resources}
    assert set(marks.values()) == {"vmha"}
    assert made.resource_defaults == {}
    assert all(one.id.startswith("vmha-") for one in made.constraints)


def test_times_grow_with_the_memory_to_be_moved() -> None:
    assert timeouts.migrate_to_s(128) == 300
    assert timeouts.migrate_to_s(65536) > 1300
    assert timeouts.stop_s(65536) > timeouts.stop_s(1024) > timeouts.STOP_S
    assert timeouts.migrate_to_s(65536, 1000) < timeouts.migrate_to_s(65536)


def test_only_resources_of_others_are_waited_for() -> None:
    """An order between guests can keep both from starting: see turns."""
    text = THREE.replace("after: [app1]", "after: [app1, nfs-clone]")
    file = parse(text, "vmha.yaml")
    orders = [one for one in configuration(file).constraints if isinstance(one, Order)]
    kinds = {(one.first, one.then): one.kind for one in orders}
    assert kinds == {("nfs-clone", "db1"): "Mandatory"}
    assert rendering.awaited(file) == {"nfs-clone": ["db1"]}


def test_a_guest_starts_some_seconds_after_those_before_it() -> None:
    delays = {
        name: op.options["start-delay"]
        for name, guest in guests().items()
        for op in guest.operations
        if "start-delay" in op.options
    }
    assert delays == {"web1": "5s", "web2": "3s", "web3": "3s", "db1": "3s"}


def test_turns_and_those_that_are_waited_for_add_up_one_after_the_other() -> None:
    text = THREE.replace("after: [app1]", "after: [web2]").replace(
        "web3: {config", "web3: {after: [db1], config"
    )
    assert turns.delays_s(parse(text, "vmha.yaml"))["web3"] == 3 * turns.STEP_S


def test_a_container_is_not_said_to_migrate() -> None:
    text = THREE.replace("domain: db1,", "domain: db1, hypervisor: 'lxc:///system',")
    assert guests(text)["db1"].meta["allow-migrate"] == "false"
    assert guests(text)["web1"].meta["allow-migrate"] == "true"


def test_the_order_of_entries_in_the_file_changes_nothing() -> None:
    head, _, tail = THREE.partition("guests:\n")
    block, _, rest = tail.partition("classes:")
    entries = _whole(block)
    random.Random(7).shuffle(entries)
    shuffled = f"{head}guests:\n{''.join(entries)}classes:{rest}"
    assert shuffled != THREE
    one = configuration(parse(THREE, "vmha.yaml"))
    assert configuration(parse(shuffled, "vmha.yaml")) == one


def _whole(block: str) -> list[str]:
    """Return the entries of a section, each with the lines that belong to it."""
    entries: list[str] = []
    for line in block.splitlines(keepends=True):
        if line.startswith("    "):
            entries[-1] += line
        else:
            entries.append(line)
    return entries
