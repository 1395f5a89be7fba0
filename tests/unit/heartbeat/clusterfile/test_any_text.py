"""Whatever stands in a file is content, or a list of errors with places; no crash."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from unit.heartbeat.clusterfile.test_reading import WHOLE

from vmha.heartbeat.clusterfile import planned, reading, schema, writing
from vmha.heartbeat.clusterfile.errors import BadClusterFile

# To explain a failure takes longer than a test may.
PHASES = [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink]
KEYS = sorted(
    {
        *("cluster", "name", "nodes", "guests", "rules", "policy", "quorum", "classes"),
        *("spread", "together", "pin", "avoid", "to", "hard", "across", "n1", "web1"),
        *("cpu", "memory_mib", "config", "prefer", "runs_on", "after", "options", "on"),
        *("fencing", "agent", "password", "qdevice", "host", "two_node", "reserve"),
    }
)
TEXTS = ["", "n1", "web1", "db1", "rack:r1", "on", "x y", "\n", "\x00", "é", "/a", "~"]
NUMBERS = [0, 1, -1, 2**40, 0.5, float("inf"), float("nan")]
SCALARS = st.sampled_from(TEXTS) | st.sampled_from(NUMBERS) | st.booleans() | st.none()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=6,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    steps = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in steps:
        found += _places(item, (*path, key))
    return found


def _plain() -> Any:
    import yaml

    return yaml.safe_load(WHOLE)


@st.composite
def changed(draw: st.DrawFn) -> str:
    """A sound file in which a few values are replaced by anything."""
    whole = copy.deepcopy(_plain())
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(_places(whole)))
        if not path:
            continue
        parent = whole
        for part in path[:-1]:
            parent = parent[part]
        parent[path[-1]] = draw(VALUES)
    return json.dumps(whole)


def _is_told_well(text: str) -> None:
    try:
        file = reading.parse(text, "vmha.yaml")
    except BadClusterFile as error:
        found = error.problems
    else:
        planned.cluster_of(file)
        assert reading.parse(writing.text_of(file), "vmha.yaml") == file
        return
    last = max(1, len(text.splitlines()))
    assert found
    assert [one for one in found if not (1 <= one.line <= last and one.message)] == []


@given(changed())
@settings(max_examples=100, deadline=None, phases=PHASES)
def test_a_file_with_anything_anywhere_is_content_or_errors(text: str) -> None:
    _is_told_well(text)


@given(st.text(st.sampled_from("abn1:-[]{}&*!|>'\"%@#,?\n \t0.~<")))
@settings(max_examples=200, deadline=None, phases=PHASES)
def test_any_text_at_all_is_content_or_errors(text: str) -> None:
    _is_told_well(text)


@given(st.integers(0, len(WHOLE)))
@settings(max_examples=60, deadline=None, phases=PHASES)
def test_a_file_that_is_cut_off_anywhere_is_content_or_errors(length: int) -> None:
    _is_told_well(WHOLE[:length])


def test_what_the_schema_refuses_is_never_content() -> None:
    """The shipped schema alone accepts every file that is read."""
    import jsonschema

    plain = _plain()
    plain["nodes"]["n1"]["fencing"][0][0]["options"]["lanplus"] = "on"
    assert list(jsonschema.Draft7Validator(schema.load()).iter_errors(plain)) == []
