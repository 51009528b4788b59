"""``python -m bench [GOAL ...]``: install the peers, measure, tell, and write what was found out."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from bench import report
from bench.context import Context
from bench.goals import GOALS, measure_of
from bench.install import BUILD, Installed, NotInstalled, install
from bench.machine import machine, versions
from bench.record import RESULTS, ROOT, Record, commit_of, record_for, state_of
from bench.results import Outcome

PICTURES: Final = report.PAGE.with_suffix("")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 also when a goal is missed, 1 when a measurement broke, 130 after Ctrl-C."""
    asked = _asked(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        installed = install()
        record = record_for(state_of(), commit_of(), datetime.now(UTC).date().isoformat())
        record.machine, record.versions = machine(), versions(installed)
        # Elsewhere than in memory: databases here are to lie on a disk, as in production.
        scratch = BUILD / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        context = Context(scratch, installed, seconds=asked.seconds, repetitions=asked.repeat)
        chosen = [number for number in GOALS if number in asked.goals or not asked.goals]
        began = time.monotonic()
        for number in chosen:
            _measure(number, context, record)
            record.save()
        _tell(record, chosen)
        write(record, installed)
        print(f"measured in {(time.monotonic() - began) / 60:.0f} minutes")
    except NotInstalled as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        # Every server is a context manager's, and has been stopped on the way here.
        print("\nstopped; what was measured until now is kept", file=sys.stderr)
        return 130
    return 1 if any(number in record.broken for number in chosen) else 0


def write(record: Record, installed: Installed) -> None:
    """``docs/performance.md`` and its pictures."""
    PICTURES.mkdir(exist_ok=True)
    subprocess.run([installed.python, "-m", "bench.plots", RESULTS, PICTURES], check=True, cwd=ROOT)
    report.write(record)
    print(f"\nwritten: {report.PAGE.relative_to(ROOT)}, {RESULTS.relative_to(ROOT)}")


def _measure(number: int, context: Context, record: Record) -> None:
    print(f"\ngoal {number}", flush=True)
    began = time.monotonic()
    try:
        outcome = measure_of(number)(context)
    except Exception as error:  # noqa: BLE001  # whatever broke it, the other goals can still be measured
        traceback.print_exc()
        record.fail(number, _without_paths(f"{type(error).__name__}: {error}"))
        return
    record.add(outcome)
    _tell_outcome(outcome)
    print(f"  took {time.monotonic() - began:.0f} s", flush=True)


def _tell_outcome(outcome: Outcome) -> None:
    _print_table(("", "median", "range", "p99", "CPU each", ""), report.costs(outcome))


def _tell(record: Record, chosen: list[int]) -> None:
    print()
    _print_table(("goal", "each run", "limit", ""), report.summary(record))
    for number in chosen:
        if number in record.broken:
            print(f"\ngoal {number} was not measured: {record.broken[number].splitlines()[0]}")


def _print_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _without_paths(text: str) -> str:
    return text.replace(str(ROOT), ".").replace(str(Path.home()), "~")


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "goals", metavar="GOAL", nargs="*", type=int, help=f"numbers of goals, of {sorted(GOALS)}; none: all"
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement (3)")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions of each (3)")
    asked = parser.parse_args(arguments)
    if unknown := [str(number) for number in asked.goals if number not in GOALS]:
        parser.error(f"there is no goal {', '.join(unknown)}; the goals are {sorted(GOALS)}")
    if asked.seconds < 1 or asked.repeat < 1:
        parser.error("--seconds and --repeat: at least 1")
    return asked


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
