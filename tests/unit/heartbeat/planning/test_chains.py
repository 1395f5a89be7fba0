"""Colocations are counted as Pacemaker follows them, and not followed without end."""

from __future__ import annotations

import random
import string
import time
from itertools import combinations

import pytest

from vmha.heartbeat.planning import chains
from vmha.heartbeat.planning.failures import plan
from vmha.heartbeat.planning.model import Cluster, Guest, Node, Spread


def all_apart(names: str) -> list[tuple[str, str]]:
    return [(other, primary) for primary, other in combinations(names, 2)]


def counted(pairs: list[tuple[str, str]], nodes: int = 8) -> chains.Chains:
    return chains.counted(pairs, nodes)


def test_each_guest_more_that_shuns_all_others_doubles_the_chains() -> None:
    assert counted(all_apart("ab")).of_one == 1
    assert counted(all_apart("abc")).of_one == 3
    assert counted(all_apart("abcdefghijk")).of_one == 1023
    assert counted(all_apart("abcdefghijklmn")).of_one == 8191


def test_two_colocations_between_the_same_are_two_ways() -> None:
    assert counted([("a", "b"), ("a", "b")]).of_all == 2
    assert counted(all_apart("abcdef") * 2).of_one == 3**5 - 1


def test_nothing_is_no_chain() -> None:
    assert counted([]) == chains.Chains("", 0, 0, 8)


def test_many_that_follow_one_are_few_chains() -> None:
    found = counted([(f"g{n}", "leader") for n in range(900)])
    assert (found.guest, found.of_one) == ("leader", 900)
    assert not found.are_many


def test_chains_count_from_whichever_end_they_are_more() -> None:
    layers = [("a", "b1"), ("a", "b2"), ("b1", "c"), ("b2", "c"), ("c", "d")]
    assert counted(layers).of_one == counted(layers[::-1]).of_one == 6
    turned = [(other, one) for one, other in layers]
    assert counted(turned).of_one == 6


def test_a_circle_is_gone_round_once() -> None:
    assert counted([("a", "b"), ("b", "c"), ("c", "a")]).of_one == 2


@pytest.mark.parametrize("prefer", [(), ("n1",)])
@pytest.mark.parametrize("hard", [False, True])
def test_a_hundred_guests_all_apart_are_counted_and_planned_in_seconds(
    prefer: tuple[str, ...], *, hard: bool
) -> None:
    """Who prefers a node has no say in where others are, and is gone through."""
    began_s = time.process_time()
    names = [f"g{n:03}" for n in range(100)]
    pairs = [(other, primary) for primary, other in combinations(names, 2)]
    assert counted(pairs).are_too_many
    guests = tuple(
        Guest(name, 1, 1, runs_on=f"n{n % 8}", prefer=prefer)
        for n, name in enumerate(names)
    )
    nodes = tuple(Node(f"n{n}", 100, 100, f"n{n}") for n in range(8))
    made = plan(Cluster(nodes, guests, (Spread(tuple(names), hard=hard),)))
    assert len(made.failures) == 8
    assert time.process_time() - began_s < 20


def test_small_sets_are_never_too_many_however_many_they_are() -> None:
    pairs = [
        (f"s{n}-{other}", f"s{n}-{primary}")
        for n in range(2500)
        for primary, other in combinations("abcd", 2)
    ]
    assert not counted(pairs).are_many


def test_the_largest_set_is_not_too_many_and_one_guest_more_is() -> None:
    for nodes in (1, 3, 4, 16, 32, 64):
        size = chains.largest_set(nodes)
        assert not counted(all_apart(string.ascii_letters[:size]), nodes).are_too_many
        assert counted(all_apart(string.ascii_letters[: size + 1]), nodes).are_too_many


def test_many_circles_are_too_many_and_soon_counted() -> None:
    names = [f"g{n}" for n in range(60)]
    pairs = [(one, other) for one in names for other in names if one != other]
    began_s = time.process_time()
    assert counted(pairs).are_too_many
    assert time.process_time() - began_s < 5


def test_walking_and_counting_from_the_ends_agree(seed: int) -> None:
    order = random.Random(seed)
    for _ in range(300):
        names = order.sample(string.ascii_lowercase, order.randint(2, 9))
        pairs = [pair for pair in all_apart("".join(names)) if order.random() < 0.6]
        follows: dict[str, list[str]] = {}
        for one, primary in sorted(pairs):
            follows.setdefault(primary, []).append(one)
        expected = chains._by_walking(follows, 10_000)
        found = chains._by_order(follows)
        assert found is not None
        assert {name: found[name] for name in expected} == expected
