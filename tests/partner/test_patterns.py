"""A value that a user types is matched against its pattern in a time that grows with its length alone."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bff.partner.providers import patterns
from bff.partner.providers.catalogue import FaultyCatalogue, read_catalogue
from tests.partner.test_typed_credentials import connection, fields, give
from tests.support.third_party import ThirdParty
from tests.support.world import World

pytestmark = pytest.mark.one_database

SLOW_ELSEWHERE = [
    "([a-z0-9]+(-[a-z0-9]+)*)+",
    "(a|aa)+",
    "(a*)*",
    "(.*a){20}",
    "a*a*a*a*a*b",
    r"(\w+\.?)+",
    "^(a+)+$",
]
"""Each doubles its time with a character or so, or squares it, where a pattern is tried by going back."""


@pytest.mark.parametrize("pattern", SLOW_ELSEWHERE)
def test_a77_no_pattern_makes_a_value_costly(pattern: str) -> None:
    """Of the most characters that a property may have."""
    patterns.matches(pattern, "warm")
    began = time.process_time()
    assert not patterns.matches(pattern, "a" * 3999 + "!")
    assert time.process_time() - began < 0.5


def test_a_value_that_a_user_types_stops_nobody_else(partner_world: World, third: ThirdParty) -> None:
    """The form is answered at once, however the operator wrote the usual pattern of a sub-domain."""
    team = {"name": "team", "label": "Team", "pattern": SLOW_ELSEWHERE[0]}
    installed = connection(partner_world, third, field=[team])
    began = time.monotonic()
    assert fields(give(installed, "k-1", team="a" * 60 + "!")) == {"team": "pattern"}
    assert time.monotonic() - began < 5
    assert give(installed, "k-1", team="north-east-1").status_code == 200


USUAL = [
    "[a-z0-9][a-z0-9-]{0,61}",
    r"[a-z0-9-]+(\.[a-z0-9-]+)+",
    r"co\.uk|com|com\.au",
    "(?i)[a-f]{2}",
    r"^ab-?c$",
    r"ab\Z",
    r"[^@ ]+@[^@ ]+",
    r"\d+\-\w*",
    "",
]


@given(pattern=st.sampled_from(USUAL), value=st.text(alphabet="abcC.-@ 1\n\u00e4u\u0663kom", max_size=8))
@example(pattern="^ab-?c$", value="abc\n")
@example(pattern=r"ab\Z", value="ab")
def test_a_pattern_means_what_it_means_in_python(pattern: str, value: str) -> None:
    """The whole value is matched, as ever."""
    assert patterns.matches(pattern, value) == (re.fullmatch(pattern, value) is not None)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(?!-)[a-z-]+", "look-around"),
        ("[a-z-]+(?<!-)", "look-around"),
        (r"(a)\1", "backreferences"),
        (r"(\w{1,1000}){1,1000}", "it repeats too much"),
        ("[a-z", "is no regular expression"),
    ],
)
def test_a_pattern_without_a_bound_is_a_fault_of_the_catalogue(
    tmp_path: Path, pattern: str, reason: str
) -> None:
    """It is told when the file is read, with the key and what to do."""
    text = f"""
[[connector]]
id = 1
key = "a"
name = "A"
auth = "api_key"
[[connector.field]]
name = "team"
label = "Team"
pattern = '{pattern}'
"""
    path = tmp_path / "catalogue.toml"
    path.write_text(text)
    with pytest.raises(FaultyCatalogue, match=f"pattern: .*{reason}"):
        read_catalogue(path)
