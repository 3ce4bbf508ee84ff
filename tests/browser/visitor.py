"""Somebody in front of the page, with a mouse."""

import base64
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, Playwright, expect

CHROMIUM = Path("/usr/bin/chromium")

_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

PATIENCE = 30_000.0
"""Milliseconds."""

Points = Sequence[tuple[float, float]]
"""Across and down, each as a share of the canvas."""


def browser(playwright: Playwright) -> Browser:
    """Debian's Chromium, that asks nobody for anything."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)


class Visitor:
    """One who has opened a page and draws on it.

    Args:
        page: A new page of a browser.
        address: Where `i2i demo` serves.
    """

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        page.set_default_timeout(PATIENCE)
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.hosts.add(request.url.partition("?")[0]))
        page.goto(address)
        expect(page.locator("#draw-canvas [data-action=undo]")).to_be_visible(timeout=PATIENCE)

    def _listen(self, message: object) -> None:
        if getattr(message, "type", "") in ("error", "warning"):
            self.complaints.append(getattr(message, "text", ""))

    def choose(self, selector: str) -> None:
        """Press a button of the canvas."""
        self.page.click(f"#draw-canvas {selector}")

    def canvas_box(self) -> FloatRect:
        """Where the canvas is, once it no longer moves: the page grows while it loads."""
        canvas = self.page.locator("#draw-canvas canvas")
        canvas.hover()
        box = canvas.bounding_box()
        assert box is not None
        return box

    def stroke(self, *points: tuple[float, float]) -> None:
        """Draw a line with the mouse."""
        box = self.canvas_box()
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=2)
        self.page.mouse.up()

    def draw_cat(self) -> None:
        """A head, two ears, two eyes, a nose, whiskers."""
        self.stroke(*ellipse(0.5, 0.57, 0.33, 0.29))
        self.stroke((0.22, 0.42), (0.2, 0.14), (0.4, 0.3))
        self.stroke((0.78, 0.42), (0.8, 0.14), (0.6, 0.3))
        self.stroke(*ellipse(0.38, 0.52, 0.03, 0.04, 12))
        self.stroke(*ellipse(0.62, 0.52, 0.03, 0.04, 12))
        self.stroke((0.46, 0.64), (0.54, 0.64), (0.5, 0.69), (0.46, 0.64))
        for y in (0.62, 0.68):
            self.stroke((0.3, y), (0.08, y + 0.02))
            self.stroke((0.7, y), (0.92, y + 0.02))

    def draw_facade(self) -> None:
        """A wall with windows, a cornice and a door, where the brushes are classes."""
        self._box("facade", (0.06, 0.1, 0.94, 0.97))
        self._box("cornice", (0.04, 0.06, 0.96, 0.12))
        for top in (0.2, 0.46):
            for left in (0.14, 0.42, 0.7):
                self._box("window", (left, top, left + 0.16, top + 0.17))
                self._box("sill", (left - 0.02, top + 0.17, left + 0.18, top + 0.2))
        self._box("door", (0.43, 0.74, 0.57, 0.97))
        self._box("shop", (0.12, 0.76, 0.36, 0.95))
        self._box("shop", (0.64, 0.76, 0.88, 0.95))

    def _box(self, name: str, corners: tuple[float, float, float, float]) -> None:
        self.choose(f".swatches button[title={name}]")
        self.stroke(corners[:2], corners[2:])

    def drawing(self) -> np.ndarray:
        """What is on the canvas, `(H, W, 3)` uint8."""
        url = self.page.evaluate("document.querySelector('#draw-canvas canvas').toDataURL()")
        return decoded(url)

    def translate(self) -> list[np.ndarray]:
        """Press Translate and wait for what comes."""
        before = self._sources()
        self.page.click("#translate")
        return self.next_outputs(before)

    def next_outputs(self, before: list[str]) -> list[np.ndarray]:
        """The outputs, once they are others than these."""
        self.page.wait_for_function(
            "before => { const now = [...document.querySelectorAll('#output img')].map(i => i.src);"
            " return now.length && JSON.stringify(now) !== JSON.stringify(before) }",
            arg=before,
        )
        return self.outputs()

    def outputs(self) -> list[np.ndarray]:
        """The translations that are shown."""
        return [decoded(source) for source in self._sources()]

    def _sources(self) -> list[str]:
        found: list[str] = self.page.locator("#output img").evaluate_all(
            "all => all.map(i => i.src)"
        )
        return found

    def open(self, path: Path) -> None:
        """Upload a file."""
        self.page.set_input_files("#actions input[type=file]", path)

    def message(self, text: str) -> str:
        """The whole message, once it has this text in it."""
        expect(self.page.locator("#message p")).to_contain_text(text, timeout=PATIENCE)
        return self.page.locator("#message").inner_text()


def ellipse(x: float, y: float, across: float, down: float, count: int = 40) -> Points:
    """Points around an ellipse, the last on the first."""
    angles = [2 * math.pi * i / count for i in range(count + 1)]
    return [(x + across * math.cos(a), y + down * math.sin(a)) for a in angles]


def decoded(url: str) -> np.ndarray:
    """The picture in a data URL, `(H, W, 3)` uint8."""
    content = base64.b64decode(url.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
