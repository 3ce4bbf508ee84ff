"""Examples to begin with: nothing but what lies with the model, unless somebody names it."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image

from i2i.cli import main
from i2i.demo.beside import metrics_of
from i2i.demo.examples import examples
from i2i.demo.surface import Surface
from i2i.errors import DataError
from i2i.exporting.samples import samples
from i2i.model.model import Model
from tests.conftest import picture
from tests.demo.conftest import LABELS

Models = Callable[..., Model]


@pytest.fixture
def in_a_run(model_of: Models, tmp_path: Path) -> Models:
    """A model that lies among the checkpoints of a run, which has 12 samples."""

    def make(**sections: object) -> Model:
        model = model_of(LABELS, **sections)
        run = tmp_path / "run"
        for role in ("input", "target"):
            home = run / "evaluation" / "samples" / role
            home.mkdir(parents=True)
            for i in range(12):
                Image.fromarray(picture(i, (32, 32))).save(home / f"{i:02}.png")
        (run / "recipe.toml").write_text(model.recipe.to_toml())
        model.path = run / "checkpoints" / "step-00000007" / "model.safetensors"
        return model

    return make


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A server of this machine, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as started:
        Thread(target=started.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{started.server_port}", asked
        started.shutdown()


def test_a_run_s_examples_are_its_samples(in_a_run: Models) -> None:
    model = in_a_run()
    found = examples(model, Surface(model))
    assert len(found) == 8
    assert [found[0].name, found[-1].name] == ["00", "11"]
    assert {example.canvas.shape for example in found} == {(512, 512, 3)}


def test_a_folder_that_a_stranger_s_run_names_is_not_opened(
    in_a_run: Models, tmp_path: Path
) -> None:
    private = tmp_path / "private" / "test"
    private.mkdir(parents=True)
    for i in range(3):
        Image.new("RGB", (64, 32), (255, 0, 200)).save(private / f"secret{i}.png")
    model = in_a_run(data={"type": "folders", "root": str(private.parent)})
    assert {example.name for example in examples(model, Surface(model))} == {
        "00", "01", "03", "04", "06", "07", "09", "11",
    }  # fmt: skip
    found = samples(model)
    assert found.source == "8 images of the test split"
    assert found.inputs.shape == (8, 3, 32, 32)
    assert found.targets is not None
    for file in model.path.parents[2].rglob("*.png"):
        file.unlink()
    assert examples(model, Surface(model)) == []
    assert samples(model).source == "4 made-up pictures"


def test_an_address_that_a_stranger_s_run_names_is_not_asked(
    in_a_run: Models, server: tuple[str, list[str]]
) -> None:
    url, asked = server
    model = in_a_run(data={"type": "facades", "url": f"{url}/facades.tar.gz"})
    assert len(examples(model, Surface(model))) == 8
    samples(model)
    for file in model.path.parents[2].rglob("*.png"):
        file.unlink()
    assert examples(model, Surface(model)) == []
    assert samples(model).targets is None
    assert asked == []


def test_links_out_of_a_stranger_s_folder_are_not_followed(
    in_a_run: Models, model_of: Models, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.png"
    Image.new("RGB", (32, 32)).save(secret)
    results = {"details": {}, "images": 1, "split": "test", "step": 1}
    (tmp_path / "secret.json").write_text(json.dumps(results))
    model = in_a_run()
    run = model.path.parents[2]
    for file in (run / "evaluation" / "samples" / "input").iterdir():
        if file.stem != "05":
            file.unlink()
            file.symlink_to(secret)
    (run / "evaluation" / "metrics.json").symlink_to(tmp_path / "secret.json")
    assert [example.name for example in examples(model, Surface(model))] == ["05"]
    assert samples(model).source == "1 images of the test split"
    assert metrics_of(model.path) is None

    lone = model_of()
    lone.path = tmp_path / "lone" / "model.safetensors"
    (tmp_path / "lone" / "examples").mkdir(parents=True)
    (tmp_path / "lone" / "examples" / "a.png").symlink_to(secret)
    (tmp_path / "lone" / "metrics.json").symlink_to(tmp_path / "secret.json")
    assert examples(lone, Surface(lone)) == []
    assert metrics_of(lone.path) is None


def test_a_lone_model_has_those_beside_it_that_can_be_read(
    model_of: Models, tmp_path: Path
) -> None:
    model = model_of()
    assert examples(model, Surface(model)) == []
    folder = tmp_path / "examples"
    folder.mkdir()
    for i in range(9):
        Image.new("RGB", (8, 8), (i, i, i)).save(folder / f"{i}.png")
    (folder / "0.png").write_bytes(b"damaged")
    (folder / "notes.txt").write_text("no image")
    found = examples(model, Surface(model))
    assert [example.name for example in found] == ["1", "2", "3", "4", "5", "6", "7"]


def test_a_folder_that_the_user_names_is_opened(
    in_a_run: Models, folder: Callable[..., Path]
) -> None:
    model = in_a_run()
    mine = folder("mine", range(3))
    found = examples(model, Surface(model), mine)
    assert [example.name for example in found] == ["000", "001", "002"]
    (mine / "001.png").write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"001\.png"):
        examples(model, Surface(model), mine)
    for file in mine.iterdir():
        file.unlink()
    with pytest.raises(DataError, match="has no images"):
        examples(model, Surface(model), mine)


def test_a_space_holds_nothing_of_the_data_that_a_run_names(trained: Path, tmp_path: Path) -> None:
    pytest.importorskip("gradio", reason="needs the extra demo")
    space = tmp_path / "space"
    with pytest.raises(SystemExit) as end:
        main(["demo", str(trained), "--space", str(space)])
    assert not end.value.code
    inputs = trained / "evaluation" / "samples" / "input"
    published = sorted((space / "examples").iterdir())
    assert len(published) == len(list(inputs.iterdir())) == 4
    for file, own in zip(published, sorted(inputs.iterdir()), strict=True):
        small = np.asarray(Image.open(file).resize((32, 32)))
        assert (
            np.abs(small.astype(int) - np.asarray(Image.open(own))).mean() < 30
        )  # other samples differ by more
