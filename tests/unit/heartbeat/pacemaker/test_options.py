"""Pacemaker's two spellings of its fencing options."""

from __future__ import annotations

import pytest
from clusters.examples import THREE, configuration

from vmha.heartbeat.clusterfile.reading import parse
from vmha.heartbeat.pacemaker import options


@pytest.mark.parametrize("name", ["stonith-enabled", "fencing-enabled"])
def test_both_spellings_are_one_option(name: str) -> None:
    assert options.spellings(name) == ("fencing-enabled", "stonith-enabled")


def test_other_options_have_one_name() -> None:
    assert options.spellings("stonith-sounding") == ("stonith-sounding",)
    assert options.spellings("no-quorum-policy") == ("no-quorum-policy",)
    assert options.spellings("priority-fencing-delay") == ("priority-fencing-delay",)


@pytest.mark.parametrize(
    ("described", "written"),
    [
        ({"stonith-enabled"}, "stonith-enabled"),
        ({"fencing-enabled", "stonith-enabled"}, "fencing-enabled"),
        ({"fencing-enabled"}, "fencing-enabled"),
        (set(), "stonith-enabled"),
    ],
)
def test_the_installed_pacemakers_name_is_written(
    described: set[str], written: str
) -> None:
    made = configuration(parse(THREE, "vmha.yaml"))
    spelt = options.spelt(made, frozenset(described))
    names = {n for n in spelt.properties if n.endswith("-enabled")}
    assert names == {written}
    assert len(spelt.properties) == len(made.properties)
