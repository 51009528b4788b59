"""The pace at which a page that waits asks, read from the widget's own source."""

from __future__ import annotations

import re
from typing import Final

from bench.process import ROOT

SOURCE: Final = ROOT / "static/widget/src/sign-in.ts"


def widget_schedule(seconds: float) -> list[float]:
    """When a page asks, in seconds after its launch, if nothing wakes it: at the pace of the widget's source.

    Its window can be reached all the while.

    Raises ``ValueError`` where the source no longer says it in these words.
    """
    source = SOURCE.read_text()

    def constant(name: str) -> float:
        found = re.search(rf"^const {name} = ([\d_]+);$", source, re.MULTILINE)
        if found is None:
            raise ValueError(
                f"{SOURCE.name}: no constant {name}; the pace of the widget is said otherwise now"
            )
        return float(found[1])

    first, growth = constant("FAST_DELAY") / 1000, constant("DELAY_GROWTH")
    slowest = constant("MAX_DELAY_WITH_POPUP") / 1000
    dues, at, delay = [], first, first
    while at < seconds:
        dues.append(at)
        delay = min(delay * growth, slowest)
        at += delay
    return dues
