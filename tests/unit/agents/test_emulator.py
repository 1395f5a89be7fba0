"""The process table: who executes which guest, and when it cannot tell."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmha.agents.protocol.deadline import Deadline
from vmha.agents.vm.emulator import Emulator, ProcessTable

UUID = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"


def qemu(name: str = "vm1", uuid: str = UUID, program: str = "qemu-kvm") -> list[str]:
    start = [
        f"/usr/bin/{program}",
        "-name",
        f"guest={name.replace(',', ',,')},debug=on",
    ]
    return [*start, "-S", "-uuid", uuid, "-no-user-config", "-nodefaults"]


class FakeProc:
    """A /proc with only what the table reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "self").mkdir()
        (folder / "meminfo").write_text("")

    def add(
        self,
        pid: int,
        argv: Sequence[str],
        name: str = "qemu-kvm",
        threads: int = 3,
        state: str = "S (sleeping)",
        parent: int = 1,
        uid: int | None = None,
        born_s: float | None = None,
    ) -> None:
        place = self.folder / str(pid)
        place.mkdir()
        raw = b"".join(os.fsencode(part) + b"\0" for part in argv)
        (place / "cmdline").write_bytes(raw)
        status = f"Name:\t{name}\nState:\t{state}\nPPid:\t{parent}\n"
        status += f"Threads:\t{threads}\n"
        if uid is not None:
            status += f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n"
        (place / "status").write_text(status)
        if born_s is not None:
            ticks = int(born_s * os.sysconf("SC_CLK_TCK"))
            fields = f"{'0 ' * 18}{ticks} 0 0"
            (place / "stat").write_text(f"{pid} (a) b ({name}) S {fields}\n")

    def seen(self, of_anybody: bool = False) -> list[tuple[str, str]] | None:
        table = ProcessTable(str(self.folder), str(self.folder / "qemu.conf"))
        found = table.emulators(of_anybody)
        return None if found is None else sorted((e.name, e.uuid) for e in found)


@pytest.fixture
def proc(tmp_path: Path) -> FakeProc:
    return FakeProc(tmp_path)


def test_a_guest_is_found_by_name_and_uuid(proc: FakeProc) -> None:
    proc.add(10, qemu())
    proc.add(11, qemu("vm2", OTHER.upper()))
    proc.add(12, ["/bin/sh", "-c", f"grep {UUID}"])
    assert proc.seen() == [("vm1", UUID), ("vm2", OTHER)]


def test_an_empty_table_has_no_emulators(proc: FakeProc) -> None:
    assert proc.seen() == []


@pytest.mark.parametrize("name", ["a b", "a,b", "a,,b", "guest=x", "=", "ä", "-uuid"])
def test_odd_names_are_read_as_they_are(proc: FakeProc, name: str) -> None:
    proc.add(10, qemu(name))
    assert proc.seen() == [(name, UUID)]


@given(name=st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1))
def test_any_name_is_read_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    proc = FakeProc(tmp_path_factory.mktemp("proc"))
    proc.add(10, qemu(name))
    assert proc.seen() == [(name, UUID)]


def test_a_name_without_its_key_is_read_too(proc: FakeProc) -> None:
    proc.add(10, ["qemu-system-x86_64", "-name", "vm1", "-uuid", UUID])
    assert proc.seen() == [("vm1", UUID)]


def test_an_emulator_of_any_program_name_counts(proc: FakeProc) -> None:
    proc.add(10, qemu(program="my-wrapper"))
    assert proc.seen() == [("vm1", UUID)]


def test_a_qemu_without_uuid_is_nobodys(proc: FakeProc) -> None:
    proc.add(10, ["qemu-system-x86_64", "-name", "vm1", "-hda", "disk"])
    assert proc.seen() == []


def test_a_container_is_known_by_its_controller(proc: FakeProc) -> None:
    proc.add(10, ["/usr/lib/libvirt/libvirt_lxc", "--name", "box", "--console", "23"])
    assert proc.seen() == [("box", "")]


def test_a_zombie_runs_nothing(proc: FakeProc) -> None:
    proc.add(10, [], threads=1, state="Z (zombie)")
    assert proc.seen() == []


