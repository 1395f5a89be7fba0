"""Where this machine gets its packages from, read from its own apt sources.

Called when a base root is built, so that no mirror's address is written in the project:
a base of another suite comes from the same archive. Pure: text in, values out; only
``machine()`` reads files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

APT = Path("/etc/apt")
# A host of any of these suites can lend its archive to a base of any other.
SUITES = ("bookworm", "trixie")


@dataclass(frozen=True)
class Source:
    """One archive and one suite in it, as a line of sources.list would name them."""

    uri: str
    suite: str


@dataclass(frozen=True)
class Mirror:
    """The archives for one suite; None leaves the choice to debootstrap."""

    archive: str | None
    extra: tuple[Source, ...] = ()

    def sources_list(self, suite: str) -> str | None:
        """The text of sources.list, or None to keep what debootstrap writes."""
        if self.archive is None:
            return None
        lines = [f"deb {self.archive} {suite} main"]
        lines += [f"deb {extra.uri} {extra.suite} main" for extra in self.extra]
        return "\n".join(lines) + "\n"


def machine(suite: str, apt: Path = APT) -> Mirror:
    """The mirror for a suite according to this machine's apt sources."""
    found: list[Source] = []
    folder = apt / "sources.list.d"
    for file in (apt / "sources.list", *sorted(folder.glob("*"))):
        if file.suffix == ".sources":
            found += deb822(_text(file))
        elif file.suffix == ".list":
            found += one_line(_text(file))
    return choose(suite, found, lambda path: _text(Path(path)))


def choose(suite: str, sources: Iterable[Source], read: Callable[[str], str]) -> Mirror:
    """The archives for a suite, lent from another Debian suite when need be.

    Of a suite that is older than all of SUITES, the release alone is taken: what its
    security archive still lists is not always there.

    ``read`` gives the text behind a ``mirror+file:`` address.
    """
    archive: str | None = None
    extra: list[Source] = []
    for source in sources:
        name, dash, pocket = source.suite.partition("-")
        uri = _plain(source.uri, read)
        if uri is None or (name != suite and name not in SUITES):
            continue
        if not dash:
            archive = archive or uri
        elif pocket in ("security", "updates") and suite in SUITES:
            extra.append(Source(uri, f"{suite}-{pocket}"))
    if archive is None:
        return Mirror(None)
    return Mirror(archive, tuple(dict.fromkeys(extra)))


def deb822(text: str) -> Iterator[Source]:
    """The binary sources with a main component in a .sources file."""
    text = re.sub(r"(?m)^#.*\n?", "", text)
    for paragraph in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        for key, value in re.findall(
            r"(?m)^([A-Za-z-]+):((?:.*)(?:\n[ \t]+.*)*)", paragraph
        ):
            fields[key.lower()] = value
        if fields.get("enabled", "yes").strip().lower() in ("no", "false", "0"):
            continue
        if "deb" not in fields.get("types", "").split():
            continue
        if "main" not in fields.get("components", "").split():
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Source(uri.rstrip("/"), suite)


def one_line(text: str) -> Iterator[Source]:
    """The binary sources with a main component in a sources.list."""
    for line in text.splitlines():
        words = re.sub(r"\[[^]]*\]", " ", line.partition("#")[0]).split()
        if len(words) > 3 and words[0] == "deb" and "main" in words[3:]:
            yield Source(words[1].rstrip("/"), words[2])


def _plain(uri: str, read: Callable[[str], str]) -> str | None:
    """An address that works in a chroot, or None (a CD, a local directory)."""
    if uri.startswith("mirror+file:"):
        listed = read("/" + uri.partition(":")[2].lstrip("/")).split()
        uri = next((word for word in listed if word.startswith("http")), "")
    return uri.rstrip("/") if uri.startswith(("http://", "https://")) else None


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""
