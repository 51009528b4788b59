"""A route describes itself where it is written; the document is collected from the app's own addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from pydantic import BaseModel

from bff.openapi.document import make_document
from bff.openapi.operation import Answer, Body, Operation, Parameter, declare
from bff.openapi.routes import Undeclared, collect


class Thing(BaseModel):
    """A thing."""

    name: str = ""


def route(
    app: Flask, rule: str, operation: Operation | None = None, *, name: str = "view", methods: Any = ("GET",)
) -> Callable[..., str]:
    """Add a route, described unless it says nothing of itself."""

    def view(**_: Any) -> str:
        """Say something.

        At length.
        """
        return ""

    view.__name__ = name
    app.add_url_rule(
        rule, rule + "".join(methods), declare(operation)(view) if operation else view, methods=methods
    )
    return view


@pytest.fixture
def app() -> Flask:
    """Without any route."""
    return Flask("described", static_folder=None)


def test_a_route_that_says_nothing_is_named(app: Flask) -> None:
    """With where it is and what to do, however many there are."""
    route(app, "/v1/one", name="first")
    route(app, "/v1/two", name="second")
    with pytest.raises(Undeclared, match=r"/v1/one: describe .*first.*; /v1/two: describe .*second"):
        collect(app)


def test_only_what_is_not_described_by_rule_is_passed_over(app: Flask) -> None:
    """Files, and what is another blueprint's."""
    route(app, "/assets/<name>")
    assert collect(app, undescribed=("/assets/",)) == ()
    assert collect(app, blueprint="hitchpost.") == ()
    with pytest.raises(Undeclared, match="/assets/<name>"):
        collect(app, undescribed=("/files/",))


def test_one_address_is_described_by_one_route(app: Flask) -> None:
    """Two that claim the same are both named."""
    operation = Operation((Answer(200, "It."),), path="/v1/things/{thing}")
    route(app, "/v1/things/<int:number>", operation, name="by_number")
    route(app, "/v1/things/<name>", operation, name="by_name")
    with pytest.raises(Undeclared, match=r"get /v1/things/{thing}: .*by_number describes it"):
        collect(app)


def test_method_path_and_variables_are_the_routes_own(app: Flask) -> None:
    """A number is described as one; a mount's prefix is left out; HEAD and OPTIONS go without saying."""
    told = Parameter("thing", "Which.", "path")
    operation = Operation((Answer(204, "Done."),), (told,), Body(Thing))
    route(app, "/inner/v1/things/<thing>/parts/<int:part>", operation, methods=("PUT", "DELETE"))
    found = {one.method: one for one in collect(app, prefix="/inner")}
    assert set(found) == {"put", "delete"}
    assert found["put"].path == "/v1/things/{thing}/parts/{part}"
    described = make_document({}, "https://a.example", {}, [found["put"]])["paths"][found["put"].path]["put"]
    part, thing = described["parameters"]
    assert (part["name"], part["required"], part["schema"]) == (
        "part",
        True,
        {"type": "integer", "minimum": 0},
    )
    assert (thing["description"], thing["required"], thing["schema"]) == ("Which.", True, {"type": "string"})


def test_the_docstring_is_what_a_reader_is_told(app: Flask) -> None:
    """Its first paragraph is the summary, the rest the description; a model stands for its schema."""
    listed = {"type": "array", "items": Thing}
    route(app, "/v1/things", Operation((Answer(404, "None."), Answer(200, "All.", listed))))
    document = make_document({"info": {}}, "https://a.example", {}, collect(app))
    described = document["paths"]["/v1/things"]["get"]
    assert (described["summary"], described["description"]) == ("Say something.", "At length.")
    assert list(described["responses"]) == ["200", "404"]
    schema = described["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}
    assert list(document["components"]["schemas"]) == ["Thing"]
