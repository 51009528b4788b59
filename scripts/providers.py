"""Runs the shape of every shipped entry against the programmable provider; prints what that covers.

Exit status 1 if an entry does not do what it says. Not covered: whether the service does; nobody here is it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bff.partner.providers.shipped_entries import ShippedEntry, shipped  # noqa: E402
from tests.support.key_shapes import get_tokens, try_key  # noqa: E402
from tests.support.provider import Habits, open_provider  # noqa: E402
from tests.support.shapes import Covered, WrongShape, walk_through  # noqa: E402
from tests.support.world import World, open_world  # noqa: E402


def main() -> int:
    """Each entry in turn, or those whose keys are given."""
    wanted = set(sys.argv[1:])
    entries = [entry for entry in shipped() if not wanted or entry.key in wanted]
    told, faults, shown = sys.stdout, 0, Counter[str]()
    with contextlib.ExitStack() as stack:
        # The programs under test write their logs there.
        stack.enter_context(contextlib.redirect_stdout(stack.enter_context(Path(os.devnull).open("w"))))
        world = stack.enter_context(open_world(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        for entry in entries:
            try:
                covered = _cover(world, entry)
            except (WrongShape, AssertionError, LookupError) as fault:
                print(f"{entry.key}: FAILED: {fault}", file=told, flush=True)
                faults += 1
                continue
            shown.update(covered.shown)
            print(_line(covered), file=told, flush=True)
    totals = ", ".join(f"{count} {what}" for what, count in sorted(shown.items()))
    print(f"{len(entries)} entries: {totals}; {faults} failed")
    print(
        "not covered: whether a service does what its entry says (docs/shipped-providers.md: who was tried)"
    )
    return 1 if faults else 0


def _line(covered: Covered) -> str:
    missing = f"; not covered: {', '.join(covered.missing)}" if covered.missing else ""
    return f"{covered.key}: {covered.auth}: {', '.join(covered.shown) or 'nothing'}{missing}"


def _cover(world: World, entry: ShippedEntry) -> Covered:
    if entry.auth == "oauth2":
        with open_provider(Habits()) as provider:
            return walk_through(world, provider, entry)
    if entry.auth in {"api_key", "basic"}:
        return try_key(entry)
    return get_tokens(entry)


if __name__ == "__main__":
    sys.exit(main())
