"""Which tags name a language (BCP 47), and what languages are called."""

from __future__ import annotations

import pytest

from bff.content.language_names import every_language, language, tag_fault
from bff.content.wording import canonical, is_tag

TAGS = """
    de de-AT de_DE DE-at pt_BR zh-Hant-TW sr-Latn-RS es-419 de-CH-1996 gsw fil zh-yue ca-valencia en-001
    en-US-u-ca-gregory de-x-ours de_DE.UTF-8 ca_ES@euro
"""


@pytest.mark.parametrize("tag", TAGS.split())
def test_a_tag_that_names_a_language(tag: str) -> None:
    """In any case, with a hyphen or as ``de_DE``, with script, region, variant and extensions."""
    assert tag_fault(tag) is None
    assert is_tag(tag)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("german", "write de for German"),
        ("Portuguese", "write pt for Portuguese"),
        ("Deutsch", "write de for German"),
        ("français", "write fr for French"),
        ("ger", "write de for German"),
        ("eng-GB", "write en for English"),
        ("en-UK", "there is no region UK; write en-GB"),
        ("de-UX", "there is no region UX; write de alone"),
        ("xx", "such as de or pt-BR"),
        ("de-", "such as de or pt-BR"),
        ("de-DE-DE", "write de, say"),
        ("*", "such as de or pt-BR"),
        ("", "such as de or pt-BR"),
    ],
)
def test_what_names_no_language_is_told_what_to_write(text: str, said: str) -> None:
    """Names, codes of other standards, regions that there are not."""
    assert said in str(tag_fault(text))


def test_posix_names_read_as_their_language() -> None:
    """Without character set and modifier."""
    assert canonical("de_DE.UTF-8") == "de-DE"
    assert canonical("ca_ES@euro") == "ca-ES"


def test_the_list_to_pick_from() -> None:
    """Each is sound, in its usual form and called by another name than all others."""
    found = every_language()
    assert all(tag_fault(tag) is None and canonical(tag) == tag for tag, _ in found)
    names = [name for _, name in found]
    assert names == sorted(set(names))
    assert ("de", "German") in found
    assert language("zh-Hant") == "Chinese (traditional)"
