"""The recipes of docs/fencing.md, run as they stand: both shells configure the same."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from packages.conftest import ROOT
from packages.overlay import OverlayRoot

TEXT = (ROOT / "docs/fencing.md").read_text(encoding="utf-8")
CIB = "/tmp/fencing-cib.xml"
START = "The devices that the recipes start from"
NODES = ("node1", "node2")
FENCES = {"node1": "fence-node1", "node2": "fence-node2"}
WEB = (
    "pcs -f {cib} resource create web ocf:vmha:VirtualMachine config=/srv/web.xml\n"
    "crm_attribute --type crm_config --name stonith-enabled --update true\n"
    # The nodes of this file have never been seen, which is nothing to warn of here.
    "crm_attribute --type crm_config --name startup-fencing --update false\n"
)


def sections() -> dict[str, str]:
    """Return the text below each heading."""
    parts = re.split(r"^## (.*)\n", TEXT, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


RECIPES = [name for name in sections() if name.startswith("Recipe: ")]


def commands(section: str, shell: str) -> str:
    """Return a section's one block for a cluster shell."""
    found = re.findall(
        rf"^```sh {shell}\n(.*?)^```$", sections()[section], re.MULTILINE | re.DOTALL
    )
    assert len(found) == 1, f"{section}: {len(found)} blocks for {shell}"
    block = str(found[0])
    if shell == "pcs":
        block = re.sub(r"^pcs ", f"pcs -f {CIB} ", block, flags=re.MULTILINE)
    return block


@pytest.fixture(scope="module")
def starts(installed: OverlayRoot) -> dict[str, str]:
    """Configure the shared devices and a guest with each shell, once; return both."""
    nodes = "".join(
        f"<node id='{number}' uname='{name}'/>" for number, name in enumerate(NODES, 1)
    )
    made = {}
    for shell in ("pcs", "crm"):
        empty = f"cibadmin --empty | sed 's/<cib /<cib have-quorum=\"1\" /' > {CIB}\n"
        known = (
            f'cibadmin --replace --scope nodes --xml-text "<nodes>{nodes}</nodes>"\n'
        )
        run(installed, empty + known + WEB.format(cib=CIB) + commands(START, shell))
        made[shell] = installed.output(["cat", CIB])
    return made


@pytest.fixture(scope="module", params=RECIPES)
def both(
    installed: OverlayRoot, starts: dict[str, str], request: pytest.FixtureRequest
) -> tuple[ET.Element, ET.Element]:
    """Run a recipe with pcs and with crm; return what they have configured."""
    made = []
    for shell, start in starts.items():
        installed.run(["sh", "-c", f"cat > {CIB}"], start)
        run(installed, commands(request.param, shell))
        installed.output(["env", f"CIB_file={CIB}", "crm_verify", f"--xml-file={CIB}"])
        made.append(ET.fromstring(installed.output(["cat", CIB])))  # noqa: S314
    pcs, crm = made
    return pcs, crm


def run(installed: OverlayRoot, script: str) -> None:
    """Run commands that must neither fail nor complain."""
    said = installed.run(["env", f"CIB_file={CIB}", "sh", "-euc", script])
    assert said.returncode == 0, said.stdout + said.stderr
    assert "ERROR" not in said.stdout + said.stderr


def meaning(cib: ET.Element) -> dict[str, object]:
    """Return what a configuration says, without the ids that each shell invents."""
    found: dict[str, object] = {}
    for primitive in cib.iter("primitive"):
        found[primitive.get("id", "")] = (
            primitive.get("type"),
            _pairs(primitive, "instance_attributes"),
            _pairs(primitive, "meta_attributes"),
            [op.get("interval") for op in primitive.iter("op") if _recurs(op)],
        )
    for level in cib.iter("fencing-level"):
        key = f"level {level.get('index')} of {level.get('target')}"
        assert key not in found
        found[key] = level.get("devices")
    told = cib.find(".//crm_config//nvpair[@name='priority-fencing-delay']")
    if told is not None:
        found["priority-fencing-delay"] = told.get("value")
    return found


def _recurs(op: ET.Element) -> bool:
    return op.get("name") == "monitor" and op.get("interval") not in ("0", "0s")


def _pairs(primitive: ET.Element, kind: str) -> dict[str, str]:
    return {
        pair.get("name", ""): pair.get("value", "")
        for pair in primitive.iterfind(f"./{kind}/nvpair")
    }


def test_a_recipe_configures_the_same_with_pcs_and_crm(
    both: tuple[ET.Element, ET.Element],
) -> None:
    pcs, crm = (meaning(cib) for cib in both)
    assert pcs == crm
    for device in FENCES.values():
        assert device in pcs


def test_the_last_level_of_a_recipe_cuts_the_power(
    both: tuple[ET.Element, ET.Element],
) -> None:
    """One before it may wait or interrupt; every level names devices that are there."""
    cib, _ = both
    devices = {p.get("id", "") for p in cib.iter("primitive")} - {"web"}
    last: dict[str, tuple[int, str]] = {}
    for level in cib.iter("fencing-level"):
        named = (level.get("devices") or "").split(",")
        assert set(named) <= devices
        target, index = level.get("target", ""), int(level.get("index", "0"))
        last[target] = max(last.get(target, (0, "")), (index, named[0]))
    cutting = {*FENCES.values(), "rack", "rack-a"}
    assert all(device in cutting for _, device in last.values())


def test_the_shell_commands_of_the_page_are_all_run() -> None:
    blocks = re.findall(r"^```sh ?(\w*)$", TEXT, re.MULTILINE)
    assert len(blocks) == 2 * (len(RECIPES) + 1)
    assert set(blocks) == {"pcs", "crm"}


def test_the_agents_accept_every_device_of_the_page(installed: OverlayRoot) -> None:
    """Without a controller: the parameters alone."""
    lines = [
        line
        for name in (START, *RECIPES)
        for line in commands(name, "pcs").splitlines()
        if "fence_vmha_ipmi" in line
    ]
    assert lines
    for line in lines:
        words = re.findall(r'"[^"]*"|\S+', line.partition("fence_vmha_ipmi ")[2])
        given = [word.strip('"') for word in words if "=" in word]
        given = [w for w in given if not w.startswith(("pcmk_", "interval="))]
        text = "action=validate-all\n" + "\n".join(given) + "\n"
        said = installed.run(["/usr/sbin/fence_vmha_ipmi"], text)
        assert said.returncode == 0, f"{line}: {said.stderr}"
