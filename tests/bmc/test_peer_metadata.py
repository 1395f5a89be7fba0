"""fence_ipmilan's parameters, ours beside: by metadata, by stdin, by command line.

And the tools of fence-agents that read metadata: its grammar, the cluster schema and
the manual page that are made from it, and its check that ``delay`` is waited for.
"""

from __future__ import annotations

import subprocess
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from bmc.calls import PEER
from bmc.simulator import PASSWORD

from vmha.fence.ipmi.parameters import PARAMETERS
from vmha.fence.protocol import options

if TYPE_CHECKING:
    from bmc.calls import Caller

TOOLS = Path("/usr/share/cluster/relaxng")
NAME = "fence_vmha_ipmi"
SCHEMA = """\
<grammar xmlns="{relaxng}" xmlns:rha="urn:tool">
 <start><element name="fencedevice">{group}</element></start>
</grammar>
"""

# A value that fence_ipmilan takes, where its default or a word does not do.
VALUES = {
    "action": "status",
    "auth": "md5",
    "cipher": "3",
    "debug": "/run/no-such/debug",
    "debug_file": "/run/no-such/debug",
    "disable_timeout": "false",
    "hexadecimal_kg": "6b65",
    "ip": "192.0.2.1",
    "plug": "192.0.2.1",
    "privlvl": "operator",
    "target": "0x82",
    "verbose_level": "1",
}


class Known(NamedTuple):
    """A parameter of an agent as its metadata shows it."""

    name: str
    flags: frozenset[str]
    kind: str
    choices: frozenset[str]
    default: str
    obsoletes: str
    is_required: bool
    is_deprecated: bool

    @property
    def value(self) -> str:
        """A value of the right kind."""
        if self.kind == "boolean":
            return "1"
        return VALUES.get(self.name) or self.default or "word"

    def arguments(self, flag: str) -> list[str]:
        """Return how the flag is given on a command line."""
        if self.kind == "boolean":
            return [flag]
        return [f"{flag}={self.value}"] if flag[:2] == "--" else [flag, self.value]


def known(metadata: str) -> dict[str, Known]:
    """Return the parameters of a metadata document by name."""
    found = {}
    for element in ET.fromstring(metadata).iter("parameter"):  # noqa: S314 - ours
        name, option = element.get("name", ""), element.find("getopt")
        content = element.find("content")
        assert option is not None
        assert content is not None
        words = option.get("mixed", "").replace(",", " ").split()
        found[name] = Known(
            name,
            frozenset(w.partition("=")[0] for w in words if w[:1] == "-"),
            content.get("type", ""),
            frozenset(o.get("value", "") for o in content.iter("option")),
            content.get("default", ""),
            element.get("obsoletes", ""),
            element.get("required") == "1",
            element.get("deprecated") == "1",
        )
    return found


def actions(metadata: str) -> set[str]:
    """Return the names of the actions of a metadata document."""
    root = ET.fromstring(metadata)  # noqa: S314 - ours
    return {action.get("name", "") for action in root.iter("action")}


