"""fence_vmha_redfish as a process, without any BMC: metadata, validation, bad input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contract import ocf_root
from contract.fence_agent import (
    Agent,
    assert_follows_the_grammar,
    assert_has_all_of,
    flags_of,
    golden_of,
    loaded_for_metadata,
)

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

PEER = "/usr/sbin/fence_redfish"
GOLDEN = golden_of("fence_vmha_redfish")
GOOD = "ip=192.0.2.1\nusername=admin\n"
NO_FLAG_OF_A_CALL = {"--help", "-h", "--version", "-V", "--action", "-o"}


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Agent:
    """Return the agent of the checkout."""
    root = ocf_root.build(tmp_path_factory.mktemp("root"))
    return Agent(root / "sbin/fence_vmha_redfish")


def test_metadata_is_as_recorded(agent: Agent) -> None:
    done = agent("action=metadata\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == GOLDEN.read_text(encoding="utf-8"), (
        "if the change is wanted: fence_vmha_redfish -o metadata > tests/data/metadata/"
    )
    assert agent("", "-o", "metadata").stdout == done.stdout


def test_metadata_follows_the_grammar_of_fence_agents() -> None:
    assert_follows_the_grammar(GOLDEN)


def test_every_parameter_of_fence_redfish_is_there() -> None:
    assert len(assert_has_all_of(PEER, GOLDEN)) > 20


def test_metadata_needs_neither_sockets_nor_much_time(agent: Agent) -> None:
    loaded = loaded_for_metadata(agent)
    assert "vmha.fence.redfish.main" in loaded
    heavy = {"http.client", "ssl", "json", "socket", "subprocess", "argparse", "re"}
    heavy |= {"logging", "typing", "ctypes", "dataclasses", "enum", "traceback"}
    assert loaded & heavy == set()


def value_of(parameter: ET.Element) -> str:
    """Return something that can be given for a parameter."""
    content = parameter.find("content")
    assert content is not None
    option = content.find("option")
    default = content.get("default") or (option.get("value") if option else None)
    by_name = {
        "ip": "192.0.2.1",
        "ipaddr": "192.0.2.1",
        "ipport": "443",
        "login": "admin",
        "username": "admin",
        "debug": "/dev/null",
        "debug_file": "/dev/null",
        "disable_timeout": "false",
        "systems_uri": "/redfish/v1/Systems/1",
        "systems-uri": "/redfish/v1/Systems/1",
    }
    name = parameter.get("name") or ""
    types = {"boolean": "1", "integer": "1", "second": "1"}
    return (
        by_name.get(name) or default or types.get(content.get("type") or "", "/bin/x")
    )


def test_every_parameter_and_option_of_fence_redfish_can_be_given(agent: Agent) -> None:
    for parameter in assert_has_all_of(PEER, GOLDEN):
        name, value = parameter.get("name"), value_of(parameter)
        if name in ("action", "help", "version"):
            continue
        given = agent(f"action=validate-all\n{GOOD}{name}={value}\n")
        assert (given.returncode, given.stderr) == (0, ""), name
        content = parameter.find("content")
        takes_one = content is not None and content.get("type") != "boolean"
        for flag in flags_of(parameter) - NO_FLAG_OF_A_CALL:
            words = [f"{flag}={value}"] if flag[:2] == "--" else [flag, value]
            words = words if takes_one else [flag]
            fine = ("--ip=192.0.2.1", "--username=admin", "-o", "validate-all")
            shown = agent("", *fine, *words)
            assert (shown.returncode, shown.stderr) == (0, ""), words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "ip is missing"),
        ("action=off\nip=a\n", "username is missing"),
        ("action=dance\n" + GOOD, "unrecognised action 'dance'"),
        ("action=off\nipport=0\n" + GOOD, "ipport='0'"),
        ("action=off\nusername=b\nip=a:port\n", "ip='a:port'"),
        ("action=off\nusername=b\nip=a:99999\n", "ip='a:99999'"),
        ("action=off\nsystems_uri=Systems/1\n" + GOOD, "from / on"),
        ("action=off\nredfish_uri=/a b\n" + GOOD, "from / on"),
        ("action=off\nca_file=ca.pem\n" + GOOD, "the whole path"),
        ("action=off\nca_file=/a\nssl_insecure=1\n" + GOOD, "nothing is verified"),
        ("action=off\nca_file=/a\nssl=0\n" + GOOD, "nothing is verified"),
        ("action=off\nssl=maybe\n" + GOOD, "ssl='maybe'"),
        ("action=off\nmethod=soft\n" + GOOD, "method='soft'"),
        ("action=off\nusername=b\nport_as_ip=1\n", "plug is missing"),
        ("action=off\nusername=b\nport_as_ip=1\nplug=a,b\n", "one BMC only"),
        ("action=off\nusername=b\nip=no-such-bmc.invalid\n", "no-such-bmc.invalid"),
        ("action=off\nusername=b\nip=" + "x" * 300 + "\n", "cannot be resolved"),
        ("action=off\npassword_script=/bin/false\n" + GOOD, "exit code 1"),
        ("action=off\npassword_script=cat x | head\n" + GOOD, "into a script"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_1(
    agent: Agent, text: str, words: str
) -> None:
    done = agent(text)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
