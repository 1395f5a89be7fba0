"""Requests for another controller, bridged by a real IPMI simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bmc.simulator import PASSWORD, Simulator

from vmha.agents.protocol.deadline import Deadline
from vmha.fence.ipmi.access import Access
from vmha.fence.ipmi.diagnoses import TargetSilent
from vmha.fence.ipmi.session import Session, open_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECOND = 0x30
DEVICE_REVISION = 0x07
EMULATED = f"""\
mc_add {SECOND:#x} 0 no-device-sdrs {DEVICE_REVISION:#x} 9 8 0x9f 0x1291 0xf02
mc_enable {SECOND:#x}
"""
APPLICATION, GET_DEVICE_ID = 0x06, 0x01


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """Return a session with a BMC that has a second controller on its bus."""
    bmc = Simulator(tmp_path / "bmc")
    with (bmc.folder / "bmc.emu").open("a") as emulator:
        emulator.write(EMULATED)
    with bmc:
        access = Access("127.0.0.1", bmc.port, b"admin", PASSWORD.encode())
        opened = open_session(access, Deadline(5))
        yield opened
        assert opened.close(Deadline(1))


def test_another_controller_answers_for_itself(session: Session) -> None:
    for _ in range(20):  # a late answer of one must not be taken for the other's
        own = session.command(APPLICATION, GET_DEVICE_ID, (), Deadline(2))
        other = session.command(
            APPLICATION, GET_DEVICE_ID, (), Deadline(2), target=SECOND
        )
        assert (own[0], other[0]) == (0, 0)
        assert own[1][1] != other[1][1], "the revisions differ"
        assert other[1][1] & 0x0F == DEVICE_REVISION


def test_a_controller_that_is_not_there_is_named(session: Session) -> None:
    with pytest.raises(TargetSilent, match="0x83"):
        session.command(APPLICATION, GET_DEVICE_ID, (), Deadline(2), target=0x42)
