"""The mirror comes from the machine's own apt sources, in both of their forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab import sources
from lab.sources import Mirror, Source

if TYPE_CHECKING:
    from pathlib import Path

DEB822 = """\
Types: deb deb-src
# a comment between the fields
URIs: http://archive.example/debian/
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://archive.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://elsewhere.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: https://tools.example/
Suites: nodistro
Components: main
"""


def no_file(path: str) -> str:
    raise AssertionError(f"{path} is not to be read")


def test_a_sources_file_gives_the_archive_and_its_pockets() -> None:
    mirror = sources.choose("bookworm", sources.deb822(DEB822), no_file)
    assert mirror == Mirror(
        "http://archive.example/debian",
        (
            Source("http://archive.example/debian", "bookworm-updates"),
            Source("http://archive.example/debian-security", "bookworm-security"),
        ),
    )


def test_a_list_with_options_and_comments_gives_the_archive() -> None:
    text = (
        "# deb http://old.example/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/a b] http://one.example/debian bookworm main\n"
        "deb-src http://two.example/debian bookworm main\n"
        "deb http://three.example/debian bookworm contrib\n"
    )
    mirror = sources.choose("bookworm", sources.one_line(text), no_file)
    assert mirror == Mirror("http://one.example/debian")


def test_an_archive_of_one_suite_is_lent_to_another() -> None:
    mirror = sources.choose("trixie", sources.deb822(DEB822), no_file)
    text = mirror.sources_list("trixie")
    assert text is not None
    assert text.splitlines() == [
        "deb http://archive.example/debian trixie main",
        "deb http://archive.example/debian trixie-updates main",
        "deb http://archive.example/debian-security trixie-security main",
    ]


def test_of_an_older_suite_the_release_alone_is_taken() -> None:
    """Its security archive lists packages that are gone."""
    mirror = sources.choose("bullseye", sources.deb822(DEB822), no_file)
    assert mirror == Mirror("http://archive.example/debian")


def test_a_cloud_image_names_its_mirror_in_a_file() -> None:
    listed = [Source("mirror+file:///etc/apt/mirrors/debian.list", "bookworm")]
    files = {"/etc/apt/mirrors/debian.list": "https://cloud.example/debian\n"}
    mirror = sources.choose("bookworm", listed, files.__getitem__)
    assert mirror.archive == "https://cloud.example/debian"


def test_without_a_usable_source_the_choice_is_left_to_debootstrap() -> None:
    found = [Source("cdrom:[Debian 12]/", "bookworm"), Source("http://u.example", "x")]
    mirror = sources.choose("bookworm", found, no_file)
    assert mirror == Mirror(None)
    assert mirror.sources_list("bookworm") is None


def test_the_machine_is_read_from_both_kinds_of_files(tmp_path: Path) -> None:
    folder = tmp_path / "sources.list.d"
    folder.mkdir()
    (tmp_path / "sources.list").write_text("deb http://a.example/debian trixie main\n")
    (folder / "debian.sources").write_text(DEB822)
    (folder / "old.list.disabled").write_text("deb http://no.example trixie main\n")
    mirror = sources.machine("trixie", tmp_path)
    assert mirror.archive == "http://a.example/debian"
    assert len(mirror.extra) == 2
