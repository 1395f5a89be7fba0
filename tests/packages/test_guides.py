"""The guides in docs/: what both shells configure is run, section by section.

Kinds of blocks: ``sh pcs`` and ``sh crm`` are run as they stand on a configuration of
their page; ``sh here`` is run in the root that the packages are installed in; ``sh
setup`` writes a corosync.conf; ``sh nodes`` needs real machines, its syntax alone is
checked; ``xml`` and ``yaml`` are read by what reads them. Plain ``sh`` has lines of
``vmha`` alone (tests/unit/heartbeat/test_pages.py).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from packages.conftest import ROOT
from packages.overlay import OverlayRoot

CIB = "/tmp/guide-cib.xml"
DOCS = ROOT / "docs"
GUIDES = (
    "disasters.md",
    "getting-started.md",
    "maintenance.md",
    "rhel.md",
    "storage.md",
    "switching.md",
)
# What is on these is tried by tests of their own.
ELSEWHERE = {
    "applying.md": "unit/heartbeat/test_pages.py",
    "capacity.md": "packages/test_capacity.py",
    "cluster-file.md": "unit/heartbeat/clusterfile/test_reference.py",
    "doctor.md": "unit/heartbeat/doctor/test_documentation.py",
    "fencing.md": "packages/test_fencing.py",
    "planning.md": "unit/heartbeat/test_pages.py",
}
KINDS = {"sh pcs", "sh crm", "sh here", "sh setup", "sh nodes", "xml", "yaml", "text"}
# Each begins with the same guest and configures by itself.
STARTS_WITH_A_GUEST = ("disasters.md", "maintenance.md", "storage.md", "switching.md")
IN_BOTH_SHELLS = ("getting-started.md", "storage.md")
TIME_S = 120
# What a shell leaves behind that says no more than the default.
DEFAULTS = {("target-role", "Started"), ("is-managed", "true")}
NODES = ("node1", "node2", "node3")
# A guest and a fence device, as the pages before have made them.
STARTED = """
<primitive id='web' class='ocf' provider='vmha' type='VirtualMachine'>
  <instance_attributes id='web-i'>
    <nvpair id='web-i-config' name='config' value='/srv/guests/web.xml'/>
  </instance_attributes>
  <meta_attributes id='web-m'>
    <nvpair id='web-m-migrate' name='allow-migrate' value='true'/>
  </meta_attributes>
</primitive>
<primitive id='fence-rack' class='stonith' type='fence_vmha_ipmi'/>
"""


def blocks(page: str) -> list[tuple[str, str, str]]:
    """Return section, kind and text of each block of a page."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = []
    for part in re.split(r"^(?=## )", text, flags=re.MULTILINE):
        title = part.partition("\n")[0].removeprefix("## ")
        for kind, body in re.findall(
            r"^```([^\n]*)\n(.*?)^```$", part, re.MULTILINE | re.DOTALL
        ):
            found.append((title, kind, body))
    return found


ALL = [(page, *block) for page in GUIDES for block in blocks(page)]


def sections(shell: str) -> list[tuple[str, str, str]]:
    """Return what a shell runs: whole pages, or sections that stand by themselves."""
    made: dict[tuple[str, str], str] = {}
    for page, title, kind, body in ALL:
        if kind == f"sh {shell}":
            key = (page, title if page in STARTS_WITH_A_GUEST else "")
            made[key] = made.get(key, "") + body
    return [(page, title, body) for (page, title), body in made.items()]


RUN = sorted({(p, t) for shell in ("pcs", "crm") for p, t, _ in sections(shell)})


def test_every_block_is_of_a_kind_that_is_run_or_marked() -> None:
    assert {kind for _, _, kind, _ in ALL} <= KINDS
    assert len(ALL) > len(GUIDES)


