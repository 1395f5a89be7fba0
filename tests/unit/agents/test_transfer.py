"""What virsh's options and our parameters make of a migration."""

from __future__ import annotations

import libvirt
import pytest
from unit.agents.world import Notebook, operation

from vmha.agents.hypervisor.migration import Transfer
from vmha.agents.vm import virsh_options
from vmha.agents.vm.transfer import Wishes


def wishes(**given: str) -> Wishes:
    return Wishes(operation("migrate_to", given))


def made(**given: str) -> Transfer:
    return wishes(**given).transfer()


def test_by_default_the_agent_drives_and_the_guest_may_be_slowed_down() -> None:
    transfer = made()
    wanted = libvirt.VIR_MIGRATE_LIVE | libvirt.VIR_MIGRATE_AUTO_CONVERGE
    assert transfer.libvirt_flags() == wanted
    assert transfer.libvirt_parameters() == {}


FLAGS = [
    ({"migration_mode": "p2p"}, libvirt.VIR_MIGRATE_PEER2PEER),
    (
        {"migration_mode": "tunnelled"},
        libvirt.VIR_MIGRATE_PEER2PEER | libvirt.VIR_MIGRATE_TUNNELLED,
    ),
    ({"migration_tls": "yes"}, libvirt.VIR_MIGRATE_TLS),
    ({"migration_postcopy": "yes"}, libvirt.VIR_MIGRATE_POSTCOPY),
    ({"migration_parallel": "4"}, libvirt.VIR_MIGRATE_PARALLEL),
    ({"migration_compression": "xbzrle"}, libvirt.VIR_MIGRATE_COMPRESSED),
    ({"migration_copy_storage": "all"}, libvirt.VIR_MIGRATE_NON_SHARED_DISK),
    ({"migration_copy_storage": "inc"}, libvirt.VIR_MIGRATE_NON_SHARED_INC),
]
WORDS = [
    ("--p2p", libvirt.VIR_MIGRATE_PEER2PEER),
    (
        "--p2p --tunnelled",
        libvirt.VIR_MIGRATE_PEER2PEER | libvirt.VIR_MIGRATE_TUNNELLED,
    ),
    ("--direct", 0),
    ("--live --verbose", 0),
    ("--persistent --undefinesource", 0),
    ("--tls", libvirt.VIR_MIGRATE_TLS),
    ("--unsafe", libvirt.VIR_MIGRATE_UNSAFE),
    ("--abort-on-error", libvirt.VIR_MIGRATE_ABORT_ON_ERROR),
    ("--compressed", libvirt.VIR_MIGRATE_COMPRESSED),
    ("--postcopy", libvirt.VIR_MIGRATE_POSTCOPY),
    ("--parallel", libvirt.VIR_MIGRATE_PARALLEL),
    ("--copy-storage-all", libvirt.VIR_MIGRATE_NON_SHARED_DISK),
    ("--copy-storage-inc", libvirt.VIR_MIGRATE_NON_SHARED_INC),
    ("--change-protection", libvirt.VIR_MIGRATE_CHANGE_PROTECTION),
]
USUAL = libvirt.VIR_MIGRATE_LIVE | libvirt.VIR_MIGRATE_AUTO_CONVERGE


@pytest.mark.parametrize(("given", "flag"), FLAGS)
def test_a_parameter_becomes_libvirts_flag(given: dict[str, str], flag: int) -> None:
    assert made(**given).libvirt_flags() == USUAL | flag


@pytest.mark.parametrize(("text", "flag"), WORDS)
def test_a_word_of_virsh_becomes_libvirts_flag(text: str, flag: int) -> None:
    assert made(migrate_options=text).libvirt_flags() == USUAL | flag


def test_auto_converge_can_be_taken_away() -> None:
    flags = made(migration_auto_converge="no").libvirt_flags()
    assert flags == libvirt.VIR_MIGRATE_LIVE
    text = "--auto-converge"
    flags = made(migration_auto_converge="no", migrate_options=text).libvirt_flags()
    assert flags == libvirt.VIR_MIGRATE_LIVE, "the parameter wins over the word"


