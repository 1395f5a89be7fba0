"""The options of ``virsh migrate``, for a resource that comes from VirtualDomain.

Pure text. Called by the check of ``migrate_options`` and by ``transfer``. Each option
is taken up, is without effect here for a reason, or is not accepted. Source of the
names: virsh(1), "migrate".
"""

from __future__ import annotations

# Taken up: the options that stand alone, that take a number, and that take a text.
SWITCHES = (
    "p2p",
    "direct",
    "tunnelled",
    "auto-converge",
    "compressed",
    "postcopy",
    "postcopy-after-precopy",
    "parallel",
    "copy-storage-all",
    "copy-storage-inc",
    "copy-storage-synchronous-writes",
    "tls",
    "unsafe",
    "abort-on-error",
    "change-protection",
    "rdma-pin-all",
    "zerocopy",
    "timeout-suspend",
    "timeout-postcopy",
)
NUMBERS = (
    "bandwidth",
    "postcopy-bandwidth",
    "parallel-connections",
    "auto-converge-initial",
    "auto-converge-increment",
    "comp-mt-level",
    "comp-mt-threads",
    "comp-mt-dthreads",
    "comp-xbzrle-cache",
    "disks-port",
    "timeout",
)
TEXTS = (
    "migrateuri",
    "graphicsuri",
    "listen-address",
    "comp-methods",
    "migrate-disks",
    "disks-uri",
    "tls-destination",
)
# Accepted and left out; the reason goes to the log.
WITHOUT_EFFECT = {
    "live": "vmha always migrates live",
    "verbose": "the log shows the progress",
    "persistent": "a guest given by config stays transient, and one given by domain "
    "is defined on every node anyway",
    "undefinesource": "the guest must be able to come back",
}
SILENT = ("live", "verbose")
COMPRESSIONS = ("mt", "xbzrle", "zlib", "zstd")


class Options:
    """What a text of options says: ``given`` by name, and the ``unknown`` words."""

    __slots__ = ("given", "unknown")

    def __init__(self, given: dict[str, str], unknown: list[str]) -> None:
        self.given = given
        self.unknown = unknown

    def flag(self, name: str) -> bool:
        """Tell whether an option was given."""
        return name in self.given

    def text(self, name: str) -> str:
        """Return an option's value, "" where it was not given."""
        return self.given.get(name, "")

    def number(self, name: str) -> int:
        """Return an option's number, 0 where it was not given."""
        return int(self.given.get(name) or 0)

    def left_out(self) -> list[str]:
        """Return what was given and has no effect here, with the reasons."""
        names = [n for n in self.given if n in WITHOUT_EFFECT and n not in SILENT]
        return [f"--{name} ({WITHOUT_EFFECT[name]})" for name in names]


def parse(text: str) -> Options:
    """Read options as virsh does: --name, --name=value or --name value."""
    words = text.split()
    options = Options({}, [])
    while words:
        word = words.pop(0)
        name, equals, value = word[2:].partition("=")
        if not word.startswith("--"):
            options.unknown.append(word)
        elif name in SWITCHES or name in WITHOUT_EFFECT:
            _take(options, word, name, "yes" if not equals else "")
        elif name in NUMBERS or name in TEXTS:
            if not equals and words and not words[0].startswith("--"):
                value = words.pop(0)
                word += f" {value}"
            _take(options, word, name, value if _is_good(name, value) else "")
        else:
            options.unknown.append(word)
    return options


def accepted() -> str:
    """Return the clause that says which options are accepted."""
    names = sorted((*SWITCHES, *NUMBERS, *TEXTS, *WITHOUT_EFFECT))
    return "of virsh migrate's options " + ", ".join(f"--{name}" for name in names)


def _take(options: Options, word: str, name: str, value: str) -> None:
    if value:
        options.given[name] = value
    else:
        options.unknown.append(word)


def _is_good(name: str, value: str) -> bool:
    if name == "comp-methods":
        return all(method in COMPRESSIONS for method in value.split(","))
    return name in TEXTS or (value.isascii() and value.isdigit() and len(value) < 10)
