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
from hosts.operation import Resource
from hosts.pair import Pair, bring_up
from hosts.pool import Pool
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


@pytest.fixture(scope="session")
def pool(pair: Pair) -> Iterator[Pool]:
    """Guests that boot ahead on alpha."""
    ahead = Pool(pair.alpha, pair.beta)
    yield ahead
    ahead.drain()


@pytest.fixture
def made(pair: Pair) -> Iterator[list[Guest]]:
    """The guests of a test: gone from both hosts after it, with their records."""
    taken: list[Guest] = []
    yield taken
    for host in (pair.alpha, pair.beta):
        for guest in taken:
            guests.end(host, guest)
            host.path(f"/run/vmha/guests/{guest.name}.guest").unlink(missing_ok=True)


@pytest.fixture
def fresh(pool: Pool, made: list[Guest]) -> Callable[..., Guest]:
    """Make guests that are defined on both hosts and run nowhere."""

    def make(deaf: bool = False) -> Guest:
        made.append(pool.defined(deaf))
        return made[-1]

    return make


@pytest.fixture
def running(
    alpha: Host, agent: Path, pool: Pool, made: list[Guest]
) -> Callable[..., tuple[Resource, Guest]]:
    """Give booted guests on alpha, each in the hands of a resource."""

    def take(**parameters: str) -> tuple[Resource, Guest]:
        made.append(pool.running())
        resource = guests.resource(agent, made[-1], **parameters)
        assert resource.call(alpha, "start").code == 0
        return resource, made[-1]

    return take


@pytest.fixture
def writing(
    alpha: Host, agent: Path, pool: Pool, made: list[Guest]
) -> Callable[..., tuple[Resource, Guest]]:
    """Give a guest on alpha that writes to 16 MiB of its memory over and over."""

    def take(**parameters: str) -> tuple[Resource, Guest]:
        made.append(pool.defined(dirty_mib=16))
        resource = guests.resource(agent, made[-1], **parameters)
        assert resource.call(alpha, "start").code == 0
        guests.await_tick(alpha, made[-1])
        return resource, made[-1]

    return take
