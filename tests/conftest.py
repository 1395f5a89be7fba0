"""Options of all tiers: ``--long`` for the full counts, ``--seed`` to repeat a run."""

from __future__ import annotations

import random

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the full counts")
    parser.addoption("--seed", type=int, help="seed of everything random")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--seed") is None:
        config.option.seed = random.SystemRandom().randrange(1_000_000)


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed: {config.getoption('--seed')} (repeat with --seed)"


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Return the seed of this run."""
    number: int = request.config.getoption("--seed")
    return number


@pytest.fixture
def is_long(request: pytest.FixtureRequest) -> bool:
    """Tell whether the full counts are wanted."""
    wanted: bool = request.config.getoption("--long")
    return wanted
