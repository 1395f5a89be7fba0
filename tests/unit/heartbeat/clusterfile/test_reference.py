"""docs/cluster-file.md says what the schema says, and its examples are true."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from vmha.heartbeat.clusterfile import planned, reading, schema
from vmha.heartbeat.clusterfile.errors import BadClusterFile
from vmha.heartbeat.planning import failures

ROOT = Path(__file__).resolve().parents[4]
DOCUMENT = ROOT / "docs/cluster-file.md"
RULES = ("spread", "together", "pin", "avoid")


def rows() -> list[str]:
    """Return the rows of the table, one for each key of the schema."""
    whole = schema.load()
    found = list(_keys(schema.resolved(whole), ""))
    for rule in RULES:
        one = {"rule": {"$ref": f"#/definitions/{rule}Rule"}}
        entry = schema.resolved({"definitions": whole["definitions"], **one})["rule"]
        found += [row for row in _keys(entry, "rules[].") if row not in found]
    return found


def _keys(part: dict[str, Any], path: str) -> Iterator[str]:
    required = part.get("required", [])
    for key, value in part.get("properties", {}).items():
        here = f"{path}{key}"
        yield _row(here, value, key in required)
        yield from _below(value, here)


def _below(value: dict[str, Any], path: str) -> Iterator[str]:
    yield from _keys(value, f"{path}.")
    named = value.get("additionalProperties")
    if isinstance(named, dict) and named.get("properties"):
        yield from _keys(named, f"{path}.NAME.")
    items = value.get("items")
    if isinstance(items, dict) and items.get("type") in {"object", "array"}:
        yield from _below(items, f"{path}[]")


def _row(path: str, value: dict[str, Any], is_required: bool) -> str:
    default = json.dumps(value["default"]) if "default" in value else ""
    if is_required:
        default = "required"
    accepted = value.get("accepted") or " or ".join(
        one if isinstance(one, str) else json.dumps(one) for one in value["enum"]
    )
    cells = [f"`{path}`", value.get("description", ""), accepted, default.strip('"')]
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def test_the_reference_has_a_row_for_every_key_and_no_other() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    written = [line for line in text.splitlines() if line.startswith("| `")]
    assert written == rows(), "the rows should be:\n" + "\n".join(rows())


def test_every_key_has_a_description() -> None:
    assert [row for row in rows() if not row.split(" | ")[1].strip()] == []


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(schema.load())


def test_the_example_is_sound_and_tolerates_what_it_asks_for() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(cluster:.*?)```", text, re.DOTALL)
    file = reading.parse(example, "vmha.yaml")
    assert file.warnings == ()
    cluster = planned.cluster_of(file)
    assert failures.plan(cluster).tolerates == cluster.tolerate == 1


def test_the_errors_that_are_shown_are_those_of_the_text_shown() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    (bad,) = re.findall(r"```yaml\n# wrong\n(.*?)```", text, re.DOTALL)
    (shown,) = re.findall(r"```text\n(vmha.yaml:.*?)```", text, re.DOTALL)
    with pytest.raises(BadClusterFile) as caught:
        reading.parse(f"# wrong\n{bad}", "vmha.yaml")
    assert str(caught.value) == shown.rstrip("\n")


def test_the_file_in_the_readme_is_read_and_tolerates_what_it_asks_for() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```yaml\n(.*?)```", text, re.S)
    file = reading.parse(shown, "README.md")
    plan = failures.plan(planned.cluster_of(file))
    assert plan.tolerates == file.policy.tolerate == 1
