"""What outsiders may send: bytes, JSON, and good things with something changed in them."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.fuzz.api import EXAMPLES

quick = settings(
    max_examples=20 * EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

ODD: Final = [
    "",
    "\x00",
    "\r\n",
    "\ud800",
    "é",
    "٣",
    "\u202e",
    "a" * 5000,
    "null",
    "-1",
    "1e999",
    "%00",
    "../",
]
TEXTS: Final = st.text(max_size=60) | st.sampled_from(ODD)
NUMBERS: Final = st.integers() | st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**400]) | st.floats()
LEAVES: Final = st.none() | st.booleans() | NUMBERS | TEXTS


MARKS: Final = [b"\x00", b"\xff", b"<", b"&", b'"', b"[" * 9, b"\\ud800", b"\\u0000"]


def values(*names: str) -> st.SearchStrategy[Any]:
    """Any JSON value, of objects whose members have these names among others."""
    keys = st.sampled_from(names) | st.text(max_size=4) if names else st.text(max_size=4)
    return st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=6),
        max_leaves=8,
    )


def with_another(sound: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A sound object of which one or more members are something else, or gone."""
    names = st.sampled_from(sorted(sound))
    return st.builds(
        lambda gone, changed: {name: sound[name] for name in sound if name not in gone} | changed,
        st.sets(names, max_size=2),
        st.dictionaries(names, values(*sound), max_size=2),
    )


@st.composite
def damaged(draw: st.DrawFn, sound: bytes) -> bytes:
    """Sound bytes with some cut out, put in or changed at a few places."""
    data = bytearray(sound)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        until = at + draw(st.integers(0, 4))
        data[at:until] = draw(
            st.binary(max_size=4) | st.sampled_from([b"\x00", b"\xff", b"<", b"&", b'"', b"[" * 9])
        )
    return bytes(data)
