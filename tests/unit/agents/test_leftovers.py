"""Which leftover definition stands in a start's way, and what is never undefined."""

from __future__ import annotations

from typing import Any

import pytest
from unit.agents.world import URI, UUID, Notebook, operation

from vmha.agents.domainxml import comparison
from vmha.agents.hypervisor.definitions import Definition
from vmha.agents.protocol import process
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Refused, Unreachable
from vmha.agents.vm import configuration, deprecated, leftovers
from vmha.agents.vm.identity import Identity

OTHER = "99999999-2222-3333-4444-555555555555"
CONFIG = {"config": "/srv/vm1.xml"}


def definition(
    name: str = "vm1", uuid: str = UUID, active: bool = False, autostart: bool = False
) -> Definition:
    return Definition(None, name, uuid, active, autostart, False)


def guest(uuid: str = UUID) -> Identity:
    return Identity("vm1", uuid, "qemu", URI, "/srv/vm1.xml")


@pytest.mark.parametrize(
    ("meant", "found", "clashes"),
    [
        (guest(), [], False),
        (guest(), [definition()], False),
        (guest(), [definition(uuid=OTHER)], True),
        (guest(), [definition(name="vm2")], True),
        (guest(), [definition(), definition(uuid=OTHER)], True),
        (guest(""), [definition()], True),
        (guest(""), [definition(active=True)], False),
    ],
)
def test_libvirt_has_one_guest_per_name_and_uuid(
    meant: Identity, found: list[Definition], clashes: bool
) -> None:
    given = operation("start", CONFIG)
    assert bool(leftovers.clash(given, found, meant)) is clashes
    assert leftovers.clash(operation("start", {"domain": "vm1"}), found, meant) == ""


@pytest.mark.parametrize("choice", ["clear", "refuse", "sometimes"])
def test_a_mark_is_cleared_refused_or_with_nonsense_left(
    monkeypatch: pytest.MonkeyPatch, choice: str
) -> None:
    cleared: list[Any] = []
    monkeypatch.setattr(
        leftovers.definitions,  # type: ignore[attr-defined]
        "clear_autostart",
        lambda *words: cleared.append(words),
    )
    given = operation("migrate_to", {**CONFIG, "autostart": choice})
    lines: list[str] = []
    given.log = Notebook(lines)
    connection: Any = None
    marked = definition(autostart=True)
    if choice == "refuse":
        with pytest.raises(Refused, match="virsh autostart --disable vm1"):
            leftovers.settle_autostart(given, connection, marked, "node2")
    else:
        leftovers.settle_autostart(given, connection, marked, "node2")
        assert any("node2" in line for line in lines)
    assert len(cleared) == (choice == "clear")


class _Libvirt:
    """A connection that has one definition, and is asked to undefine it."""

    def __init__(self, patch: pytest.MonkeyPatch, kept: Definition) -> None:
        self.undefined: list[tuple[bool, bool]] = []
        module = leftovers.definitions  # type: ignore[attr-defined]
        patch.setattr(module, "find", lambda *_: [kept])
        patch.setattr(module, "undefine", self._undefine)

    def _undefine(self, *words: Any) -> None:
        self.undefined.append((words[-2], words[-1]))

    def connect(self, _uri: str, _deadline: Deadline) -> None:
        return None


def _stopped(
    patch: pytest.MonkeyPatch,
    kept: Definition,
    resolved: str = "/srv/vm1.xml",
    **given: str,
) -> tuple[list[tuple[bool, bool]], list[str]]:
    libvirt: Any = _Libvirt(patch, kept)
    patch.setattr(process, "run", lambda *_: process.Result(0, resolved, ""))
    stopping = operation("stop", {**CONFIG, **given})
    lines: list[str] = []
    stopping.log = Notebook(lines)
    leftovers.after_stop(stopping, libvirt, guest())
    return libvirt.undefined, lines


GO = {"leftover_definition": "undefine"}


@pytest.mark.parametrize(
    ("given", "undefined"),
    [
        ({}, []),
        ({"leftover_definition": "sometimes"}, []),
        (GO, [(False, False)]),
        ({**GO, "nvram": "remove"}, [(True, False)]),
        ({**GO, "tpm_state": "remove"}, [(False, True)]),
        ({**GO, "nvram": "nonsense", "tpm_state": "nonsense"}, [(False, False)]),
    ],
)
def test_only_what_is_named_is_removed(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], undefined: list[Any]
) -> None:
    assert _stopped(monkeypatch, definition(), **given)[0] == undefined


def test_what_is_another_guests_or_libvirts_own_file_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for kept, path in (
        (definition(uuid=OTHER), "/srv/vm1.xml"),
        (definition(name="vm2"), "/srv/vm1.xml"),
        (definition(), "/etc/libvirt/qemu/vm1.xml"),
    ):
        undefined, lines = _stopped(monkeypatch, kept, path, **GO)
        assert undefined == []
        assert len(lines) == 1
        assert "left" in lines[0]


def test_definitions_are_the_same_whatever_their_spaces_and_order_of_attributes() -> (
    None
):
    one = "<domain type='qemu' id='1'>\n  <name>a</name>\n</domain>"
    assert comparison.same(
        one, '<domain id="1" type="qemu"><!-- x --><name>a</name></domain>'
    )
    assert not comparison.same(
        one, '<domain id="1" type="qemu"><name>b</name></domain>'
    )


def test_a_write_that_hangs_is_left_behind() -> None:
    deadline = Deadline(0.2)
    with pytest.raises(Unreachable):
        configuration.bounded(lambda: Deadline(3).sleep(3), deadline, "write it")
    assert deadline.elapsed_s() < 1

    def full() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        configuration.bounded(full, Deadline(1), "write it")


def test_every_deprecated_parameter_that_is_given_is_warned_about() -> None:
    given = operation("start", {**CONFIG, "snapshot": "/srv", "stateless": "no"})
    lines: list[str] = []
    given.log = Notebook(lines)
    deprecated.warn(given)
    deprecated.refuse(given.values)
    assert ["snapshot" in lines[0], "stateless" in lines[1]] == [True, True]
