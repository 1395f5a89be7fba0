"""What is written of a guest's needs, and what is not, so that it stays placeable."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from unit.agents.world import operation

from vmha.agents.protocol.notes import Notes
from vmha.agents.vm.utilization import NAMES, Change, instance_of, plan, wishes

HERE = {"cpu": 4, "host_memory": 4096, "hv_memory": 4096}
LARGEST = {"cpu": 8, "host_memory": 4096, "hv_memory": 4096}


@pytest.mark.parametrize(
    ("wish", "current", "counts", "expected"),
    [
        ({"cpu": "2"}, {"cpu": "2"}, True, []),
        ({"cpu": "2"}, {}, True, [Change("cpu", "2")]),
        ({"cpu": "2"}, {"cpu": "1"}, True, [Change("cpu", "2")]),
        ({"cpu": "8"}, {}, True, [Change("cpu", "8")]),
        ({"cpu": None}, {}, True, []),
        ({"cpu": None}, {"cpu": "2"}, True, [Change("cpu", None)]),
        ({"cpu": "9"}, {}, False, [Change("cpu", "9")]),
        ({"guests": "1"}, {}, False, []),
        ({"guests": "1"}, {}, True, []),
        ({}, {"cpu": "2"}, True, []),
    ],
)
def test_only_what_differs_is_written(
    wish: dict[str, str | None],
    current: dict[str, str],
    counts: bool,
    expected: list[Change],
) -> None:
    assert plan(wish, current, HERE, LARGEST, counts) == expected


def test_what_this_node_does_not_advertise_is_withheld_while_it_counts() -> None:
    (change,) = plan({"hv_memory": "512"}, {}, {"cpu": 4}, LARGEST, True)
    assert "advertises no hv_memory" in change.withheld
    assert plan({"hv_memory": "512"}, {}, {"cpu": 4}, {}, False)[0].withheld == ""


def test_more_than_any_node_has_is_withheld_while_it_counts() -> None:
    (change,) = plan({"cpu": "9"}, {"cpu": "2"}, HERE, LARGEST, True)
    assert "the largest has 8" in change.withheld


def test_a_place_is_taken_where_places_are_counted() -> None:
    here = HERE | {"guests": 3}
    changes = plan({"guests": "1"}, {}, here, here, True)
    assert changes == [Change("guests", "1")]


CAPACITIES = some.dictionaries(some.sampled_from(NAMES), some.integers(0, 9))
WISHES = some.dictionaries(
    some.sampled_from(NAMES), some.one_of(some.none(), some.integers(0, 12).map(str))
)


@given(WISHES, CAPACITIES, CAPACITIES, CAPACITIES)
def test_a_guest_that_fits_somewhere_fits_somewhere_after_it(
    wish: dict[str, str | None],
    have: dict[str, int],
    here: dict[str, int],
    other: dict[str, int],
) -> None:
    largest = {n: max(here.get(n, 0), other.get(n, 0)) for n in {**here, **other}}
    current = {name: str(value) for name, value in have.items()}
    for change in plan(wish, current, here, largest, True):
        if change.value is not None and not change.withheld:
            assert change.name in here
            assert int(change.value) <= largest[change.name]


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (
            {},
            {"cpu": "2", "host_memory": "512", "hv_memory": "512", "guests": "1"},
        ),
        (
            {"autoset_utilization_cpu": "no", "autoset_utilization_guests": "0"},
            {"host_memory": "512", "hv_memory": "512"},
        ),
        (
            {"autoset_utilization_cpu": "no", "unset_utilization_cpu": "yes"},
            {"cpu": None, "host_memory": "512", "hv_memory": "512", "guests": "1"},
        ),
        (
            {"unset_utilization_hv_memory": "yes"},
            {"cpu": "2", "host_memory": "512", "hv_memory": "512", "guests": "1"},
        ),
        (
            {"autoset_utilization_host_memory": "perhaps"},
            {"cpu": "2", "hv_memory": "512", "guests": "1"},
        ),
    ],
)
def test_the_parameters_choose_what_is_kept(
    given_: dict[str, str], expected: dict[str, str | None]
) -> None:
    assert wishes(operation("start", given_), 2, 512) == expected


def test_an_instance_of_a_clone_is_accounted_for_as_its_primitive() -> None:
    one = operation("start", {})
    one.instance = "web:2"
    assert instance_of(one) == "web"


def test_notes_are_kept_per_instance_and_damage_is_no_error(tmp_path: Path) -> None:
    notes = Notes("kind", str(tmp_path))
    assert notes.read("a") is None
    notes.write("a", {"x": "1=2", "said": "two\nlines"})
    notes.write("b/c", {})
    assert notes.read("a") == {"x": "1=2", "said": "two lines"}
    assert notes.read("b/c") == {}
    (tmp_path / "kind/a").write_bytes(b"\xff\xfe")
    assert notes.read("a") is None
    notes.forget("a")
    notes.forget("a")
    assert not (tmp_path / "kind/a").exists()
