"""The definition that is written back: who may read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from unit.agents import world

from vmha.agents.hypervisor import definitions
from vmha.agents.hypervisor.domains import Sight
from vmha.agents.hypervisor.state import State
from vmha.agents.vm import configuration
from vmha.agents.vm.identity import Identity
from vmha.agents.vm.observation import Observation
from vmha.agents.vm.record import RecordStore
from vmha.agents.vm.states import Process

XML = "<domain type='kvm'><name>vm1</name><devices>{}</devices></domain>"
OPEN = "<graphics type='vnc' port='-1'/>"
SECRET = "<graphics type='vnc' port='-1' passwd='s3cret'/>"
COOKIE = (
    "<disk type='network'><source protocol='https' name='x'><cookies>"
    "<cookie name='t'>s3cret</cookie></cookies></source></disk>"
)


@pytest.mark.parametrize(
    ("device", "mode", "left"),
    [
        (SECRET, 0o644, 0o640),
        (SECRET, 0o666, 0o660),
        (SECRET, 0o640, 0o640),
        (COOKIE, 0o644, 0o640),
        (OPEN, 0o644, 0o644),
        ("<graphics type='vnc' passwd=''/>", 0o644, 0o644),
    ],
)
def test_a_password_is_not_written_where_everybody_can_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str, mode: int, left: int
) -> None:
    config, store = tmp_path / "vm1.xml", RecordStore(str(tmp_path / "records"))
    config.write_text(XML.format(""))
    config.chmod(mode)
    store.note_definition("vm1", XML.format(""))
    monkeypatch.setattr(definitions, "persistent_xml", lambda *_: XML.format(device))
    given = {"config": str(config), "save_config_on_stop": "yes"}
    operation = world.operation("stop", given)
    lines: list[str] = []
    operation.log = world.Notebook(lines)
    identity = Identity("vm1", "", "qemu", world.URI, str(config))
    sight = Sight(State.RUNNING, name="vm1", uuid=world.UUID)
    connection: Any = object()
    seen = Observation(identity, sight, Process.PRESENT, None, connection, "")

    configuration.save(operation, seen, store)

    assert config.read_text() == XML.format(device)
    assert config.stat().st_mode & 0o777 == left
    assert bool(lines) == (mode != left)
    assert "s3cret" not in "".join(lines)
