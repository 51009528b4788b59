"""What a measurement says: figures, and whether a goal holds. Everything else only fills or shows these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One thing measured of one program. ``runs`` has one value per repetition, in ``unit``."""

    subject: str
    """Who was measured, as the table shows it: ``Hitchpost``, ``Flask + requests``."""
    unit: str
    """``requests/s``, ``ms``, ``MB``, ``s``, ``bytes``, ``requests``."""
    runs: tuple[float, ...]
    p99_ms: float | None = None
    cpu_ms: float | None = None
    """CPU milliseconds of the measured program for each operation, its workers together."""
    note: str = ""

    @property
    def median(self) -> float:
        """The middle repetition."""
        return median(self.runs)


@dataclass(frozen=True)
class Verdict:
    """One mark of a goal. A ratio is of figures that were taken in the same run, side by side."""

    what: str
    """``against bare Flask``, ``p99 within 1.5 times 200 ms``."""
    value: float
    goal: float
    at_least: bool
    """Whether the value has to reach the goal, or must not pass it."""
    cause: str = ""
    """Where the goal is missed: the measured cause, and what was tried. Shown only then."""

    @property
    def holds(self) -> bool:
        """Whether this mark is met."""
        return self.value >= self.goal if self.at_least else self.value <= self.goal


@dataclass(frozen=True)
class Series:
    """A line or a set of bars for a plot: ``y`` over ``x``."""

    subject: str
    x: tuple[float | str, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Outcome:
    """All that was found out about one numbered goal."""

    number: int
    what: str
    figures: Sequence[Figure]
    verdicts: Sequence[Verdict]
    series: Sequence[Series] = field(default_factory=tuple)
    method: str = ""
    """How it was measured, in a few sentences: the load, the warm-up, the repetitions."""

    @property
    def holds(self) -> bool:
        """Whether every mark of this goal is met, and there is one."""
        return bool(self.verdicts) and all(verdict.holds for verdict in self.verdicts)

    def as_json(self) -> dict[str, Any]:
        """For ``results.json``, from which table and plots are made."""
        return asdict(self)


def outcome_of(document: dict[str, Any]) -> Outcome:
    """The outcome that ``as_json`` wrote."""
    return Outcome(
        **document
        | {
            "figures": [Figure(**one | {"runs": tuple(one["runs"])}) for one in document["figures"]],
            "verdicts": [Verdict(**one) for one in document["verdicts"]],
            "series": [
                Series(one["subject"], tuple(one["x"]), tuple(one["y"])) for one in document["series"]
            ],
        }
    )
