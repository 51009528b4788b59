"""The outcome matrix: every ending in every engine, as a table, from the cells that the tests noted."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

REACHES: Final = {
    "message": ("the message can arrive", 150),
    "gone": ("it cannot, and the popup is gone or the user is back", 1000),
    "covered": ("it cannot, and the popup still covers the page", 5000),
}
"""What the time is held to, in milliseconds."""

HEAD: Final = """\
# Every ending, in three browser engines

Made by `make outcomes`, which plays each ending in a real browser against the running demo. A cell says
what the page was told in the end (status, or the states on the way), the error code, the signal that told
first, and the milliseconds from the moment at which the partner service knew until the page knew. One
browser plays at a time, as in front of a user. No time stands where the page itself was away (same tab), or
where only the user or the clock decided.

"""
WITH_CYCLR: Final = """\
## With Cyclr

The same page in front of a strict stand-in for Cyclr, which tells whether a connector is connected, and
nothing of any single sign-in. What it does not tell is asked of the user, and no user is named for what may
be another's doing (`attributed` is false, and there is no receipt): see
[internals](internals.md#what-cyclr-does-not-tell).

- After a denial Cyclr shows an error page, or sends the browser back, with an error or without a word. The
  error page is told to nobody: once its window is closed the page asks, *Open again* or *Cancel*.
- A reconnect that comes back without a word asks in its window whether the sign-in was finished.
- Cyclr's last page does not close its own window. Where our page has no hold of it (isolated, or reloaded),
  it stays until the user closes it.
- What the host page alone decides (policies, sessions, in-app browsers, forged messages) has no row here.

"""


@dataclass(frozen=True)
class Played:
    """One test that was played: its cell, in which engine, and whether it held."""

    engine: str
    cell: Mapping[str, Any]
    held: bool


def table(played: list[Played], engines: tuple[str, ...]) -> str:
    """The matrix in Markdown."""
    rows: dict[tuple[int, str], dict[str, str]] = {}
    for item in played:
        row = rows.setdefault((item.cell["number"], item.cell["ending"]), {})
        row[item.engine] = _cell(item)
    lines = [f"| # | ending | {' | '.join(engines)} |", f"|---|---|{'---|' * len(engines)}"]
    for (number, ending), row in sorted(rows.items()):
        cells = " | ".join(row.get(engine, "not played") for engine in engines)
        lines.append(f"| {number} | {ending} | {cells} |")
    return "\n".join(lines)


def medians(played: list[Played], engines: tuple[str, ...]) -> str:
    """How soon the page knew, by what stood in the way: the median of the cells, beside the promise."""
    lines = [
        f"| when | promised | {' | '.join(engines)} |",
        f"|---|---|{'---|' * len(engines)}",
    ]
    for reach, (words, most) in REACHES.items():
        cells = []
        for engine in engines:
            times = [
                item.cell["ms"]
                for item in played
                if item.engine == engine and item.cell["reach"] == reach and item.cell["ms"] is not None
            ]
            middle = round(statistics.median(times)) if times else None
            cells.append(f"{middle} ms of {len(times)}" if middle is not None else "none")
        lines.append(f"| {words} | at most {most} ms | {' | '.join(cells)} |")
    return "\n".join(lines)


def document(played: list[Played], engines: tuple[str, ...]) -> str:
    """The whole page."""
    ours, cyclr = (
        [item for item in played if item.cell["partner"] == name] for name in ("embedded", "cyclr")
    )
    return (
        f"{HEAD}{table(ours, engines)}\n\n{WITH_CYCLR}{table(cyclr, engines)}\n\n## How soon\n\n"
        f"Medians over the cells above.\n\n"
        f"{medians(played, engines)}\n"
    )


def _cell(item: Played) -> str:
    if not item.held:
        return "**wrong**"
    cell = item.cell
    code = cell["code"] if cell["code"] and cell["code"] not in cell["state"] else None
    time = f"{cell['ms']} ms" if cell["ms"] is not None else None
    return ", ".join(filter(None, (cell["state"], code, cell["channel"], time)))
