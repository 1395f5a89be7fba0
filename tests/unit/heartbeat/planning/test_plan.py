"""What a plan says: who is restarted where, who stays down and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vmha.heartbeat.planning.failures import plan
from vmha.heartbeat.planning.model import (
    NONE,
    RACK,
    Avoid,
    Cluster,
    Guest,
    Node,
    Pin,
    Spread,
    Together,
)
from vmha.heartbeat.planning.outcome import Free, Moved, Preempted

NODES = ("n1", "n2", "n3")


def nodes(cpu: int = 32, memory_mib: int = 65536) -> tuple[Node, ...]:
    return tuple(Node(name, cpu, memory_mib, name) for name in NODES)


def hosting(cpu: int, memory_mib: int) -> Cluster:
    """The worked example of a text on high availability: 25 guests on each of three."""
    guests = tuple(
        Guest(f"g{number:02}", 1, 1843, runs_on=NODES[number % 3])
        for number in range(75)
    )
    return Cluster(nodes(cpu, memory_mib), guests)


def test_no_more_nodes_are_lost_than_there_are() -> None:
    """However many are asked for, the plan comes to an end."""
    found = plan(hosting(32, 65536), 2**31 - 1, search=False)
    assert [len(one.lost) for one in found.failures] == [1, 1, 1, 2, 2, 2, 3]


@pytest.mark.parametrize(
    ("cpu", "memory_mib", "down"),
    [
        (32, 65536, 11),  # processors counted one to one
        (38, 65536, 5),  # over-committed: memory is the wall
        (64, 65536, 5),
        (64, 69468, 1),  # the sums fit now, but 25 guests do not halve
        (64, 70100, 0),
    ],
)
def test_the_worked_example_is_not_safe_against_one_failure(
    cpu: int, memory_mib: int, down: int
) -> None:
    found = plan(hosting(cpu, memory_mib))
    assert found.tolerates == (down == 0)
    for outcome in found.failures:
        assert len(outcome.unplaced) == down
        assert len(outcome.placed) == 25 - down
        assert {entry.reason for entry in outcome.unplaced} <= {"capacity"}
        assert (outcome.preempted, outcome.moved) == ((), ())
        assert outcome.could_place == ()
    assert found.exact


def test_a_reason_says_what_is_needed_and_what_is_there() -> None:
    small = (Node("n1", 8, 8192, "n1"), *nodes(8, 6000)[1:])
    cluster = Cluster(
        small,
        (
            Guest("large", 1, 4096, runs_on="n1"),
            Guest("one", 1, 3000, runs_on="n2"),
            Guest("other", 1, 2500, runs_on="n3"),
        ),
    )
    [entry] = plan(cluster).failures[0].unplaced
    assert (entry.guest, entry.reason) == ("large", "capacity")
    assert entry.text == (
        "It needs 4096 MiB; the most that is free on any allowed node is 3500 MiB (n3)."
    )


def test_a_lack_of_processors_is_told_as_one() -> None:
    cluster = Cluster(
        nodes(4),
        (
            Guest("large", 3, 1024, runs_on="n1"),
            Guest("one", 2, 1024, runs_on="n2"),
            Guest("other", 2, 1024, runs_on="n3"),
        ),
    )
    [entry] = plan(cluster).failures[0].unplaced
    assert entry.text.startswith("It needs 3 CPUs; the most that is free on any")


def test_a_guest_that_rules_leave_no_node_says_which_rules() -> None:
    cluster = Cluster(
        nodes(),
        (
            Guest("web1", 1, 1024, runs_on="n1"),
            Guest("web2", 1, 1024, 1, runs_on="n2"),
        ),
        (Spread(("web1", "web2")), Pin(("web1",), ("n1", "n2"))),
    )
    [entry] = plan(cluster).failures[0].unplaced
    assert (entry.guest, entry.reason) == ("web1", "rule")
    assert "n2: it must be apart from web2, which is here" in entry.text
    assert "n3: it is pinned to n1, n2" in entry.text


def test_a_higher_class_displaces_a_lower_one_and_the_plan_says_for_whom() -> None:
    cluster = Cluster(
        nodes(8, 4096),
        (
            Guest("gold", 1, 4096, 3, runs_on="n1"),
            Guest("bronze", 1, 4096, 1, runs_on="n2"),
            Guest("silver", 1, 4096, 2, runs_on="n3"),
        ),
    )
    found = plan(cluster)
    assert found.failures[0].placed == {"gold": "n2"}
    assert found.failures[0].preempted == (Preempted("bronze", "n2", None, "gold"),)
    assert found.tolerates == 0
    equal = plan(cluster._replace(preemption=NONE))
    assert equal.failures[0].preempted == ()
    assert [entry.guest for entry in equal.failures[0].unplaced] == ["gold"]


def test_a_survivor_that_must_make_room_is_shown_as_moved() -> None:
    cluster = Cluster(
        nodes(8, 6144),
        (
            Guest("gold", 1, 6144, 3, runs_on="n1"),
            Guest("small", 1, 1024, 1, runs_on="n2"),
            Guest("other", 1, 1024, 1, runs_on="n3"),
        ),
    )
    outcome = plan(cluster).failures[0]
    assert outcome.placed == {"gold": "n2"}
    assert outcome.moved == (Moved("small", "n2", "n3"),)


def test_guests_with_ha_off_stay_down_and_do_not_count() -> None:
    cluster = Cluster(
        nodes(8, 4096),
        (
            Guest("plain", 1, 1024, ha=False, runs_on="n1"),
            Guest("wanted", 1, 2048, runs_on="n2"),
        ),
    )
    found = plan(cluster)
    assert [(e.guest, e.reason) for e in found.failures[0].unplaced] == [
        ("plain", "not-ha")
    ]
    assert found.tolerates == 1


def test_the_memory_of_a_guest_with_ha_off_is_taken_where_it_runs() -> None:
    cluster = Cluster(
        nodes(8, 4096)[:2],
        (
            Guest("plain", 1, 3072, ha=False, runs_on="n2"),
            Guest("wanted", 1, 2048, 9, runs_on="n1"),
        ),
        two_node=True,
    )
    assert plan(cluster).failures[0].placed == {}


def test_guests_that_must_be_together_start_all_or_none() -> None:
    room = (
        Node("n1", 8, 8192, "n1"),
        Node("n2", 8, 3072, "n2"),
        Node("n3", 8, 3072, "n3"),
    )
    pair = (
        Guest("app", 1, 2048, runs_on="n1"),
        Guest("db", 1, 2048, runs_on="n1"),
    )
    rules = (Together(("db", "app")),)
    outcome = plan(Cluster(room, pair, rules)).failures[0]
    assert outcome.placed == {}
    reasons = {entry.guest: entry for entry in outcome.unplaced}
    assert reasons["db"].reason == "capacity"
    assert reasons["app"].reason == "rule"
    assert "it must be with db, which is down" in reasons["app"].text
    larger = Cluster((*room[:2], Node("n3", 8, 4096, "n3")), pair, rules)
    assert plan(larger).failures[0].placed == {"app": "n3", "db": "n3"}


def test_what_is_forbidden_to_one_is_forbidden_to_all_that_must_be_with_it() -> None:
    cluster = Cluster(
        nodes(),
        (
            Guest("app", 1, 1024, runs_on="n1"),
            Guest("db", 1, 1024, runs_on="n1"),
            Guest("spare", 1, 1024, 1, runs_on="n3"),
        ),
        (
            Together(("db", "app")),
            Avoid(("app",), ("n2",)),
            Spread(("app", "spare")),
        ),
    )
    outcome = plan(cluster).failures[0]
    assert outcome.placed == {}
    assert {entry.reason for entry in outcome.unplaced} == {"rule"}


@pytest.mark.parametrize("hard", [True, False])
def test_soft_rules_never_cost_a_start(hard: bool) -> None:
    cluster = Cluster(
        nodes()[:2],
        (
            Guest("web1", 1, 1024, runs_on="n1"),
            Guest("web2", 1, 1024, runs_on="n2"),
        ),
        (
            Spread(("web1", "web2"), hard=hard),
            Avoid(("web1",), ("n2",), hard=False),
            Pin(("web1",), ("n1",), hard=False),
        ),
        two_node=True,
    )
    assert plan(cluster).tolerates == (0 if hard else 1)


def test_a_soft_spread_is_kept_where_it_can_be() -> None:
    cluster = Cluster(
        nodes(),
        (
            Guest("web1", 1, 1024, runs_on="n1"),
            Guest("web2", 1, 1024, runs_on="n2"),
            Guest("x1", 1, 1024, runs_on="n3"),
            Guest("x2", 1, 1024, runs_on="n3"),
        ),
        (Spread(("web1", "web2"), hard=False),),
    )
    assert plan(cluster).failures[0].placed == {"web1": "n3"}


def test_a_rack_is_one_failure_and_its_guests_are_spread_over_racks() -> None:
    racked = tuple(
        Node(f"n{number}", 8, 8192, f"r{(number + 1) // 2}") for number in range(1, 7)
    )
    cluster = Cluster(
        racked,
        (
            Guest("a", 1, 1024, runs_on="n1"),
            Guest("b", 1, 1024, runs_on="n3"),
        ),
        (Spread(("a", "b"), across=RACK),),
    )
    found = plan(cluster, RACK)
    assert [outcome.lost for outcome in found.failures] == [
        ("n1", "n2"),
        ("n3", "n4"),
        ("n5", "n6"),
    ]
    assert found.failures[0].placed["a"] in ("n5", "n6")
    assert found.tolerates == 1


def test_singles_come_before_pairs_and_nodes_without_guests_too() -> None:
    cluster = Cluster(nodes(), (Guest("a", 1, 1024, runs_on="n2"),))
    found = plan(cluster, 2)
    assert [outcome.lost for outcome in found.failures] == [
        ("n1",),
        ("n2",),
        ("n3",),
        ("n1", "n2"),
        ("n1", "n3"),
        ("n2", "n3"),
    ]


def test_a_guest_that_runs_nowhere_is_placed_first() -> None:
    cluster = Cluster(nodes(), (Guest("new", 1, 1024, prefer=("n2",)),))
    found = plan(cluster)
    assert found.failures[0].placed == {}
    assert set(found.failures[1].placed) == {"new"}
    assert found.headroom["n2"] == Free(31, 64512)


def test_a_guest_that_cannot_be_started_today_is_down_in_every_failure() -> None:
    cluster = Cluster(nodes(), (Guest("new", 1, 70000),))
    found = plan(cluster)
    assert found.tolerates == 0
    assert all(o.unplaced[0].guest == "new" for o in found.failures)
    assert any("is larger than every node" in told for told in found.warnings)


def test_a_better_packing_is_shown_and_it_is_a_real_one() -> None:
    """Pacemaker puts the small guest on the larger gap, and the large one is down."""
    cluster = Cluster(
        (
            Node("n1", 9, 9000, "n1"),
            Node("n2", 9, 3000, "n2"),
            Node("n3", 9, 2000, "n3"),
        ),
        (
            Guest("a-small", 1, 2000, runs_on="n1"),
            Guest("b-large", 1, 3000, runs_on="n1"),
        ),
    )
    found = plan(cluster)
    assert found.failures[0].placed == {"a-small": "n2"}
    assert found.failures[0].could_place == ("b-large",)
    assert found.exact
    assert plan(cluster, search=False).failures[0].could_place == ()


def test_what_is_wrong_today_is_told_with_what_pacemaker_does_about_it() -> None:
    cluster = Cluster(
        nodes(8, 4096),
        (
            Guest("a", 1, 4096, runs_on="n1"),
            Guest("b", 1, 1024, runs_on="n1"),
            Guest("c", 1, 1024, runs_on="n2"),
            Guest("d", 1, 1024, ha=False, runs_on="n2"),
        ),
        (Spread(("c", "d")),),
    )
    told = "\n".join(plan(cluster).warnings)
    assert "Node n1 holds 1024 MiB more than it has today." in told
    assert "Without any failure, Pacemaker moves b from n1 to " in told
    assert "Rule broken today: c and d share n2." in told
    assert "Without any failure, Pacemaker moves c from n2 to n3." in told
    assert "but ha is off" in told


def test_the_json_of_a_plan_has_the_documented_shape() -> None:
    cluster = Cluster(
        nodes(8, 4096),
        (
            Guest("gold", 1, 4096, 3, runs_on="n1"),
            Guest("bronze", 1, 4096, 1, runs_on="n2"),
            Guest("silver", 1, 4096, 2, runs_on="n3"),
        ),
    )
    told = json.loads(json.dumps(plan(cluster).as_json()))
    assert sorted(told) == ["exact", "failures", "headroom", "tolerates", "warnings"]
    assert told["failures"][0] == {
        "lost": ["n1"],
        "placed": {"gold": "n2"},
        "unplaced": [],
        "preempted": [{"guest": "bronze", "from": "n2", "to": None, "for": "gold"}],
        "moved": [],
        "could_place": [],
    }
    assert told["headroom"]["n1"] == {"cpu": 7, "memory_mib": 0}


def test_the_planner_needs_nothing_but_the_standard_library() -> None:
    import ast

    from vmha.heartbeat.planning import failures

    found = set()
    for path in Path(failures.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                found.add(str(node.module).rpartition(".")[0] or str(node.module))
            elif isinstance(node, ast.Import):
                found.update(name.name for name in node.names)
    assert found <= {
        "__future__",
        "collections",
        "functools",
        "itertools",
        "struct",
        "typing",
        "vmha.heartbeat",
        "vmha.heartbeat.planning",
    }
