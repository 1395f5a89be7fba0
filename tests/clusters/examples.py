"""Cluster files and CIBs that several tests speak of, and the shortest ways to them."""

from __future__ import annotations

from lxml import etree

from vmha.agents.protocol.deadline import Deadline
from vmha.heartbeat.clusterfile.content import ClusterFile
from vmha.heartbeat.clusterfile.planned import cluster_of
from vmha.heartbeat.clusterfile.reading import parse
from vmha.heartbeat.pacemaker import cib, rendering
from vmha.heartbeat.pacemaker.cluster import parsed
from vmha.heartbeat.pacemaker.configuration import Configuration
from vmha.heartbeat.planning.instructions import instructions

PATIENCE_S = 60.0

THREE = """\
cluster: {name: demo, token_ms: 1000}
nodes:
  n1:
    addresses: [10.0.0.1, 10.1.0.1]
    capacity: {cpu: 8, memory_mib: 16384}
    rack: r1
    fencing:
      - - {agent: fence_vmha_ipmi, ip: 10.0.9.1, username: a, password_file: /etc/b m}
      - - {agent: fence_sbd, options: {devices: /dev/disk/by-id/sbd}}
  n2:
    addresses: [10.0.0.2, 10.1.0.2]
    capacity: {cpu: 8, memory_mib: 16384}
    rack: r1
    fencing:
      - - {agent: fence_vmha_ipmi, ip: 10.0.9.2, username: a, password_file: /etc/b m}
      - - {agent: fence_sbd, options: {devices: /dev/disk/by-id/sbd}}
  n3:
    addresses: [10.0.0.3, 10.1.0.3]
    capacity: {cpu: 4, memory_mib: 16384}
    reserve: {memory_mib: 1024}
    cpu_ratio: 2.0
    rack: r2
    fencing:
      - - {agent: fence_vmha_ipmi, ip: 10.0.9.3, username: a, password_file: /etc/b m}
      - - {agent: fence_sbd, options: {devices: /dev/disk/by-id/sbd}}
guests:
  app1: {config: /srv/guests/app1.xml, class: silver, cpu: 1, memory_mib: 1024}
  db1: {domain: db1, class: silver, cpu: 1, memory_mib: 2048, after: [app1]}
  own: {domain: own, cpu: 1, memory_mib: 512, ha: false, runs_on: n3}
  web1:
    config: /srv/guests/web 1.xml
    class: gold
    cpu: 1
    memory_mib: 1024
    prefer: [n1, n2]
    start: {order: 10, delay_s: 5}
    options: {migration_transport: ssh, shutdown_mode: acpi}
  web2: {domain: web2, priority: 7, cpu: 1, memory_mib: 1024, start: {order: 20}}
  web3: {config: /srv/web3.xml, cpu: 1, memory_mib: 1024, start: {order: 20}}
classes: {gold: {priority: 3}, silver: {priority: 2}}
rules:
  - {spread: [web1, web2], across: host, hard: true}
  - {spread: [app1, web1], across: rack, hard: false}
  - {together: [app1, db1], hard: false}
  - {pin: [db1], to: [n1, "rack:r2"]}
  - {avoid: [web3], nodes: [n1], hard: false}
policy: {migration_limit: 2}
"""

TWO = """\
cluster: {name: pair}
nodes:
  n1:
    addresses: [10.0.0.1]
    capacity: {cpu: 4, memory_mib: 4096}
    fencing: [[{agent: fence_vmha_ipmi, ip: 10.0.9.1, password_file: /etc/bmc}]]
  n2:
    addresses: [10.0.0.2]
    capacity: {cpu: 4, memory_mib: 4096}
    fencing: [[{agent: fence_vmha_ipmi, ip: 10.0.9.2, password_file: /etc/bmc}]]
guests:
  web: {domain: web, cpu: 1, memory_mib: 1024, priority: 5}
"""

# One of each kind that is rendered: pcs takes a second for each command.
COMPACT = """\
cluster: {name: pair}
nodes:
  n1:
    capacity: {cpu: 4, memory_mib: 4096}
    rack: r1
    fencing: [[{agent: fence_vmha_ipmi, ip: 10.0.9.1, password_file: /etc/b m}]]
  n2: {capacity: {cpu: 4, memory_mib: 4096}}
guests:
  a: {config: /srv/a b.xml, cpu: 1, memory_mib: 64, after: [b], start: {order: 1}}
  b:
    domain: b
    cpu: 1
    memory_mib: 64
    prefer: [n2]
    start: {order: 2, delay_s: 5}
    options: {shutdown_mode: "acpi,agent"}
rules:
  - {spread: [a, b], across: rack}
"""

EMPTY = """\
<cib validate-with="pacemaker-3.0" crm_feature_set="3.0.14" admin_epoch="0" epoch="10"
 num_updates="3" have-quorum="1" dc-uuid="1"><configuration>
<crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="cib-bootstrap-options-cluster-name" name="cluster-name" value="demo"/>
</cluster_property_set></crm_config>
<nodes>{nodes}</nodes><resources>{resources}</resources>
<constraints>{constraints}</constraints></configuration>
<status>{states}</status></cib>"""

STATE = (
    '<node_state id="{0}" uname="n{0}" in_ccm="true" crmd="online" join="member" '
    'expected="member"><lrm id="{0}"><lrm_resources/></lrm></node_state>'
)


def deadline() -> Deadline:
    """Return time enough for Pacemaker's tools on a busy machine."""
    return Deadline(PATIENCE_S)


def configuration(file: ClusterFile) -> Configuration:
    """Return what a file means."""
    cluster = cluster_of(file)
    return rendering.configuration(file, cluster, instructions(cluster))


def rendered(text: str) -> etree._Element:
    """Return the CIB of a file."""
    return cib.document(configuration(parse(text, "vmha.yaml")))


def empty(count: int = 3, resources: str = "", constraints: str = "") -> str:
    """Return the CIB of a cluster whose nodes are up and run nothing."""
    numbers = range(1, count + 1)
    nodes = "".join(f'<node id="{i}" uname="n{i}"/>' for i in numbers)
    states = "".join(STATE.format(i) for i in numbers)
    return EMPTY.format(
        nodes=nodes, states=states, resources=resources, constraints=constraints
    )


def live(count: int = 3, resources: str = "", constraints: str = "") -> etree._Element:
    """Return the same, parsed."""
    return parsed(empty(count, resources, constraints))
