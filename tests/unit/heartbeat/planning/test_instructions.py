"""What Pacemaker is told about guests."""

from __future__ import annotations

from vmha.heartbeat.planning import scores
from vmha.heartbeat.planning.instructions import (
    ColocationTerm,
    Instructions,
    LocationTerm,
    instructions,
)
from vmha.heartbeat.planning.model import (
    NONE,
    Avoid,
    Cluster,
    Guest,
    Node,
    Pin,
    Rule,
    Spread,
    Together,
)

NEVER = -scores.INFINITY


def told(*rules: Rule, **changes: Guest) -> Instructions:
    guests = {name: Guest(name, 1, 1024, runs_on="n1") for name in ("app", "db", "web")}
    guests.update(changes)
    nodes = tuple(Node(name, 8, 8192, name) for name in ("n1", "n2", "n3"))
    ordered = tuple(guests[name] for name in sorted(guests))
    return instructions(Cluster(nodes, ordered, rules))


def meta(found: Instructions, guest: str) -> dict[str, str]:
    [terms] = [terms for terms in found.guests if terms.name == guest]
    return dict(terms.meta)


def test_sizes_are_never_ignored() -> None:
    assert told().properties == {"placement-strategy": "utilization"}


def test_guests_come_before_all_other_resources_and_by_their_class() -> None:
    found = told(db=Guest("db", 1, 1024, 3))
    assert meta(found, "app") == {"priority": "10"}
    assert meta(found, "db") == {"priority": "13"}
    equal = instructions(
        Cluster((), (Guest("a", 1, 1, 1), Guest("b", 1, 1, 2)), preemption=NONE)
    )
    assert meta(equal, "a")["priority"] == meta(equal, "b")["priority"] == "10"


def test_priorities_below_zero_or_beyond_scores_keep_their_order() -> None:
    found = told(
        app=Guest("app", 1, 1024, -999_999),
        db=Guest("db", 1, 1024, 999_999),
        web=Guest("web", 1, 1024, ha=False),
    )
    given = [int(meta(found, name)["priority"]) for name in ("app", "db", "web")]
    assert 0 < given[0] < given[1] < given[2] < scores.INFINITY


def test_a_guest_with_ha_off_is_not_managed_and_counted_first() -> None:
    found = told(db=Guest("db", 1, 1024, ha=False))
    assert meta(found, "db")["is-managed"] == "false"
    assert int(meta(found, "db")["priority"]) > 100_000


def test_the_guest_that_is_placed_later_keeps_away_from_the_earlier() -> None:
    found = told(Spread(("app", "db")), db=Guest("db", 1, 1024, 3))
    assert found.colocations == (ColocationTerm("app", "db", NEVER),)
    by_name = told(Spread(("db", "app")))
    assert by_name.colocations == (ColocationTerm("db", "app", NEVER),)


def test_a_hard_pin_forbids_the_other_nodes_and_avoid_the_named() -> None:
    found = told(Pin(("app",), ("n1", "n3")), Avoid(("web",), ("n1",)))
    assert found.locations == (
        LocationTerm("app", "n2", NEVER),
        LocationTerm("web", "n1", NEVER),
    )


def test_no_score_of_a_guest_that_soft_rules_name_is_ever_negative() -> None:
    many = tuple(f"g{number}" for number in range(30))
    found = told(
        Spread(("web", *many), hard=False),
        Avoid(("web",), ("n1", "n2"), hard=False),
        **{name: Guest(name, 1, 1) for name in many},
    )
    lowest = min(one.score for one in found.locations if one.guest == "web")
    taken = sum(-one.score for one in found.colocations if "web" in one[:2])
    assert lowest - taken >= 0
    assert max(one.score for one in found.locations) < scores.STICKINESS


def test_the_leader_needs_what_all_need_that_must_be_with_it() -> None:
    found = told(
        Together(("web", "app", "db")),
        Avoid(("db",), ("n2",)),
        db=Guest("db", 2, 4096),
    )
    needs = {terms.name: (terms.cpu, terms.memory_mib) for terms in found.guests}
    assert needs == {"app": (0, 0), "db": (0, 0), "web": (4, 6144)}
    assert meta(found, "db")["vmha-size"] == "2,4096"
    assert {one.guest for one in found.locations} == {"app", "db", "web"}
    assert [(one.guest, one.with_guest) for one in found.colocations] == [
        ("app", "web"),
        ("db", "web"),
    ]


def test_rules_that_share_a_guest_bind_all_of_theirs_to_one_leader() -> None:
    found = told(Together(("app", "db")), Together(("db", "web")))
    assert [(one.guest, one.with_guest) for one in found.colocations] == [
        ("db", "app"),
        ("web", "app"),
    ]


def test_others_follow_a_guest_that_nothing_moves_with_their_own_size() -> None:
    found = told(Together(("web", "app")), web=Guest("web", 1, 1024, ha=False))
    needs = {terms.name: terms.memory_mib for terms in found.guests}
    assert needs == {"app": 1024, "db": 1024, "web": 1024}
    assert found.colocations == (ColocationTerm("app", "web", scores.INFINITY),)


def test_what_a_guest_likes_is_not_forbidden_to_those_it_keeps_away_from() -> None:
    plain = told(Spread(("app", "db")))
    assert "critical" not in meta(plain, "db")
    fond = told(Spread(("app", "db")), db=Guest("db", 1, 1024, prefer=("n2",)))
    assert meta(fond, "db")["critical"] == "false"


def test_of_a_soft_and_a_hard_rule_on_one_pair_the_hard_one_is_told() -> None:
    found = told(Spread(("app", "db"), hard=False), Spread(("app", "db")))
    assert [one.score for one in found.colocations] == [NEVER]


def test_scores_add_up_as_pacemaker_adds_them() -> None:
    always, never = scores.INFINITY, -scores.INFINITY
    assert scores.added(1, 2) == 3
    assert scores.added(always, -5) == always
    assert scores.added(always, never) == never
    assert scores.added(never, 5) == never
    assert scores.added(always - 1, 5) == always
    assert scores.read("-INFINITY") == never
    assert scores.read("17") == 17


def test_what_one_of_a_company_likes_never_leads_in_a_circle() -> None:
    """Nothing moves db; app and web follow it by themselves, and lie around old."""
    found = told(
        Together(("web", "db", "app")),
        Spread(("app", "old", "web"), hard=False),
        app=Guest("app", 1, 1024, 9, runs_on="n1"),
        db=Guest("db", 1, 1024, ha=False, runs_on="n1"),
        old=Guest("old", 1, 1024, 5, runs_on="n2"),
        web=Guest("web", 1, 1024, 1, runs_on="n1"),
    )
    pairs = {(one.guest, one.with_guest) for one in found.colocations}
    assert pairs == {("app", "web"), ("db", "web"), ("web", "old")}
