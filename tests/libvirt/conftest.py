"""The two hosts of this tier, alpha and beta, and fresh guests on them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from contract import ocf_root
from hosts import guests
from hosts.host import Host
from hosts.pair import Pair, bring_up
from lab.guest import Guest


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Bring up the two hosts, once for all tests."""
    if os.geteuid() != 0:
        pytest.skip("needs root: namespaces and libvirtd")
    hosts = bring_up(tmp_path_factory.mktemp("hosts"))
    yield hosts
    hosts.end()


@pytest.fixture
def alpha(pair: Pair) -> Iterator[Host]:
    """The host that most tests use; its daemon runs."""
    pair.alpha.revive()
    yield pair.alpha
    pair.alpha.revive()


@pytest.fixture
def beta(pair: Pair) -> Iterator[Host]:
    """The migration target; its daemon runs."""
    pair.beta.revive()
    yield pair.beta
    pair.beta.revive()


@pytest.fixture(scope="session")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent of this checkout, in an OCF root of its own."""
    root = ocf_root.build(tmp_path_factory.mktemp("ocf"))
    return root / "resource.d/vmha/VirtualMachine"


@pytest.fixture
def fresh(pair: Pair, request: pytest.FixtureRequest) -> Iterator[Callable[..., Guest]]:
    """Make guests with names of their own; they are gone after the test."""
    made: list[Guest] = []

    def make(**features: object) -> Guest:
        pair.count += 1
        guest = guests.define(f"g{pair.count}", **features)  # type: ignore[arg-type]
        guests.put_config(pair.alpha, guest)
        guests.put_config(pair.beta, guest)
        made.append(guest)
        return guest

    yield make
    for host in (pair.alpha, pair.beta):
        for guest in made:
            guests.end(host, guest)
