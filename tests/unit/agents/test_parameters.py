"""Every declared parameter: what it accepts, what it refuses, and that it is listed.

A parameter that is added without a row here fails the last test.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.agents.declared import ROWS

from vmha.agents.protocol import parameters
from vmha.agents.protocol.errors import BadParameter, MissingParameter
from vmha.agents.protocol.parameters import INTEGER, SELECT, Parameter
from vmha.agents.vm.parameters import PARAMETERS

DECLARED = {parameter.name: parameter for parameter in PARAMETERS}
GOOD = [(name, value) for name, row in ROWS.items() for value in row[2]]
BAD = [(name, value) for name, row in ROWS.items() for value in row[3]]


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_a_good_value_is_accepted(name: str, value: str) -> None:
    assert parameters.read(PARAMETERS, {name: value}).text(name) == value


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_refused_when_it_is_used(name: str, value: str) -> None:
    values = parameters.read(PARAMETERS, {name: value})
    with pytest.raises(BadParameter) as caught:
        values.text(name)
    assert (caught.value.name, caught.value.value) == (name, value)
    assert caught.value.accepted
    assert name in str(caught.value)
    assert [problem.name for problem in values.problems()] == [name]


@pytest.mark.parametrize("name", ROWS)
def test_defaults_and_reloadability(name: str) -> None:
    default, reloadable, _, _ = ROWS[name]
    assert DECLARED[name].default == default
    assert DECLARED[name].reloadable is reloadable
    assert parameters.read(PARAMETERS, {}).text(name) == (default or "")


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda p: str(p.name))
def test_the_texts_are_written(parameter: Parameter) -> None:
    assert parameter.shortdesc
    assert not parameter.shortdesc.endswith(".")
    assert parameter.longdesc.endswith(".")
    assert len(parameter.longdesc) > len(parameter.shortdesc)


def test_only_the_guests_identity_restarts_it() -> None:
    fixed = {p.name for p in PARAMETERS if not p.reloadable}
    assert fixed == {"config", "domain", "hypervisor"}


def test_config_and_domain_are_unique_in_the_cluster() -> None:
    unique = {p.name: p.unique_group for p in PARAMETERS if p.unique_group}
    assert unique == {"config": "config", "domain": "domain"}


def test_no_parameter_is_forgotten_here() -> None:
    assert list(DECLARED) == list(ROWS)
    free = {"domain", "snapshot", "backingfile", "copyindirs"}
    assert all(
        good and (bad or name in free) for name, (_, _, good, bad) in ROWS.items()
    )


COLOUR = Parameter("colour", SELECT, "c", choices=("red", "blue"), default="red")
COUNT = Parameter("count", INTEGER, "n", minimum=1, maximum=5, aliases=("number",))
NEEDED = Parameter("needed", "string", "needed", required=True)


def test_an_empty_value_counts_as_none() -> None:
    values = parameters.read((COLOUR,), {"colour": ""})
    assert not values.given("colour")
    assert values.text("colour") == "red"


def test_a_choice_is_one_of_those_declared() -> None:
    with pytest.raises(BadParameter, match="red, blue"):
        parameters.read((COLOUR,), {"colour": "green"}).text("colour")


def test_an_alias_is_read_and_the_main_name_wins() -> None:
    assert parameters.read((COUNT,), {"number": "3"}).number("count") == 3
    both = {"number": "3", "count": "4"}
    assert parameters.read((COUNT,), both).number("count") == 4


def test_a_missing_required_parameter_is_told() -> None:
    values = parameters.read((NEEDED,), {})
    with pytest.raises(MissingParameter, match="needed"):
        values.require_good()


def test_the_prefix_of_the_environment_is_taken_off() -> None:
    values = parameters.read((COUNT,), {"OCF_RESKEY_count": "2"}, "OCF_RESKEY_")
    assert values.number("count") == 2


@given(text=st.text(min_size=1))
def test_a_number_is_a_number_within_its_limits_or_refused(text: str) -> None:
    values = parameters.read((COUNT,), {"count": text})
    if values.problems():
        assert "1 to 5" in values.problems()[0].accepted
    else:
        assert 1 <= values.number("count") <= 5
