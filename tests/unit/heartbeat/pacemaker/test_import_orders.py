"""Orders of other tools as a cluster file says them, and as they are rendered then."""

from __future__ import annotations

import pytest
from clusters.examples import configuration
from clusters.handmade import document, element, guest, primitive
from lxml import etree

from vmha.heartbeat.clusterfile.content import ClusterFile
from vmha.heartbeat.clusterfile.reading import parse
from vmha.heartbeat.clusterfile.writing import text_of
from vmha.heartbeat.corosync import reading as corosync
from vmha.heartbeat.pacemaker.configuration import Order
from vmha.heartbeat.pacemaker.importing import Import, imported
from vmha.heartbeat.pacemaker.live import of_document


def brought(cib: etree._Element) -> tuple[Import, ClusterFile]:
    """Import a CIB and read what comes of it."""
    made = imported(cib, of_document(cib, {}), corosync.parse(""))
    return made, parse(text_of(made.file), "vmha.yaml")


def ordered(**words: str) -> etree._Element:
    """Return a cluster in which the guest web waits for an address by an order."""
    return document(
        guest("web"),
        guest("db"),
        primitive("addr", "ocf:heartbeat:IPaddr2"),
        constraints=(element("rsc_order", id="o", **{"then": "web", **words}),),
    )


def waits(file: ClusterFile) -> dict[str, tuple[str, ...]]:
    return {one.name: one.after for one in file.guests}


def rendered_orders(file: ClusterFile) -> list[tuple[str, str, str]]:
    found = configuration(file).constraints
    return [(o.first, o.then, o.kind) for o in found if isinstance(o, Order)]


def test_a_mandatory_order_after_what_is_no_guest_is_rendered_as_it_was() -> None:
    made, file = brought(ordered(first="addr", kind="Mandatory"))
    assert waits(file)["web"] == ("addr",)
    assert not [line for line in made.left_out if "constraint" in line]
    assert rendered_orders(file) == [("addr", "web", "Mandatory")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"kind": "Optional"}, "kind=Optional lets web start without addr"),
        ({"score": "0"}, "kind=Optional lets web start without addr"),
        ({"kind": "Serialize"}, "kind=Serialize keeps web and addr from starting"),
        ({"symmetrical": "false"}, "symmetrical=false lets addr stop before web"),
        ({"require-all": "false"}, "require-all=false lets web start when not all"),
        ({"first-action": "stop"}, "an order of another kind"),
    ],
)
def test_an_order_that_would_become_another_is_left_out_and_told(
    words: dict[str, str], said: str
) -> None:
    made, file = brought(ordered(first="addr", **words))
    assert waits(file)["web"] == ()
    assert [line for line in made.left_out if f"constraint o: {said}" in line]
    assert rendered_orders(file) == []


def test_an_optional_order_of_guests_becomes_a_delay_of_the_start() -> None:
    made, file = brought(ordered(first="db", kind="Optional"))
    assert waits(file)["web"] == ("db",)
    assert not [line for line in made.left_out if "constraint" in line]


def test_guests_that_may_not_start_at_one_time_are_told() -> None:
    made, file = brought(ordered(first="db", kind="Serialize"))
    assert waits(file)["web"] == ()
    assert [line for line in made.left_out if "kind=Serialize keeps web and db" in line]