def test_an_emulator_that_waits_for_its_last_writes_is_not_gone(
    proc: FakeProc,
) -> None:
    """Its arguments are gone with its memory; one thread is left, in the kernel."""
    proc.add(10, [], threads=1, state="D (disk sleep)")
    assert proc.seen() is None


def test_what_a_definition_adds_to_the_command_line_hides_no_guest(
    proc: FakeProc,
) -> None:
    proc.add(10, [*qemu("vm1", UUID), "-append", "-uuid", "-name", "x"])
    assert proc.seen() == [("vm1", UUID)]


@pytest.mark.parametrize("name", ["kworker/0:1", "kvm-pit/4711", "kvm"])
def test_a_kernel_thread_is_no_emulator(proc: FakeProc, name: str) -> None:
    proc.add(10, [], name=name, threads=1, parent=2)
    assert proc.seen() == []


@pytest.mark.parametrize("name", ["qemu-system-x86", "qemu-kvm", "kvm"])
def test_a_half_dead_emulator_makes_the_table_untrustworthy(
    proc: FakeProc, name: str
) -> None:
    proc.add(9, qemu("vm2", OTHER))
    proc.add(10, [], name=name, threads=2)
    assert proc.seen() is None


def test_a_persons_half_dead_process_and_empty_claim_count_for_nothing(
    proc: FakeProc,
) -> None:
    proc.add(10, [], name="qemu-system-x86", threads=2, state="Z (zombie)")
    proc.add(11, ["x", "-name", "guest=vm1", "-uuid", UUID])
    assert proc.seen() is None
    for pid in ("10", "11"):
        with (proc.folder / pid / "status").open("a") as status:
            status.write("Uid:\t65534\t65534\t65534\t65534\n")
    assert proc.seen() == []


PERSON = 1000


@pytest.mark.parametrize(
    "line",
    [
        f'user = "{PERSON}"',
        f'user = "+{PERSON}"',
        f'  user="+{PERSON}"  # ours',
        f"user = '{PERSON}'",
        f"user = {PERSON}",
        f'user = "root"\nuser = "+{PERSON}"',
        'user = "nobody-knows-this-one"',
        'user = ""',
    ],
)
def test_a_half_dead_emulator_of_the_configured_user_is_no_persons(
    proc: FakeProc, line: str
) -> None:
    proc.add(10, [], state="D (disk sleep)", uid=PERSON)
    (proc.folder / "qemu.conf").write_text(f"# the user\n{line}\ngroup = 'x'\n")
    assert proc.seen() is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        f'#user = "{PERSON}"\n',
        'user = "root"\n',
        f'user = "{PERSON + 1}"\n',
        f'group = "{PERSON}"\nmy_user = "{PERSON}"\n',
    ],
)
def test_a_half_dead_emulator_of_another_person_counts_for_nothing(
    proc: FakeProc, text: str
) -> None:
    proc.add(10, [], state="D (disk sleep)", uid=PERSON)
    assert proc.seen() == []
    (proc.folder / "qemu.conf").write_text(text)
    assert proc.seen() == []


def test_a_configuration_that_cannot_be_read_makes_nobody_a_person(
    proc: FakeProc,
) -> None:
    proc.add(10, [], state="D (disk sleep)", uid=PERSON)
    (proc.folder / "qemu.conf").mkdir()
    assert proc.seen() is None


def test_a_sessions_half_dead_emulator_may_be_any_persons(proc: FakeProc) -> None:
    proc.add(10, [], state="D (disk sleep)", uid=PERSON)
    assert proc.seen(of_anybody=True) is None


def test_an_emulator_that_is_being_ended_is_not_gone_while_the_kernel_holds_it(
    proc: FakeProc,
) -> None:
    """Whoever it runs as: it was the guest's a moment ago."""
    own = os.getpid()  # a process that lives, for the pidfd
    proc.add(own, [], state="D (disk sleep)", uid=PERSON)
    table = ProcessTable(str(proc.folder), str(proc.folder / "qemu.conf"))
    assert not table.end(emulator(own), Deadline(1), signal.SIGTERM)


def test_an_emulator_that_became_a_zombie_while_it_is_ended_is_gone(
    proc: FakeProc,
) -> None:
    own = os.getpid()
    proc.add(own, [], state="Z (zombie)", threads=1)
    assert ProcessTable(str(proc.folder)).end(emulator(own), Deadline(1), 15)