def test_no_page_with_commands_is_left_out() -> None:
    found = set()
    for path in DOCS.glob("*.md"):
        kinds = {kind for _, kind, _ in blocks(path.name)}
        assert "" not in kinds, f"{path.name}: a block that does not say what it is"
        assert kinds <= KINDS | {"sh", "json"}, path.name
        if kinds - {"text"}:
            found.add(path.name)
    assert found == {*GUIDES, *ELSEWHERE}
    for page, test in ELSEWHERE.items():
        text = (ROOT / "tests" / test).read_text(encoding="utf-8")
        assert page in text or 'glob("*.md")' in text, f"{test} knows no {page}"


@pytest.mark.parametrize(("page", "title"), RUN)
def test_the_shells_accept_it_and_configure_the_same(
    installed: OverlayRoot, page: str, title: str
) -> None:
    made = []
    for shell in ("pcs", "crm"):
        for body in [b for p, t, b in sections(shell) if (p, t) == (page, title)]:
            has_guest = page in STARTS_WITH_A_GUEST
            made.append(_meaning(_configured(installed, shell, body, has_guest)))
    assert len(made) == 2 or page not in IN_BOTH_SHELLS
    assert made[0] == made[-1]
    if page == "storage.md":
        for kind, key in (("rsc_order", "then"), ("rsc_colocation", "rsc")):
            assert (key, "web") in {pair for one in made[0][kind] for pair in one}


@pytest.mark.parametrize(
    ("page", "body"), [(p, b) for p, _, kind, b in ALL if kind == "sh here"]
)
def test_a_command_for_an_installed_node_works(
    installed: OverlayRoot, page: str, body: str
) -> None:
    _configured(installed, "pcs", "", True)
    said = installed.run(["env", f"CIB_file={CIB}", "sh", "-euc", body])
    assert said.returncode == 0, f"{page}: {said.stdout}{said.stderr}"


def test_the_cluster_that_is_set_up_is_one_that_corosync_takes(
    installed: OverlayRoot,
) -> None:
    commands = [body.strip() for _, _, kind, body in ALL if kind == "sh setup"]
    assert commands
    for command in commands:
        place = "/tmp/guide-corosync.conf"
        key = "head -c 256 /dev/urandom > /etc/corosync/authkey"
        installed.output(["sh", "-c", f"rm -f {place}; {key}"])
        setup = command.replace(
            "cluster setup ", f"cluster setup --corosync_conf={place} "
        )
        installed.output(["sh", "-euc", setup])
        installed.output(["corosync", "-t", "-c", place])


@pytest.mark.parametrize("page", GUIDES)
def test_what_needs_real_nodes_is_at_least_shell(
    installed: OverlayRoot, page: str
) -> None:
    for name, _, kind, body in ALL:
        if name == page and kind == "sh nodes":
            assert body.startswith("# on "), "the reader is told where"
            checked = installed.run(["bash", "-n"], body)
            assert (checked.returncode, checked.stderr) == (0, ""), body


def test_the_xml_is_libvirts(installed: OverlayRoot) -> None:
    for page, _, kind, body in ALL:
        if kind == "xml":
            text = body if body.startswith("<domain") else _domain_with(body)
            installed.run(["sh", "-c", "cat > /tmp/guide.xml"], text)
            check = ["virt-xml-validate", "/tmp/guide.xml", "domain"]
            said = installed.run(check)
            assert said.returncode == 0, f"{page}: {said.stdout}{said.stderr}"


def test_the_playbook_names_agents_and_parameters_that_there_are(
    installed: OverlayRoot,
) -> None:
    (play,) = [yaml.safe_load(b)[0] for _, _, kind, b in ALL if kind == "yaml"]
    primitives = play["vars"]["ha_cluster_resource_primitives"]
    assert len(primitives) == 2
    for one in primitives:
        ask = ["crm_resource", "--show-metadata", one["agent"]]
        metadata = ET.fromstring(installed.output(ask))  # noqa: S314
        known = {p.get("name") for p in metadata.iter("parameter")}
        given = {pair["name"] for pair in one["instance_attrs"][0]["attrs"]}
        assert given - {"pcmk_host_list"} <= known
        actions = {action.get("name") for action in metadata.iter("action")}
        assert {operation["action"] for operation in one["operations"]} <= actions