def told_by(executable: Path) -> str:
    """Return an agent's metadata."""
    command = [str(executable), "-o", "metadata"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout


THEIRS = known(told_by(PEER)) if PEER.exists() else {}


@pytest.fixture(scope="module")
def executable(root: Path) -> Path:
    return root / "sbin" / NAME


@pytest.fixture(scope="module")
def metadata(executable: Path) -> str:
    return told_by(executable)


@pytest.fixture(scope="module")
def document(metadata: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("metadata") / "metadata.xml"
    path.write_text(metadata)
    return path


def test_fence_ipmilan_is_there_to_compare_with() -> None:
    assert len(THEIRS) > 35


@pytest.mark.parametrize("name", THEIRS)
def test_a_parameter_of_fence_ipmilan_is_declared_with_its_flags_and_choices(
    name: str, metadata: str
) -> None:
    theirs, ours = THEIRS[name], known(metadata)[name]
    assert theirs.flags <= ours.flags
    assert theirs.choices <= ours.choices
    assert theirs.obsoletes in ("", ours.obsoletes)
    assert ours.kind == "boolean" if theirs.kind == "boolean" else True
    assert not ours.is_required or theirs.is_required


def test_every_action_of_fence_ipmilan_is_there_but_its_manual_page(
    metadata: str,
) -> None:
    # fence-agents makes its pages by that action; a package brings them ready.
    assert actions(told_by(PEER)) - actions(metadata) == {"manpage"}


@pytest.mark.parametrize("name", THEIRS)
def test_a_parameter_of_fence_ipmilan_is_known_on_stdin(name: str) -> None:
    parameter = THEIRS[name]
    spelled = (name, name.replace("_", "-"))
    for spelling in spelled:
        wishes = options.from_stdin(PARAMETERS, f"{spelling}={parameter.value}\n")
        wishes.values.require_good()
        assert wishes.unknown == ()


def test_what_is_no_parameter_is_unknown() -> None:
    # The test above relies on it.
    assert options.from_stdin(PARAMETERS, "no_such=1\n").unknown == ("no_such",)


@pytest.mark.parametrize("name", THEIRS)
def test_a_parameter_of_fence_ipmilan_is_known_on_the_command_line(name: str) -> None:
    parameter = THEIRS[name]
    assert parameter.flags
    for flag in parameter.flags:
        wishes = options.from_arguments(PARAMETERS, parameter.arguments(flag))
        wishes.values.require_good()


ENDING = {"help", "version"}  # the agent prints something and leaves


def test_a_device_that_names_every_parameter_of_fence_ipmilan_works(
    fence: Caller, peer: Caller, tmp_path: Path
) -> None:
    # A key and another controller would have to be there; sudo need not be installed.
    without = ENDING | {"action", "hexadecimal_kg", "target", "use_sudo", "sudo"}
    every: dict[str, object] = {
        name: parameter.value
        for name, parameter in THEIRS.items()
        if name not in without
    }
    own = {"ip": fence.bmc.host, "username": "admin", "password": PASSWORD}
    own["plug"] = own["ip"]
    own["debug_file"] = str(tmp_path / "debug")
    own["password_script"] = f"echo {PASSWORD}"
    for name, value in own.items():
        every[name] = every[THEIRS[name].obsoletes] = value
    for agent in (fence, peer):
        outcome = agent("status", None, **{**every, "ipport": agent.bmc.port})
        assert (outcome.exit_code, outcome.stdout) == (0, "Status: ON\n"), outcome


def test_both_agents_take_one_command_line_with_every_flag(
    executable: Path,
) -> None:
    given = [p for n, p in THEIRS.items() if n not in ENDING | {"action"}]
    for wanted in ("--", "-"):
        argv = ["-o", "validate-all", "--port-as-ip"]
        for parameter in given:
            for flag in parameter.flags:
                if flag.startswith("--") == (wanted == "--"):
                    argv += parameter.arguments(flag)
        for agent in (executable, PEER):
            done = subprocess.run(
                [agent, *argv], check=False, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr


def test_flags_are_stacked_as_fence_ipmilan_has_it(fence: Caller, peer: Caller) -> None:
    login = ("-a", fence.bmc.host, "-u", str(fence.bmc.port), "-l", "admin")
    argv = [*login, "-p", PASSWORD, "-C", "3", "-Pvvv", "-o", "status"]
    for agent in (fence, peer):
        command = [str(agent.executable), *argv]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, "Status: ON\n"), done.stderr


def transformed(sheet: str, document: Path) -> str:
    """Return what a style sheet of fence-agents makes of metadata."""
    command = ["xsltproc", str(TOOLS / sheet), str(document)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    return done.stdout


def valid(*words: object) -> bool:
    """Tell what xmllint says."""
    command = ["xmllint", "--noout", *map(str, words)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.returncode == 0


def test_metadata_follows_their_grammar(document: Path) -> None:
    assert valid("--relaxng", TOOLS / "metadata.rng", document)


def test_the_grammar_would_see_an_error(document: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.xml"
    bad.write_text(document.read_text().replace("<shortdesc", "<longdesc", 1))
    assert not valid("--relaxng", TOOLS / "metadata.rng", bad)


def test_a_cluster_schema_made_of_it_takes_every_parameter_and_no_other(
    document: Path, metadata: str, tmp_path: Path
) -> None:
    schema = tmp_path / "device.rng"
    grammar = ET.parse(TOOLS / "metadata.rng").getroot()  # noqa: S314 - packaged
    relaxng = grammar.tag[1:].partition("}")[0]
    group = transformed("fence2rng.xsl", document)
    schema.write_text(SCHEMA.format(relaxng=relaxng, group=group))
    # One at a time: xmllint's time doubles with every attribute of a device.
    for name in known(metadata):
        device = tmp_path / f"{name}.xml"
        device.write_text(f'<fencedevice {name}="1"/>')
    devices = sorted(tmp_path.glob("*.xml"))
    assert len(devices) > 35
    assert valid("--relaxng", schema, *devices)
    devices[0].write_text('<fencedevice no_such="1"/>')
    assert not valid("--relaxng", schema, devices[0])


def test_a_manual_page_made_of_it_has_every_current_flag(
    document: Path, metadata: str
) -> None:
    page = transformed("fence2man.xsl", document)
    assert f"{NAME} - Fence agent for IPMI 2.0" in page
    current = [p for p in known(metadata).values() if not p.is_deprecated]
    assert all(flag in page for parameter in current for flag in parameter.flags)
    text = [line for line in page.splitlines() if line[:1] in (".", "'")]
    requests = {line.split()[0] for line in text}
    assert requests <= {".", ".TH", ".SH", ".P", ".TP", ".B"}, "a text became a request"


def test_a_delay_is_waited_for_though_the_device_cannot_be_found(
    executable: Path, is_long: bool
) -> None:
    # The check of fence-agents: ten seconds, and arguments that lead nowhere.
    seconds = 10 if is_long else 2
    given = f"delay={seconds}\naction=off\nip=bmc.invalid\nusername=x\npassword=x\n"
    begin = time.monotonic()
    done = subprocess.run(
        [executable], check=False, input=given, capture_output=True, text=True
    )
    assert time.monotonic() - begin >= seconds
    assert done.returncode == 1
