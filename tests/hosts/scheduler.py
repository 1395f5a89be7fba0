"""What Pacemaker's scheduler does next, for a history that a migration left behind.

The real scheduler, through ``crm_simulate``; the status section is written here in the
words of its schema (lrm_rsc_op: operation, rc-code, op-status, migrate_source,
migrate_target), as the controller would have recorded it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lxml import etree

NODES = ("alpha", "beta")
RESOURCE = "web"
FEATURE_SET = "3.0.0"  # not newer than any Pacemaker that reads it
KEY = "11111111-1111-1111-1111-111111111111"
DIGEST = "f2317cad3d54cec5d7d7aa7d0bf35cf8"
PENDING, DONE, ERROR = "-1", "0", "4"
IN_FLIGHT = 193  # Pacemaker's rc-code of an operation without a result
ACTION = f"* Resource action: {RESOURCE} "


class Past:
    """One recorded operation: ``where`` it ran, and its exit code."""

    def __init__(self, where: str, operation: str, code: int) -> None:
        self.where = where
        self.operation = operation
        self.code = code

    def write(self, parent: etree._Element, call: int) -> None:
        """Add it to a resource's history on its node."""
        fine = self.code == 0 or (self.operation, self.code) == ("monitor", 7)
        status = PENDING if self.code == IN_FLIGHT else DONE if fine else ERROR
        key = f"{call}:{call}:0:{KEY}"
        moves = {"migrate_source": NODES[0], "migrate_target": NODES[1]}
        attributes = {
            "id": f"{RESOURCE}_{self.operation}_{call}",
            "operation_key": f"{RESOURCE}_{self.operation}_0",
            "operation": self.operation,
            "crm_feature_set": FEATURE_SET,
            "transition-key": key,
            "transition-magic": f"{status}:{self.code};{key}",
            "call-id": str(call),
            "rc-code": str(self.code),
            "op-status": status,
            "interval": "0",
            "op-digest": DIGEST,
            "last-rc-change": str(1_600_000_000 + call),
            "exec-time": "0",
            "queue-time": "0",
            **(moves if self.operation.startswith("migrate") else {}),
        }
        etree.SubElement(parent, "lrm_rsc_op", attributes)


def cib(history: Sequence[Past], offline: str, standby: str) -> bytes:
    """Return a CIB of two nodes and one guest with this history."""
    root = etree.fromstring(CONFIGURATION)
    listed, status = root.find("configuration/nodes"), root.find("status")
    assert listed is not None
    assert status is not None
    for number, name in enumerate(NODES, 1):
        node = etree.SubElement(listed, "node", id=str(number), uname=name)
        if name == standby:
            group = etree.SubElement(node, "instance_attributes", id=f"{name}-a")
            pair = {"id": f"{name}-standby", "name": "standby", "value": "on"}
            etree.SubElement(group, "nvpair", pair)
        up = name != offline
        state = etree.SubElement(status, "node_state", id=str(number), uname=name)
        state.set("in_ccm", "true" if up else "false")
        state.set("crmd", "online" if up else "offline")
        for key in ("join", "expected"):
            state.set(key, "member" if up else "down")
        lrm = etree.SubElement(state, "lrm", id=str(number))
        resources = etree.SubElement(lrm, "lrm_resources")
        kind = {"class": "ocf", "provider": "vmha", "type": "VirtualMachine"}
        own = etree.SubElement(resources, "lrm_resource", {"id": RESOURCE, **kind})
        for call, past in enumerate(history, 1):
            if past.where == name:
                past.write(own, call)
    return etree.tostring(root)


def next_actions(folder: Path, document: bytes) -> list[tuple[str, str]]:
    """Return (action, node) in the order in which Pacemaker carries them out."""
    path = folder / "cib.xml"
    path.write_bytes(document)
    shown = subprocess.run(
        ["crm_simulate", "--simulate", "--xml-file", str(path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env=ENVIRONMENT,
    )
    transition = shown.stdout.partition("Executing Cluster Transition:")[2]
    lines = transition.partition("Revised Cluster Status")[0].splitlines()
    words = [line.split(ACTION)[1].split() for line in lines if ACTION in line]
    return [(action, node) for action, _, node in words]


ENVIRONMENT: Mapping[str, str] = {"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C"}
CONFIGURATION = f"""
<cib crm_feature_set="{FEATURE_SET}" validate-with="pacemaker-3.0" epoch="1"
     num_updates="0" admin_epoch="0" have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config>
      <cluster_property_set id="options">
        <nvpair id="fencing" name="stonith-enabled" value="true"/>
        <nvpair id="quorum" name="no-quorum-policy" value="ignore"/>
      </cluster_property_set>
    </crm_config>
    <nodes/>
    <resources>
      <primitive id="{RESOURCE}" class="ocf" provider="vmha" type="VirtualMachine">
        <meta_attributes id="meta">
          <nvpair id="moves" name="allow-migrate" value="true"/>
        </meta_attributes>
        <operations>
          <op id="watch" name="monitor" interval="10s"/>
        </operations>
      </primitive>
      <primitive id="fence" class="stonith" type="fence_vmha_ipmi"/>
    </resources>
    <constraints/>
  </configuration>
  <status/>
</cib>
"""
