# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: measure the collection with real Ansible against a simulated Exchange that takes its time.

What is measured, and what that does not show, is in docs/speed.md. One table goes to the standard output, what is being
done to the standard error stream, and all figures to a JSON file. Exits 1 when something broke, with --strict also when
a goal was missed.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from bench.cases import CASES, Bench, Settings
from bench.exchange import CannotStart
from bench.results import CaseResult
from bench.runner import WentWrong
from bench.table import as_text, write_docs
from simulator.exchange.behaviour import CostModel

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "speed.md"
_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, read and checked."""

    cases: tuple[str, ...]
    settings: Settings
    output: Path
    write_docs: bool
    strict: bool


def read_options(arguments: Sequence[str]) -> Options:
    """Read the command line; exits with 2 and a message where it makes no sense."""
    parser = argparse.ArgumentParser(
        prog="make bench ARGS=…",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--cases", type=_cases, default=tuple(CASES), help=f"some of {','.join(CASES)} (default: all of them)"
    )
    parser.add_argument("--scale", type=_positive, default=1.0, help="all numbers of mailboxes times this")
    parser.add_argument("--repeat", type=_count, default=1, help="runs of ours; the table has their medians")
    parser.add_argument("--sample", type=_count, default=50, help="mailboxes in the runs that would take hours")
    parser.add_argument("--whole", action="store_true", help="no samples: run everything, if it takes hours")
    parser.add_argument(
        "--select-object", choices=("yes", "no"), default="yes", help="whether Exchange lets Select-Object in"
    )
    parser.add_argument(
        "--cost",
        type=_cost,
        action="append",
        default=[],
        metavar="NAME=SECONDS",
        help=f"another cost model: {', '.join(entry.name for entry in fields(CostModel))}",
    )
    parser.add_argument("--profile", action="store_true", help="case bulk: say where the processor time goes")
    parser.add_argument("--output", type=Path, default=ROOT / ".dev" / "bench.json", help="the JSON file")
    parser.add_argument("--write-docs", action="store_true", help="put the table into docs/speed.md")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a goal was missed")
    read = parser.parse_args(arguments)
    settings = Settings(
        scale=read.scale,
        repeat=read.repeat,
        sample=read.sample,
        whole=read.whole,
        select_object=read.select_object == "yes",
        profile=read.profile,
        costs=replace(CostModel.of_benchmarks(), **dict(read.cost)),
    )
    return Options(read.cases, settings, read.output, read.write_docs, read.strict)


def _cases(text: str) -> tuple[str, ...]:
    names = text.split(",")
    if not set(names) <= set(CASES):
        raise ValueError(text)
    return tuple(name for name in CASES if name in names)


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number <= 10:
        raise ValueError(text)
    return number


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 1_000_000:
        raise ValueError(text)
    return number


def _cost(text: str) -> tuple[str, float]:
    name, _sep, seconds = text.partition("=")
    if name not in {entry.name for entry in fields(CostModel)} or not 0 <= float(seconds) <= 3600:
        raise ValueError(text)
    return name, float(seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure."""
    options = read_options(sys.argv[1:] if arguments is None else arguments)
    # SIGINT too: whoever starts this in the background of a shell has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        results = measure(options)
    except KeyboardInterrupt:
        sys.stderr.write("bench: interrupted\n")
        return _INTERRUPTED
    sys.stdout.write(f"{described(options.settings)}\n\n{as_text(results)}")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(document(options, results), indent=2) + "\n", "utf-8")
    broke = any(result.broke for result in results)
    if options.write_docs and not broke:
        write_docs(PAGE, results, described(options.settings))
    missed = any(goal.verdict == "missed" for result in results for goal in result.goals)
    return 1 if broke or (options.strict and missed) else 0


def measure(options: Options) -> list[CaseResult]:
    """Run the cases; leaves no process, port or file behind."""
    # A short path: Ansible puts sockets below it.
    with tempfile.TemporaryDirectory(prefix="mx-bench-") as folder:
        bench = Bench(options.settings, Path(folder), _progress)
        try:
            return [_measured(bench, name) for name in options.cases]
        finally:
            bench.close()


def _measured(bench: Bench, name: str) -> CaseResult:
    """A case that breaks must not take with it what the others found."""
    try:
        return bench.run(name)
    except (WentWrong, CannotStart) as error:
        sys.stderr.write(f"bench: {name}: {error}\n")
        return CaseResult(name, name, broke=str(error))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _progress(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def versions() -> dict[str, str]:
    """What it was measured with."""
    return {
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in ("ansible-core", "pypsrp")},
    }


def described(settings: Settings) -> str:
    """The conditions, in two sentences."""
    costs = settings.costs
    with_versions = ", ".join(f"{name} {version}" for name, version in versions().items())
    scale = "" if settings.scale == 1 else f" All numbers of mailboxes are scaled by {settings.scale:g}."
    return (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {with_versions}, {os.cpu_count()} processors. "
        f"Cost model: {costs.round_trip * 1000:g} ms a round trip, {costs.per_cmdlet * 1000:g} ms a cmdlet, "
        f"{costs.per_identity_lookup * 1000:g} ms a lookup by identity, {costs.per_bulk_object * 1000:g} ms an object "
        f"of a listing, {costs.per_set * 1000:g} ms a write; Select-Object is "
        f"{'visible' if settings.select_object else 'not visible'}.{scale}"
    )


def document(options: Options, results: Sequence[CaseResult]) -> dict[str, Any]:
    """All figures."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "processors": os.cpu_count(),
        "settings": asdict(options.settings),
        "cases": [
            {
                **asdict(result),
                "goals": [{**asdict(goal), "verdict": goal.verdict} for goal in result.goals],
            }
            for result in results
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
