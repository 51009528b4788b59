"""The goals: which module measures which, and what each is about."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

if TYPE_CHECKING:
    from bench.context import Context
    from bench.results import Outcome

GOALS: Final = {
    1: "launch:measure_1",
    2: "launch:measure_2",
    3: "launch:measure_3",
    4: "waiting:measure",
    5: "preparing:measure",
    6: "click:measure",
    7: "page:measure",
    9: "footprint:measure",
    10: "embedded:measure",
    11: "patience:measure",
    8: "growth:measure",
}
"""``module:function``, in the order of a run: what leaves the disk busy comes last."""


class Measure(Protocol):
    """Measures one goal."""

    def __call__(self, context: Context) -> Outcome:
        """What was found out. Whatever it raises means that there is no outcome."""


def measure_of(number: int) -> Measure:
    """Who measures this goal. Raises ``ImportError`` or ``AttributeError`` where nobody does (yet)."""
    module, _, name = GOALS[number].partition(":")
    return cast("Measure", getattr(import_module(f"bench.goals.{module}"), name))
