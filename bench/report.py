"""``docs/performance.md``, from ``results.json`` alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from bench.record import ROOT, Record
from bench.results import Figure, Outcome, Verdict

PAGE: Final = ROOT / "docs/performance.md"
OURS: Final = "Hitchpost"
MOST_IN_A_ROW: Final = 4

INTRODUCTION: Final = """\
# Performance

What Hitchpost costs, beside what a user would pick instead. Ours and the peers' took turns in one run on one
machine: a ratio holds elsewhere too, while the figures themselves are this machine's. Figures are of the last
run; each mark shows every run of this state. `make bench` makes another run and writes this page;
[bench/README.md](../bench/README.md) says how.
"""


def page(record: Record, pictures: Iterable[str] = ()) -> str:
    """The whole page. ``pictures`` are the file names in ``docs/performance/`` that there are."""
    if not record.outcomes and not record.broken:
        return INTRODUCTION + "\nNothing has been measured yet.\n"
    have = set(pictures)
    parts = [
        INTRODUCTION,
        f"Measured on {record.day}, of commit `{record.commit}`.",
        _list("machine", record.machine),
        "## The goals\n\n" + _goals(record),
        *(_goal(record.runs[number], have) for number in sorted(record.runs)),
        *(_broken(number, record.broken[number]) for number in sorted(record.broken)),
        "## What took part\n\n" + _list("what", record.versions, "version"),
    ]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def summary(record: Record) -> list[tuple[str, ...]]:
    """A row for each mark of each goal: goal, ours, peers, measured, limit, whether it is met."""
    rows: list[tuple[str, ...]] = []
    for number in sorted(record.outcomes.keys() | record.broken.keys()):
        outcome = record.outcomes.get(number)
        if outcome is None:
            rows.append((f"{number}", "", "", "", "", "not measured"))
            continue
        ours, peers = _medians(outcome, ours=True), _medians(outcome, ours=False)
        for verdict in outcome.verdicts:
            goal, measured, held = f"{number} {verdict.what}", *across(record.runs[number], verdict)
            rows.append((goal, ours, peers, measured, limit(verdict), held))
            ours = peers = ""
        if not outcome.verdicts:
            rows.append((f"{number} {outcome.what}", ours, peers, "", "", "no mark"))
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
    return table(("goal", "ours", "peers", "measured", "limit", ""), summary(record))


def across(runs: Sequence[Outcome], mark: Verdict) -> tuple[str, str]:
    """What each run measured of a mark, and in how many of them it was met."""
    found = [one for run in runs for one in run.verdicts if one.what == mark.what]
    met = sum(one.holds for one in found)
    held = "met" if met == len(found) else f"met in {met} of {len(found)} runs" if met else "MISSED"
    return ", ".join(amount(one.value) for one in found), held


def _goal(runs: Sequence[Outcome], pictures: set[str]) -> str:
    outcome = runs[-1]
    parts = [f"## Goal {outcome.number}: {outcome.what}", outcome.method]
    parts.append(table(("who", "median", "range", "p99", "CPU each", "note"), costs(outcome)))
    parts.append(
        table(
            ("mark", "measured", "limit", ""),
            [(one.what, across(runs, one)[0], limit(one), across(runs, one)[1]) for one in outcome.verdicts],
        )
    )
    parts += _misses(runs)
    if (name := f"goal-{outcome.number}.svg") in pictures:
        parts.append(f"![{outcome.what}](performance/{name})")
    return "\n\n".join(part for part in parts if part)


def _misses(runs: Sequence[Outcome]) -> Iterator[str]:
    for verdict in runs[-1].verdicts:
        if across(runs, verdict)[1] != "met":
            cause = verdict.cause or "The cause has not been found yet."
            yield f"**Missed: {verdict.what}.** {cause}"


def _broken(number: int, reason: str) -> str:
    lines = "\n".join(f"    {line}" for line in reason.strip().splitlines())
    return f"## Goal {number}: not measured\n\nThe measurement broke, so there is no figure:\n\n{lines}"


def _medians(outcome: Outcome, *, ours: bool) -> str:
    # The first unit is what the goal is about; the others explain it, further down.
    of_interest = [one for one in outcome.figures if one.unit == outcome.figures[0].unit]
    theirs = [one for one in of_interest if one.subject.startswith(OURS) == ours]
    if len(theirs) > MOST_IN_A_ROW:
        return f"{len(theirs)} figures, see there"
    return ", ".join(
        f"{amount(one.median)} {one.unit}" + ("" if ours else f" ({one.subject})") for one in theirs
    )


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