def test_the_age_of_an_emulator_is_known_where_the_kernel_tells_it(
    proc: FakeProc,
) -> None:
    now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    proc.add(10, qemu(), born_s=now_s - 5)
    proc.add(11, qemu("vm2", OTHER))
    proc.add(12, qemu(), born_s=now_s + 60)
    table = ProcessTable(str(proc.folder))
    age_s = table.age_s(10)
    assert age_s is not None
    assert 4.9 <= age_s < 10
    assert [table.age_s(pid) for pid in (11, 12, 13)] == [None] * 3
    assert (ProcessTable().age_s(os.getpid()) or 1e9) < 3600


def test_an_unreadable_table_tells_nothing(tmp_path: Path) -> None:
    assert ProcessTable(str(tmp_path / "none")).emulators() is None


def test_a_process_that_ends_while_it_is_looked_at_is_gone(proc: FakeProc) -> None:
    (proc.folder / "77").mkdir()
    assert proc.seen() == []


def test_only_an_emulator_started_the_way_libvirt_does_is_libvirts(
    proc: FakeProc,
) -> None:
    proc.add(10, qemu())
    proc.add(11, ["qemu-system-x86_64", "-name", "vm2", "-uuid", OTHER])
    found = ProcessTable(str(proc.folder)).emulators() or []
    assert {e.name: e.is_libvirts for e in found} == {"vm1": True, "vm2": False}


class Pretender:
    """A real process whose command line is that of an emulator."""

    def __init__(self, argv: list[str], ignores_term: bool = False) -> None:
        code = "import signal,sys,time;"
        if ignores_term:
            code += "signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        code += "print('ready', flush=True);time.sleep(60)"
        self.child = subprocess.Popen(
            ["emulator", "-I", "-c", code, *argv[1:]],
            executable=sys.executable,
            stdout=subprocess.PIPE,
        )
        assert self.child.stdout is not None
        assert self.child.stdout.readline() == b"ready\n"

    def close(self) -> None:
        self.child.kill()
        self.child.wait()
        if self.child.stdout:
            self.child.stdout.close()


@pytest.fixture
def pretenders() -> Iterator[list[Pretender]]:
    made: list[Pretender] = []
    yield made
    for pretender in made:
        pretender.close()


def emulator(pid: int, uuid: str = UUID) -> Emulator:
    return Emulator(pid, "qemu", "vm1", uuid, True)


def test_an_emulator_is_ended_and_seen_gone(pretenders: list[Pretender]) -> None:
    pretenders.append(Pretender(qemu()))
    pid = pretenders[0].child.pid
    assert ProcessTable().end(emulator(pid), Deadline(10), signal.SIGTERM)
    assert pretenders[0].child.wait(5) == -signal.SIGTERM


def test_an_emulator_that_ignores_a_signal_is_reported_within_the_deadline(
    pretenders: list[Pretender],
) -> None:
    pretenders.append(Pretender(qemu(), ignores_term=True))
    pid = pretenders[0].child.pid
    assert not ProcessTable().end(emulator(pid), Deadline(0.2), signal.SIGTERM)
    assert ProcessTable().end(emulator(pid), Deadline(10), signal.SIGKILL)


def test_a_reused_process_id_is_never_signalled(pretenders: list[Pretender]) -> None:
    pretenders.append(Pretender(qemu("vm2", OTHER)))
    pid = pretenders[0].child.pid
    assert ProcessTable().end(emulator(pid), Deadline(1), signal.SIGKILL)
    assert pretenders[0].child.poll() is None


def test_an_emulator_that_is_not_libvirts_is_not_ended(
    pretenders: list[Pretender],
) -> None:
    argv = [part for part in qemu() if part != "-no-user-config"]
    pretenders.append(Pretender(argv))
    pid = pretenders[0].child.pid
    assert not ProcessTable().end(emulator(pid), Deadline(1), signal.SIGKILL)
    assert pretenders[0].child.poll() is None


def test_an_emulator_that_has_gone_before_counts_as_ended() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert ProcessTable().end(emulator(gone.pid), Deadline(1), signal.SIGKILL)