def test_numbers_and_texts_become_libvirts_parameters() -> None:
    text = "--bandwidth=7 --comp-methods xbzrle,mt --comp-mt-threads 2 "
    text += "--graphicsuri=spice://h:1"
    assert made(migrate_options=text).libvirt_parameters() == {
        libvirt.VIR_MIGRATE_PARAM_BANDWIDTH: 7,
        libvirt.VIR_MIGRATE_PARAM_COMPRESSION: ["xbzrle", "mt"],
        libvirt.VIR_MIGRATE_PARAM_COMPRESSION_MT_THREADS: 2,
        libvirt.VIR_MIGRATE_PARAM_GRAPHICS_URI: "spice://h:1",
    }
    text = "--parallel --parallel-connections 3"
    assert made(migrate_options=text).libvirt_parameters() == {
        libvirt.VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS: 3,
    }


TUNNEL = {"migration_mode": "tunnelled"}
PARALLEL = {"migration_parallel": "2"}
MT = {"migration_compression": "mt"}
CONFLICTS = [
    (TUNNEL, PARALLEL, "parallel"),
    (TUNNEL, {"migrate_options": "--parallel"}, "parallel"),
    (TUNNEL, {"migration_postcopy": "yes"}, "post-copy"),
    (TUNNEL, {"migrate_options": "--timeout-postcopy"}, "post-copy"),
    (TUNNEL, {"migrateport": "49999"}, "path of its own"),
    (TUNNEL, {"migrate_options": "--migrateuri=tcp://%n"}, "path of its own"),
    (PARALLEL, MT, "mt"),
    (PARALLEL, {"migrate_options": "--compressed --comp-methods mt"}, "mt"),
    ({}, {"migrate_options": "--comp-mt-threads 2"}, "--comp-mt-threads"),
    ({}, {"migrate_options": "--comp-xbzrle-cache 9"}, "--comp-xbzrle-cache"),
]


@pytest.mark.parametrize(("kept", "left_out", "word"), CONFLICTS)
def test_what_would_be_refused_beside_the_rest_is_left_out_and_said_once(
    kept: dict[str, str], left_out: dict[str, str], word: str
) -> None:
    said: list[str] = []
    asked = operation("migrate_to", {**kept, **left_out})
    asked.log = Notebook(said)
    wished = Wishes(asked)

    transfers = [wished.transfer(), wished.transfer()]

    for transfer in transfers:
        assert transfer.libvirt_flags() == made(**kept).libvirt_flags()
        assert transfer.libvirt_parameters() == made(**kept).libvirt_parameters()
    assert len(said) == 1
    assert word in said[0]
    assert not wished.postcopy


def test_a_parameter_wins_over_the_word() -> None:
    transfer = made(
        migrate_options="--bandwidth 7 --p2p --copy-storage-all --compressed",
        migration_speed="9",
        migration_mode="direct",
        migration_copy_storage="none",
        migration_compression="none",
    )
    assert transfer.bandwidth_mib_s == 9
    assert transfer.libvirt_flags() == USUAL


def test_the_migration_uri_is_cut_out() -> None:
    options = wishes(migrate_options="--p2p --migrateuri=tcp://%n-m --live").options
    assert options.text("migrateuri") == "tcp://%n-m"


def test_nonsense_costs_its_own_effect_and_not_the_migration() -> None:
    nonsense = {
        "migrate_options": "--p2p --nonsense word --bandwidth fast",
        "migration_speed": "fast",
        "migration_parallel": "-1",
        "migration_compression": "zip",
        "migration_copy_storage": "some",
        "migration_downtime": "long",
        "migration_auto_converge": "perhaps",
        "migration_mode": "sideways",
    }
    transfer = made(**nonsense)
    assert transfer.mode == "p2p"
    assert transfer.libvirt_parameters() == {}
    assert wishes(**nonsense).ladder().rungs == [600, 1200, 2000]


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("--nonsense", ["--nonsense"]),
        ("-p2p live", ["-p2p", "live"]),
        ("--bandwidth", ["--bandwidth"]),
        ("--bandwidth fast", ["--bandwidth fast"]),
        ("--bandwidth --live", ["--bandwidth"]),
        ("--comp-methods zip", ["--comp-methods zip"]),
        ("--dname other", ["--dname", "other"]),
        ("--p2p=yes", ["--p2p=yes"]),
        ("--suspend --offline --xml=/x", ["--suspend", "--offline", "--xml=/x"]),
        ("--live  --p2p --timeout 5 --timeout-suspend", []),
    ],
)
def test_what_is_not_taken_up_is_named(text: str, unknown: list[str]) -> None:
    assert virsh_options.parse(text).unknown == unknown


def test_what_has_no_effect_here_is_said_with_its_reason() -> None:
    left_out = virsh_options.parse("--live --persistent").left_out()
    assert len(left_out) == 1
    assert left_out[0].startswith("--persistent (")
