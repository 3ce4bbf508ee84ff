"""The demo as people use it: a real Chromium, a real mouse, the real program."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("gradio", reason="needs the extra demo: pip install 'i2i[demo]'")
pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install 'i2i[dev]'")

import httpx
from playwright.sync_api import Browser, expect

from i2i.datasets.synthetic import CLASSES
from tests.browser.conftest import environment, served
from tests.browser.visitor import Visitor
from tests.conftest import picture

Visit = Callable[[str], Visitor]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


def is_blank(image: np.ndarray) -> bool:
    return float(image.std()) < 1


def saturation(image: np.ndarray) -> np.ndarray:
    return np.asarray(image.max(axis=2)).astype(int) - image.min(axis=2)


@pytest.fixture
def emoji(visit: Visit, emoji_page: str) -> Visitor:
    return visit(emoji_page)


def test_a_drawn_cat_comes_out_coloured(emoji: Visitor) -> None:
    emoji.draw_cat()
    drawing = emoji.drawing()
    assert saturation(drawing).max() == 0
    (output,) = emoji.translate()
    assert not is_blank(output)
    head = np.s_[30:50, 20:44]  # of 64: within the drawn head
    assert saturation(output[head]).mean() > 40
    assert emoji.complaints == []


def test_another_drawing_gives_another_output(emoji: Visitor) -> None:
    emoji.stroke((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8), (0.2, 0.2))
    (square,) = emoji.translate()
    emoji.choose("[data-action=clear]")
    emoji.draw_cat()
    (cat,) = emoji.translate()
    assert np.abs(square.astype(int) - cat).mean() > 5


def test_ink_is_black_on_white_and_the_eraser_takes_it_away(emoji: Visitor) -> None:
    assert (emoji.drawing() == 255).all()
    emoji.stroke((0.1, 0.5), (0.9, 0.5))
    assert (emoji.drawing()[256, 100:400] == 0).all()
    emoji.choose("[data-tool=eraser]")
    emoji.stroke((0.5, 0.5), (0.9, 0.5))
    assert (emoji.drawing()[256, 260:470] == 255).all()
    assert (emoji.drawing()[256, 100:200] == 0).all()


def test_undo_redo_and_clear_bring_back_what_was(emoji: Visitor) -> None:
    empty = emoji.drawing()
    emoji.stroke((0.1, 0.2), (0.9, 0.2))
    one = emoji.drawing()
    emoji.stroke((0.1, 0.7), (0.9, 0.7))
    two = emoji.drawing()
    emoji.choose("[data-action=undo]")
    np.testing.assert_array_equal(emoji.drawing(), one)
    emoji.page.keyboard.press("Control+z")
    np.testing.assert_array_equal(emoji.drawing(), empty)
    emoji.choose("[data-action=redo]")
    emoji.page.keyboard.press("Control+Shift+z")
    np.testing.assert_array_equal(emoji.drawing(), two)
    emoji.choose("[data-action=clear]")
    np.testing.assert_array_equal(emoji.drawing(), empty)
    emoji.choose("[data-action=undo]")
    np.testing.assert_array_equal(emoji.drawing(), two)


def test_an_undone_drawing_is_an_empty_canvas_to_the_model(emoji: Visitor) -> None:
    emoji.draw_cat()
    emoji.translate()
    emoji.choose("[data-action=clear]")
    emoji.page.click("#translate")
    expect(emoji.page.locator("#output")).to_contain_text("Draw something")


def test_live_translates_after_each_stroke_and_only_then(emoji: Visitor) -> None:
    emoji.stroke((0.2, 0.2), (0.8, 0.2))
    emoji.page.wait_for_timeout(1000)
    assert emoji.outputs() == []
    emoji.page.check("#live input")
    emoji.stroke((0.2, 0.4), (0.8, 0.4))
    (first,) = emoji.next_outputs([])
    shown = emoji.page.locator("#output img").get_attribute("src")
    emoji.stroke((0.2, 0.6), (0.8, 0.6))
    (second,) = emoji.next_outputs([shown or ""])
    assert (first != second).any()


def test_rectangles_and_strokes_have_exactly_the_colour_of_their_class(visitor: Visitor) -> None:
    assert (visitor.drawing() == CLASSES["background"]).all()
    visitor.choose(".swatches button[title=window]")
    visitor.stroke((0.25, 0.25), (0.75, 0.5))
    drawing = visitor.drawing()
    assert (drawing[135:250, 135:380] == CLASSES["window"]).all()
    assert (drawing[:120] == CLASSES["background"]).all()
    visitor.choose(".swatches button[title=pillar]")
    visitor.choose("[data-tool=pen]")
    visitor.stroke((0.1, 0.9), (0.5, 0.3), (0.9, 0.9))
    found = {tuple(colour) for colour in np.unique(visitor.drawing().reshape(-1, 3), axis=0)}
    assert found == {CLASSES[name] for name in ("background", "window", "pillar")}


def test_every_class_has_a_button_with_its_name(visitor: Visitor) -> None:
    for name in CLASSES:
        button = visitor.page.get_by_role("button", name=name, exact=True)
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")


def test_samples_side_by_side_differ_with_dropout_on(visitor: Visitor) -> None:
    visitor.draw_facade()
    visitor.page.locator("#samples input[type=number]").fill("2")
    visitor.page.keyboard.press("Tab")
    first, second = visitor.next_outputs([])
    assert not is_blank(first)
    assert (first != second).any()


def test_without_dropout_there_is_nothing_to_sample(emoji: Visitor) -> None:
    expect(emoji.page.locator("#samples")).to_be_hidden()


def test_an_example_fills_the_canvas_and_can_be_drawn_over(visitor: Visitor) -> None:
    visitor.page.click("#examples button >> nth=1")
    visitor.page.wait_for_function(
        "!document.querySelector('#draw-canvas [data-action=clear]').disabled"
    )
    example = visitor.drawing()
    assert len(np.unique(example.reshape(-1, 3), axis=0)) > 3
    visitor.choose(".swatches button[title=shop]")
    visitor.stroke((0.4, 0.4), (0.6, 0.6))
    assert (visitor.drawing()[256, 256] == CLASSES["shop"]).all()
    visitor.choose("[data-action=undo]")
    np.testing.assert_array_equal(visitor.drawing(), example)
    assert not is_blank(visitor.translate()[0])


def test_an_uploaded_picture_is_painted(emoji: Visitor, tmp_path: Path) -> None:
    Image.new("RGB", (40, 20), "red").save(tmp_path / "wide.png")
    emoji.open(tmp_path / "wide.png")
    emoji.page.wait_for_function(
        "!document.querySelector('#draw-canvas [data-action=clear]').disabled"
    )
    drawing = emoji.drawing()
    assert (drawing[200:300] == (255, 0, 0)).all()
    assert (drawing[:100] == 255).all()
    assert not is_blank(emoji.translate()[0])


def test_files_that_can_t_be_taken_are_named_with_the_reason(
    visitor: Visitor, tmp_path: Path
) -> None:
    page, cut, bomb = (tmp_path / name for name in ("page.jpg", "cut.jpg", "bomb.png"))
    page.write_bytes(b"<!doctype html><html></html>")
    Image.fromarray(picture(1, (64, 64))).save(cut)
    cut.write_bytes(cut.read_bytes()[:-200])
    Image.new("1", (10_000, 10_000)).save(bomb)
    for path, reason in (
        (page, "page.jpg: is HTML or XML, not an image"),
        (cut, "cut.jpg: "),
        (bomb, "bomb.png: has 100,000,000 pixels"),
    ):
        visitor.open(path)
        message = visitor.message(reason)
        assert "Traceback" not in message
        assert "/" not in message
    assert (visitor.drawing() == CLASSES["background"]).all()
    visitor.draw_facade()
    visitor.translate()
    expect(visitor.page.locator("#message p")).to_have_count(0)


def test_a_file_that_is_too_large_is_not_sent_and_the_server_would_not_take_it(
    visitor: Visitor, facades_page: str, tmp_path: Path
) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(bytes(600_000))
    visitor.open(large)
    assert "large.png: has 0.6 MB; the largest file allowed here has 0.5 MB" in (
        visitor.message("large.png")
    )
    assert not any("upload" in address for address in visitor.hosts)
    for size in (600_000, 20_000_000):
        answer = httpx.post(
            f"{facades_page}gradio_api/upload", files={"files": ("a.png", bytes(size))}
        )
        assert answer.status_code == 413
        assert "Traceback" not in answer.text


def test_a_page_that_lies_gets_a_message(visitor: Visitor) -> None:
    visitor.stroke((0.2, 0.2), (0.8, 0.8))
    visitor.page.evaluate(
        "document.querySelector('#draw-canvas canvas').toDataURL = () => '/etc/passwd'"
    )
    visitor.stroke((0.2, 0.3), (0.8, 0.9))
    visitor.page.click("#translate")
    visitor.message("the drawing is no PNG")


def test_files_of_this_machine_are_not_served(facades_page: str, facades_run: Path) -> None:
    for path in ("/etc/passwd", facades_run / "recipe.toml", "recipe.toml"):
        assert httpx.get(f"{facades_page}gradio_api/file={path}").status_code in (403, 404)


def test_a_port_that_is_taken_is_told_in_a_line(facades_page: str, facades_run: Path) -> None:
    port = facades_page.rstrip("/").rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "i2i", "demo", str(facades_run), "--port", port],
        env=environment(facades_run.parents[1]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"port {port} can't be listened on" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_card_tells_credit_recipe_and_results(emoji: Visitor) -> None:
    card = emoji.page.locator("#card")
    expect(card).to_contain_text("OpenMoji")
    expect(card).to_contain_text("CC BY-SA 4.0")
    expect(card).to_contain_text("l1 ↓")
    card.locator("summary").click()
    expect(card.locator("pre")).to_contain_text("max_steps = 200")


def test_a_finger_draws_and_the_page_stands_still(chromium: Browser, emoji_page: str) -> None:
    with chromium.new_context(has_touch=True, viewport={"width": 420, "height": 900}) as phone:
        visitor = Visitor(phone.new_page(), emoji_page)
        canvas = visitor.page.locator("#draw-canvas canvas")
        box = visitor.canvas_box()
        assert box["width"] < 420
        canvas.tap(position={"x": box["width"] / 4, "y": box["height"] / 2})
        assert (visitor.drawing()[256, 128] == 0).all()
        assert canvas.evaluate("canvas => getComputedStyle(canvas).touchAction") == "none"


def test_a_space_runs_by_itself_where_the_environment_says(
    visit: Visit, emoji_run: Path, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    space = tmp_path / "space"
    subprocess.run(
        [sys.executable, "-m", "i2i", "demo", str(emoji_run), "--space", str(space)],
        env=environment(emoji_run.parents[1]),
        check=True,
    )
    with served(space, "app.py", GRADIO_SERVER_PORT=str(port)) as address:
        assert f":{port}" in address
        visitor = visit(address)
        expect(visitor.page.locator("#examples button")).to_have_count(8)
        expect(visitor.page.locator("#card")).to_contain_text("l1 ↓")
        visitor.draw_cat()
        assert not is_blank(visitor.translate()[0])
