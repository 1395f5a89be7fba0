"""corosync.conf as written, as read, and the times that it means."""

from __future__ import annotations

import pytest
from clusters.examples import THREE, TWO

from vmha.heartbeat.clusterfile.reading import parse
from vmha.heartbeat.corosync import conf, reading, timing

# Nodes, token, and what was measured with kill -9 of one member, in milliseconds.
MEASURED = [
    (3, None, 7890),
    (8, None, 14420),
    (16, None, 25100),
    (8, 1000, 10260),
    (3, 1000, 3540),
]


def read(text: str) -> reading.Section:
    return reading.parse(conf.text(parse(text, "vmha.yaml")))


def test_every_link_of_every_node_is_written() -> None:
    seen = read(THREE)
    assert reading.addresses(seen) == {
        f"n{i}": (f"10.0.0.{i}", f"10.1.0.{i}") for i in (1, 2, 3)
    }
    assert reading.token_ms(seen) == 1000
    assert seen.first("totem").words["cluster_name"] == "demo"


def test_two_nodes_wait_for_each_other_unless_an_arbiter_decides() -> None:
    alone = read(TWO).first("quorum").words
    assert (alone["two_node"], alone["wait_for_all"]) == ("1", "1")
    decided = read("quorum: {qdevice: {host: 10.0.9.9}}\n" + TWO)
    assert not reading.has_two_node(decided)
    assert reading.qdevice_host(decided) == "10.0.9.9"


@pytest.mark.parametrize(
    ("algorithm", "votes"), [("ffsplit", {"votes": "1"}), ("lms", {})]
)
def test_an_arbiter_has_the_votes_of_its_algorithm(
    algorithm: str, votes: dict[str, str]
) -> None:
    """Anything but ffsplit has one vote less than there are nodes by itself."""
    arbiter = f"quorum: {{qdevice: {{host: q, algorithm: {algorithm}}}}}\n"
    device = read(arbiter + THREE).first("quorum").first("device").words
    assert device == {"model": "net", **votes}


def test_a_section_that_does_not_end_is_refused() -> None:
    with pytest.raises(reading.BadConf) as caught:
        reading.parse("totem {\n  version: 2\n")
    assert caught.value.line == 2
    with pytest.raises(reading.BadConf):
        reading.parse("totem\n")


@pytest.mark.parametrize(("nodes", "token_ms", "measured_ms"), MEASURED)
def test_the_loss_is_noticed_when_it_was_measured_to_be(
    nodes: int, token_ms: int | None, measured_ms: int
) -> None:
    told = timing.detection(nodes, token_ms)
    assert told.least_ms <= measured_ms <= told.most_ms
