"""A support code is found as users send it, and a text that is none says what to do."""

from __future__ import annotations

import pytest

from bff.connect.reported_code import codes_in, ids_in, not_found

ID = "att_-b2C_d4E6f8G0h2J4k6L8m_-"


@pytest.mark.parametrize(
    "sent",
    [
        "8V5G-ZZF7",
        "8v5g-zzf7",
        "8V5GZZF7",
        "8V5G ZZF7",
        " 8V5G-ZZF7\n",
        "8V5G\u2013ZZF7",  # an en dash, as mail programs put it
        "8V5G\u2011ZZF7",  # a hyphen that does not break
        "8V5G\u00adZZF7",
        "8V5G\n-ZZF7",
        "8V5G_ZZF7",
        "8 V 5 G - Z Z F 7",
        "8V-5G-ZZ-F7",
        "Code: 8V5G-ZZF7",
        "Wert 8V5G-ZZF7.",
        "\u201e8V5G-ZZF7\u201c",
        "(8V5G-ZZF7), since noon",
        "\uff18\uff36\uff15\uff27\uff0d\uff3a\uff3a\uff26\uff17",  # full width
        "رمز الدعم: 8V5G-ZZF7",
        "サポートコード\uff1a8V5G-ZZF7",
    ],
)
def test_a_code_is_found_as_users_send_it(sent: str) -> None:
    """With another dash or none, in small letters, letter by letter, or in a sentence."""
    assert "8V5G-ZZF7" in codes_in(sent)


@pytest.mark.parametrize(
    "sent", ["", "ABCD", "8V5G-ZZF78", "X8V5G-ZZF7", "8V5G-ZZF0", "att_", "-", "x" * 10_000]
)
def test_another_text_is_no_code(sent: str) -> None:
    """Nor is a part of a longer one."""
    assert codes_in(sent) == []


def test_an_attempts_id_is_found_in_a_sentence() -> None:
    """A line of a log, for example. The text itself counts too."""
    assert ID in ids_in(f'attempt="{ID}", status=failed')
    assert ids_in(f" {ID} ") == [ID]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("Code: req_0a91c7d25b7e4f60a3d81234.", "req_0a91c7d25b7e4f60a3d81234 is the id of a request"),
        ("5f0c3b12e9a84d6b8c7d6e5f4a3b2c1d", "5f0c3b12e9a84d6b8c7d6e5f4a3b2c1d is the id of a request"),
        (
            "5f0c3b12-e9a8-4d6b-8c7d-6e5f4a3b2c1d",
            "5f0c3b12-e9a8-4d6b-8c7d-6e5f4a3b2c1d is the id of a request",
        ),
        ("8V5G-ZZFO", "a support code has no O: ask for it once more"),
        ("0v5g zzf1", "a support code has no 0 and no 1"),
        ("ABCD-2345", "there is no attempt 'ABCD-2345'; a support code looks like ABCD-2345"),
        ("my code", "a support code looks like ABCD-2345"),
    ],
)
def test_what_is_not_found_says_where_to_look(sent: str, said: str) -> None:
    """The id of a request stands on error pages that belong to no attempt; misread letters are named."""
    assert said in not_found(sent)
