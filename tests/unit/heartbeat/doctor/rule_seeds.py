"""The faults in rules about guests that the doctor has to find (see ``seeds``)."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from unit.heartbeat.doctor.patient import Patient


def four_apart_on_three(ill: Patient) -> None:
    for first, second in (("db1", "web1"), ("db1", "web2")):
        ill.constraint(
            "rsc_colocation",
            id=f"apart-{first}-{second}",
            rsc=first,
            with_rsc=second,
            score="-INFINITY",
        )
    for guest in ("db1", "web1", "web2"):
        ill.constraint(
            "rsc_location", id=f"not-{guest}", rsc=guest, node="n3", score="-INFINITY"
        )


def stale_rule(ill: Patient) -> None:
    location = ill.constraint("rsc_location", id="ssd", rsc="web1")
    rule = etree.SubElement(location, "rule", id="r", score="-INFINITY")
    words = {"id": "e", "attribute": "ssd", "operation": "eq", "value": "no"}
    etree.SubElement(rule, "expression", words)


def pattern_of_guests(ill: Patient) -> None:
    for node in ("n2", "n3"):
        words = {"id": f"p-{node}", "rsc_pattern": "^web[[:digit:]]", "node": node}
        ill.constraint("rsc_location", **words, score="-INFINITY")


def set_of_guests(ill: Patient) -> None:
    for node in ("n1", "n2"):
        words = {"id": f"s-{node}", "node": node, "score": "-INFINITY"}
        listed = etree.SubElement(
            ill.constraint("rsc_location", **words), "resource_set", id=f"s-{node}-0"
        )
        for guest in ("db1", "web1"):
            etree.SubElement(listed, "resource_ref", id=guest)


def all_apart(ill: Patient, size: int) -> None:
    names = [f"a{n:02}" for n in range(size)]
    for primary, other in combinations(names, 2):
        words = {"rsc": other, "with_rsc": primary, "score": "-100"}
        ill.constraint("rsc_colocation", id=f"{primary}-{other}", **words)


RULES: Mapping[str, list[tuple[Callable[[Patient], object], str]]] = {
    "rule-infeasible": [
        (four_apart_on_three, "3 guests may never share a place, and there are 2"),
        (lambda ill: ill.close("db1"), "away from every node"),
        (
            lambda ill: ill.constraint(
                "rsc_colocation",
                id="x",
                rsc="web2",
                with_rsc="web1",
                score="INFINITY",
            ),
            "must be with web2, and never",
        ),
    ],
    "rule-ineffective": [
        (
            lambda ill: ill.constraint(
                "rsc_location", id="x", rsc="web1", node="old", score="-INFINITY"
            ),
            "names node old",
        ),
        (stale_rule, "the attribute ssd, which no node has"),
    ],
    "guest-one-node": [
        (
            lambda ill: ill.close("db1", ("n2", "n3")),
            "rules leave it n1 only (not-n2, not-n3)",
        ),
        (pattern_of_guests, "guest web1: rules leave it n1 only (p-n2, p-n3)"),
        (set_of_guests, "guest db1: rules leave it n3 only (s-n1, s-n2)"),
    ],
    "rules-entangled": [
        (
            lambda ill: all_apart(ill, 18),
            "resource a00: its place follows from 131071 chains of colocations",
        ),
        (
            lambda ill: all_apart(ill, 20),
            "524287 chains of colocations, and nothing fails over while",
        ),
    ],
}
