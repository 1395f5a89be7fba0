"""The table of drivers, and what follows from it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from vmha.agents.domainxml import host
from vmha.agents.hypervisor import capabilities, uri
from vmha.agents.hypervisor.domains import SHUTDOWN_METHODS


def test_every_driver_that_a_uri_may_name_has_a_row() -> None:
    assert set(capabilities.DRIVERS) == set(uri.DRIVERS)


@pytest.mark.parametrize("name", capabilities.DRIVERS)
def test_a_row_speaks_of_known_things_and_names_its_source(name: str) -> None:
    row = capabilities.DRIVERS[name]
    assert set(row.can) <= set(capabilities.ABILITIES)
    assert set(row.shutdown) <= set(SHUTDOWN_METHODS)
    assert row.sources
    assert all(source.startswith("src/") for source in row.sources)


def test_an_unknown_driver_can_do_nothing_and_proves_nothing() -> None:
    assert not capabilities.able("marvel", "live migration")
    assert not capabilities.has_process("marvel")
    assert capabilities.shutdown_methods("marvel") == ()


def test_only_qemu_and_lxc_show_a_guest_in_the_process_table() -> None:
    seen = [name for name in capabilities.DRIVERS if capabilities.has_process(name)]
    assert seen == ["qemu", "lxc"]


def test_shutdown_methods_that_a_driver_has_not_are_set_aside() -> None:
    fitting = capabilities.fitting_methods
    assert fitting("qemu", ["agent", "acpi"]) == (["agent", "acpi"], [])
    assert fitting("lxc", ["agent", "signal"]) == (["signal"], ["agent"])
    instead = ["signal", "initctl"]
    assert fitting("lxc", ["agent", "acpi"]) == (instead, ["agent", "acpi"])
    assert fitting("lxc", [""]) == (instead, [])
    assert fitting("qemu", [""]) == ([""], [])
    assert fitting("test", [""]) == ([""], [])
    assert fitting("", ["agent"]) == (["agent"], [])


def test_a_driver_without_live_migration_says_what_to_do_instead() -> None:
    assert capabilities.why_not_live("qemu") == ""
    assert "lxc" in capabilities.why_not_live("lxc")
    assert "allow-migrate" in capabilities.why_not_live("lxc")


@pytest.mark.parametrize(
    ("inside", "live"),
    [
        ("<host><migration_features><live/></migration_features></host>", True),
        ("<host><migration_features/></host>", False),
        ("<guest><migration_features><live/></migration_features></guest>", False),
        ("<host>", False),
    ],
)
def test_live_migration_is_what_the_hosts_capabilities_announce(
    inside: str, live: bool
) -> None:
    text = f"<capabilities>{inside}</capabilities>"
    assert host.announces_live_migration(text) is live


DOCUMENT = Path(__file__).parents[3] / "docs/hypervisors.md"


def _rows(first_column: str) -> list[list[str]]:
    """Return the cells of the documented table whose header begins so."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(first_column))
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[start:])
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_documented_abilities_are_the_declared_ones() -> None:
    header, _, *rows = _rows("| Driver | live migration")
    assert header[1:] == list(capabilities.ABILITIES)
    documented = {
        name: tuple(a for a, cell in zip(header[1:], cells) if cell == "yes")
        for name, *cells in rows
    }
    assert documented == {n: d.can for n, d in capabilities.DRIVERS.items()}


def test_the_documented_sources_and_proofs_are_the_declared_ones() -> None:
    _, _, *rows = _rows("| Driver | Tested")
    assert [row[0] for row in rows] == list(capabilities.DRIVERS)
    for name, tested, shutdown, undefine, process, sources in rows:
        row = capabilities.DRIVERS[name]
        assert tested == ("yes" if row.tested else "not on a real host")
        assert shutdown.split(" (")[0] == (", ".join(row.shutdown) or "none")
        assert undefine == (", ".join(row.undefine) or "-")
        assert process == (row.process or "-")
        assert sources == ", ".join(f"`{source}`" for source in row.sources)


def test_the_document_holds_every_note_and_every_meaning() -> None:
    text = " ".join(DOCUMENT.read_text(encoding="utf-8").replace("`", "").split())
    for name, row in capabilities.DRIVERS.items():
        assert not row.note or f"- {name}: {row.note}" in text
    for ability, meaning in capabilities.ABILITIES.items():
        assert f"- {ability}: {meaning}" in text
