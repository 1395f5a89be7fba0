"""What all tiers share: ``--long`` and ``--seed``, and figures shown at the end."""

from __future__ import annotations

import random

import pytest

FIGURES = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the full counts")
    parser.addoption("--seed", type=int, help="seed of everything random")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []
    if config.getoption("--seed") is None:
        config.option.seed = random.SystemRandom().randrange(1_000_000)


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
