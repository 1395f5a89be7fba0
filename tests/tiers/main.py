"""The command ``tests/all``: options, order of the tiers, and the end of the run."""

from __future__ import annotations

import argparse
import os
import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from . import machine, report
from .child import Console, run
from .declared import BUDGET_S, ENDED_AT, EVERYWHERE, LEFT_OUT_BY_FAST, TIERS, Tier
from .outcome import Counts, Outcome, of_pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build/tests"
ONE_TEST_S = 600  # the first of the cluster tier builds the nodes as well
TYPED = (
    "tests",
    "tests/all",
    "tests/bench",
    "tests/demo",
    "packaging/build-deb",
    "packaging/build-rpm",
    "packaging/installed/assemble",
    "packaging/installed/in-use",
    "packaging/layout",
    "packaging/switch-over",
    "packaging/write-manual",
)


class Plan(NamedTuple):
    """What this run is to do, and with what."""

    tiers: tuple[Tier, ...]
    long: bool
    seed: int
    suite: str
    tools: Path
    environment: dict[str, str]


def main() -> int:
    """Run the tiers the command line asks for; 0 only when every test passed."""
    options = _arguments()
    if os.geteuid():
        print("tests/all: run it as root; the tiers start daemons and namespaces")
        return 2
    BUILD.mkdir(parents=True, exist_ok=True)
    # A run that is asked to end takes its labs down, as if by the keyboard.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (BUILD / "all.log").open("wb") as log:
        console = Console(log)
        try:
            return _run(options, console)
        except machine.SetUpError as error:
            console.line(f"tests/all: {error}")
            return 2
        except KeyboardInterrupt:
            console.line("tests/all: interrupted")
            return 130


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    names = [tier.name for tier in TIERS]
    parser = argparse.ArgumentParser(
        prog="tests/all",
        description="Prepare this machine and run vmha's tests, tier by tier.",
        epilog=f"The whole output is kept in {BUILD / 'all.log'}.",
    )
    parser.add_argument(
        "tiers", nargs="*", metavar="TIER", help=f"only these: {', '.join(names)}"
    )
    parser.add_argument(
        "--fast",
        action="store_true",
        help=f"leave out: {', '.join(LEFT_OUT_BY_FAST)}",
    )
    parser.add_argument(
        "--long", action="store_true", help="full counts, no limit on a tier's time"
    )
    parser.add_argument(
        "--suite",
        choices=("bookworm", "trixie"),
        default="bookworm",
        help="the Debian of the tier cluster's nodes, and of what the tier packages "
        "installs into: 12 (default) or 13",
    )
    parser.add_argument("--seed", type=int, help="repeat the random choices of a run")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers")
    parser.add_argument(
        "--no-install", action="store_true", help="fail instead of installing anything"
    )
    parser.add_argument(
        "--skips-fail",
        action="store_true",
        help="a skipped test fails the run, as it should in CI",
    )
    options = parser.parse_args()
    for name in options.tiers:
        if name not in names:
            parser.error(f"no tier is called {name}; there are {', '.join(names)}")
    return options


def _run(options: argparse.Namespace, console: Console) -> int:
    """Prepare, run every tier, report; return the exit code."""
    started = time.monotonic()
    tiers = _chosen(options)
    seed = options.seed
    if seed is None:
        seed = random.SystemRandom().randrange(2**32)
    console.line(f"tiers: {' '.join(tier.name for tier in tiers)}; seed {seed}")
    needed = [*EVERYWHERE, *(name for tier in tiers for name in tier.packages)]
    machine.install(needed, console, not options.no_install)
    tools = machine.tools(console, not options.no_install)
    environment = {**machine.environment(), **machine.caches(tools)}
    plan = Plan(tiers, options.long, seed, options.suite, tools, environment)
    set_up_s = time.monotonic() - started

    outcomes: list[Outcome] = []
    for tier in tiers:
        console.line(f"\n== {tier.name}")
        outcomes.append(_tier(tier, plan, console))
        console.line(report.tier_line(outcomes))

    console.line()
    for line in report.table(outcomes, set_up_s):
        console.line(line)
    if options.json:
        report.write_json(options.json, outcomes, seed, set_up_s)
    counts = report.total(outcomes)
    console.line(f"seed {seed}, {report.minutes(time.monotonic() - started)} in all")
    console.line(report.words(counts))
    return int(bool(counts.failed or (options.skips_fail and counts.skipped)))


