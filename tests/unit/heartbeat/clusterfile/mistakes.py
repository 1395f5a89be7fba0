"""Mistakes in a cluster file, each with the line and the path that it is told with."""

from __future__ import annotations

from unit.heartbeat.clusterfile.texts import ADDED

# What is added to BASE; the line (0: the first added), the path, a part of the text.
ADDITIONS = [
    # Form
    ("  d: {cpu: two, memory_mib: 1}", 0, "guests.d.cpu", "'two' is not accepted"),
    (
        "  d: {cpu: 1, memory_mib: 99999999999999999999}",
        0,
        "guests.d.memory_mib",
        "give a whole number from 1 to 2147483647",
    ),
    (
        "  d: {cpu: -1, memory_mib: 1}",
        0,
        "guests.d.cpu",
        "a whole number from 0 to 2147483647",
    ),
    ("  d: {cpu: 2.0, memory_mib: 1}", 0, "guests.d.cpu", "2.0 is not accepted"),
    ("  d: {cpu: 010, memory_mib: 1}", 0, "guests.d.cpu", "010 is not accepted"),
    ("  d: {cpu: 1:30, memory_mib: 1}", 0, "guests.d.cpu", "1:30 is not accepted"),
    ("  d: {cpu: 1, memory_mib: 0}", 0, "guests.d.memory_mib", "from 1 to 2147483647"),
    ("  d: {cpu: 1, memory_mib: 1, ha: maybe}", 0, "guests.d.ha", "true or false"),
    (
        "  d: {cpu: 1, memory_mib: 1, clas: gold}",
        0,
        "guests.d.clas",
        "did you mean class",
    ),
    ("  d: {cpu: 1, memory_mib: 1, prefer: n1}", 0, "guests.d.prefer", "a list of"),
    ("  d: {cpu: 1, memory_mib: 1, prefer: []}", 0, "guests.d.prefer", "a list of 0"),
    ("  d: {cpu: 1, memory_mib: 1, config: a.xml}", 0, "guests.d.config", "absolute"),
    ("  d: {cpu: 1, memory_mib: 1, start: }", 0, "guests.d.start", "nothing"),
    ("  d: [1]", 0, "guests.d", "a list is not accepted"),
    ("  d e: {cpu: 1, memory_mib: 1}", 0, "guests.d e", "a resource name"),
    ("  1d: {cpu: 1, memory_mib: 1}", 0, "guests.1d", "a resource name"),
    (
        "  vmha-d: {cpu: 1, memory_mib: 1}",
        0,
        "guests.vmha-d",
        "not beginning with vmha-",
    ),
    (
        "  cib-bootstrap-options: {cpu: 1, memory_mib: 1}",
        0,
        "guests.cib-bootstrap-options",
        "nor cib-bootstrap-options",
    ),
    (
        '  d: {cpu: 1, memory_mib: 1, after: ["shared fs"]}',
        0,
        "guests.d.after[0]",
        "a resource name",
    ),
    ("policy: {tolerate: 9}", 0, "policy.tolerate", "a whole number from 0 to 8"),
    (
        "  d: {cpu: 1, memory_mib: 2147483647}\npolicy: {guest_overhead_mib: 1}",
        0,
        "guests.d.memory_mib",
        "2147483648 with policy.guest_overhead_mib is more than 2147483647",
    ),
    (
        "  d: {cpu: 1500000000, memory_mib: 1}\n  e: {cpu: 1500000000, memory_mib: 1}\n"
        "rules:\n  - {together: [d, e]}",
        3,
        "rules[0]",
        "together they need 3000000000 processors",
    ),
    ("frobnicate: 1", 0, "frobnicate", "unknown key 'frobnicate'"),
    ("policy: {tolerate: null}", 0, "policy.tolerate", "YAML reads it as nothing"),
    ("policy: {preemption: never}", 0, "policy.preemption", "give by-class or none"),
    ("policy: {tolerate: 99999999999}", 0, "policy.tolerate", "99999999999"),
    (
        'quorum: {qdevice: {host: "h } totem {"}}',
        0,
        "quorum.qdevice.host",
        "an IP address or a host name",
    ),
    ("quorum: {qdevice: {}}", 0, "quorum.qdevice.host", "host is missing"),
    ("rules: {spread: [a, b]}", 0, "rules", "a mapping is not accepted"),
    ("rules:\n  - hello", 1, "rules[0]", "'hello' is not accepted"),
    ("rules:\n  - {sperad: [a, b]}", 1, "rules[0]", "did you mean spread"),
    ("rules:\n  - {}", 1, "rules[0]", "this one has nothing"),
    ("rules:\n  - {spread: [a, b], pin: [a]}", 1, "rules[0]", "has spread and pin"),
    ("rules:\n  - {spread: [a]}", 1, "rules[0].spread", "two or more guests"),
    (
        "rules:\n  - {spread: [a, b], across: room}",
        1,
        "rules[0].across",
        "host or rack",
    ),
    ("rules:\n  - {spread: [a, b], to: [n1]}", 1, "rules[0].to", "unknown key 'to'"),
    ("rules:\n  - {pin: [a]}", 1, "rules[0].to", "to is missing"),
    (
        "rules:\n  - {avoid: [a], nodes: n1}",
        1,
        "rules[0].nodes",
        "a list of node names",
    ),
    ('  d: {cpu: 1, memory_mib: 1, class: "a\\nb"}', 0, "guests.d.class", "line break"),
    # Names that YAML takes for something else
    ("  on: {cpu: 1, memory_mib: 1}", 0, "guests.on", 'write "on" in quotes'),
    ("  yes: {cpu: 1, memory_mib: 1}", 0, "guests.yes", "as a truth value"),
    ("  7: {cpu: 1, memory_mib: 1}", 0, "guests.7", "as a number"),
    ("  1.5: {cpu: 1, memory_mib: 1}", 0, "guests.1.5", "as a number"),
    ("  1e3: {cpu: 1, memory_mib: 1}", 0, "guests.1e3", "a resource name"),
    ("  null: {cpu: 1, memory_mib: 1}", 0, "guests.null", "as nothing"),
    ("  ~: {cpu: 1, memory_mib: 1}", 0, "guests.~", "as nothing"),
    ("  2024-01-01: {cpu: 1, memory_mib: 1}", 0, "guests.2024-01-01", "as a date"),
    (
        "  d: {cpu: 1, memory_mib: 1, prefer: [no]}",
        0,
        "guests.d.prefer[0]",
        'write "no"',
    ),
    ("rules:\n  - {spread: [a, 7]}", 1, "rules[0].spread[1]", 'write "7"'),
    ("  [d]: {}", 0, "guests", "a key is a text"),
    # Twice
    ("  a: {cpu: 1, memory_mib: 1}", 0, "guests.a", "given twice; first in line 8"),
    ("guests: {}", 0, "guests", "given twice"),
    ("rules:\n  - {spread: [a, b, a]}", 1, "rules[0].spread[2]", "listed twice"),
    (
        "  d: {cpu: 1, memory_mib: 1, prefer: [n1, n1]}",
        0,
        "guests.d.prefer[1]",
        "twice",
    ),
    # References
    ("  d: {cpu: 1, memory_mib: 1, class: golt}", 0, "guests.d.class", "mean gold?"),
    (
        "  d: {cpu: 1, memory_mib: 1, runs_on: n4}",
        0,
        "guests.d.runs_on",
        "no node 'n4'",
    ),
    (
        "  d: {cpu: 1, memory_mib: 1, prefer: [n9]}",
        0,
        "guests.d.prefer[0]",
        "known: n1",
    ),
    ("rules:\n  - {spread: [a, bb]}", 1, "rules[0].spread[1]", "did you mean b?"),
    ("rules:\n  - {pin: [a], to: [n7]}", 1, "rules[0].to[0]", "no node or rack 'n7'"),
    ('rules:\n  - {pin: [a], to: ["rack:x"]}', 1, "rules[0].to[0]", "rack 'rack:x'"),
    # Sizes
    ("  d: {cpu: 1}", 0, "guests.d.memory_mib", "there is no config to read it from"),
    ("  d: {domain: d}", 0, "guests.d.cpu", "cpu and memory_mib are missing"),
    ("  d: {config: /nonexistent/d.xml}", 0, "guests.d.cpu", "No such file"),
    # What excludes each other
    ("quorum: {two_node: true}", 0, "quorum.two_node", "there are 3"),
    (
        "  d: {cpu: 1, memory_mib: 1, config: /d, domain: d}",
        0,
        "guests.d.domain",
        "not both",
    ),
    ("  n1: {cpu: 1, memory_mib: 1}", 0, "guests.n1", "is also a node"),
    (
        "  d: {cpu: 1, memory_mib: 1, options: {confg: x}}",
        0,
        "guests.d.options.confg",
        "no parameter 'confg'",
    ),
    (
        "  d: {cpu: 1, memory_mib: 1, options: {config: /x}}",
        0,
        "guests.d.options.config",
        "a key of the guest itself",
    ),
    (
        "  d: {cpu: 1, memory_mib: 1, options: {save_config_on_stop: perhaps}}",
        0,
        "guests.d.options.save_config_on_stop",
        "give yes or no",
    ),
    (
        "  d: {cpu: 1, memory_mib: 1, options: {autoset_utilization_cpu: no}}",
        0,
        "guests.d.options.autoset_utilization_cpu",
        "the sizes of this file count",
    ),
    ("  d: {cpu: 1, memory_mib: 1, after: [d]}", 0, "guests.d.after", "d after d"),
    (
        "  d: {cpu: 1, memory_mib: 1, after: [e]}\n"
        "  e: {cpu: 1, memory_mib: 1, after: [d]}",
        0,
        "guests.d.after",
        "d after e after d",
    ),
    (
        "  d: {cpu: 1, memory_mib: 1, config: /x}\n"
        "  e: {cpu: 1, memory_mib: 1, config: /x}",
        1,
        "guests.e.config",
        "already that of guest d",
    ),
    ("  d: {cpu: 1, memory_mib: 1, domain: a}", 0, "guests.d.domain", "guest a"),
    # Hard rules
    (
        "rules:\n  - {spread: [a, b]}\n  - {together: [b, a]}",
        1,
        "rules[0]",
        f"a and b are to be spread here and together by rules[1] in line {ADDED + 2}",
    ),
    (
        "rules:\n  - {together: [a, b]}\n  - {together: [b, c]}\n  - {spread: [a, c]}",
        3,
        "rules[2]",
        "a and c are to be spread",
    ),
    (
        "rules:\n  - {together: [a, b]}\n  - {spread: [a, b], across: rack}",
        2,
        "rules[1]",
        "a and b are to be spread",
    ),
    (
        "rules:\n  - {pin: [a], to: [n1]}\n  - {pin: [a], to: [n2, n3]}",
        2,
        "rules[1]",
        "a may run on no node",
    ),
    (
        "rules:\n  - {pin: [a], to: [n3]}\n  - {avoid: [a], nodes: ['rack:r1']}",
        2,
        "rules[1]",
        "leave it n3",
    ),
    (
        "rules:\n  - {avoid: [a], nodes: [n1, n2, n3]}",
        1,
        "rules[0]",
        "this rule leaves none",
    ),
    (
        "rules:\n  - {pin: [a], to: [n1]}\n  - {pin: [b], to: [n2]}\n"
        "  - {together: [a, b]}",
        3,
        "rules[2]",
        "a, b are to be together",
    ),
]

