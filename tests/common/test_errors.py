"""How Hitchpost says no: each refusal carries what was wrong, and when to come again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bff.common.errors import HitchpostError, PartnerUnavailable, RateLimited
from bff.content.draft_limits import NotSaved


def kinds(root: type[HitchpostError]) -> Iterator[type[HitchpostError]]:
    """The tree below, and its root."""
    yield root
    for below in root.__subclasses__():
        yield from kinds(below)


@pytest.mark.parametrize("kind", list(kinds(HitchpostError)))
def test_what_was_wrong_is_told_and_logged_alike(kind: type[HitchpostError]) -> None:
    """``detail`` and the text of the exception are the same; without one, neither says anything."""
    if kind is NotSaved:
        assert kind({"a": ["b"]}).detail == str(kind({"a": ["b"]})) == "a: b"
        return
    more = {"retry_after": 1.0} if kind is RateLimited else {}
    assert (kind("a: b", **more).detail, str(kind("a: b", **more))) == ("a: b", "a: b")
    assert (kind(**more).detail, str(kind(**more))) == ("", "")


def test_who_is_to_come_again_is_told_when() -> None:
    """In seconds; a partner service that is down need not have said."""
    assert RateLimited("x", retry_after=2.5).retry_after == 2.5
    assert PartnerUnavailable("x", retry_after=2.5).retry_after == 2.5
    assert PartnerUnavailable("x").retry_after is None
