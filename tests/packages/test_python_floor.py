"""The packages on Python 3.9, the floor: on Debian 11, the last one that has it.

RHEL 9's Python is of the same release. Nothing of a cluster is there: what is looked
at is whether every module loads, and whether the answers are those of this machine.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from contract import ocf_root
from lab import Progress
from lab import root as roots
from packages.conftest import install
from packages.offline import from_the_tree, installed_in
from packages.overlay import OverlayRoot
from packages.test_build import modules
from packages.test_installed import METADATA

SUITE = "bullseye"
NEEDED = [
    "python3",
    *(f"python3-{name}" for name in ("jsonschema", "libvirt", "lxml", "pyghmi")),
    *(f"python3-{name}" for name in ("rich", "yaml")),
]
# The first run makes the root, which is kept.
LIMIT_S = 600
LOAD = """
import importlib, pathlib, sys
place = pathlib.Path("/usr/lib/vmha/live")
names = [path.relative_to(place).with_suffix("") for path in place.rglob("*.py")]
for name in sorted(".".join(("vmha", *name.parts)) for name in names):
    importlib.import_module(name.removesuffix(".__init__"))
print(*sys.version_info[:2], len(names))
"""


@pytest.fixture(scope="module")
def old(
    debs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OverlayRoot]:
    """A Debian 11 with the packages in it."""
    below = roots.base(SUITE, Progress(sys.stderr), wanted=NEEDED)
    root = OverlayRoot(tmp_path_factory.mktemp("root"), below)
    install(root, list(debs.values()))
    yield root
    root.close()


@pytest.mark.timeout(LIMIT_S)
def test_every_module_loads(old: OverlayRoot) -> None:
    asked = ["/usr/bin/python3", "-I", "-W", "error::SyntaxWarning", "-c", LOAD]
    major, minor, count = old.output(asked).split()
    assert (major, minor) == ("3", "9")
    assert int(count) == len([name for name in modules() if name.endswith(".py")])


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("executable", METADATA)
def test_the_metadata_is_the_same(
    old: OverlayRoot, tmp_path: Path, executable: str
) -> None:
    path, *words = METADATA[executable]
    tree = ocf_root.build(tmp_path)
    (here,) = tree.rglob(Path(path).name)
    shown = subprocess.run(
        [str(here), *words], stdout=subprocess.PIPE, text=True, check=True, timeout=60
    )
    assert old.output([path, *words]) == shown.stdout


@pytest.mark.timeout(LIMIT_S)
def test_plan_render_check_and_import_say_the_same(
    old: OverlayRoot, tmp_path: Path
) -> None:
    with ThreadPoolExecutor() as both:
        there = both.submit(installed_in, old)
        here = both.submit(from_the_tree, tmp_path, has_tools=False)
    assert there.result() == here.result()
