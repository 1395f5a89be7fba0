"""What is taken of this machine, and said, where the CIB is a saved one."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import pytest
from clusters.examples import live as cib_of
from lxml import etree

from vmha.heartbeat.command import source
from vmha.heartbeat.command.source import Source
from vmha.heartbeat.command.streams import Streams
from vmha.heartbeat.corosync import reading
from vmha.heartbeat.pacemaker import live
from vmha.heartbeat.pacemaker.cluster import Cluster as Running
from vmha.heartbeat.pacemaker.live import Live

GUEST = '<primitive id="a" class="ocf" provider="heartbeat" type="VirtualDomain"/>'
NODE = "node {{\n name: {0}\n nodeid: {1}\n}}\n"


def conf(*nodes: str) -> str:
    """Return a corosync.conf of these nodes, with a qdevice and without two_node."""
    listed = "".join(NODE.format(name, at) for at, name in enumerate(nodes, 1))
    device = "device {\n model: net\n net {\n host: q\n algorithm: ffsplit\n }\n}\n"
    return f"nodelist {{\n{listed}}}\nquorum {{\n{device}}}\n"


def read(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    document: etree._Element,
    text: str,
    *,
    is_saved: bool = True,
) -> Source:
    """Return what ``--live`` reads of a CIB on a machine with this corosync.conf."""
    path = folder / "corosync.conf"
    path.write_text(text)

    def seen(cib: etree._Element, _: object, two_node: bool, qdevice: bool) -> Live:
        return live.of_document(cib, {"a": "n1"}, two_node, qdevice)

    monkeypatch.setattr(reading, "PATH", str(path))
    monkeypatch.setattr(Running, "read", lambda *_: document)
    monkeypatch.setattr(live, "read", seen)
    environ = {"CIB_file": "saved.xml"} if is_saved else {}
    streams = Streams(io.StringIO(), io.StringIO(), environ)
    arguments = argparse.Namespace(live=True, file=None, tolerate=None)
    return source.read(arguments, streams)


@pytest.mark.parametrize(
    ("nodes", "is_saved", "two_node", "qdevice"),
    [
        (("n1", "n2"), True, False, True),
        (("other1", "other2"), True, True, False),
        (("other1", "other2"), False, False, True),
    ],
)
def test_the_corosync_conf_of_another_cluster_says_nothing_of_a_saved_one(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    nodes: tuple[str, ...],
    *,
    is_saved: bool,
    two_node: bool,
    qdevice: bool,
) -> None:
    found = read(
        monkeypatch, tmp_path, cib_of(2, GUEST), conf(*nodes), is_saved=is_saved
    )
    assert (found.cluster.two_node, found.cluster.qdevice) == (two_node, qdevice)
    is_told = any("two_node is assumed" in told for told in found.warnings)
    assert is_told == two_node


def test_guests_that_are_all_to_be_stopped_are_told_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    document = cib_of(2, GUEST)
    text = conf("n1", "n2")
    told = read(monkeypatch, tmp_path, document, text).warnings
    assert not any("Every guest is meant to be stopped" in one for one in told)
    configuration = document.find("configuration")
    assert configuration is not None
    defaults = etree.SubElement(configuration, "rsc_defaults")
    meta = etree.SubElement(defaults, "meta_attributes", id="d")
    etree.SubElement(meta, "nvpair", id="t", name="target-role", value="Stopped")
    told = read(monkeypatch, tmp_path, document, text).warnings
    assert any("Every guest is meant to be stopped" in one for one in told)


@pytest.mark.parametrize(
    ("word", "is_doubt"), [("expected_votes: 9", True), ("auto_tie_breaker: 1", False)]
)
def test_votes_that_the_planner_does_not_reckon_with_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, word: str, *, is_doubt: bool
) -> None:
    text = conf("n1", "n2").replace("quorum {", f"quorum {{\n {word}")
    found = read(monkeypatch, tmp_path, cib_of(2, GUEST), text)
    name = word.partition(":")[0]
    assert any(name in told for told in found.warnings)
    assert any(name in told for told in found.votes) == is_doubt
    assert found.cluster.qdevice == is_doubt
