"""Which language a person is spoken to in, and which text is the closest in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff.content import wording
from bff.content.language_names import every_language
from bff.content.related_languages import with_script
from bff.content.wording import ANY

AVAILABLE = ["en", "de", "fr", "es", "ja", "ar", "pt-BR"]


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (["de"], "de"),
        (["de-AT", "fr"], "de"),
        (["DE-ch-1996"], "de"),
        (["pt-br"], "pt-BR"),
        (["pt_BR"], "pt-BR"),
        (["pt", "fr"], "fr"),
        (["nonsense!", "", "ja"], "ja"),
        (["ar-nonsense!", "ja"], "ja"),
        (["pt"], "en"),
        ([], "en"),
    ],
)
def test_the_first_wanted_language_that_there_is_is_spoken(wanted: list[str], chosen: str) -> None:
    """A regional tag stands for its language too; English is the last resort."""
    assert wording.choose(wanted, AVAILABLE) == chosen


@pytest.mark.parametrize(
    ("wanted", "nearest"),
    [
        ("zh-CN", "zh-CN zh-Hans-CN zh-Hans zh"),
        ("zh", "zh zh-Hans zh-CN"),
        ("zh-TW", "zh-TW zh-Hant-TW zh-Hant zh"),
        ("zh_Hant_TW", "zh-Hant-TW zh-TW zh-Hant zh"),
        ("zh-MO", "zh-MO zh-Hant-MO zh-Hant-HK zh-HK zh-Hant zh-TW zh"),
        ("zh-yue-HK", "zh-yue-HK zh-yue zh"),
        ("sr-Latn-RS", "sr-Latn-RS sr-Latn sr"),
        ("sr", "sr sr-Cyrl sr-RS"),
        ("sr-ME", "sr-ME sr-Latn-ME sr-Latn sr"),
        ("sh", "sr-Latn sr"),
        ("az-IR", "az-IR az-Arab-IR az-Arab az"),
        ("nb-NO", "nb-NO nb no"),
        ("nn", "nn no nb"),
        ("no", "no nb"),
        ("iw-IL", "he-IL he-Hebr-IL he-Hebr he"),
        ("tl-PH", "tl-PH tl fil"),
        ("fil-PH", "fil-PH fil tl"),
        ("es-MX", "es-MX es-419 es"),
        ("es-ES", "es-ES es"),
        ("pt-AO", "pt-AO pt-PT pt"),
        ("pt-BR", "pt-BR pt"),
        ("en-IE", "en-IE en-001 en"),
        ("en-DE", "en-DE en-150 en-001 en"),
        ("en-US", "en-US en"),
        ("de-CH-1996", "de-CH-1996 de-CH de"),
    ],
)
def test_texts_in_the_nearest_language_come_first(wanted: str, nearest: str) -> None:
    """The tag itself, then what it implies, its parents in CLDR and its more general tags."""
    tags = nearest.split()
    assert list(wording.ladder(wanted)) == tags
    for place, tag in enumerate(tags):
        assert wording.choose([wanted], tags[place:]) == tag
        assert wording.closest(dict.fromkeys((ANY, other) for other in tags[place:]), None, wanted) == (
            (ANY, tag),
            None,
        )


def test_a_reader_of_one_script_is_not_given_the_other() -> None:
    """Simplified and traditional Chinese, Cyrillic and Latin Serbian."""
    for wanted, other in (("zh-TW", "zh-Hans"), ("zh", "zh-Hant"), ("sr", "sr-Latn"), ("sr-Latn", "sr-RS")):
        assert wording.choose([wanted], [other]) == wording.FALLBACK


@pytest.mark.parametrize("tag", [tag for tag, _ in every_language()])
def test_each_language_that_can_be_picked_reaches_its_readers(tag: str) -> None:
    """No text is chosen before one in the reader's own language, script and region."""
    assert wording.ladder(tag)[0] == tag
    assert wording.choose([with_script(tag)], [tag, "en"]) == tag


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", ["de-AT", "de", "en"]),
        ("en;q=0.1, fr;q=0.9", ["fr", "en"]),
        ("en; q = 0.1, fr; q=0.9", ["fr", "en"]),
        ("en;q=1.0,fr,de;q=1", ["en", "fr", "de"]),
        (",en-US, en", ["en-US", "en"]),
        ("fr;q=0,*;q=0.5,de", ["de"]),
        ('"><script>, de;q=oops', ["de"]),
        ("", []),
    ],
)
def test_accept_language_is_read_by_its_weights(header: str, tags: list[str]) -> None:
    """RFC 9110, section 12.5.4; what makes no sense is left out, and nothing breaks."""
    assert wording.accepted(header) == tags


def test_a_tag_has_thirty_five_characters_at_most() -> None:
    """As many as RFC 5646 asks programs to take."""
    assert wording.is_tag("de-" + "-".join(["abcdefgh"] * 3) + "-abcde")
    assert not wording.is_tag("de-" + "-".join(["abcdefgh"] * 3) + "-abcdef")


@pytest.mark.parametrize(
    ("tag", "usual"),
    [
        ("DE-at", "de-AT"),
        ("ZH-HANT-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("SL-Rozaj-BISKE", "sl-rozaj-biske"),
        ("EN-GB-X-ABC", "en-GB-x-abc"),
        ("zh_hant_tw", "zh-Hant-TW"),
        ("IW-il", "he-IL"),
        ("in", "id"),
        ("sh-RS", "sr-Latn-RS"),
    ],
)
def test_a_tag_has_one_usual_form(tag: str, usual: str) -> None:
    """RFC 5646, 2.1.1 and 4.5: regions large, scripts with a capital, the rest small; no deprecated code."""
    assert wording.canonical(tag) == usual


@given(st.text())
def test_no_header_breaks_the_reading(header: str) -> None:
    """Whatever a browser, or somebody else, sends: tags come out, or nothing."""
    assert all(wording.is_tag(tag) for tag in wording.accepted(header))


@pytest.mark.parametrize(
    ("tag", "direction"),
    [
        *[("ar", "rtl"), ("ar-EG", "rtl"), ("he", "rtl"), ("az-Arab", "rtl"), ("ur-Latn", "ltr")],
        *[("iw", "rtl"), ("ji", "rtl"), ("pa-PK", "rtl"), ("ar-arz", "rtl"), ("sd-IN", "ltr"), ("de", "ltr")],
    ],
)
def test_the_direction_follows_the_script(tag: str, direction: str) -> None:
    """Arabic and its like run from right to left, unless the tag names another script."""
    assert wording.direction(tag) == direction


def test_the_connector_counts_for_more_than_the_language() -> None:
    """One connector in one language, that connector in any, all in that language, all in any."""
    texts = {(ANY, ANY): "d", (ANY, "de"): "c", ("crm", ANY): "b", ("crm", "de"): "a"}
    for expected in "abcd":
        place, text = wording.closest(texts, "crm", "de-AT") or (None, None)
        assert text == expected
        del texts[place]  # type: ignore[arg-type]
    assert wording.closest(texts, "crm", "de") is None


def test_without_a_connector_a_text_for_one_is_not_looked_for() -> None:
    """The words about all connectors are nobody's own."""
    assert wording.places(None, "de-AT") == [(ANY, "de-AT"), (ANY, "de"), (ANY, ANY)]
