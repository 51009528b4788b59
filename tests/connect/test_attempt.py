"""What a product offers, by key; which text of a message a user gets."""

from __future__ import annotations

from bff.connect.ports import AlreadyBegun
from bff.content.product import (
    Message,
    MessageFormat,
    MessageKind,
    MessageTemplate,
    OfferedConnector,
    Product,
)
from tests.connect.test_timeline import attempt

CRM = OfferedConnector("crm", "CRM", "crm-reference")
MAIL = OfferedConnector("mail", "Mail", "crm")


def test_a_connector_is_offered_by_its_key() -> None:
    """Neither its name nor its reference at the partner service stands for it."""
    product = Product("demo", "Demo", ("https://app.example",), (CRM, MAIL), {})
    assert product.connector("crm") is CRM
    assert product.connector("mail") is MAIL
    assert product.connector("CRM") is None


def test_a_user_gets_the_closest_text_in_the_messages_kind_and_format() -> None:
    """The connector counts for more than the language; where nothing was written there is no template."""
    texts = {("crm", "*"): '"crm"', ("*", "de"): '"alle"'}
    message = Message(MessageKind.PLAIN, texts, MessageFormat.JSON)
    assert message.template("crm", "de") == MessageTemplate(MessageKind.PLAIN, '"crm"', MessageFormat.JSON)
    assert message.template("mail", "de-AT") == MessageTemplate(
        MessageKind.PLAIN, '"alle"', MessageFormat.JSON
    )
    assert message.template("mail", "fr") is None


def test_a_repeated_request_is_told_by_the_attempt_that_it_began() -> None:
    """The error carries the attempt, and shows of it no more than its id."""
    repeat = AlreadyBegun(attempt())
    assert repeat.attempt == attempt()
    assert str(repeat) == attempt().id
