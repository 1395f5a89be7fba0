"""Arrows point downwards, and each outside library has one door."""

import sys

import pytest
from architecture.source import Module, production

# What a floor must not know of: only heartbeat sees the other two.
ABOVE = {
    "vmha.agents": ("vmha.fence", "vmha.heartbeat"),
    "vmha.fence": (
        "vmha.heartbeat",
        "vmha.agents.hypervisor",
        "vmha.agents.domainxml",
        "vmha.agents.vm",
        "vmha.agents.capacity",
        "vmha.agents.pacemaker",
    ),
}
DOORS = {
    "libvirt": ("agents/hypervisor/",),
    "pyghmi": ("fence/ipmi/wire.py",),
    "lxml": ("agents/domainxml/", "heartbeat/"),
}
TOO_SLOW_EVERYWHERE = ("importlib.metadata", "xml.sax.saxutils", "urllib", "asyncio")

MODULES = production()


def _names(modules: list[Module]) -> list[str]:
    return [module.path for module in modules]


@pytest.mark.parametrize("floor", ABOVE)
def test_no_floor_imports_what_stands_above_it(floor: str) -> None:
    below = [module for module in MODULES if f"{module.name}.".startswith(f"{floor}.")]
    assert below
    assert _names([m for m in below if m.imports_any(*ABOVE[floor])]) == []


@pytest.mark.parametrize("library", DOORS)
def test_each_outside_library_is_imported_in_one_place(library: str) -> None:
    outside = [m for m in MODULES if not m.path.startswith(DOORS[library])]
    assert _names([m for m in outside if m.imports_any(library)]) == []


def test_the_protocol_needs_the_standard_library_and_itself_only() -> None:
    for module in MODULES:
        if module.path.startswith("agents/protocol/"):
            foreign = [
                name
                for name in module.imports()
                if name.split(".")[0] not in sys.stdlib_module_names
                and not f"{name}.".startswith("vmha.agents.protocol.")
            ]
            assert foreign == [], module.path


def test_agents_and_fence_load_nothing_that_costs_tens_of_milliseconds() -> None:
    quick = [m for m in MODULES if not m.path.startswith("heartbeat/")]
    assert _names([m for m in quick if m.imports_any(*TOO_SLOW_EVERYWHERE)]) == []
