"""The examples of the documentation run as they stand there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
from flask import Flask

from bff.partner.providers.catalogue import read_catalogue
from bff.partner.providers.entries import AskedField, CatalogueConnector, Check
from bff.products.assertion_table import AssertionTable
from bff.products.file import _Product, read_products
from bff.products.webhook_table import WebhookTable
from tests.support.world import HOST, SECRET_KEY, World

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
SCRIPTS: Final = [
    pytest.param(text, id=f"{page.name}-{number}")
    for page in PAGES
    for number, text in enumerate(
        re.findall(r"^ *```js\n(.*?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE)
    )
]
FILES: Final = (CatalogueConnector, AskedField, Check, _Product, WebhookTable, AssertionTable)
KEYS: Final = sorted({name for model in FILES for name in model.model_fields})


def example(page: str, language: str, holds: str) -> str:
    """The example of ``page`` that holds this text, without its indentation."""
    for indent, text in re.findall(
        rf"^( *)```{language}\n(.*?)^ *```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE
    ):
        if holds in text:
            return "\n".join(line.removeprefix(indent) for line in text.splitlines()) + "\n"
    raise AssertionError(f"{page}: no example in {language} holds {holds}")


@pytest.mark.parametrize("key", KEYS)
def test_every_key_of_the_catalogue_and_the_product_file_is_documented(key: str) -> None:
    """By its name, in some page."""
    assert any(re.search(rf"\b{key}\b", page.read_text()) for page in PAGES)


def test_the_first_product_file_is_sound(tmp_path: Path) -> None:
    """As `hitchpost products apply` reads it."""
    file = tmp_path / "products.toml"
    file.write_text(example("README.md", "toml", "[[product]]"))
    (product,) = read_products(file, {"HITCHPOST_MY_APP_KEY": SECRET_KEY})
    assert product.registration.key == "my-app"


def test_the_entry_of_a_provider_is_sound(tmp_path: Path) -> None:
    """As the embedded partner service reads it."""
    file = tmp_path / "catalogue.toml"
    file.write_text(example("docs/providers.md", "toml", 'key = "example"'))
    read_catalogue(file, {"EXAMPLE_CLIENT_SECRET": "secret"})


@pytest.mark.parametrize(("number", "status"), [(7, 201), (None, 422)])
def test_the_first_session_url_works_with_a_database_s_numbers(
    world: World, number: int | None, status: int
) -> None:
    """Its users and companies have whole numbers for ids; a refusal is passed on as one."""
    import requests  # noqa: PLC0415  # as the example's own file would

    class Row:
        id = number
        name = "Ada"

    app = Flask("host")
    names: dict[str, Any] = {"app": app, "requests": requests, "user": Row, "company": Row}
    source = example("README.md", "python", "/v1/sessions").replace("https://connect.example.com", world.bff)
    exec(source, names | {"SECRET_KEY": SECRET_KEY})
    answer = app.test_client().get("/hitchpost-session")
    assert answer.status_code == status
    if status == 201:
        token = json.loads(answer.text)["token"]
        assert world.page("GET", "/v1/config", token, origin=HOST).status_code == 200


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_is_javascript(script: str, tmp_path: Path) -> None:
    """As Node reads a module."""
    file = tmp_path / "example.mjs"
    file.write_text(script)
    node = shutil.which("node")
    assert node is not None
    checked = subprocess.run([node, "--check", str(file)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_the_examples_for_react_are_typed(tmp_path: Path) -> None:
    """By the package's own types, as strictly as can be."""
    (tmp_path / "hitchpost.ts").write_text(example("docs/embedding.md", "ts", "hitchpost/react"))
    (tmp_path / "Tools.tsx").write_text(example("docs/embedding.md", "tsx", "hitchpost-connect"))
    options = {
        "target": "ES2022",
        "lib": ["ES2022", "DOM", "DOM.Iterable"],
        "module": "ESNext",
        "moduleResolution": "bundler",
        "jsx": "react-jsx",
        "strict": True,
        "noEmit": True,
        "types": [],
        "paths": {
            "hitchpost/react": [str(ROOT / "static/widget/dist/react.d.ts")],
            "react": [str(ROOT / "node_modules/@types/react/index.d.ts")],
            "react/jsx-runtime": [str(ROOT / "node_modules/@types/react/jsx-runtime.d.ts")],
        },
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": options}))
    tsc = ROOT / "node_modules/.bin/tsc"
    checked = subprocess.run([tsc, "-p", tmp_path], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
