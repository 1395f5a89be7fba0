"""What is written reads back as the same, whatever it holds."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from unit.heartbeat.clusterfile.test_reading import WHOLE

from vmha.heartbeat.clusterfile import reading, writing
from vmha.heartbeat.clusterfile.content import (
    AvoidEntry,
    ClusterFile,
    Device,
    GuestEntry,
    NodeEntry,
    PinEntry,
    Policy,
    QDevice,
    RuleEntry,
    SpreadEntry,
    TogetherEntry,
)
from vmha.heartbeat.planning.model import BY_CLASS, HOST, NONE, RACK

# To explain a failure takes longer than a test may.
PHASES = [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink]

# Names that YAML would take for something else, and texts with every awkward sign.
WORDS = ["on", "no", "yes", "null", "true", "y", "nan", "e1", "NO", "inf", "o.1", "_"]
WAITED = ["fs", "shared-fs", "_fs.1", "off", "False", "Null"]
NODES = ["1", "1.5", "2024-01-01", "0x10", "1e3", "on", "null", "n1", "12-3", "a.b"]
TEXTS = [
    *("a: b", "a #b", "- a", "'", '"', "\\", "%x", "@x", "`", "{a}", "[a]", "a, b"),
    *(
        "7",
        "true",
        "~",
        "!tag",
        "&a",
        "*a",
        "|",
        ">",
        "?",
        ":",
        "0o7",
        "1:30",
        "é",
        "=",
    ),
    *("<<", ".inf", "qemu:///system", "a:b", "a ", "/x y"),
]

# A thousandth of the most that Pacemaker counts: cpu_ratio may be 1000.
sizes = st.integers(0, 2_000_000)
texts = st.sampled_from(TEXTS).filter(lambda text: text == text.strip())
priorities = st.integers(-999999, 999999)
parameters = st.dictionaries(
    st.sampled_from(["devices", "plug", "port", "verbose"]), st.sampled_from(TEXTS)
).map(lambda one: dict(sorted(one.items())))


@st.composite
def devices(draw: st.DrawFn) -> Device:
    own = {}
    if draw(st.booleans()):
        own["ip"] = draw(texts)
    has_file = draw(st.booleans())
    if has_file:
        own["password_file"] = "/etc/secret"
    options = dict(sorted({**own, **draw(parameters)}.items()))
    agent = draw(st.sampled_from(["fence_x", "fence_vmha_x"]))
    return Device(agent, options, cib_secret=not has_file and draw(st.booleans()))


@st.composite
def nodes(draw: st.DrawFn, name: str, number: int) -> NodeEntry:
    cpu, memory_mib = draw(sizes), draw(sizes)
    level = st.lists(devices(), min_size=1, max_size=2).map(tuple)
    return NodeEntry(
        name,
        tuple(f"10.{ring}.0.{number}" for ring in range(draw(st.integers(0, 2)))),
        cpu,
        memory_mib,
        draw(st.integers(0, cpu)),
        draw(st.integers(0, memory_mib)),
        draw(st.floats(0.01, 1000)),
        draw(st.none() | texts),
        draw(st.lists(level, max_size=2).map(tuple)),
    )


@st.composite
def guests(
    draw: st.DrawFn, name: str, classes: dict[str, int], known: list[str]
) -> GuestEntry:
    guest_class = draw(st.none() | st.sampled_from(sorted(classes)))
    of_class = 0 if guest_class is None else classes[guest_class]
    is_by_config = draw(st.booleans())
    return GuestEntry(
        name,
        draw(sizes),
        draw(sizes.filter(bool)),
        config=f"/srv/{name}: b.xml" if is_by_config else None,
        domain=None if is_by_config else f"{name} {draw(texts)}",
        hypervisor=draw(st.none() | st.just("qemu:///system")),
        guest_class=guest_class,
        priority=draw(st.just(of_class) | priorities),
        ha=draw(st.booleans()),
        runs_on=draw(st.none() | st.sampled_from(known)),
        prefer=tuple(draw(st.lists(st.sampled_from(known), unique=True))),
        after=tuple(sorted(draw(st.sets(st.sampled_from(WAITED))))),
        start_order=draw(st.none() | sizes),
        start_delay_s=draw(sizes),
        options=draw(st.sampled_from([{}, {"migration_downtime": "300"}])),
    )


def rules(
    guest_names: list[str], node_names: list[str]
) -> st.SearchStrategy[RuleEntry]:
    """Soft ones, so that they never contradict each other."""
    several = st.lists(
        st.sampled_from(guest_names), unique=True, min_size=2, max_size=4
    )
    places = st.lists(st.sampled_from(node_names), unique=True, min_size=1)
    listed = several.map(lambda names: tuple(sorted(names)))
    to = places.map(lambda names: tuple(sorted(names)))
    return st.one_of(
        st.builds(SpreadEntry, listed, st.sampled_from([HOST, RACK]), st.just(False)),
        st.builds(
            TogetherEntry,
            several.map(lambda names: (names[0], *sorted(names[1:]))),
            st.just(False),
        ),
        st.builds(PinEntry, listed, to, st.just(False)),
        st.builds(AvoidEntry, listed, to, st.just(False)),
    )


@st.composite
def files(draw: st.DrawFn) -> ClusterFile:
    node_names = sorted(draw(st.sets(st.sampled_from(NODES), min_size=1)))
    guest_names = sorted(draw(st.sets(st.sampled_from(WORDS), min_size=2)))
    node_names = sorted(set(node_names) - set(guest_names)) or ["n1"]
    classes = draw(st.dictionaries(texts, priorities, min_size=1))
    entries = [draw(nodes(name, at)) for at, name in enumerate(node_names)]
    qdevice = draw(st.none() | st.just(QDevice("q", "lms")))
    is_pair = len(entries) == 2 and qdevice is None
    placed = st.lists(rules(guest_names, node_names), max_size=4, unique=True)
    return ClusterFile(
        "vmha.yaml",
        draw(texts.filter(lambda text: "{" not in text)),
        tuple(entries),
        tuple(draw(guests(name, classes, node_names)) for name in guest_names),
        dict(sorted(classes.items())),
        tuple(sorted(draw(placed), key=repr)),
        Policy(
            draw(st.integers(0, 8)),
            draw(st.sampled_from([BY_CLASS, NONE])),
            draw(st.none() | sizes),
            draw(sizes),
        ),
        draw(st.none() | st.integers(30, 3_600_000)),
        draw(st.booleans()) if is_pair else False,
        qdevice,
    )


@given(files())
@settings(max_examples=100, deadline=None, phases=PHASES)
def test_what_is_written_reads_back_as_the_same(file: ClusterFile) -> None:
    read = reading.parse(writing.text_of(file), "vmha.yaml")
    assert replace(read, warnings=()) == file


def test_what_a_person_wrote_is_written_as_a_person_would() -> None:
    text = writing.text_of(reading.parse(WHOLE, "vmha.yaml"))
    assert "  db1: {domain: database, hypervisor: qemu:///system, cpu: 4" in text
    assert "  - {pin: [db1, web1], to: [n2, rack:r1]}" in text
    assert 'ipport: "623"' in text
    assert reading.parse(text, "vmha.yaml") == reading.parse(WHOLE, "vmha.yaml")
