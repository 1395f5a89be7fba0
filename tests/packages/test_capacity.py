"""The commands of docs/capacity.md, run as they stand, configure what they say."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from packages.conftest import ROOT
from packages.overlay import OverlayRoot

TEXT = (ROOT / "docs/capacity.md").read_text(encoding="utf-8")
CIB = "/tmp/capacity-cib.xml"
WEB = (
    "pcs -f {cib} resource create web ocf:vmha:VirtualMachine config=/srv/web.xml\n"
    "crm_attribute --type crm_config --name stonith-enabled --update false\n"
)


def configured(installed: OverlayRoot, shell: str) -> ET.Element:
    """Run all blocks of one cluster shell on a configuration with a guest."""
    blocks = re.findall(rf"^```sh {shell}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    script = "".join(blocks)
    if shell == "pcs":
        script = re.sub(r"^pcs ", f"pcs -f {CIB} ", script, flags=re.MULTILINE)
    script = f"cibadmin --empty > {CIB}\n{WEB.format(cib=CIB)}{script}"
    environment = ["env", f"CIB_file={CIB}"]
    installed.output([*environment, "sh", "-euc", script])
    installed.output([*environment, "crm_verify", f"--xml-file={CIB}"])
    return ET.fromstring(installed.output(["cat", CIB]))  # noqa: S314


@pytest.mark.parametrize("shell", ["pcs", "crm"])
def test_both_shells_configure_the_clone_the_strategy_and_the_rule(
    installed: OverlayRoot, shell: str
) -> None:
    cib = configured(installed, shell)
    clone = cib.find(".//clone[@id='capacity-clone']/primitive")
    assert clone is not None
    assert (clone.get("provider"), clone.get("type")) == ("vmha", "NodeCapacity")
    pairs = {p.get("name"): p.get("value") for p in clone.iterfind(".//nvpair")}
    assert pairs == {
        "reserve_cpu": "1",
        "reserve_memory": "2048",
        "cpu_ratio": "4.0",
        "can_host": "all",
    }
    strategy = cib.find(".//crm_config//nvpair[@name='placement-strategy']")
    assert strategy is not None
    assert strategy.get("value") == "balanced"
    rule = cib.find(".//rsc_location[@rsc='web']/rule")
    assert rule is not None
    assert rule.get("score") == "-INFINITY"
    (expression,) = rule.findall("expression")
    told = {key: expression.get(key) for key in ("attribute", "operation", "value")}
    assert told == {
        "attribute": "vmha-can-host-web",
        "operation": "eq",
        "value": "0",
    }
