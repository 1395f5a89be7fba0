"""What all tiers share: ``--long`` and ``--seed``, and figures shown at the end.

A tier that runs in several workers (pytest-xdist) has one seed and one list of figures:
the workers are given the seed and hand back what they have measured.
"""

from __future__ import annotations

import random
from typing import Any, Protocol

import pytest

FIGURES = pytest.StashKey[list[str]]()
ALONE = "alone: run it when nothing else runs, since it measures or counts on time"
LONG = "long: it belongs to the full counts, and is left out without --long"


class Worker(Protocol):
    """What pytest-xdist tells of a worker that has ended."""

    config: pytest.Config
    workeroutput: dict[str, Any]


SUITES = ("bookworm", "trixie")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the full counts")
    parser.addoption(
        "--suite", choices=SUITES, default=SUITES[0], help="the lab's nodes' Debian"
    )
    parser.addoption("--seed", type=int, help="seed of everything random")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []
    config.addinivalue_line("markers", ALONE)
    config.addinivalue_line("markers", LONG)
    if config.getoption("--seed") is None:
        config.option.seed = random.SystemRandom().randrange(1_000_000)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave the full counts out where they are not wanted; they count as deselected."""
    if config.getoption("--long"):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker: hand the figures over."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["figures"] = session.config.stash[FIGURES]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Worker) -> None:
    """Take over what a worker has measured; one that died has none."""
    measured = getattr(node, "workeroutput", {}).get("figures", [])
    node.config.stash[FIGURES].extend(measured)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if config.stash[FIGURES]:
        terminalreporter.section("figures")
    for figure in config.stash[FIGURES]:
        terminalreporter.line(figure)


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed: {config.getoption('--seed')} (repeat with --seed)"


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Return the seed of this run."""
    number: int = request.config.getoption("--seed")
    return number


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> list[str]:
    """Return the list of what was measured; it is shown at the end of the run."""
    return request.config.stash[FIGURES]


@pytest.fixture
def is_long(request: pytest.FixtureRequest) -> bool:
    """Tell whether the full counts are wanted."""
    wanted: bool = request.config.getoption("--long")
    return wanted


@pytest.fixture(scope="session")
def suite(request: pytest.FixtureRequest) -> str:
    """Return the Debian that the nodes of a lab are to have."""
    name: str = request.config.getoption("--suite")
    return name
