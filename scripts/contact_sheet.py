"""Many small pictures on a large one, drawn by the browser that took them."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.support.accessibility import emulate

WIDTH: Final = 1700
SCALE: Final = 0.7
"""Small text can still be read."""
TALLEST: Final = 16_383
SHEET: Final = """<!doctype html><meta charset="utf-8"><title>{title}</title><style>
  body {{ margin: 0; padding: 24px; width: 1652px; background: #dfe3ea; color: #1b2130;
         font: 600 15px system-ui, sans-serif; columns: {columns}; column-gap: 24px; }}
  figure {{ margin: 0 0 20px; break-inside: avoid; display: flex; flex-wrap: wrap; gap: 8px; }}
  figcaption {{ flex: 1 0 100%; }}
  img {{ display: block; max-width: {most}; border-radius: 4px; }}
</style>{figures}"""


@dataclass
class Figure:
    """The pictures of one state, as data URIs."""

    name: str
    pictures: list[str] = field(default_factory=list)


def write(driver: Any, path: Path, columns: int, figures: list[Figure]) -> None:
    """Put the figures on a sheet, and keep it."""
    drawn = "".join(
        f"<figure><figcaption>{html.escape(each.name)}</figcaption>"
        + "".join(f'<img src="{picture}">' for picture in each.pictures)
        + "</figure>"
        for each in figures
    )
    most = "calc(50% - 4px)"
    document = SHEET.format(title=path.stem, columns=columns, figures=drawn, most=most)
    temporary = path.with_suffix(".html")
    temporary.write_text(document)
    try:
        emulate(driver, "light", WIDTH)
        driver.get(temporary.as_uri())
        height = driver.execute_script("return Math.ceil(document.documentElement.scrollHeight)")
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": SCALE}
        if height * SCALE > TALLEST:
            raise SystemExit(f"{path.name} would be {height} pixels tall: a WebP image has {TALLEST} at most")
        asked = {"format": "webp", "quality": 40, "clip": clip, "captureBeyondViewport": True}
        path.write_bytes(base64.b64decode(driver.execute_cdp_cmd("Page.captureScreenshot", asked)["data"]))
    finally:
        temporary.unlink()
    print(f"{path.name}: {path.stat().st_size} bytes")