def _chosen(options: argparse.Namespace) -> tuple[Tier, ...]:
    """Pick the tiers, always in their own order; naming one overrides --fast."""
    if options.tiers:
        return tuple(tier for tier in TIERS if tier.name in options.tiers)
    left_out = LEFT_OUT_BY_FAST if options.fast else ()
    return tuple(tier for tier in TIERS if tier.name not in left_out)


def _tier(tier: Tier, plan: Plan, console: Console) -> Outcome:
    """Run one tier to its end or its limit."""
    started = time.monotonic()
    counts, remarks = Counts(), tuple[str, ...]()
    if tier.name == "static":
        counts, remarks = _static(plan, console)
    for part in _parts(tier):
        tested, more = _pytest(tier, part, plan, console)
        counts, remarks = counts.plus(tested), remarks + more
    seconds = time.monotonic() - started
    return Outcome(tier.name, tier.stage, seconds, counts, remarks)


def _static(plan: Plan, console: Console) -> tuple[Counts, tuple[str, ...]]:
    """Check layout, lint and types; each check counts as one test."""
    ruff, mypy = str(plan.tools / "bin/ruff"), str(plan.tools / "bin/mypy")
    checks: Sequence[tuple[str, ...]] = (
        (ruff, "format", "--check", "."),
        (ruff, "check", "."),
        (mypy, "--scripts-are-modules", *TYPED),
    )
    counts, failed = Counts(), []
    for argv in checks:
        shown = " ".join((Path(argv[0]).name, *argv[1:]))
        console.line(f"{shown}")
        ended = run(
            argv, console, ROOT, plan.environment, _limit_s("static + unit", plan)
        )
        counts = counts.plus(Counts(failed=1) if ended.exit_code else Counts(passed=1))
        if ended.exit_code:
            failed.append(f"{shown} failed")
    return counts, tuple(failed)


class Part(NamedTuple):
    """One call of pytest: which tests of a tier, and in how many processes."""

    name: str
    options: tuple[str, ...] = ()


def _parts(tier: Tier) -> tuple[Part, ...]:
    """Return how a tier is run: at once, or side by side and then what wants quiet."""
    if tier.workers == 1:
        return (Part(tier.name),)
    # Each worker takes from the other's share when its own is done.
    shared = ("-n", str(tier.workers), "--dist", "worksteal", "-m", "not alone")
    whole = Part(tier.name, shared)
    if not _has_alone(ROOT / tier.folder):
        return (whole,)
    return whole, Part(f"{tier.name}-alone", ("-m", "alone"))


def _has_alone(folder: Path) -> bool:
    """Tell whether any test there is marked to run by itself."""
    return any("mark.alone" in file.read_text("utf-8") for file in folder.rglob("*.py"))


def _pytest(
    tier: Tier, part: Part, plan: Plan, console: Console
) -> tuple[Counts, tuple[str, ...]]:
    """Run one folder of tests, or a part of it."""
    if not (ROOT / tier.folder).is_dir():
        return Counts(failed=1), (f"no folder {tier.folder}",)
    result = BUILD / f"{part.name}.xml"
    result.unlink(missing_ok=True)
    argv = [
        str(plan.tools / "bin/python"),
        *("-m", "pytest", tier.folder, "-v" if tier.verbose else "-q"),
        *("--color=no", "--durations=5", "--durations-min=1", f"--junitxml={result}"),
        *("-o", f"cache_dir={plan.tools / 'cache/pytest'}"),
        *("--timeout", str(ONE_TEST_S), "--timeout-method=signal"),
        *(
            "--suite",
            plan.suite,
            "--seed",
            str(plan.seed),
            f"--hypothesis-seed={plan.seed}",
        ),
        *part.options,
    ]
    if plan.long:
        argv.append("--long")
    limit_s = _limit_s(tier.stage, plan)
    ended = run(argv, console, ROOT, plan.environment, limit_s)
    counts, remarks = of_pytest(result, ended.exit_code)
    if ended.at_limit:
        remarks = (*remarks, f"ended after {limit_s:.0f} s")
    return counts, remarks


def _limit_s(stage: str, plan: Plan) -> float | None:
    """Tell when a tier of this stage is ended by force; never with --long."""
    return None if plan.long else float(BUDGET_S[stage] * ENDED_AT)
