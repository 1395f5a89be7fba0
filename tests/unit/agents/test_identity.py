"""Who the guest is, case by case: parameters, record, both, neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmha.agents.protocol import exitcodes, parameters
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError
from vmha.agents.vm import identity
from vmha.agents.vm.identity import Identity, Known
from vmha.agents.vm.parameters import PARAMETERS
from vmha.agents.vm.record import Record, RecordStore

UUID = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"
URI = "qemu:///system"


def xml(name: str = "vm1", uuid: str = UUID, kind: str = "kvm") -> str:
    element = f"<uuid>{uuid}</uuid>" if uuid else ""
    inner = "<metadata><name>nested</name></metadata>"
    return f"<domain type='{kind}'>{inner}<name>{name}</name>{element}</domain>"


class Case:
    """A resource vm1 with a configuration file and a record store."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "vm1.xml"
        self.config.write_text(xml())
        self.store = RecordStore(str(folder / "records"))
        self.given = {"config": str(self.config)}

    def record(
        self, name: str = "vm1", uuid: str = UUID, uri: str = URI, of: str = "vm1"
    ) -> Record:
        record = Record(name, uuid, uri.partition(":")[0], uri, str(self.config))
        self.store.write(of, record)
        return record

    def resolve(self, **given: str) -> Known:
        values = parameters.read(PARAMETERS, {**self.given, **given})
        return identity.resolve(values, self.store, "vm1", Deadline(5))

    def recorded(self, **given: str) -> Identity | None:
        values = parameters.read(PARAMETERS, {**self.given, **given})
        return identity.recorded(values, self.store, "vm1")


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def who(known: Known) -> list[tuple[str, str]]:
    return [(guest.name, guest.uuid) for guest in known.identities]


def test_the_file_names_the_guest(case: Case) -> None:
    known = case.resolve()
    assert who(known) == [("vm1", UUID)]
    assert (known.identities[0].driver, known.identities[0].uri) == ("qemu", URI)
    assert known.problem is None


def test_without_a_uuid_in_the_file_the_guest_is_its_name(case: Case) -> None:
    """Created anew from the same file it has another UUID, and is still the guest."""
    case.config.write_text(xml(uuid=""))
    assert who(case.resolve()) == [("vm1", "")]
    case.record()
    assert who(case.resolve()) == [("vm1", "")]


def test_a_uuid_is_read_in_any_spelling(case: Case) -> None:
    case.config.write_text(xml(uuid=UUID.replace("-", "").upper()))
    assert who(case.resolve()) == [("vm1", UUID)]


@pytest.mark.parametrize(
    "spoiled", ["gone", "directory", "broken", "empty", "nameless"]
)
def test_with_an_unreadable_file_the_record_names_the_guest(
    case: Case, spoiled: str
) -> None:
    case.config.unlink()
    if spoiled == "directory":
        case.config.mkdir()
    elif spoiled != "gone":
        texts = {"broken": "<domain>", "empty": "", "nameless": "<domain/>"}
        case.config.write_text(texts[spoiled])

    without = case.resolve()
    assert without.identities == []
    assert isinstance(without.problem, AgentError)
    assert str(case.config) in str(without.problem)

    case.record()
    known = case.resolve()
    assert who(known) == [("vm1", UUID)]
    assert known.problem is not None


def test_an_edited_file_leaves_both_guests_ours_the_declared_first(case: Case) -> None:
    case.record("old", OTHER)
    assert who(case.resolve()) == [("vm1", UUID), ("old", OTHER)]


def test_the_same_name_with_another_uuid_is_another_guest(case: Case) -> None:
    case.record("vm1", OTHER)
    assert who(case.resolve()) == [("vm1", UUID), ("vm1", OTHER)]


def test_a_renamed_guest_with_the_same_uuid_is_the_same(case: Case) -> None:
    case.record("former-name", UUID)
    assert who(case.resolve()) == [("vm1", UUID)]


def test_two_starts_that_have_not_ended_do_not_take_each_others_guest_for_theirs(
    case: Case,
) -> None:
    """libvirt may have given neither guest a UUID yet: that makes them not the same."""
    for instance, name in (("vm1", "new"), ("vm2", "other")):
        record = Record(name, "", "qemu", URI, str(case.config), pending=True)
        case.store.write(instance, record)
    assert who(case.resolve()) == [("vm1", UUID), ("new", "")]


