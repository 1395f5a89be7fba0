"""fence_vmha_ipmi as a process, without any BMC: metadata, validation, bad input."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from contract import ocf_root
from contract.fence_agent import (
    Agent,
    assert_follows_the_grammar,
    assert_has_all_of,
    golden_of,
    loaded_for_metadata,
)

if TYPE_CHECKING:
    from pathlib import Path

PEER = "/usr/sbin/fence_ipmilan"
GOLDEN = golden_of("fence_vmha_ipmi")


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Agent:
    """Return the agent of the checkout."""
    root = ocf_root.build(tmp_path_factory.mktemp("root"))
    return Agent(root / "sbin/fence_vmha_ipmi")


def test_metadata_is_as_recorded(agent: Agent) -> None:
    done = agent("action=metadata\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == GOLDEN.read_text(encoding="utf-8"), (
        "if the change is wanted: fence_vmha_ipmi -o metadata > tests/data/metadata/..."
    )
    assert agent("action=meta-data\n").stdout == done.stdout
    assert agent("", "-o", "metadata").stdout == done.stdout


def test_metadata_follows_the_grammar_of_fence_agents() -> None:
    assert_follows_the_grammar(GOLDEN)


def test_every_parameter_of_fence_ipmilan_is_there() -> None:
    assert_has_all_of(PEER, GOLDEN)


def test_metadata_needs_neither_pyghmi_nor_much_time(agent: Agent) -> None:
    loaded = loaded_for_metadata(agent)
    assert "vmha.fence.ipmi.main" in loaded
    heavy = {"pyghmi", "cryptography", "subprocess", "argparse", "logging", "typing"}
    heavy |= {"socket", "ctypes", "dataclasses", "enum", "re", "traceback", "getopt"}
    assert loaded & heavy == set()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "ip is missing"),
        ("action=off\n", "ip is missing"),
        ("action=dance\nip=a\n", "unrecognised action 'dance'"),
        ("action=off\nip=a\nipport=99999\n", "ipport='99999'"),
        ("action=off\nip=a\npower_timeout=-1\n", "power_timeout='-1'"),
        ("action=off\nip=a\ncipher=0\n", "cipher='0'"),
        ("action=off\nip=a\nmethod=soft\n", "method='soft'"),
        ("action=off\nip=a\ntarget=0x21\n", "even address"),
        ("action=off\nip=a\nhosts=b=c\n", "leave it out"),
        ("action=off\nhosts=b=c\n", "which of the hosts is meant: b"),
        ("action=off\nhosts=b=c\nplug=x\n", "hosts has b"),
        ("action=list\nip=a\n", "hosts is missing"),
        ("action=off\nip=a\npassword_file=x\n", "the whole path"),
        ("action=off\nip=a\npassword_file=/no-such\n", "create it on this node"),
        ("action=off\nip=a\nusername=abcdefghijklmnopq\n", "16 bytes"),
        ("action=off\nip=no-such-bmc.invalid\n", "no-such-bmc.invalid"),
        ("action=off\nip=" + "x" * 300 + "\n", "cannot be resolved"),
        ("action=off\nip=a\npassword_script=/bin/false\n", "exit code 1"),
        (
            "action=off\nip=a\npassword_script=/usr/no-such\n",
            "/usr/no-such cannot be run",
        ),
        ("action=off\nip=a\npassword_script=/bin/true\n", "printed nothing"),
        ("action=off\nip=a\npassword_script=cat x | head\n", "patterns into a script"),
        ("action=off\nip=a\npassword_script=echo 'x\n", "close its quotes"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_1(
    agent: Agent, text: str, words: str
) -> None:
    done = agent(text)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_password_program_that_hangs_is_ended(agent: Agent) -> None:
    begin = time.monotonic()
    done = agent("ip=a\naction=off\nlogin_timeout=1\npassword_script=sleep 30\n")
    assert time.monotonic() - begin < 10
    assert done.returncode == 1
    assert "did not end within 1.0 s" in done.stderr


def test_what_a_password_program_prints_is_not_shown(agent: Agent) -> None:
    done = agent("ip=a\naction=off\npassword_script=/bin/sh -c 'echo Qz7; exit 3'\n")
    assert done.returncode == 1
    assert "exit code 3" in done.stderr
    long = "Qz7" * 10
    refused = agent(f"ip=a\naction=off\npassword_script=echo {long}\n")
    assert refused.returncode == 1
    assert long not in refused.stderr


def test_validate_all_looks_at_parameters_only(agent: Agent) -> None:
    fine = agent("action=validate-all\nip=192.0.2.1\npassword=x\nfoo=bar\n")
    assert (fine.returncode, fine.stdout, fine.stderr) == (0, "", "")
    bad = agent("action=validate-all\nip=192.0.2.1\nretry_on=many\n")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert "retry_on='many'" in bad.stderr


def test_a_word_without_dash_does_not_power_off(agent: Agent) -> None:
    done = agent("", "status", "-a", "192.0.2.1")
    assert done.returncode == 1
    assert "'status' is no option" in done.stderr
    half = agent("", "-o", "off", "-a", "192.0.2.1", "-p", "my", "hunter2")
    assert half.returncode == 1
    assert "hunter2" not in half.stderr


def test_help_and_version(agent: Agent) -> None:
    shown = agent("", "--help")
    assert shown.returncode == 0
    for option in ("--ip=[ip]", "--power-timeout=[seconds]", "-P, --lanplus"):
        assert option in shown.stdout
    version = agent("", "-V")
    assert version.returncode == 0
    assert version.stdout.strip().count(".") == 2


def test_a_password_file_must_be_private(agent: Agent, tmp_path: Path) -> None:
    secret = tmp_path / "bmc"
    secret.write_text("Qz7\n")
    secret.chmod(0o640)
    text = f"action=off\nip=no-such-bmc.invalid\npassword_file={secret}\n"
    refused = agent(text)
    assert refused.returncode == 1
    assert "chmod 600" in refused.stderr
    assert "Qz7" not in refused.stderr
    secret.chmod(0o600)
    assert "cannot be resolved" in agent(text).stderr
    secret.write_text("\nQz7\n")
    assert "empty first line" in agent(text).stderr


def test_a_password_file_that_hangs_is_left_behind(
    agent: Agent, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    begin = time.monotonic()
    done = agent(f"ip=a\naction=off\nlogin_timeout=1\npassword_file={pipe}\n")
    assert done.returncode == 1
    assert "does not answer" in done.stderr
    assert time.monotonic() - begin < 10


def test_list_shows_the_hosts_of_the_device(agent: Agent) -> None:
    done = agent("action=list\nhosts=node1=10.0.0.1 node2=fd00::2\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "node1,10.0.0.1\nnode2,fd00::2\n"


def test_the_debug_file_gets_the_progress_and_only_root_may_read_it(
    agent: Agent, tmp_path: Path
) -> None:
    debug = tmp_path / "debug"
    text = "action=off\nip=no-such-bmc.invalid\npassword=Qz7\n"
    done = agent(text + f"debug_file={debug}\n")
    kept = debug.read_text()
    assert "looking for no-such-bmc.invalid" in kept
    assert "cannot be resolved" in kept
    assert "Qz7" not in kept
    assert debug.stat().st_mode & 0o777 == 0o600
    for bad in (tmp_path, tmp_path / "no/such/folder"):
        again = agent(text + f"debug_file={bad}\n")
        assert (again.returncode, again.stderr) == (1, done.stderr)


def test_standard_input_that_never_ends_holds_nothing(agent: Agent) -> None:
    read_end, write_end = os.pipe()
    os.write(write_end, b"action=off\nip=192.0.2.1\n")
    begin = time.monotonic()
    try:
        done = subprocess.run(
            [agent.path],
            check=False,
            stdin=read_end,
            capture_output=True,
            text=True,
            timeout=20,
        )
    finally:
        os.close(read_end)
        os.close(write_end)
    assert done.returncode == 1
    assert "do not end" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert time.monotonic() - begin < 8


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ip=\udcff\udcfe\n", "cannot be resolved"),
        ("ip=no-such.invalid\ndebug_file=/nonexistent/\udcff\n", "cannot be resolved"),
        ("ip=no-such.invalid\ndebug_file=fence.log\n", "cannot be resolved"),
        ("ip=a\0b\n", "NUL"),
        ("ip=a\npassword_script=cat x|head\n", "without a shell"),
    ],
)
def test_odd_bytes_end_in_one_line_too(agent: Agent, text: str, words: str) -> None:
    done = agent(f"action=off\nlogin_timeout=1\n{text}")
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_log_daemon_that_hangs_holds_nothing(agent: Agent, tmp_path: Path) -> None:
    """A full socket: the first line waits for ever, and no second one is begun."""
    full = tmp_path / "full"
    full.write_text(FULL_LOG)
    begin = time.monotonic()
    done = subprocess.run(
        ["unshare", "--mount", "/usr/bin/python3", "-I", full, str(agent.path)],
        check=False,
        input="action=status\nip=no-such-bmc.invalid\nfrobnicate=1\nhello=2\n",
        capture_output=True,
        text=True,
        timeout=30,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "cannot be resolved" in done.stderr
    assert time.monotonic() - begin < 12


FULL_LOG = """\
import os, socket, subprocess, sys
os.mkdir("dev")
for name, minor in (("null", 3), ("zero", 5), ("random", 8), ("urandom", 9)):
    os.mknod(f"dev/{name}", 0o20666, os.makedev(1, minor))
door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
door.bind("dev/log")
filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
filler.setblocking(False)
try:
    while True:
        filler.sendto(b"x", "dev/log")
except BlockingIOError:
    pass
subprocess.run(["mount", "--bind", "dev", "/dev"], check=True)
raise SystemExit(subprocess.run([sys.argv[1]]).returncode)
"""
