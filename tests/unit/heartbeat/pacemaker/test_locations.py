"""Location constraints of others, spelt out as Pacemaker does it."""

from __future__ import annotations

import pytest
from clusters.examples import live
from lxml import etree

from vmha.heartbeat.pacemaker import locations
from vmha.heartbeat.pacemaker.inventory import Inventory
from vmha.heartbeat.pacemaker.locations import NotUnderstood, Score, expression

GUESTS = "".join(f'<primitive id="{name}"/>' for name in ("web1", "web2", "db1"))
BAN = '<rsc_location id="l" {} node="n2" score="-INFINITY"/>'
REFS = '<resource_ref id="web1"/><resource_ref id="web2"/>'
SET = (
    '<rsc_location id="l" node="n2" score="{}"><resource_set id="s"{}>'
    f"{REFS}</resource_set></rsc_location>"
)
RULE = (
    '<rsc_location id="l" rsc-pattern="^web"><rule id="r" score="-INFINITY"{}>{}'
    "</rule></rsc_location>"
)
IS = '<expression id="e" attribute="#uname" operation="{}" value="{}"/>'
BANNED = [("web1", "n2"), ("web2", "n2")]


def read(constraints: str, **options: str) -> locations.Locations:
    """Read constraints of a cluster of three nodes and three guests."""
    cib = live(3, GUESTS, constraints)
    tags = etree.SubElement(cib[0], "tags")
    tag = etree.SubElement(tags, "tag", id="both")
    for name in ("web1", "web2"):
        etree.SubElement(tag, "obj_ref", id=name)
    where = cib.find("configuration/crm_config/cluster_property_set")
    assert where is not None
    for name, value in options.items():
        spelt = name.replace("_", "-")
        etree.SubElement(where, "nvpair", id=name, name=spelt, value=value)
    return locations.read(cib, Inventory(cib))


def closed(found: locations.Locations) -> list[tuple[str, str]]:
    """Return who can never be where."""
    sure = [one for one in found.scores if one.score <= -1_000_000]
    return sorted((one.resource, one.node) for one in sure)


@pytest.mark.parametrize(
    "constraint",
    [
        BAN.format('rsc-pattern="^web"'),
        BAN.format('rsc-pattern="!^db"'),
        BAN.format('rsc-pattern="^(web1|web2)$"').replace("n2", "N2"),
        BAN.format('rsc="both"'),
        SET.format("-INFINITY", ""),
        SET.format("9", ' score="-INFINITY"'),
        RULE.format("", IS.format("eq", "N2")),
        RULE.format("", IS.format("ne", "n1") + IS.format("ne", "n3")),
        RULE.format("", f'<rule id="i" boolean-op="or">{IS.format("eq", "n2")}</rule>'),
    ],
)
def test_a_ban_is_seen_however_it_is_written(constraint: str) -> None:
    found = read(constraint)
    assert closed(found) == BANNED
    assert all(one.is_known for one in found.unread)


def test_an_opt_in_cluster_is_closed_where_nothing_opens_it() -> None:
    opened = '<rsc_location id="l" rsc="web1" node="n3" score="0"/>'
    found = closed(read(opened, symmetric_cluster="false"))
    assert len(found) == 8
    assert ("web1", "n3") not in found
    assert closed(read(opened)) == []


def test_exclusive_discovery_closes_the_other_nodes_to_one_resource() -> None:
    alone = '<rsc_location id="l" rsc="web1" node="n1" score="5" {}/>'
    found = read(alone.format('resource-discovery="exclusive"'))
    assert closed(found) == [("web1", "n2"), ("web1", "n3")]
    assert Score("web1", "n1", 5) in found.scores


def test_a_location_without_a_score_says_nothing() -> None:
    assert read('<rsc_location id="l" rsc="web1" node="n1"/>').scores == ()


@pytest.mark.parametrize(
    ("constraint", "fragment"),
    [
        (BAN.format('rsc-pattern="^web[[:digit:]]"'), "cannot read its pattern"),
        (BAN.format('rsc="web1" role="Promoted"'), "for a role"),
        (BAN.format('rsc="web1"').replace("n2", "ghost"), "no member"),
        (RULE.format(' boolean-op="or"', IS.format("eq", "n2")), "alternatives"),
        (RULE.format("", IS.format("lt", "n2")), "does not know"),
        (
            RULE.format(
                "", '<date_expression id="d" operation="gt" start="2026-1-1"/>'
            ),
            "does not know",
        ),
    ],
)
def test_what_is_not_understood_is_told_with_whom_it_names(
    constraint: str, fragment: str
) -> None:
    found = read(constraint)
    (one,) = found.unread
    assert fragment in one.sentence
    assert "web1" in one.resources
    assert found.scores == ()


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("^web[0-9]+$", "web12", True),
        ("^web[0-9]+$", "web", False),
        ("b1?2", "web2", True),
        ("(db|vm)-.", "a-vm-3", True),
        (r"a\.b", "axb", False),
        ("[^a-z]", "abc", False),
    ],
)
def test_patterns_mean_what_they_mean_to_posix(
    pattern: str, name: str, matches: bool
) -> None:
    assert bool(expression(pattern).search(name)) == matches


@pytest.mark.parametrize("pattern", [r"\d", "a{2}", "(?:a)", "a*?", "[[:alpha:]]", "*"])
def test_patterns_that_python_reads_otherwise_are_not_read(pattern: str) -> None:
    with pytest.raises(NotUnderstood):
        expression(pattern)
