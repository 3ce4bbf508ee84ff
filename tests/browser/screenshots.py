"""Writes the documentation's pictures of the demo.

    python -m tests.browser.screenshots MODEL docs/images

A model of line art gives `demo_cat.png` and `demo_cat_dark.png`, one of label maps
`demo_facade.png` and `demo_facade_dark.png`.
"""

import subprocess
import sys
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.browser.visitor import Visitor, browser

SIZE: ViewportSize = {"width": 1240, "height": 830}


def main(model: str, folder: Path) -> None:
    command = [sys.executable, "-u", "-m", "i2i", "demo", model, "--port", "0"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
        sync_playwright() as started,
    ):
        try:
            assert process.stdout is not None
            address = next(
                word for word in process.stdout.readline().split() if word.startswith("http")
            )
            opened = browser(started)
            draw(opened, address, "light", folder)
            draw(opened, address, "dark", folder)
            opened.close()
        finally:
            process.terminate()


def draw(opened: Browser, address: str, scheme: Literal["light", "dark"], folder: Path) -> None:
    """Draw what the model's brushes are for, translate it and keep a picture of the page."""
    page = opened.new_page(viewport=SIZE, color_scheme=scheme)
    visitor = Visitor(page, address)
    labels = page.locator(".swatches button").count() > 0
    if labels:
        visitor.draw_facade()
    else:
        visitor.draw_cat()
    visitor.translate()
    page.mouse.move(5, 5)
    page.wait_for_timeout(500)
    page.evaluate("window.scrollTo(0, 0)")
    name = f"{'demo_facade' if labels else 'demo_cat'}{'_dark' if scheme == 'dark' else ''}.png"
    page.screenshot(path=folder / name, full_page=scheme == "light")
    page.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
