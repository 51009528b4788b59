"""What Chromium did, by its own trace: scripts compiled and run, the main thread at work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

CATEGORIES: Final = ("devtools.timeline", "v8", "blink.user_timing", "toplevel")
RUN: Final = "EvaluateScript"
SCRIPT: Final = frozenset({RUN, "v8.compile", "v8.run"})
TASK: Final = frozenset({"RunTask", "ThreadControllerImpl::RunTask"})


@dataclass(frozen=True)
class Trace:
    """The events of one visit. Times are in microseconds; of a thread only those count in which it ran."""

    events: list[dict[str, Any]]

    def script_ms(self, url: str) -> float:
        """CPU time spent on compiling and running the script at ``url``; what was nested counts once."""
        return _spent(event for event in self.events if event["name"] in SCRIPT and _url(event) == url)

    def main_thread_ms(self, probe: str, mark: str) -> float:
        """CPU time of the thread that ran the script at ``probe``, from its navigation to the ``mark``."""
        known = next(event for event in self.events if event["name"] == RUN and _url(event) == probe)
        ours = [event for event in self.events if _thread(event) == _thread(known)]
        until = next(event["ts"] for event in ours if event["name"] == mark)
        begins = [event["ts"] for event in ours if event["name"] == "navigationStart" and event["ts"] < until]
        return _spent(event for event in ours if event["name"] in TASK and max(begins) <= event["ts"] < until)


def _thread(event: dict[str, Any]) -> tuple[int, int]:
    return event["pid"], event["tid"]


def _url(event: dict[str, Any]) -> str:
    arguments = event.get("args", {})
    data = arguments.get("data") or arguments
    return str(data.get("url") or data.get("fileName") or "")


def _spent(events: Iterable[dict[str, Any]]) -> float:
    """Milliseconds on the thread's own clock, of the outermost of these events."""
    total, end = 0.0, 0.0
    timed = ((event["tts"], event["tdur"]) for event in events if "tdur" in event)
    for begin, duration in sorted(timed):
        total += max(0.0, begin + duration - max(end, begin))
        end = max(end, begin + duration)
    return total / 1000