# What is added to NODES, which ends among the nodes.
NODE_ADDITIONS = [
    ("  n2: {}", 0, "nodes.n2.capacity", "capacity is missing"),
    ("  n2: {capacity: {cpu: 1}}", 0, "nodes.n2.capacity.memory_mib", "is missing"),
    (
        "  n2: {capacity: {cpu: 1, memory_mib: -1}}",
        0,
        "nodes.n2.capacity.memory_mib",
        "-1 is not accepted",
    ),
    (
        "  n2:\n    capacity: {cpu: 1, memory_mib: 100}\n"
        "    reserve: {memory_mib: 101}",
        2,
        "nodes.n2.reserve.memory_mib",
        "more than the capacity, 100",
    ),
    (
        "  n2: {capacity: {cpu: 1, memory_mib: 1}, cpu_ratio: 0}",
        0,
        "nodes.n2.cpu_ratio",
        "a number above 0",
    ),
    (
        "  n2: {capacity: {cpu: 1, memory_mib: 1}, cpu_ratio: .inf}",
        0,
        "nodes.n2.cpu_ratio",
        ".inf is not accepted",
    ),
    (
        "  n2: {capacity: {cpu: 1, memory_mib: 1}, rack: 7}",
        0,
        "nodes.n2.rack",
        'write "7"',
    ),
    (
        "  n2: {capacity: {cpu: 1, memory_mib: 1}, rack: n1}",
        0,
        "nodes.n2.rack",
        "rename the rack",
    ),
    ("  -n2: {capacity: {cpu: 1, memory_mib: 1}}", 0, "nodes.-n2", "a host name"),
    (
        "  N1: {capacity: {cpu: 1, memory_mib: 1}}",
        0,
        "nodes.N1",
        "differs from node n1 only in case",
    ),
    (
        "  n2: {capacity: {cpu: 2147484, memory_mib: 1}, cpu_ratio: 1000}",
        0,
        "nodes.n2.cpu_ratio",
        "are more than 2147483647",
    ),
    (
        "  n2: {capacity: {cpu: 1, memory_mib: 1}, addresses: [10.0.0.1, 10.0.0.1]}",
        0,
        "nodes.n2.addresses[1]",
        "already that of n2",
    ),
    (
        "  n2: {capacity: {cpu: 1, memory_mib: 1}, fencing: [{agent: fence_sbd}]}",
        0,
        "nodes.n2.fencing[0]",
        "- - {agent: ...}",
    ),
    (
        "  n2:\n    capacity: {cpu: 1, memory_mib: 1}\n"
        "    fencing:\n      - - {agent: fence_x, ip: a, options: {ip: b}}",
        3,
        "nodes.n2.fencing[0][0].options.ip",
        "a key of the device itself",
    ),
    (
        "  n2:\n    capacity: {cpu: 1, memory_mib: 1}\n"
        "    fencing:\n      - - {agent: fence_x, options: {pcmk_host_map: a}}",
        3,
        "nodes.n2.fencing[0][0].options.pcmk_host_map",
        "vmha writes it",
    ),
    (
        "  n2:\n    capacity: {cpu: 1, memory_mib: 1}\n"
        "    fencing:\n"
        "      - - {agent: fence_vmha_x, password_file: /x, cib_secret: true}",
        3,
        "nodes.n2.fencing[0][0].cib_secret",
        "not both",
    ),
    (
        "  n2:\n    capacity: {cpu: 1, memory_mib: 1}\n"
        "    fencing:\n      - - {agent: fence_ipmilan, password_file: /x}",
        3,
        "nodes.n2.fencing[0][0].password_file",
        "fence_ipmilan is none of them: give options: {password_script: /usr",
    ),
    (
        "  n2:\n    capacity: {cpu: 1, memory_mib: 1}\n"
        "    fencing:\n      - - {agent: fence_x, options: {hexadecimal_kg: ab}}",
        3,
        "nodes.n2.fencing[0][0].options.hexadecimal_kg",
        "a secret does not belong in this file",
    ),
    (
        "  n2:\n    capacity: {cpu: 1, memory_mib: 1}\n"
        "    fencing:\n      - - {agent: fence_x, plug: 'n2:4'}",
        3,
        "nodes.n2.fencing[0][0].plug",
        "a number, or a text without spaces, ':'",
    ),
    (
        "  n2:\n    capacity: {cpu: 1, memory_mib: 1}\n"
        "    fencing:\n      - - {agent: fence_x, plug: 4, options: {port: 5}}",
        3,
        "nodes.n2.fencing[0][0].options.port",
        "port is the plug, a key of the device itself",
    ),
    ("quorum: {two_node: true, qdevice: {host: q}}", 0, "quorum.two_node", "not both"),
]