def test_a_guest_without_uuid_is_anothers_by_its_name_on_one_libvirt(
    case: Case,
) -> None:
    waiting = Record("new", "", "qemu", URI, str(case.config), pending=True)
    case.store.write("vm1", waiting)
    case.record("new", OTHER, "lxc:///", of="vm2")
    assert who(case.resolve()) == [("vm1", UUID), ("new", "")]
    case.record("new", OTHER, of="vm2")
    assert who(case.resolve()) == [("vm1", UUID)]


def test_a_record_that_another_resource_has_too_is_stale(case: Case) -> None:
    case.record("old", OTHER)
    case.record("old", OTHER, of="vm2")
    assert who(case.resolve()) == [("vm1", UUID)]


def test_with_an_unreadable_file_the_record_counts_whoever_else_claims_it(
    case: Case,
) -> None:
    """The other record may be left over from a resource that was renamed."""
    case.config.unlink()
    case.record("old", OTHER)
    case.record("old", OTHER, of="vm2")
    assert who(case.resolve()) == [("old", OTHER)]


def test_nonsense_in_hypervisor_leaves_the_recorded_connection(case: Case) -> None:
    unknown = case.resolve(hypervisor="nonsense").identities[0]
    assert (unknown.driver, unknown.uri) == ("qemu", "")
    case.record()
    known = case.resolve(hypervisor="nonsense")
    assert [(g.driver, g.uri) for g in known.identities] == [("qemu", URI)]


def test_another_hypervisor_leaves_the_guest_ours_on_both(case: Case) -> None:
    case.record()
    known = case.resolve(hypervisor="test:///default")
    assert [g.uri for g in known.identities] == ["test:///default", URI]
    assert who(known) == [("vm1", UUID), ("vm1", UUID)]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"config": "", "domain": ""}, exitcodes.CONFIGURED),
        ({"domain": "vm1"}, exitcodes.CONFIGURED),
        ({"config": "relative.xml"}, exitcodes.CONFIGURED),
        ({"config": "/nonexistent/vm.xml"}, exitcodes.INSTALLED),
    ],
    ids=["neither", "both", "relative", "missing"],
)
def test_what_the_parameters_do_not_tell_has_its_code(
    case: Case, given: dict[str, str], code: int
) -> None:
    known = case.resolve(**given)
    assert known.identities == []
    assert known.problem is not None
    assert known.problem.exit_code == code


def test_a_broken_file_is_2(case: Case) -> None:
    case.config.write_text("<domain><name>a</name>")
    problem = case.resolve().problem
    assert problem is not None
    assert problem.exit_code == exitcodes.ARGS


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("vm1", ("vm1", "")),
        (UUID, ("", UUID)),
        (UUID.upper(), ("", UUID)),
        (UUID.replace("-", ""), ("", UUID)),
        ("11111111", ("11111111", "")),
    ],
)
def test_a_domain_is_a_name_or_a_uuid(
    case: Case, domain: str, expected: tuple[str, str]
) -> None:
    assert who(case.resolve(config="", domain=domain)) == [expected]


def test_the_record_completes_a_domain(case: Case) -> None:
    case.record()
    assert who(case.resolve(config="", domain=UUID)) == [("vm1", UUID)]
    assert who(case.resolve(config="", domain="vm1")) == [("vm1", "")]


def test_the_short_way_needs_a_record_made_from_these_parameters(case: Case) -> None:
    assert case.recorded() is None
    case.record()
    found = case.recorded()
    assert found is not None
    assert (found.name, found.uuid) == ("vm1", UUID)
    assert case.recorded(hypervisor="qemu:///session") is None
    assert case.recorded(config="/srv/another.xml") is None
    assert case.recorded(hypervisor="nonsense") is None
    assert case.recorded(domain="both") is None


def test_the_short_way_reads_no_file(case: Case) -> None:
    case.record()
    case.config.unlink()
    assert case.recorded() is not None


def test_entities_are_not_expanded(case: Case, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("root-only")
    case.config.write_text(
        f'<!DOCTYPE d [<!ENTITY s SYSTEM "{tmp_path}/secret">]>'
        "<domain type='kvm'><name>a&s;b</name></domain>"
    )
    assert "root-only" not in str(who(case.resolve()))


def test_without_a_usable_hypervisor_the_definition_gives_the_driver(
    case: Case,
) -> None:
    case.config.write_text(xml(kind="lxc"))
    guest = case.resolve(hypervisor="nonsense").identities[0]
    assert guest.driver == "lxc"
