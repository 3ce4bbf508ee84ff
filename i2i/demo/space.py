"""Writes a folder that runs as a Hugging Face Space: model, app, examples and metrics."""

import json
import shutil
from importlib.metadata import version
from pathlib import Path

from i2i.demo.beside import EXAMPLES, METRICS, metrics_of
from i2i.demo.examples import examples
from i2i.demo.gradio import gr
from i2i.demo.surface import Surface
from i2i.errors import I2IError
from i2i.images import save_image
from i2i.model.model import Model
from i2i.plugins.manager import registry
from i2i.system.version import __version__

MODEL = "model.safetensors"

_APP = '''"""A page about the model beside this file, written by `i2i demo --space`."""

from pathlib import Path

from i2i.demo.app import launch_space

launch_space(Path(__file__).parent)
'''

_README = """---
title: {name}
sdk: gradio
sdk_version: {gradio}
python_version: "3.11"
app_file: app.py
---

# {name}

Draw, and a Pix2Pix model translates the drawing. The model was trained with i2i {i2i} on {data},
for {step:,} steps at {height} x {width} pixels.
{credit}{notice}
To run it on your machine: `pip install -r requirements.txt && python app.py`
"""


def write_space(model: Model, folder: Path, examples_from: Path | None = None) -> Path:
    """Write all files of a Space into a folder; `python app.py` in it serves the page.

    Args:
        model: The model.
        folder: A new or empty folder, or one that this function wrote before.
        examples_from: A folder of example inputs; by default those that lie with the model.

    Returns:
        The path `folder`.

    Raises:
        I2IError: If the folder has other contents or can't be written to.
    """
    app = folder / "app.py"
    try:
        if folder.exists() and any(folder.iterdir()) and not _is_ours(app):
            raise I2IError(
                f"{folder}: isn't empty and isn't a Space written by i2i; choose another folder"
            )
        folder.mkdir(parents=True, exist_ok=True)
        found = examples(model, Surface(model), examples_from)
        app.write_text(_APP, encoding="utf-8")
        if not (folder / MODEL).exists() or not (folder / MODEL).samefile(model.path):
            shutil.copyfile(model.path, folder / MODEL)
        shutil.rmtree(folder / EXAMPLES, ignore_errors=True)
        for i, example in enumerate(found):
            save_image(example.canvas, folder / EXAMPLES / f"{i + 1}-{Path(example.name).name}")
        (folder / METRICS).unlink(missing_ok=True)
        if (document := metrics_of(model.path)) is not None:
            (folder / METRICS).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        (folder / "requirements.txt").write_text(_requirements(model), encoding="utf-8")
        (folder / "README.md").write_text(_readme(model), encoding="utf-8")
    except OSError as error:
        raise I2IError(f"{folder}: can't be written: {error.strerror or error}") from error
    return folder


def _is_ours(app: Path) -> bool:
    return app.is_file() and app.read_text(encoding="utf-8", errors="replace") == _APP


def _requirements(model: Model) -> str:
    lines = [f"i2i[demo]=={__version__}"]
    plugin = registry().get("generator", model.recipe.generator.type).plugin
    if not plugin.startswith("i2i."):
        lines.append(f"{plugin}=={version(plugin)}")
    return "\n".join(lines) + "\n"


def _readme(model: Model) -> str:
    height, width = model.recipe.augment.crop
    credit, notice = model.data.credit, model.data.notice
    return _README.format(
        name=model.recipe.name,
        gradio=gr.__version__,
        i2i=__version__,
        data=model.recipe.data.type,
        step=model.step,
        height=height,
        width=width,
        credit=f"\nData: {credit}\n" if credit else "",
        notice=f"\n**{notice}**\n" if notice else "",
    )
