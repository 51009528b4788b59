"""A text of a product file that another one would replace in silence is refused, with the keys of both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bff.common.faulty_file import FaultyFile
from bff.content.file import read_content
from bff.products.file import read_products

PRODUCT = """
[[product]]
key = "demo"
name = "Demo"
origins = ["https://app.example"]
secret_keys = ["sk_0a91c7d25b7e4f60a3d8"]
connectors = ["crm"]
account_namespace = "shared"
account_prefix = "p-"
disconnect = "owner"
[product.connector.crm]
multiple = true
[product.messages.done]
kind = "plain"
text = "done"
[[product.webhook]]
url = "https://app.example/hook"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
events = ["*"]
"""
VARIANT = "[[product.messages.done.variants]]\n{}\n"
SAME = "are for the same connector and language; leave one"
DOUBLES = {
    "the same connector": (
        VARIANT.format('connector = "crm"\ntext = "a"') + VARIANT.format('connector = "crm"\ntext = "b"'),
        f"messages.done.variants number 1, messages.done.variants number 2: {SAME}",
    ),
    "the same language in other letters": (
        VARIANT.format('locale = "de_at"\ntext = "a"') + VARIANT.format('locale = "de-AT"\ntext = "b"'),
        f"messages.done.variants number 1, messages.done.variants number 2: {SAME}",
    ),
    "neither": (VARIANT.format('text = "a"'), "messages.done.variants number 1: names neither"),
    "any of both": (VARIANT.format('connector = "*"\nlocale = "*"\ntext = "a"'), "number 1: names neither"),
    "empty": (VARIANT.format('connector = ""\nlocale = ""\ntext = "a"'), "number 1: names neither"),
    "words of a language in other letters": (
        '[product.words.de-DE]\ncancel = "a"\n[product.words.de_DE]\ncancel = "b"\n',
        f"words.de-DE.cancel, words.de_DE.cancel: {SAME}",
    ),
    "words of every language": (
        '[product.words]\ncancel = "a"\n[product.words."*"]\ncancel = "b"\n',
        f"words.cancel, words.*.cancel: {SAME}",
    ),
    "a connector's words": (
        '[product.connector.crm.words.de]\ncancel = "a"\n[product.connector.crm.words.DE]\ncancel = "b"\n',
        f"connector.crm.words.de.cancel, connector.crm.words.DE.cancel: {SAME}",
    ),
    "a product": (PRODUCT, "key: two products have this key"),
}
READERS = pytest.mark.parametrize("read", [read_products, read_content])


@READERS
@pytest.mark.parametrize("double", DOUBLES)
def test_what_stands_twice_is_refused(double: str, read: Callable[[Path], object], tmp_path: Path) -> None:
    """Only one of them would reach users; which one, nobody said."""
    more, told = DOUBLES[double]
    path = tmp_path / "products.toml"
    path.write_text(PRODUCT + more)
    with pytest.raises(FaultyFile) as raised:
        read(path)
    assert any(told in fault and f"{path}: demo: " in fault for fault in raised.value.faults)


@READERS
def test_a_language_may_have_several_tables(read: Callable[[Path], object], tmp_path: Path) -> None:
    """As long as no text of one replaces a text of the other. Operators' keys are known to both readers."""
    path = tmp_path / "products.toml"
    tables = '[product.words.de]\ncancel = "a"\n[product.words.DE]\ntry_again = "b"\n'
    path.write_text(PRODUCT + VARIANT.format('connector = "crm"\nlocale = "de"\ntext = "x"') + tables)
    assert read(path)