# Whole texts.
WHOLE = [
    ("", 1, "", "it is empty"),
    ("- a\n", 1, "", "it holds a list"),
    ("cluster: {name: a}\n", 1, "nodes", "nodes is missing"),
    ("cluster: {name: a}\nnodes: {}\n", 2, "nodes", "at least one"),
    ("nodes: {n1: {capacity: {cpu: 1, memory_mib: 1}}}\n", 1, "cluster", "is missing"),
    ('cluster: {name: "a { b"}\nnodes: {}\n', 1, "cluster.name", "without '{'"),
    ("a: b: c\n", 1, "", "not valid YAML"),
    ("a:\n\tb: 1\n", 2, "", "not valid YAML"),
    ("a: 1\n---\na: 2\n", 2, "", "not valid YAML"),
    ("a: *b\n", 1, "", "not valid YAML"),
    ("a: &a [*a]\n", 1, "", "aliases"),
    ("b: 1\na: &a\n  <<: *a\n", 2, "", "aliases"),
    ("b: 1\na: &a {<<: [*a, *a], c: 1}\n", 2, "", "aliases"),
    ("a: 1\nb: 2\nc: x\0y\n", 3, "", "not valid YAML"),
    ("a: 1\nb: \x7f\n", 2, "", "not valid YAML"),
    ("[" * 50_000, 1, "", "nested deeper"),
    ("a: " + "{b: " * 50_000, 1, "", "nested deeper"),
    ("- " * 50_000 + "a", 1, "", "nested deeper"),
]