def test_the_guides_lead_to_each_other_and_nowhere_else() -> None:
    for page in GUIDES:
        text = (DOCS / page).read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#]+)", text):
            assert Path(DOCS / link).exists(), f"{page}: {link}"


def _configured(
    installed: OverlayRoot, shell: str, body: str, has_guest: bool
) -> ET.Element:
    nodes = "".join(
        f"<node id='{number}' uname='{name}'/>" for number, name in enumerate(NODES, 1)
    )
    empty = installed.output(["cibadmin", "--empty"])
    filled = empty.replace("<cib ", "<cib have-quorum='1' ", 1)
    filled = filled.replace("<nodes/>", f"<nodes>{nodes}</nodes>")
    if has_guest:
        filled = filled.replace("<resources/>", f"<resources>{STARTED}</resources>")
    installed.run(["sh", "-c", f"cat > {CIB}"], filled)
    if shell == "pcs":
        body = re.sub(r"^pcs ", f"pcs -f {CIB} ", body, flags=re.MULTILINE)
    else:
        body = _in_one_session(body)
    said = installed.run(
        ["env", f"CIB_file={CIB}", "sh", "-euc", body], timeout_s=TIME_S
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "ERROR" not in said.stdout + said.stderr
    return ET.fromstring(installed.output(["cat", CIB]))  # noqa: S314


def _in_one_session(body: str) -> str:
    """Give all lines of ``crm configure`` to one crm: each start costs a second."""
    lines = body.splitlines()
    first = "crm configure "
    inner = [line.removeprefix(first) for line in lines if line.startswith(first)]
    others = [line for line in lines if not line.startswith(first)]
    session = "\n".join(["crm <<'END'", "configure", *inner, "commit", "quit", "END"])
    return "\n".join([session if inner else "", *others])


def _meaning(cib: ET.Element) -> dict[str, Any]:
    """Return what a configuration says, without the ids that each shell invents."""
    found: dict[str, Any] = {}
    for kind in ("primitive", "clone", "group"):
        for one in cib.iter(kind):
            found[one.get("id", "")] = (
                one.get("type"),
                _pairs(one, "instance_attributes"),
                _pairs(one, "meta_attributes"),
                [
                    inner.get("id")
                    for inner in one
                    if inner.tag in ("primitive", "group")
                ],
                sorted(
                    (op.get("interval"), op.get("role"), op.get("on-fail"))
                    for op in one.iterfind("operations/op[@name='monitor']")
                ),
            )
    for tag in ("rsc_order", "rsc_colocation", "rsc_location"):
        found[tag] = sorted(_constraint(one) for one in cib.iter(tag))
    for tag in ("crm_config", "rsc_defaults", "op_defaults"):
        node = cib.find(f".//{tag}")
        pairs = node.iterfind(".//nvpair") if node is not None else ()
        found[tag] = {pair.get("name"): pair.get("value") for pair in pairs}
    return found


def _pairs(node: ET.Element, kind: str) -> dict[str, str]:
    return {
        pair.get("name", ""): pair.get("value", "")
        for pair in node.iterfind(f"./{kind}/nvpair")
        if (pair.get("name"), pair.get("value")) not in DEFAULTS
    }


def _constraint(one: ET.Element) -> list[tuple[str, str]]:
    said = {key: value for key, value in one.items() if key != "id"}
    if said.pop("kind", "Mandatory") != "Mandatory":
        said["kind"] = one.get("kind", "")
    for key in ("first-action", "then-action"):
        if said.get(key) == "start":
            del said[key]
    if said.get("rsc-role") == "Started":
        del said["rsc-role"]
    said.setdefault("score", "INFINITY" if one.tag == "rsc_colocation" else "")
    return sorted(said.items())


def _domain_with(disk: str) -> str:
    return (
        "<domain type='kvm'><name>web</name><memory>2097152</memory>"
        "<os><type>hvm</type></os><devices>" + disk + "</devices></domain>"
    )
