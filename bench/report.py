"""``docs/performance.md``, from ``results.json`` alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import fill
from typing import Final

from bench.record import ROOT, Record
from bench.results import Figure, Outcome, Verdict

PAGE: Final = ROOT / "docs/performance.md"
WIDTH: Final = 110
UNKNOWN: Final = "The cause has not been found yet."

INTRODUCTION: Final = """\
# Performance

What Hitchpost costs, beside what a user would pick instead. Ours and the peers' took turns in one run on one
machine: a ratio holds elsewhere too, while the figures themselves are this machine's. Each mark shows every
run of this state, and is met when all of them met it. `make bench` makes another run and writes this page;
[bench/README.md](../bench/README.md) says how. The appendix has every figure, and how it was measured.
"""


def page(record: Record, pictures: Iterable[str] = ()) -> str:
    """The whole page. ``pictures`` are the file names in ``docs/performance/`` that there are."""
    if not record.outcomes and not record.broken:
        return INTRODUCTION + "\nNothing has been measured yet.\n"
    have = set(pictures)
    parts = [
        INTRODUCTION,
        _where(record),
        "## The goals\n\n" + _goals(record),
        _missed(record),
        "## Appendix: how each goal was measured",
        *(_goal(record.runs[number], have) for number in sorted(record.runs)),
        *(_broken(number, record.broken[number]) for number in sorted(record.broken)),
        "### What took part\n\n" + _list("what", record.versions, "version"),
    ]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _where(record: Record) -> str:
    machine = ", ".join(f"{name} {value}" for name, value in record.machine.items())
    return _wrapped(f"Measured on {record.day}, of commit `{record.commit}`, with {machine}.")


def _missed(record: Record) -> str:
    """Each mark that some run missed, with its cause; those of one cause stand together."""
    causes: dict[tuple[int, str], list[str]] = {}
    for number in sorted(record.runs):
        for mark in record.runs[number][-1].verdicts:
            if across(record.runs[number], mark)[1] != "met":
                causes.setdefault((number, mark.cause or UNKNOWN), []).append(mark.what)
    lines = [_wrapped(f"- **{number} {'; '.join(marks)}.** {why}") for (number, why), marks in causes.items()]
    return "## What was missed, and why\n\n" + "\n".join(lines) if lines else ""


def _wrapped(text: str) -> str:
    return fill(text, WIDTH, subsequent_indent="  " if text.startswith("- ") else "", break_long_words=False)


def summary(record: Record) -> list[tuple[str, ...]]:
    """A row for each mark of each goal: goal, what each run measured, limit, whether it is met."""
    rows: list[tuple[str, ...]] = []
    for number in sorted(record.outcomes.keys() | record.broken.keys()):
        outcome = record.outcomes.get(number)
        if outcome is None:
            rows.append((f"{number}", "", "", "not measured"))
            continue
        for verdict in outcome.verdicts:
            measured, held = across(record.runs[number], verdict)
            rows.append((f"{number} {verdict.what}", measured, limit(verdict), held))
        if not outcome.verdicts:
            rows.append((f"{number} {outcome.what}", "", "", "no mark"))
    return rows


def costs(outcome: Outcome) -> list[tuple[str, ...]]:
    """A row for each figure: who, median, the repetitions' range, p99, CPU time of one operation, note."""
    return [
        (
            figure.subject,
            f"{amount(figure.median)} {figure.unit}",
            _range(figure),
            "" if figure.p99_ms is None else f"{amount(figure.p99_ms)} ms",
            "" if figure.cpu_ms is None else f"{amount(figure.cpu_ms)} ms",
            figure.note,
        )
        for figure in outcome.figures
    ]


def amount(value: float) -> str:
    """Three digits that count; whole numbers from a hundred on."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def limit(verdict: Verdict) -> str:
    """What the value has to reach, or must not pass."""
    return f"{'at least' if verdict.at_least else 'at most'} {amount(verdict.goal)}"


def _goals(record: Record) -> str:
    return table(("goal", "each run", "limit", ""), summary(record))


def across(runs: Sequence[Outcome], mark: Verdict) -> tuple[str, str]:
    """What each run measured of a mark, and in how many of them it was met."""
    found = [one for run in runs for one in run.verdicts if one.what == mark.what]
    met = sum(one.holds for one in found)
    held = "met" if met == len(found) else f"met in {met} of {len(found)} runs" if met else "MISSED"
    return ", ".join(amount(one.value) for one in found), held


def _goal(runs: Sequence[Outcome], pictures: set[str]) -> str:
    outcome = runs[-1]
    parts = [f"### Goal {outcome.number}: {outcome.what}", _wrapped(outcome.method)]
    parts.append(table(("who", "median", "range", "p99", "CPU each", "note"), costs(outcome)))
    if (name := f"goal-{outcome.number}.svg") in pictures:
        parts.append(f"![{outcome.what}](performance/{name})")
    return "\n\n".join(part for part in parts if part)


def _broken(number: int, reason: str) -> str:
    lines = "\n".join(f"    {line}" for line in reason.strip().splitlines())
    return f"### Goal {number}: not measured\n\nThe measurement broke, so there is no figure:\n\n{lines}"


def _range(figure: Figure) -> str:
    if len(figure.runs) == 1:
        return ""
    return f"{amount(min(figure.runs))} to {amount(max(figure.runs))} ({len(figure.runs)} runs)"


def _list(what: str, values: dict[str, str], head: str = "") -> str:
    return table((what, head), list(values.items())) if values else ""


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown, without the columns that are empty in every row; "" for no rows."""
    if not rows:
        return ""
    kept = [column for column in range(len(head)) if any(row[column] for row in rows)]
    lines = [tuple(head[column] for column in kept), tuple("---" for _ in kept)]
    lines += [tuple(row[column].replace("|", "\\|") for column in kept) for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write(record: Record, page_path: Path = PAGE) -> None:
    """Write the page, with the pictures that lie beside it."""
    pictures = [path.name for path in page_path.with_suffix("").glob("*.svg")]
    page_path.write_text(page(record, pictures))
