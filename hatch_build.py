"""Puts into the wheel what lies beside the package in a checkout: templates, static files, the widget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

INCLUDED = {
    "templates": "bff/_templates",
    "static/pages": "bff/_static/pages",
    "static/studio": "bff/_static/studio",
    "static/demo": "bff/_static/demo",
    "static/partner": "bff/_static/partner",
    "static/widget/dist": "bff/_static/widget/dist",
}


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """An editable install reads the checkout itself and needs none of this."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Raises ``RuntimeError`` when the widget is not built: a wheel without it would serve nothing."""
        if version == "editable":
            return
        root = Path(self.root)
        if not (root / "static/widget/dist/hitchpost.js").is_file():
            raise RuntimeError("the widget is not built; run `make build` first")
        build_data["force_include"] |= {str(root / source): target for source, target in INCLUDED.items()}
